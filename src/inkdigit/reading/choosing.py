"""Which text a line holds, by what a network says of one or several looks at it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from inkdigit.reading.decoding import Decoded, Lines, likeliest, log_probability
from inkdigit.reading.options import Rules

# With a check, so many of the likeliest texts of each look are tried.
_TRIED = 32

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Choice:
    """The text that was chosen, and the probability that it is right, uncalibrated."""

    text: str
    probability: float


def choose(looks: Sequence[Lines], rules: Rules) -> list[Choice]:
    """Return the likeliest text of each line that keeps the rules; all looks are at the same lines.

    A text's probability is its mean over the looks, among the texts that fit. What a check rules
    out is taken from the others' total.
    """
    number = _TRIED if rules.check else 1
    found = [likeliest(lines, number, rules.pattern) for lines in looks]
    candidates = [_united(texts) for texts in zip(*found, strict=True)]
    masses = _masses(looks, candidates)
    totals = np.mean([[_total(texts) for texts in look] for look in found], axis=0)
    return [
        _first_passing(*parts, rules)
        for parts in zip(candidates, masses.tolist(), totals.tolist(), strict=True)
    ]


def _united(texts: Sequence[list[Decoded]]) -> list[str]:
    return list(dict.fromkeys(decoded.text for look in texts for decoded in look))


def _total(texts: list[Decoded]) -> float:
    return texts[0].total if texts else 0.0


def _masses(looks: Sequence[Lines], candidates: list[list[str]]) -> Floats:
    """Return the mean probability of each candidate, `(lines, most candidates)`."""
    masses = np.zeros((len(candidates), max(map(len, candidates), default=0)))
    for place in range(masses.shape[1]):
        texts = [some[place] if place < len(some) else "" for some in candidates]
        masses[:, place] = np.mean([np.exp(log_probability(look, texts)) for look in looks], axis=0)
    return masses


def _first_passing(texts: list[str], masses: list[float], total: float, rules: Rules) -> Choice:
    """Return the likeliest text that passes, compared with those that were not found wanting."""
    ranked = sorted(zip(masses, texts, strict=False), key=lambda item: -item[0])
    failed = 0.0
    for mass, text in ranked:
        if rules.check is None or rules.check(text):
            return Choice(text, min(1.0, mass / max(total - failed, mass, 1e-300)))
        failed += mass
    return Choice(ranked[0][1] if ranked else "", 0.0)
