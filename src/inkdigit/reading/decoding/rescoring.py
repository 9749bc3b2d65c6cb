"""Which text a line holds: proposals of several views of it, rescored on all of them (n-best)."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from inkdigit.reading.decoding.lattice import log_probability
from inkdigit.reading.decoding.posteriors import Posteriors
from inkdigit.reading.decoding.search import likeliest
from inkdigit.reading.options import ReadOptions
from inkdigit.reading.patterns import Pattern

# With a check, so many of the likeliest texts of each view are tried.
_TRIED = 32

# Texts are weighed together as long as their lattices hold no more numbers than about this.
_LATTICE_SIZE = 2_000_000


@dataclass(frozen=True)
class Hypothesis:
    """The text that was chosen, and the probability that it is right, uncalibrated."""

    text: str
    probability: float


def choose(lines: Posteriors, options: ReadOptions, *, views: int = 1) -> list[Hypothesis]:
    """Return the likeliest text of each line that fits the pattern and passes the check.

    `lines` are so many views of the same lines, one view after the other. A text's probability is
    its mean over the views, among the texts that fit. What a check rules out is taken from the
    others' total.
    """
    count = len(lines) // views
    proposed, totals = _proposed(lines, options)
    candidates = [
        list(dict.fromkeys(text for texts in proposed[line::count] for text in texts))
        for line in range(count)
    ]
    masses = _masses(lines, candidates)
    return [
        _first_passing(texts, masses[line], sum(totals[line::count]) / views, options)
        for line, texts in enumerate(candidates)
    ]


def _proposed(lines: Posteriors, options: ReadOptions) -> tuple[list[list[str]], list[float]]:
    """Return texts that each line may hold, and the probability that it holds one that fits.

    Without a pattern or check it is the text of the likeliest path. Where it has more than half of
    the probability none is likelier, and where it has not, other views have a say.
    """
    if not options.constrained:
        return [[text] for text in lines.spelled(lines.greedy)], [1.0] * len(lines)
    pattern = options.compiled_pattern or Pattern.parse(r"\d*")
    return likeliest(lines, _TRIED if options.check else 1, pattern)


def _masses(lines: Posteriors, candidates: list[list[str]]) -> list[list[float]]:
    """Return the mean probability of each line's candidates over all views of it."""
    count = len(candidates)
    places = [line for line, texts in enumerate(candidates) for _ in texts]
    texts = [text for some in candidates for text in some]
    viewed = np.add.outer(np.array(places, np.intp), np.arange(0, len(lines), max(1, count)))
    states = 2 * max(map(len, texts), default=0) + 1
    size = int(lines.probabilities.shape[1]) * viewed.shape[1] * states
    step = max(1, _LATTICE_SIZE // max(1, size))
    masses: list[float] = []
    for i in range(0, len(texts), step):
        rows = viewed[i : i + step]
        shown = [text for text in texts[i : i + step] for _ in range(rows.shape[1])]
        found = np.exp(log_probability(lines[rows.ravel()], shown))
        masses += found.reshape(rows.shape).mean(axis=1).tolist()
    ends = np.cumsum([len(some) for some in candidates]).tolist()
    return [masses[start:end] for start, end in pairwise([0, *ends])]


def _first_passing(
    texts: list[str], masses: list[float], total: float, options: ReadOptions
) -> Hypothesis:
    """Return the likeliest text that passes, compared with those that were not found wanting."""
    ranked = sorted(zip(masses, texts, strict=True), key=lambda item: -item[0])
    failed = 0.0
    for mass, text in ranked:
        if options.validator is None or options.validator(text):
            return Hypothesis(text, min(1.0, mass / max(total - failed, mass, 1e-300)))
        failed += mass
    return Hypothesis(ranked[0][1] if ranked else "", 0.0)
