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


@dataclass(frozen=True)
class Mark:
    """A mark on the paper; it stands before the character `position` of the text's digits."""

    position: int
    character: Character

    @property
    def is_seen(self) -> bool:
        """Whether it is likelier there than not."""
        return self.character.confidence >= 0.5

    @property
    def certainty(self) -> float:
        """How sure it is that the mark is there, or that it is not."""
        return max(self.character.confidence, 1 - self.character.confidence)


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """All that is known of a reading when it is decided what to do with it.

    `found` is what was decoded, which the pattern and check apply to. `characters` are those of the
    text as it is written: of `found`, and of marks that were decoded apart. `marks` are all that
    were decoded apart, written or not, and `decisive_marks` those without which the number would be
    another, be they too faint to be written. `free` is what would be found without pattern and
    check and `free_is_sure` whether that would be accepted; `None` where there are none. `line` is
    the line image, `beside` what stands beside an only digit, `no_digit` the probability that it is
    none.
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

    @classmethod
    def of_blank(cls, options: ReadOptions) -> Self:
        """Return what is known of blank paper."""
        sure = 1.0 if options.passes("") else 0.0
        free = "" if options.constrained else None
        return cls(
            found="", confidence=sure, threshold=0.0, options=options, free=free, is_blank=True
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
    """A reason against a reading, which `why` says in a sentence, or nothing where it is none."""

    name: str
    status: Status
    kind: Literal["policy", "evidence"]
    what: str
    why: Callable[[Evidence], str]


def decide(evidence: Evidence) -> tuple[Status, str, str]:
    """Return the status of a reading, the reason, and the name of the rule that gave it."""
    for rule in RULES:
        if reason := rule.why(evidence):
            return rule.status, reason, rule.name
    return "accepted", "", ""


def _blank(e: Evidence) -> str:
    return "there is no ink" if e.is_blank and not e.options.passes("") else ""


def _no_digit(e: Evidence) -> str:
    return "this does not look like a digit" if e.no_digit > 0.5 else ""


def _pattern(e: Evidence) -> str:
    fits = e.options.fits(e.found)
    return "" if fits else f"nothing here fits the pattern {e.options.pattern}"


def _check(e: Evidence) -> str:
    passes = e.options.passes(e.found)
    return "" if passes else f"nothing likely here passes the check {e.options.check}"


def _unlikely(e: Evidence) -> str:
    if e.confidence >= min(_REJECTED_BELOW, e.least_confidence):
        return ""
    return f"more likely wrong than right ({e.confidence:.2f})"


def _unsure(e: Evidence) -> str:
    if e.confidence >= e.least_confidence:
        return ""
    return f"confidence {e.confidence:.4f} is below {e.least_confidence:.4f}"


def _several_lines(e: Evidence) -> str:
    several = e.line is not None and e.line.several_lines
    return "there is more than one line of writing" if several else ""


def _far_apart(e: Evidence) -> str:
    apart = e.line is not None and e.line.far_apart
    return "the writing stands far apart: one number or several?" if apart else ""


def _nothing_read(e: Evidence) -> str:
    nothing = not e.text and not e.is_blank
    return "there is ink, and no number was read in it" if nothing else ""


def _characters(e: Evidence) -> str:
    return "there is more than one character" if e.beside == "character" else ""


def _edge(e: Evidence) -> str:
    if e.beside != "edge":
        return ""
    return "there is a line along the edge of the picture: a frame?"


def _unseen_mark(e: Evidence) -> str:
    if not e.unseen_mark:
        return ""
    return f"the pattern writes {e.unseen_mark!r}, and no mark was seen there"


def _constraint_alone(e: Evidence) -> str:
    # One digit for another is what a pattern is there to settle; one more or less is not.
    if e.free is None:
        return ""
    seen, read = only_digits(e.free), only_digits(e.found)
    if len(seen) == len(read) and (seen == read or not e.free_is_sure):
        return ""
    return f"without the pattern or check it reads {e.free or 'nothing'}"


def _other_ink(e: Evidence) -> str:
    other = any(mark.character.value == NOT_A_DIGIT for mark in e.marks)
    return "there is ink that is no digit" if other else ""


def _weak_mark(e: Evidence) -> str:
    for mark in e.decisive_marks:
        if mark.certainty < _SURE_MARK:
            name, confidence = MARK_NAMES[mark.character.value], mark.character.confidence
            return f"it is not sure that there is a {name} ({confidence:.2f})"
    return ""


def _mark_or_one(e: Evidence) -> str:
    for mark in e.marks:
        shares = {other.value: other.confidence for other in mark.character.alternatives}
        if shares.get("1", 0.0) >= _LIKE_A_ONE:
            return f"a {MARK_NAMES.get(mark.character.value, 'mark')} may be a 1"
    return ""


def _unwritten_mark(e: Evidence) -> str:
    # A mark that the pattern does not write, and that makes another number of the text.
    if e.options.compiled_pattern is None:
        return ""
    unwritten = [mark for mark in e.marks if not _stands_for_a_written_one(e.found, mark.position)]
    unwritten = [mark for mark in unwritten if mark.character.value in MARK_NAMES]
    if not any(mark.position < len(e.found) for mark in unwritten):
        return ""
    decimals = e.found.replace(",", ".")
    written = decimals
    for mark in sorted(unwritten, key=lambda mark: -mark.position):
        place, value = mark.position, mark.character.value
        written = written[:place] + (value if value not in ".," else ",") + written[place:]
    if meanings(decimals, "dot") and meanings(decimals, "dot") <= meanings(written):
        return ""
    name = MARK_NAMES[unwritten[0].character.value]
    return f"a {name} stands there that the pattern does not write"


def _stands_for_a_written_one(text: str, place: int) -> bool:
    # A mark beside one that a pattern has written is that one, whatever it looks like.
    return any(one not in DIGITS for one in text[max(0, place - 1) : place + 1])


def _strokes(e: Evidence) -> str:
    marks = [one.box for one in e.characters if one.value not in DIGITS]
    marks += [mark.character.box for mark in e.marks]
    digits = e.digits
    if e.line is None or not digits or e.line.tall_groups(digits, marks) <= len(digits):
        return ""
    return "there are more strokes than digits were read"


def _raised_end(e: Evidence) -> str:
    # One or two digits at the end that are smaller and end higher are cents, or an exponent.
    if e.line is None:
        return ""
    digits = e.digits
    for count in (1, 2):
        before, last = digits[:-count], digits[-count:]
        if len(before) < 2:
            break
        height = median(box[3] for box in before)
        bottom = median(box[1] + box[3] for box in before)
        small = max(box[3] for box in last) < _SMALL * height
        if small and max(box[1] + box[3] for box in last) < bottom - _RAISED * height:
            return "the last digits are smaller and stand higher: cents?"
    return ""


def _mark_ahead(e: Evidence) -> str:
    # The line network may take a dot ahead for a part of the first digit.
    ahead = e.beside if e.beside in {"dash", "dot"} else ""
    if e.line is not None and e.text[:1] in set(DIGITS) and e.line.dot_ahead():
        ahead = "dot"
    if not ahead:
        return ""
    return f"a {ahead} stands before the number: {'minus' if ahead == 'dash' else 'less than one'}?"


RULES: tuple[Rule, ...] = (
    Rule("blank", "rejected", "policy", "the paper is blank, and there must be a number", _blank),
    Rule("no digit", "rejected", "evidence", "with `--single`: it is no digit", _no_digit),
    Rule("pattern", "rejected", "policy", "nothing that was seen fits the pattern", _pattern),
    Rule("check", "review", "policy", "no likely text passes the check", _check),
    Rule("unlikely", "rejected", "evidence", "it is more likely wrong than right", _unlikely),
    Rule("weak mark", "review", "evidence", "a mark that matters is unsure", _weak_mark),
    Rule("unsure", "review", "evidence", "its confidence is below the threshold", _unsure),
    Rule("several lines", "review", "policy", "there is more than one line", _several_lines),
    Rule("far apart", "review", "policy", "the digits stand far apart", _far_apart),
    Rule("characters", "review", "policy", "with `--single`: there are several", _characters),
    Rule("edge", "review", "policy", "with `--single`: it is a line along the edge", _edge),
    Rule("nothing read", "review", "policy", "there is ink, and no number", _nothing_read),
    Rule("unseen mark", "review", "policy", "only the pattern writes a mark", _unseen_mark),
    Rule(
        "constraint alone",
        "review",
        "policy",
        "only the pattern or check made the text, with a digit more or less than was seen",
        _constraint_alone,
    ),
    Rule("unwritten mark", "review", "policy", "a mark makes another number", _unwritten_mark),
    Rule("other ink", "review", "evidence", "there is ink that is no digit", _other_ink),
    Rule("mark or 1", "review", "policy", "a mark may be a 1", _mark_or_one),
    Rule("strokes", "review", "evidence", "there are more strokes than digits", _strokes),
    Rule("raised end", "review", "policy", "smaller digits stand higher at the end", _raised_end),
    Rule(
        "mark ahead",
        "review",
        "policy",
        "a dot, or beside one digit a dash, stands ahead and was not read",
        _mark_ahead,
    ),
)
