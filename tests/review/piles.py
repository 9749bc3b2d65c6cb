"""Tables of drawn numbers, and what a person says of them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from drawing import png

from inkdigit.bulk.rows import Record
from inkdigit.bulk.writers import Output
from inkdigit.reading.result import COLUMNS, Alternative, Box, Character, Reading, Row
from inkdigit.review.fields import Field, doubtful
from inkdigit.review.journal import Decision, Journal

# What was read, its status and its confidence; the last digit may be a 1.
READ = [("17", "review", 0.8), ("20", "accepted", 0.99), ("35", "review", 0.6)]


def row(number: int, text: str, status: Any, confidence: float, box: Box | None = None) -> Record:
    """Return a row as `inkdigit read` gives it: its picture is `NUMBER.png`."""
    characters = [Character(one, 0.9, (0, 0, 9, 9), (Alternative(one, 0.9),)) for one in text]
    if text:
        others = (Alternative(text[-1], 0.6), Alternative("?", 0.35), Alternative("1", 0.3))
        characters[-1] = Character(text[-1], 0.6, (9, 0, 9, 9), others)
    reason = "" if status == "accepted" else f"confidence {confidence} is below 0.9"
    reading = Reading(
        text=text, confidence=confidence, status=status, reason=reason, characters=tuple(characters)
    )
    return Row(f"{number}.png", 1, reading, "line 1", box=box).to_dict(COLUMNS)


def table_of(
    path: Path, read: Sequence[tuple[str, str, float]] = READ, *, pictures: bool = False
) -> Path:
    """Write a table of what was read and, where they are wanted, the pictures beside it."""
    rows = [row(number, *one) for number, one in enumerate(read, start=1)]
    Output(path, path.suffix[1:]).write(rows, several=True)
    for one, (text, *_) in zip(rows, read if pictures else [], strict=False):
        (path.parent / one["source"]).write_bytes(png(text))
    return path


def said(row: int, new: str | None, who: str = "anna", **given: Any) -> Decision:
    """Return what a person says of a row that was read as 17."""
    known = {"when": "2030-01-01T00:00:00Z", "field": f"{row}.png", "old": "17", "ms": 900}
    known |= {"model": "line 1", "blind": False}
    return Decision(who=who, row=row, new=new, **{**known, **given})


def settled(table: Path, *decisions: Decision) -> Journal:
    """Return the journal of a table with these decisions in it."""
    journal = Journal(table)
    for decision in decisions:
        journal.append(decision)
    return journal


def fields_of(table: Path) -> list[Field]:
    """Return the doubtful fields of a table."""
    return doubtful(table)


# A form that adds up.
CLAIM = {
    "name": "claim",
    "pages": [{"width": 210, "height": 297, "print": "claim.form.1.png"}],
    "fields": [
        {"name": name, "page": 1, "box": [20, 20 * (1 + at), 40, 10]}
        for at, name in enumerate(("q1", "q2", "total"))
    ],
    "rules": ["total = q1 + q2"],
}


def form_table(path: Path, read: dict[str, str], copies: int = 1) -> Path:
    """Write a table of copies of a claim: of each the first field is accepted, the last unsure."""
    rows = []
    for copy in range(1, copies + 1):
        for name, text in read.items():
            status, sure = ("accepted" if name == "q1" else "review"), 0.9 - 0.1 * len(rows)
            rows.append(row(1, text, status, sure) | {"id": f"claim/{copy}/{name}"})
    Output(path, "jsonl").write(rows, several=True)
    (path.parent / "1.png").write_bytes(png("1"))
    return path
