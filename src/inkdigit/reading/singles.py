"""Reading pictures that hold exactly one digit."""

from collections.abc import Sequence

import numpy as np

from inkdigit.images import Grey
from inkdigit.reading.alphabet import NOT_A_DIGIT
from inkdigit.reading.ink import Single, single
from inkdigit.reading.model_file import DigitModel, Floats
from inkdigit.reading.options import Rules
from inkdigit.reading.result import Alternative, Digit, Reading
from inkdigit.reading.verdict import blank, verdict


class SingleReader:
    """Reads one digit a picture, with a digit model."""

    def __init__(self, model: DigitModel) -> None:
        self.model = model

    def read(self, pages: Sequence[Grey], rules: Rules) -> list[Reading]:
        """Return a reading of each grey page."""
        found = [single(page) for page in pages]
        shown = [digit.pixels for digit in found if digit]
        answers = iter(self.model.predict_proba(np.stack(shown)) if shown else ())
        return [
            self._reading(digit, next(answers), rules) if digit else blank(rules, self.model.name)
            for digit in found
        ]

    def _reading(self, digit: Single, answer: Floats, rules: Rules) -> Reading:
        odds = dict(zip(self.model.info.classes, map(float, answer), strict=True))
        stranger = odds.pop(NOT_A_DIGIT, 0.0)
        ranked = sorted(odds.items(), key=lambda item: -item[1])
        fitting = [(value, p) for value, p in ranked if rules.passes(value)]
        if not fitting:
            text, confidence = "", 0.0
        else:
            text, p = fitting[0]
            # What cannot be is left out of the comparison; what is no digit stays in.
            confidence = p / max(sum(p for _, p in fitting) + stranger, 1e-12)
        alternatives = tuple(Alternative(value, p) for value, p in ranked)
        status, reason = verdict(text, confidence, rules, self.model.info)
        if stranger > 0.5:
            status, reason = "rejected", "this does not look like a digit"
        return Reading(
            text=text,
            confidence=confidence,
            status=status,
            reason=reason,
            digits=(Digit(text, confidence, digit.box, alternatives),) if text else (),
            marks=(),
            unconstrained=ranked[0][0] if rules.constrained else None,
            model=self.model.name,
        )
