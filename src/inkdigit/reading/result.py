"""What a reading is: plain values, ready for JSON."""

from dataclasses import dataclass
from typing import Any, Literal

Status = Literal["accepted", "review", "rejected"]
Box = tuple[int, int, int, int]


@dataclass(frozen=True)
class Alternative:
    """A value that a place might have, with its probability."""

    value: str
    confidence: float


@dataclass(frozen=True)
class Character:
    """One character of the text.

    `box` is `(x, y, w, h)` in pixels of the picture that was read. `alternatives` are likeliest
    first. They weigh each character by itself, so the value of a text that was chosen as a whole,
    by several looks or by rules, need not be the first of them.
    """

    value: str
    confidence: float
    box: Box
    alternatives: tuple[Alternative, ...]


@dataclass(frozen=True)
class Mark:
    """A dot, comma, dash, slash or equals sign that was seen, and is not in the text.

    It stands before the text's character `position`: 0 is ahead of the first, `len(text)` after
    the last.
    """

    value: str
    position: int
    confidence: float
    box: Box


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What one picture says.

    `confidence` is the calibrated probability that the whole `text` is right. `status` says what
    to do with it and `reason` why, in one sentence; it is empty for what was accepted.
    `unconstrained` is what would have been read without the pattern and check, `None` where there
    was none. Blank paper gives an empty text.
    """

    text: str
    confidence: float
    status: Status
    reason: str
    digits: tuple[Character, ...]
    marks: tuple[Mark, ...]
    unconstrained: str | None
    model: str

    def to_dict(self) -> dict[str, Any]:
        """Return plain types only, in the documented order of the fields."""
        return {
            "text": self.text,
            "confidence": round(self.confidence, 6),
            "status": self.status,
            "reason": self.reason,
            "digits": [
                {
                    "value": digit.value,
                    "confidence": round(digit.confidence, 6),
                    "box": list(digit.box),
                    "alternatives": [
                        {"value": other.value, "confidence": round(other.confidence, 6)}
                        for other in digit.alternatives
                    ],
                }
                for digit in self.digits
            ],
            "marks": [
                {
                    "value": mark.value,
                    "position": mark.position,
                    "confidence": round(mark.confidence, 6),
                    "box": list(mark.box),
                }
                for mark in self.marks
            ],
            "unconstrained": self.unconstrained,
            "model": self.model,
        }
