"""Reading pictures that hold exactly one digit: what a network says of it becomes evidence."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from inkdigit.images import Grey
from inkdigit.reading.alphabet import DIGITS, NOT_A_DIGIT
from inkdigit.reading.calibration import Floats, temperature_scale
from inkdigit.reading.model_file import DigitModel
from inkdigit.reading.options import ReadOptions
from inkdigit.reading.preprocessing.digit import SIZE, DigitImage, extract_digit_both_ways
from inkdigit.reading.preprocessing.paper import why_unseen
from inkdigit.reading.result import Alternative, Character
from inkdigit.reading.review_rules import Evidence
from inkdigit.reading.tta import classify_views


@dataclass(frozen=True)
class DigitReader:
    """Reads one digit a picture, with a digit model."""

    model: DigitModel

    def read(self, pages: Iterable[Grey], options: ReadOptions) -> list[Evidence]:
        """Return what each grey page says."""
        ways, unseen = [], []
        for page in pages:
            ways.append(extract_digit_both_ways(page))
            unseen.append("" if ways[-1] else why_unseen(page))
        return [
            self._evidence(*seen, options) if seen else Evidence.of_blank(options, why)
            for seen, why in zip(self._seen(ways), unseen, strict=True)
        ]

    def shown(self, page: Grey) -> Grey:
        """Return what the network is shown of a page, `uint8 (28, 28)`; zeros for blank paper."""
        (seen,) = self._seen([extract_digit_both_ways(page)])
        return seen[0].pixels if seen else np.zeros((SIZE, SIZE), np.uint8)

    def _seen(self, ways: list[list[DigitImage]]) -> list[tuple[DigitImage, Floats] | None]:
        """Return each page as it looks most like a digit, with calibrated probabilities."""
        images = [way.pixels for page in ways for way in page]
        if not images:
            return [None] * len(ways)
        posteriors = classify_views(self.model.probabilities, np.stack(images))
        each = iter(temperature_scale(posteriors, self.model.info.temperature))
        seen = [[(way, next(each)) for way in page] for page in ways]
        # Of the ways of seeing a page, it is the one in which the network is surest of a digit.
        return [
            max(some, key=lambda way: float(way[1][: len(DIGITS)].max()), default=None)
            for some in seen
        ]

    def _evidence(self, digit: DigitImage, posterior: Floats, options: ReadOptions) -> Evidence:
        odds = dict(zip(self.model.info.classes, map(float, posterior), strict=True))
        no_digit = odds.pop(NOT_A_DIGIT, 0.0)
        likeliest = max(odds, key=odds.__getitem__)
        fitting = {value: p for value, p in odds.items() if options.passes(value)}
        # What cannot be is left out of the comparison; what is no digit stays in.
        total = max(sum(fitting.values()) + no_digit, 1e-12)
        shares = {value: fitting.get(value, 0.0) / total for value in odds}
        ranked = sorted(shares, key=lambda value: (-shares[value], value not in fitting))
        text = ranked[0] if fitting else ""
        alternatives = tuple(Alternative(value, shares[value]) for value in ranked)
        confidence = shares[text] if text else 0.0
        threshold = self.model.info.reject_threshold
        return Evidence(
            found=text,
            characters=(Character(text, confidence, digit.box, alternatives),) if text else (),
            confidence=confidence,
            threshold=threshold,
            options=options,
            free=likeliest if options.constrained else None,
            free_is_sure=odds[likeliest] >= threshold,
            beside=digit.beside,
            no_digit=no_digit,
        )
