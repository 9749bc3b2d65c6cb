"""What a person is asked about: the rows of a table that want one, riskiest first."""

from collections.abc import Callable, Iterator, Sequence
from math import floor
from pathlib import Path
from random import Random
from typing import Any, Literal, NamedTuple, Self

from inkdigit.bulk.readers import characters_of, read_table
from inkdigit.bulk.rows import Record
from inkdigit.errors import SettingError
from inkdigit.reading.alphabet import NOT_A_DIGIT, only_digits
from inkdigit.reading.result import Box
from inkdigit.review.journal import BLANK

# What an audit may be spread over.
Strata = Literal["field", "confidence"] | None
DOUBTFUL = ("review", "rejected")


class Field(NamedTuple):
    """A row of a table, counted from 1, as far as a person needs it.

    `name` is its id, if it has one, or where it lies. `proposal` is what was read, as it is keyed,
    and `None` where nothing was; `second` is what was read without a pattern or a form's rules, or
    the next best guess, and `weakest` the place of the least sure character.
    """

    row: int
    source: str
    page: int
    box: Box | None
    rotate: int
    name: str
    proposal: str | None
    second: str | None
    weakest: int
    confidence: float
    reason: str
    model: str

    @classmethod
    def of(cls, number: int, row: Record) -> Self:
        """Return what is needed of a row."""
        characters, text, page = characters_of(row), row["text"], row.get("page") or 1
        sure, free = [one["confidence"] for one in characters], row.get("unconstrained")
        is_replaced = free and free != only_digits(text or "")
        return cls(
            row=number,
            source=row["source"],
            page=page,
            box=tuple(row["box"]) if row.get("box") else None,
            rotate=row.get("rotate") or 0,
            name=row.get("id") or _place(row["source"], page),
            proposal=text if text is None else text or BLANK,
            second=free if is_replaced else second_guess(characters),
            weakest=sure.index(min(sure)) if sure else 0,
            confidence=row.get("confidence") or 0.0,
            reason=row.get("reason") or "",
            model=row.get("model") or "",
        )

    @property
    def title(self) -> str:
        """What tells it from all others: its name, behind where it lies."""
        place = _place(self.source, self.page)
        return place if place == self.name else f"{place}: {self.name}"


def _place(source: str, page: int) -> str:
    return f"{source}, page {page}" if page > 1 else source


def second_guess(characters: Sequence[dict[str, Any]]) -> str | None:
    """Return the likeliest text with one other character, `None` where none is known.

    >>> other = {"value": "1", "confidence": 0.3}
    >>> seven = {"value": "7", "confidence": 0.6, "alternatives": [other]}
    >>> second_guess([{"value": "4", "confidence": 0.9, "alternatives": []}, seven])
    '41'
    """
    text = "".join(one["value"] for one in characters)
    guesses = (
        (other["confidence"] / max(one["confidence"], 1e-9), place, other["value"])
        for place, one in enumerate(characters)
        # They are likeliest first, so that one of these is another digit.
        for other in one["alternatives"][:3]
        if other["value"] not in {one["value"], NOT_A_DIGIT}
    )
    _, place, value = max(guesses, default=(0, 0, None))
    return None if value is None else text[:place] + value + text[place + 1 :]


def numbered(table: Path) -> Iterator[tuple[int, Record]]:
    """Yield the rows of a table with their numbers, from 1."""
    return enumerate(read_table(table), start=1)


def doubtful(table: Path, also: Callable[[int], bool] = lambda _: False) -> list[Field]:
    """Return the rows for review and the rejected ones, and those that are wanted `also`.

    The least sure come first.
    """
    found = (
        Field.of(number, row)
        for number, row in numbered(table)
        if row["status"] in DOUBTFUL or also(number)
    )
    return sorted(found, key=lambda field: field.confidence)


def sample(table: Path, count: int, seed: str, by: Strata = None) -> tuple[list[Field], int]:
    """Return so many of the accepted rows in random order, and how many there are.

    The same seed draws the same rows. Without `by` it draws those and more where the count is
    larger; with it, in proportion to the rows of each stratum: sorted by it, they are cut into as
    many equal blocks as rows are drawn, and one is drawn from each (Cochran 1977, chapter 5A).
    """
    accepted = {
        number: stratum(by, row.get("id") or "", row.get("confidence") or 0.0)
        for number, row in numbered(table)
        if row["status"] == "accepted"
    }
    order, draw = list(accepted), Random(seed)  # noqa: S311  (no secret)
    draw.shuffle(order)
    if by and (size := len(order) // count):
        order = sorted(order[: size * count], key=accepted.__getitem__)
        order = [draw.choice(order[at : at + size]) for at in range(0, len(order), size)]
        draw.shuffle(order)
    drawn = dict.fromkeys(order[:count])
    found = {number: Field.of(number, row) for number, row in numbered(table) if number in drawn}
    return [found[number] for number in drawn], len(accepted)


def stratum(by: Strata, name: str, confidence: float) -> str:
    """Return what a row belongs to: its field of a form, its hundredth of confidence, or nothing.

    >>> stratum("field", "claim/2/total", 0.987), stratum("confidence", "claim/2/total", 0.987)
    ('total', 'confidence 0.98')
    """
    if by == "confidence":
        return f"confidence {floor(round(100 * confidence, 6)) / 100:.2f}"
    if by and "/" not in name:
        raise SettingError("only the rows of forms say which field they are")
    return name.rpartition("/")[2] if by else ""
