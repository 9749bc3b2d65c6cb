"""What to do with a reading: every rule that rejects it or puts it up for review, in one table.

`decide` goes through `RULES` in order, and the first rule that says why decides. What none of them
objects to is accepted. A rule of the kind `policy` is what we want whatever it earns; one of the
kind `evidence` has to catch wrong readings, which `benchmarks/reading.py` counts.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal, Self

from inkdigit.reading.alphabet import DIGITS, MARK_NAMES, NOT_A_DIGIT, only_digits
from inkdigit.reading.decoding.marks import Mark
from inkdigit.reading.number import meanings
from inkdigit.reading.options import ReadOptions
from inkdigit.reading.preprocessing.line import LineImage
from inkdigit.reading.result import Box, Character, Status

# A text that is more likely wrong than right is not worth a review.
_REJECTED_BELOW = 0.5
# A mark that is less sure may be another, a part of a digit, or a 1.
_SURE_MARK = 0.9
_LIKE_A_ONE = 0.05
# Shares of a digit's height: cents that are raised are smaller than the first and end higher than
# the second.
_SMALL, _RAISED = 0.75, 0.15


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """All that is known of a reading when it is decided what to do with it.

    `found` is what was decoded, which the pattern and check apply to. `characters` are those of the
    text as it is written: of `found`, and of marks that were decoded apart. `marks` are those
    that were seen apart, written or not, and `decisive_marks` those without which the number would
    be another, be they too faint to be written. `free` is what would be found without pattern and
    check and `free_is_sure` whether that would be accepted; `None` where there are none. `line` is
    the line image, `beside` what stands beside an only digit, `no_digit` the probability that it is
    none. `unseen` says why no ink could have been seen, and `turned` how more is read.
    """

    found: str
    confidence: float
    threshold: float
    options: ReadOptions
    characters: tuple[Character, ...] = ()
    marks: Sequence[Mark] = ()
    decisive_marks: Sequence[Mark] = ()
    free: str | None = None
    free_is_sure: bool = False
    unseen_mark: str = ""
    line: LineImage | None = None
    beside: str = ""
    no_digit: float = 0.0
    is_blank: bool = False
    unseen: str = ""
    turned: str = ""

    @classmethod
    def of_blank(cls, options: ReadOptions, unseen: str = "") -> Self:
        """Return what is known of paper without ink, or on which none could have been seen."""
        return cls(
            found="",
            confidence=1.0 if options.passes("") and not unseen else 0.0,
            threshold=0.0,
            options=options,
            free="" if options.constrained else None,
            is_blank=True,
            unseen=unseen,
        )

    @property
    def text(self) -> str:
        """What stands there, as it is written."""
        return "".join(character.value for character in self.characters)

    @property
    def digits(self) -> list[Box]:
        """The boxes of the digits, in order."""
        return [one.box for one in self.characters if one.value in DIGITS]

    @property
    def least_confidence(self) -> float:
        """What is less sure is for review."""
        asked = self.options.min_confidence
        return self.threshold if asked is None else asked


@dataclass(frozen=True)
class Rule:
    """A reason against a reading: `holds` tells whether it is one, or says it more exactly."""

    name: str
    status: Status
    kind: Literal["policy", "evidence"]
    reason: str
    holds: Callable[[Evidence], bool | str]


def decide(evidence: Evidence) -> tuple[Status, str, str]:
    """Return the status of a reading, the reason, and the name of the rule that gave it."""
    for rule in RULES:
        if found := rule.holds(evidence):
            return rule.status, found if isinstance(found, str) else rule.reason, rule.name
    return "accepted", "", ""


def _unlikely(e: Evidence) -> str:
    likely = e.confidence >= min(_REJECTED_BELOW, e.least_confidence)
    return "" if likely else f"more likely wrong than right ({e.confidence:.2f})"


def _unsure(e: Evidence) -> str:
    sure = e.confidence >= e.least_confidence
    return "" if sure else f"confidence {e.confidence:.4f} is below {e.least_confidence:.4f}"


def _weak_mark(e: Evidence) -> str:
    for mark in e.decisive_marks:
        if mark.certainty < _SURE_MARK:
            return f"it is not sure that there is a {mark.name} ({mark.character.confidence:.2f})"
    return ""


def _constraint_alone(e: Evidence) -> str:
    # One digit for another is what a pattern is there to settle; one more or less is not.
    if e.free is None:
        return ""
    seen, read = only_digits(e.free), only_digits(e.found)
    settled = len(seen) == len(read) and (seen == read or not e.free_is_sure)
    return "" if settled else f"without the pattern or check it reads {e.free or 'nothing'}"


def _unwritten_mark(e: Evidence) -> str:
    # A mark beside one that a pattern has written is that one, whatever it looks like.
    unwritten = [
        mark
        for mark in e.marks
        if mark.character.value in MARK_NAMES
        and set(e.found[max(0, mark.position - 1) : mark.position + 1]) <= set(DIGITS)
    ]
    if not e.options.pattern or all(mark.position == len(e.found) for mark in unwritten):
        return ""
    read = written = e.found.replace(",", ".")
    for mark in sorted(unwritten, key=lambda mark: -mark.position):
        value = "," if mark.character.value in ".," else mark.character.value
        written = written[: mark.position] + value + written[mark.position :]
    if meanings(read, "dot") and meanings(read, "dot") <= meanings(written):
        return ""
    return f"a {unwritten[0].name} stands there that the pattern does not write"


def _mark_or_one(e: Evidence) -> str:
    for mark in e.marks:
        shares = {other.value: other.confidence for other in mark.character.alternatives}
        if shares.get("1", 0.0) >= _LIKE_A_ONE:
            return f"a {mark.name} may be a 1"
    return ""


def _more_strokes(e: Evidence) -> bool:
    marks = [one.box for one in e.characters if one.value not in DIGITS]
    marks += [mark.character.box for mark in e.marks]
    digits = e.digits
    return bool(e.line and digits and e.line.tall_groups(digits, marks) > len(digits))


def _raised_end(e: Evidence) -> bool:
    # One or two digits at the end that are smaller and end higher are cents, or an exponent.
    digits = e.digits if e.line else []
    for count in (1, 2):
        before, last = digits[:-count], digits[-count:]
        if len(before) < 2:
            break
        height = median(box[3] for box in before)
        bottom = median(box[1] + box[3] for box in before)
        small = max(box[3] for box in last) < _SMALL * height
        if small and max(box[1] + box[3] for box in last) < bottom - _RAISED * height:
            return True
    return False


def _mark_ahead(e: Evidence) -> str:
    # The line network may take a dot ahead for a part of the first digit.
    ahead = e.beside if e.beside in {"dash", "dot"} else ""
    if e.line and e.text[:1] in set(DIGITS) and e.line.dot_ahead():
        ahead = "dot"
    meaning = {"dash": "minus?", "dot": "less than one?"}
    return f"a {ahead} stands before the number: {meaning[ahead]}" if ahead else ""


RULES: tuple[Rule, ...] = (
    Rule("unseen", "review", "policy",
         "nothing could be seen: the picture is too small, black or over-exposed",
         lambda e: e.unseen and f"nothing could be seen: {e.unseen}"),
    Rule("many numbers", "review", "policy",
         "this is a page of many numbers: ask for each with find, or crop one",
         lambda e: bool(e.line and e.line.many_numbers)),
    Rule("on its side", "review", "policy",
         "more is read when the picture is turned by a quarter: does it lie on its side?",
         lambda e: e.turned),
    Rule("blank", "rejected", "policy", "there is no ink",
         lambda e: e.is_blank and not e.options.passes("")),
    Rule("no digit", "rejected", "evidence", "this does not look like a digit",
         lambda e: e.no_digit > 0.5),
    Rule("pattern", "rejected", "policy", "nothing here fits the pattern",
         lambda e: "" if e.options.fits(e.found)
         else f"nothing here fits the pattern {e.options.pattern}"),
    Rule("check", "review", "policy", "nothing likely here passes the check",
         lambda e: "" if e.options.passes(e.found)
         else f"nothing likely here passes the check {e.options.check}"),
    Rule("unlikely", "rejected", "evidence", "more likely wrong than right", _unlikely),
    Rule("weak mark", "review", "evidence", "it is not sure that there is a mark, and it matters",
         _weak_mark),
    Rule("unsure", "review", "evidence", "the confidence is below the threshold", _unsure),
    Rule("several lines", "review", "policy",
         "there are several lines of writing, and one was read",
         lambda e: bool(e.line and e.line.several_lines)),
    Rule("far apart", "review", "policy", "the writing stands far apart: one number or several?",
         lambda e: bool(e.line and e.line.far_apart)),
    Rule("characters", "review", "policy", "there is more than one character",
         lambda e: e.beside == "character"),
    Rule("edge", "review", "policy", "there is a line along the edge of the picture: a frame?",
         lambda e: e.beside == "edge"),
    Rule("nothing read", "review", "policy", "there is ink, and no number was read in it",
         lambda e: not e.text and not e.is_blank),
    Rule("unseen mark", "review", "policy", "the pattern writes a mark, and none was seen there",
         lambda e: e.unseen_mark
         and f"the pattern writes {e.unseen_mark!r}, and no mark was seen there"),
    Rule("constraint alone", "review", "policy",
         "without the pattern or check it reads otherwise: a digit more or less, or surely another",
         _constraint_alone),
    Rule("unwritten mark", "review", "policy",
         "a mark stands there that the pattern does not write, and makes another number",
         _unwritten_mark),
    Rule("other ink", "review", "evidence", "there is ink that is no digit",
         lambda e: any(mark.character.value == NOT_A_DIGIT for mark in e.marks)),
    Rule("mark or 1", "review", "policy", "a mark may be a 1", _mark_or_one),
    Rule("strokes", "review", "evidence", "there are more strokes than digits were read",
         _more_strokes),
    Rule("raised end", "review", "policy", "the last digits are smaller and stand higher: cents?",
         _raised_end),
    Rule("mark ahead", "review", "policy", "a dash or dot stands before the number", _mark_ahead),
)  # fmt: skip
