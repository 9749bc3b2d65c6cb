"""Which text a line holds, by what a network says of one or several looks at it."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from inkdigit.reading.decoding import Posteriors, likeliest, log_probability
from inkdigit.reading.options import Rules

# With a check, so many of the likeliest texts of each look are tried.
_TRIED = 32
# Texts are weighed together as long as their lattices hold no more numbers than about this.
_LATTICE_SIZE = 2_000_000


@dataclass(frozen=True)
class Hypothesis:
    """The text that was chosen, and the probability that it is right, uncalibrated."""

    text: str
    probability: float


def choose(lines: Posteriors, rules: Rules, *, looks: int = 1) -> list[Hypothesis]:
    """Return the likeliest text of each line that keeps the rules.

    `lines` are so many looks at the same lines, one look after the other. A text's probability is
    its mean over the looks, among the texts that fit. What a check rules out is taken from the
    others' total.
    """
    count = len(lines) // looks
    proposed, totals = _proposed(lines, rules)
    candidates = [
        list(dict.fromkeys(text for texts in proposed[line::count] for text in texts))
        for line in range(count)
    ]
    masses = _masses(lines, candidates)
    return [
        _first_passing(texts, masses[line], sum(totals[line::count]) / looks, rules)
        for line, texts in enumerate(candidates)
    ]


def _proposed(lines: Posteriors, rules: Rules) -> tuple[list[list[str]], list[float]]:
    """Return texts that each line may hold, and the probability that it holds one that fits.

    Without rules it is the text of the likeliest path. Where it has more than half of the
    probability none is likelier, and where it has not, other looks have a say.
    """
    if not rules.constrained:
        return [[text] for text in lines.spelled(lines.greedy)], [1.0] * len(lines)
    found = likeliest(lines, _TRIED if rules.check else 1, rules.pattern)
    totals = [texts[0].total if texts else 0.0 for texts in found]
    return [[decoded.text for decoded in texts] for texts in found], totals


def _masses(lines: Posteriors, candidates: list[list[str]]) -> list[list[float]]:
    """Return the mean probability of each line's candidates over all looks at it."""
    count = len(candidates)
    places = [line for line, texts in enumerate(candidates) for _ in texts]
    texts = [text for some in candidates for text in some]
    looked_at = np.add.outer(np.array(places, np.intp), np.arange(0, len(lines), max(1, count)))
    step = _texts_together(lines, looked_at.shape[1], texts)
    masses: list[float] = []
    for i in range(0, len(texts), step):
        rows = looked_at[i : i + step]
        shown = [text for text in texts[i : i + step] for _ in range(rows.shape[1])]
        found = np.exp(log_probability(lines.take(rows.ravel()), shown))
        masses += found.reshape(rows.shape).mean(axis=1).tolist()
    ends = np.cumsum([len(some) for some in candidates]).tolist()
    return [masses[start:end] for start, end in pairwise([0, *ends])]


def _texts_together(lines: Posteriors, looks: int, texts: list[str]) -> int:
    states = 2 * max(map(len, texts), default=0) + 1
    size = int(lines.probabilities.shape[1]) * looks * states
    return max(1, _LATTICE_SIZE // max(1, size))


def _first_passing(texts: list[str], masses: list[float], total: float, rules: Rules) -> Hypothesis:
    """Return the likeliest text that passes, compared with those that were not found wanting."""
    ranked = sorted(zip(masses, texts, strict=True), key=lambda item: -item[0])
    failed = 0.0
    for mass, text in ranked:
        if rules.check is None or rules.check(text):
            return Hypothesis(text, min(1.0, mass / max(total - failed, mass, 1e-300)))
        failed += mass
    return Hypothesis(ranked[0][1] if ranked else "", 0.0)
