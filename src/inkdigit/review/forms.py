"""Forms in a table: their fields together, and the rules among them by what people say."""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from inkdigit.documents.template import Template
from inkdigit.errors import SettingError
from inkdigit.review.fields import Field, numbered
from inkdigit.review.journal import BLANK, CROSSED_OUT, UNREADABLE, Journal


class Forms:
    """The forms of some templates in a table that has a row for each field of them.

    Raises `SettingError` for what is no template, and where there is no form of one.
    """

    def __init__(self, journal: Journal, templates: Sequence[Path]) -> None:
        self._journal = journal
        self._templates = {one.name: one for one in map(Template.load, templates)}
        self._forms = defaultdict[tuple[str, str], dict[str, Field]](dict)
        for number, row in numbered(journal.table):
            form, _, name = (row.get("id") or "").rpartition("/")
            if form.partition("/")[0] in self._templates:
                self._forms[row["source"], form][name] = Field.of(number, row)
        if not self._forms:
            raise SettingError(f"{journal.table} has no fields of {', '.join(self._templates)}")

    def together(self, fields: Sequence[Field]) -> list[Field]:
        """Return fields form by form, the form of the first of them first."""
        order = {form: place for place, form in enumerate(dict.fromkeys(map(_form_of, fields)))}
        return sorted(fields, key=lambda one: (order[_form_of(one)], one.row))

    def shown(self, field: Field, keyed: str) -> dict[str, Any]:
        """Return the fields of a field's form, and which rules are broken if this is keyed."""
        said = {
            name: keyed if one.row == field.row else self._said(one)
            for name, one in self._forms[_form_of(field)].items()
        }
        texts = {name: "" if one in {BLANK, CROSSED_OUT} else one for name, one in said.items()}
        template = self._templates.get(field.name.partition("/")[0])
        return {"form": said, "broken": template.broken(texts) if template else []}

    def _said(self, field: Field) -> str:
        answer = self._journal.answer(field.row)
        return (answer.new if answer else field.proposal) or UNREADABLE


def _form_of(field: Field) -> tuple[str, str]:
    return field.source, field.name.rpartition("/")[0]
