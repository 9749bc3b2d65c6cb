"""Forms in a table: their fields together, and the rules among them by what people say."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from inkdigit.bulk.form_rows import grouped
from inkdigit.bulk.readers import read_table
from inkdigit.documents.template import Field as TemplateField
from inkdigit.documents.template import Template
from inkdigit.errors import SettingError
from inkdigit.review.fields import DOUBTFUL, Field
from inkdigit.review.journal import BLANK, CROSSED_OUT, UNREADABLE, WORDS, Journal


class Forms:
    """The forms of some templates in a table that has a row for each field of them.

    Raises `SettingError` for what is no template, and for one that the table has no form of, or
    forms with other fields. `names` are those of the fields, each once; `others` the forms that
    none of the templates is of. Without templates there are no forms.
    """

    def __init__(self, journal: Journal, templates: Sequence[Path]) -> None:
        self._journal = journal
        loaded = list(map(Template.load, templates))
        known = {one.name: one for one in loaded}
        if len(known) < len(loaded):
            names = ", ".join(one.name for one in loaded)
            raise SettingError(f"name templates of different forms, received {names}")
        self.names = tuple(dict.fromkeys(f.name for one in known.values() for f in one.fields))
        # The template and fields of each row's form, fields by their names.
        self._form_of = dict[int, tuple[Template, dict[str, Field]]]()
        self.others, self._doubtful = set[str](), set[int]()
        number, lacking = 0, set(known)
        for rows in grouped(read_table(journal.table)) if known else ():
            fields = [Field.of(place, row) for place, row in enumerate(rows, number + 1)]
            number += len(rows)
            name = (rows[0].get("id") or "").partition("/")[0]
            if name not in known:
                self.others |= {name} - {""}
            if template := known.get(name):
                form = {field.name.rpartition("/")[2]: field for field in fields}
                if odd := form.keys() ^ {field.name for field in template.fields}:
                    whose = "the table" if min(odd) not in form else "the template"
                    raise SettingError(
                        f"{journal.table} was read with another template than this {template.name}"
                        f": {whose} has no field {min(odd)}"
                    )
                self._doubtful |= {
                    field.row
                    for field, row in zip(fields, rows, strict=True)
                    if row["status"] in DOUBTFUL
                }
                self._form_of |= dict.fromkeys((field.row for field in fields), (template, form))
                lacking.discard(template.name)
        if lacking:
            raise SettingError(f"{journal.table} has no fields of {', '.join(sorted(lacking))}")

    def together(self, fields: Sequence[Field]) -> list[Field]:
        """Return fields form by form, the form of the first of them first."""
        order = {form: place for place, form in enumerate(dict.fromkeys(map(self._first, fields)))}
        return sorted(fields, key=lambda one: (order[self._first(one)], one.row))

    def _first(self, field: Field) -> int:
        """Return the first row of a field's form."""
        _, form = self._form_of.get(field.row, (None, {}))
        return min(one.row for one in (*form.values(), field))

    def shown(self, field: Field, keyed: str) -> dict[str, Any]:
        """Return the fields of a field's form, and which rules are broken if this is keyed."""
        template, form = self._form_of.get(field.row, (None, {}))
        said = {
            name: keyed if one.row == field.row else self._said(one) for name, one in form.items()
        }
        texts = {name: "" if one in {BLANK, CROSSED_OUT} else one for name, one in said.items()}
        return {"form": said, "broken": template.broken(texts) if template else []}

    def doubt(self, said: Mapping[int, str], *, blind: bool = False) -> str:
        """Return what is odd about what is keyed, by row, or nothing; people may have written it.

        Rules are looked at with the last field of a form, and not where others are hidden.
        """
        for row, keyed in said.items():
            template, form = self._form_of.get(row, (None, {}))
            if template is None:
                continue
            name = next(name for name, one in form.items() if one.row == row)
            if odd := _misfit(template, name, keyed):
                return odd
            is_last = all(one.row == row or self._is_settled(one) for one in form.values())
            if is_last and not blind and (broken := self.shown(form[name], keyed)["broken"]):
                return str(broken[0])
        return ""

    def remark(self, row: int) -> str:
        """Return what is odd about what people settled of a row, or nothing.

        Rules that are broken are told of the field that a form was settled with.
        """
        template, form = self._form_of.get(row, (None, {}))
        answer = self._journal.answer(row)
        if template is None or answer is None:
            return ""
        (name,) = (name for name, one in form.items() if one.row == row)
        told = [_misfit(template, name, str(answer.new))]
        answers = filter(None, (self._journal.answer(one.row) for one in form.values()))
        is_last = answer is max(answers, key=lambda one: one.when)
        if is_last and all(map(self._is_settled, form.values())):
            told += self.shown(form[name], str(answer.new))["broken"]
        return "; ".join(filter(None, told))

    def _is_settled(self, field: Field) -> bool:
        return field.row not in self._doubtful or bool(self._journal.answer(field.row))

    def _said(self, field: Field) -> str:
        answer = self._journal.answer(field.row)
        return (answer.new if answer else field.proposal) or UNREADABLE


def _misfit(template: Template, name: str, keyed: str) -> str:
    """Return that a field cannot hold a text by its form, nothing where it may."""
    (own,) = (one for one in template.fields if one.name == name)
    return "" if keyed in WORDS or _fits(own, keyed) else f"{name} cannot be {keyed} by its form"


def _fits(field: TemplateField, keyed: str) -> bool:
    """Return whether a field may hold a text."""
    if field.kind == "check":
        return keyed in {"0", "1"}
    return len(keyed) <= (field.cells or len(keyed)) and field.may_be(keyed)
