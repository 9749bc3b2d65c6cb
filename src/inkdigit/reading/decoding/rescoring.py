"""Which text a line holds: proposals of several looks at it, rescored on all of them (n-best)."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np

from inkdigit.reading.decoding.lattice import log_probability
from inkdigit.reading.decoding.posteriors import Posteriors
from inkdigit.reading.decoding.search import likeliest
from inkdigit.reading.options import ReadOptions
from inkdigit.reading.patterns import Pattern

# With a check, so many of the likeliest texts of each look are tried.
_TRIED = 32

# Texts are weighed together as long as their lattices hold no more numbers than about this.
_LATTICE_SIZE = 2_000_000


@dataclass(frozen=True)
class Hypothesis:
    """The text that was chosen, and the probability that it is right, uncalibrated."""

    text: str
    probability: float


def choose(
    looks: Sequence[Posteriors], options: ReadOptions, helping: Sequence[Posteriors] = ()
) -> list[Hypothesis]:
    """Return the likeliest text of each line that fits the pattern and passes the check.

    Each of `looks` is at the same lines. A text's probability is its mean over them, among the
    texts that fit. What a check rules out is taken from the others' total. Looks that are `helping`
    have a say in which text it is, and none in how probable that is.
    """
    every = [look.restricted_to(options.symbols) for look in (*looks, *helping)]
    proposed, totals = zip(*(_proposed(look, options) for look in every), strict=True)
    candidates = [list(dict.fromkeys(chain(*texts))) for texts in zip(*proposed, strict=True)]
    masses = np.array([_masses(look, candidates) for look in every])
    means = np.mean(totals[: len(looks)], axis=0).tolist()
    ranks = iter(masses.mean(axis=0).tolist())
    probabilities = iter(masses[: len(looks)].mean(axis=0).tolist())
    return [
        _first_passing([*zip(texts, ranks, probabilities, strict=False)], total, options)
        for texts, total in zip(candidates, means, strict=True)
    ]


def _proposed(lines: Posteriors, options: ReadOptions) -> tuple[list[list[str]], list[float]]:
    """Return texts that each line may hold, and the probability that it holds one that fits.

    Without a pattern or check it is the text of the likeliest path. Where it has more than half of
    the probability none is likelier, and where it has not, other looks have a say.
    """
    if not options.constrained:
        return [[text] for text in lines.greedy], [1.0] * len(lines)
    pattern = options.compiled_pattern or Pattern.parse(r"\d*")
    return likeliest(lines, _TRIED if options.check else 1, pattern)


def _masses(lines: Posteriors, candidates: list[list[str]]) -> list[float]:
    """Return the probability of the candidates of one line after those of the other."""
    places = np.repeat(np.arange(len(lines)), [len(texts) for texts in candidates])
    texts = [text for some in candidates for text in some]
    states = 2 * max(map(len, texts), default=0) + 1
    step = max(1, _LATTICE_SIZE // max(1, int(lines.probabilities.shape[1]) * states))
    return [
        mass
        for i in range(0, len(texts), step)
        for mass in np.exp(log_probability(lines[places[i : i + step]], texts[i : i + step]))
    ]


def _first_passing(
    texts: list[tuple[str, float, float]], total: float, options: ReadOptions
) -> Hypothesis:
    """Return the highest text that passes, compared with those that were not found wanting.

    Each comes with its rank, and its probability.
    """
    ranked = sorted(texts, key=lambda text: -text[1])
    failed = 0.0
    for text, _, mass in ranked:
        if options.validator is None or options.validator(text):
            return Hypothesis(text, min(1.0, mass / max(total - failed, mass, 1e-300)))
        failed += mass
    return Hypothesis(ranked[0][0] if ranked else "", 0.0)
