"""What to do with a reading: take it, have it reviewed, or reject it, and why."""

from collections.abc import Sequence
from itertools import pairwise
from statistics import median

from inkdigit.reading.alphabet import DIGITS
from inkdigit.reading.model_file import ModelInfo
from inkdigit.reading.options import Rules
from inkdigit.reading.result import Box, Mark, Reading, Status

# A text that is more likely wrong than right is not worth a review.
_REJECTED_BELOW = 0.5
_BEFORE_CENTS = ".,-"
_OF_THOUSANDS = ".,"
_WRITTEN = set(".,/=")
# Shares of a digit's height.
_SMALL, _RAISED = 0.75, 0.15


def verdict(text: str, confidence: float, rules: Rules, info: ModelInfo) -> tuple[Status, str]:
    """Return the status and its reason as far as the text and its confidence go."""
    least = info.reject_threshold if rules.min_confidence is None else rules.min_confidence
    if not rules.passes(text):
        if rules.pattern is not None and not rules.pattern.fits(text):
            return "rejected", f"nothing here fits the pattern {rules.pattern.text}"
        return "review", f"nothing likely here passes the check {rules.check_name}"
    if confidence < min(_REJECTED_BELOW, least):
        return "rejected", f"more likely wrong than right ({confidence:.2f})"
    if confidence < least:
        return "review", f"confidence {confidence:.4f} is below {least:.4f}"
    return "accepted", ""


def blank(rules: Rules, model: str) -> Reading:
    """Return the reading of paper without ink: empty, and accepted unless there must be some."""
    accepted = rules.passes("")
    return Reading(
        text="",
        confidence=1.0 if accepted else 0.0,
        status="accepted" if accepted else "rejected",
        reason="" if accepted else "there is no ink",
        digits=(),
        marks=(),
        unconstrained="" if rules.constrained else None,
        model=model,
    )


def doubt_from_rules(text: str, free: str, sure: bool) -> str:
    """Return why a text is in doubt that only the rules made it; empty if it is not.

    `free` is what would have been read without them, and `sure` whether that would be accepted. One
    digit for another is what rules are there to settle; one more or less than was seen is not.
    """
    seen, told = _digits(free), _digits(text)
    if len(seen) != len(told) or (sure and seen != told):
        return f"without the pattern or check it reads {free or 'nothing'}"
    return ""


def _digits(text: str) -> str:
    return "".join(character for character in text if character in DIGITS)


def doubt_from_marks(text: str, marks: tuple[Mark, ...], rules: Rules) -> str:
    """Return why what was seen beside the text makes it one for review; empty if it does not."""
    if any(mark.value == "?" for mark in marks):
        return "there is ink that is no digit"
    if rules.separators == "review":
        for mark in marks:
            after = len(text) - mark.position
            if mark.value in _NAMES and mark.position == 0 and text:
                return doubt_from_mark_ahead(_NAMES[mark.value])
            if mark.value == "/" and text:
                return "a slash stands beside the digits: a date, a fraction, or a 1?"
            if mark.value in _BEFORE_CENTS and after in {1, 2}:
                return (
                    f"a {_NAMES[mark.value]} stands before the last {after} "
                    f"{'digit' if after == 1 else 'digits'}: cents?"
                )
        if not _parts_thousands(text, [m.position for m in marks if m.value in _OF_THOUSANDS]):
            return "a dot or comma stands where none parts thousands: a fraction?"
    return ""


def _parts_thousands(text: str, places: list[int]) -> bool:
    """Return whether marks before these characters of a text part it in threes, or end it.

    One beside a mark that a pattern has written is that mark, whatever it looks like.
    """
    inside = [place for place in places if not set(text[max(0, place - 1) : place + 1]) & _WRITTEN]
    inside = [place for place in inside if place < len(text)]
    if not inside:
        return True
    # What a pattern has written itself, as before cents, ends the thousands.
    end = next((i for i in range(inside[-1], len(text)) if text[i] not in DIGITS), len(text))
    ahead = text[: inside[0]]
    head = ahead[len(ahead.rstrip(DIGITS)) :]
    in_threes = all(b - a == 3 for a, b in pairwise([*inside, end]))
    return in_threes and 1 <= len(head) <= 3 and head[0] != "0"


def doubt_from_sizes(boxes: Sequence[Box]) -> str:
    """Return why the boxes of a text's digits make it one for review; empty if they do not.

    One or two at the end that are smaller and end higher are cents, or an exponent.
    """
    for count in (1, 2):
        before, last = boxes[:-count], boxes[-count:]
        if len(before) < 2:
            break
        height = median(box[3] for box in before)
        bottom = median(box[1] + box[3] for box in before)
        small = max(box[3] for box in last) < _SMALL * height
        if small and max(box[1] + box[3] for box in last) < bottom - _RAISED * height:
            return "the last digits are smaller and stand higher: cents?"
    return ""


def doubt_from_mark_ahead(name: str) -> str:
    """Return why a number with a dash, dot or comma ahead is in doubt; empty if there is none."""
    meaning = "minus?" if name == "dash" else "less than one?"
    return f"a {name} stands before the number: {meaning}" if name else ""


_NAMES = {".": "dot", ",": "comma", "-": "dash"}
