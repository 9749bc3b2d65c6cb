"""What a person is asked about: the rows of a table that want one, riskiest first."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Any, NamedTuple, Self

from inkdigit.bulk.readers import characters_of, read_table
from inkdigit.bulk.rows import Record
from inkdigit.reading.alphabet import NOT_A_DIGIT
from inkdigit.reading.result import Box
from inkdigit.review.journal import BLANK

_DOUBTFUL = ("review", "rejected")


class Field(NamedTuple):
    """A row of a table, counted from 1, as far as a person needs it.

    `proposal` is what was read, as it is keyed, and `None` where nothing was; `second` is the next
    best guess, and `weakest` the place of the least sure character.
    """

    row: int
    source: str
    page: int
    box: Box | None
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
        sure = [one["confidence"] for one in characters]
        source = row["source"]
        return cls(
            row=number,
            source=source,
            page=page,
            box=tuple(row["box"]) if row.get("box") else None,
            name=row.get("id") or (f"{source}, page {page}" if page > 1 else source),
            proposal=text if text is None else text or BLANK,
            second=second_guess(characters),
            weakest=sure.index(min(sure)) if sure else 0,
            confidence=row.get("confidence") or 0.0,
            reason=row.get("reason") or "",
            model=row.get("model") or "",
        )


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
        if row["status"] in _DOUBTFUL or also(number)
    )
    return sorted(found, key=lambda field: field.confidence)


def sample(table: Path, count: int, seed: str) -> tuple[list[Field], int]:
    """Return so many of the accepted rows in random order, and how many there are.

    The same seed draws the same rows, and those and more where the count is larger.
    """
    accepted = [number for number, row in numbered(table) if row["status"] == "accepted"]
    Random(seed).shuffle(accepted)  # noqa: S311  (no secret)
    drawn = dict.fromkeys(accepted[:count])
    found = {number: Field.of(number, row) for number, row in numbered(table) if number in drawn}
    return [found[number] for number in drawn], len(accepted)
