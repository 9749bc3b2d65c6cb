"""Reading pictures that hold exactly one digit."""

from collections.abc import Iterable

import numpy as np

from inkdigit.images import Grey
from inkdigit.reading.alphabet import DIGITS, NOT_A_DIGIT
from inkdigit.reading.model_file import DigitModel, Floats, temperature_scale
from inkdigit.reading.options import Rules
from inkdigit.reading.preprocessing.digit import SIZE, DigitImage, extract_digit_both_ways
from inkdigit.reading.result import Alternative, Character, Reading
from inkdigit.reading.review_rules import blank, doubt_from_mark_ahead, doubt_from_rules, verdict
from inkdigit.reading.tta import classify_views


class DigitReader:
    """Reads one digit a picture, with a digit model."""

    def __init__(self, model: DigitModel) -> None:
        self.model = model

    def read(self, pages: Iterable[Grey], rules: Rules) -> list[Reading]:
        """Return a reading of each grey page."""
        ways = [extract_digit_both_ways(page) for page in pages]
        shown = [way.pixels for page in ways for way in page]
        answers = iter(self._answers(shown) if shown else ())
        readings = []
        for page in ways:
            seen = [(way, next(answers)) for way in page]
            readings.append(
                self._reading(*max(seen, key=self._most_digit_like), rules)
                if seen
                else blank(rules, self.model.name)
            )
        return readings

    def look(self, page: Grey) -> Grey:
        """Return what the network is shown of a page, `uint8 (28, 28)`; zeros for blank paper."""
        ways = extract_digit_both_ways(page)
        if not ways:
            return np.zeros((SIZE, SIZE), np.uint8)
        answers = self._answers([way.pixels for way in ways])
        return max(zip(ways, answers, strict=True), key=self._most_digit_like)[0].pixels

    def _answers(self, digits: list[Grey]) -> Floats:
        """Return calibrated probabilities `(n, classes)`."""
        answers = classify_views(self.model.probabilities, np.stack(digits))
        return temperature_scale(answers, self.model.info.temperature)

    def _most_digit_like(self, seen: tuple[DigitImage, Floats]) -> float:
        """Return how sure the network is of one digit, in one way of seeing a page."""
        return float(seen[1][: len(DIGITS)].max())

    def _reading(self, digit: DigitImage, answer: Floats, rules: Rules) -> Reading:
        odds = dict(zip(self.model.info.classes, map(float, answer), strict=True))
        stranger = odds.pop(NOT_A_DIGIT, 0.0)
        likeliest = max(odds, key=odds.__getitem__)
        fitting = {value: p for value, p in odds.items() if rules.passes(value)}
        # What cannot be is left out of the comparison; what is no digit stays in.
        total = max(sum(fitting.values()) + stranger, 1e-12)
        shares = {value: fitting.get(value, 0.0) / total for value in odds}
        ranked = sorted(shares, key=lambda value: (-shares[value], value not in fitting))
        text = ranked[0] if fitting else ""
        confidence = shares[text] if text else 0.0
        alternatives = tuple(Alternative(value, shares[value]) for value in ranked)
        status, reason = verdict(text, confidence, rules, self.model.info)
        sure = odds[likeliest] >= self.model.info.reject_threshold
        doubt = doubt_from_rules(text, likeliest, sure) if rules.constrained else ""
        if digit.beside == "character":
            doubt = "there is more than one character"
        elif digit.beside == "edge":
            doubt = "there is a line along the edge of the picture: a frame?"
        elif digit.beside and rules.separators == "review":
            doubt = doubt_from_mark_ahead(digit.beside)
        if doubt and status == "accepted":
            status, reason = "review", doubt
        if stranger > 0.5:
            status, reason = "rejected", "this does not look like a digit"
        return Reading(
            text=text,
            confidence=confidence,
            status=status,
            reason=reason,
            digits=(Character(text, confidence, digit.box, alternatives),) if text else (),
            marks=(),
            unconstrained=likeliest if rules.constrained else None,
            model=self.model.name,
        )
