"""Forms in a table: their fields together, and the rules among them by what people say."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from inkdigit.bulk.form_rows import grouped
from inkdigit.bulk.readers import read_table
from inkdigit.documents.template import Template
from inkdigit.errors import SettingError
from inkdigit.review.fields import Field
from inkdigit.review.journal import BLANK, CROSSED_OUT, UNREADABLE, Journal


class Forms:
    """The forms of some templates in a table that has a row for each field of them.

    Raises `SettingError` for what is no template, and where there is no form of one.
    """

    def __init__(self, journal: Journal, templates: Sequence[Path]) -> None:
        self._journal = journal
        self._templates = {one.name: one for one in map(Template.load, templates)}
        # The fields of each row's form, by their names.
        self._form_of = dict[int, dict[str, Field]]()
        number = 0
        for rows in grouped(read_table(journal.table)):
            fields = [Field.of(place, row) for place, row in enumerate(rows, number + 1)]
            number += len(rows)
            if fields[0].name.partition("/")[0] in self._templates:
                form = {field.name.rpartition("/")[2]: field for field in fields}
                self._form_of |= dict.fromkeys((field.row for field in fields), form)
        if not self._form_of:
            raise SettingError(f"{journal.table} has no fields of {', '.join(self._templates)}")

    def together(self, fields: Sequence[Field]) -> list[Field]:
        """Return fields form by form, the form of the first of them first."""
        order = {form: place for place, form in enumerate(dict.fromkeys(map(self._first, fields)))}
        return sorted(fields, key=lambda one: (order[self._first(one)], one.row))

    def _first(self, field: Field) -> int:
        """Return the first row of a field's form."""
        return min(one.row for one in (*self._form_of.get(field.row, {}).values(), field))

    def shown(self, field: Field, keyed: str) -> dict[str, Any]:
        """Return the fields of a field's form, and which rules are broken if this is keyed."""
        said = {
            name: keyed if one.row == field.row else self._said(one)
            for name, one in self._form_of.get(field.row, {}).items()
        }
        texts = {name: "" if one in {BLANK, CROSSED_OUT} else one for name, one in said.items()}
        template = self._templates.get(field.name.partition("/")[0])
        return {"form": said, "broken": template.broken(texts) if template else []}

    def _said(self, field: Field) -> str:
        answer = self._journal.answer(field.row)
        return (answer.new if answer else field.proposal) or UNREADABLE
