"""An audit: how many of the accepted rows are wrong, from a random sample that is keyed blind.

The interval is exact (Clopper and Pearson 1934) for a sample whose size was fixed before. So the
size is planned, and the sample is checked to its end. It holds as well, and is a little wide, where
the sample is spread over strata in proportion: what is found wrong varies less (Hoeffding 1956).
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

import numpy as np

from inkdigit.errors import SettingError
from inkdigit.review.fields import Field, Strata, stratum
from inkdigit.review.journal import Journal

_SURE = 0.95
# Halvings of an interval that leave nothing of it in double precision.
_HALVINGS = 60


def sample_size(limit: float) -> int:
    """Return how many rows, none of them wrong, show with 95 % that at most this share is.

    >>> sample_size(0.005), sample_size(0.01)
    (598, 299)
    """
    if not 0 < limit < 1:
        raise SettingError(f"a share lies between 0 and 100 %, received {100 * limit:g} %")
    return math.ceil(math.log(1 - _SURE) / math.log1p(-limit))


def at_most(wrong: int, of: int, sure: float = _SURE) -> float:
    """Return the share that is not exceeded with this probability, where so many of all are wrong.

    >>> round(at_most(0, 598), 5)
    0.005
    """
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS if wrong < of else 0):
        middle = (low + high) / 2
        low, high = (middle, high) if _up_to(wrong, of, middle) > 1 - sure else (low, middle)
    return high


def interval(wrong: int, of: int) -> tuple[float, float]:
    """Return the 95 % interval of a share.

    >>> [round(end, 4) for end in interval(2, 100)]
    [0.0024, 0.0704]
    """
    sure = (1 + _SURE) / 2
    return 1 - at_most(of - wrong, of, sure), at_most(wrong, of, sure)


def _up_to(wrong: int, of: int, share: float) -> float:
    """Return the binomial probability of at most so many."""
    counts = np.arange(wrong + 1)
    ways = np.cumsum(np.log(np.r_[1.0, (of - counts[:-1]) / counts[1:]]))
    terms = ways + counts * math.log(share) + (of - counts) * math.log1p(-share)
    return float(np.exp(terms).sum())


@dataclass(frozen=True)
class Audit:
    """How far an audit is: `checked` of `planned` rows, drawn from those `accepted`.

    `again` are those that were keyed otherwise than read, and are to be looked at once more: they
    count as wrong until then. `strata` are how many of each are wrong, and checked.

    >>> Audit(accepted=4000, planned=598, checked=598, wrong=0, again=0).is_done
    True
    """

    accepted: int
    planned: int
    checked: int
    wrong: int
    again: int
    strata: Mapping[str, tuple[int, int]] = field(default_factory=dict)

    @classmethod
    def of(
        cls, fields: Sequence[Field], journal: Journal, accepted: int, by: Strata = None
    ) -> Self:
        """Return how far the audit of these fields is, also of each stratum."""
        looked = [(one, journal.answer(one.row)) for one in fields if journal.looks(one.row)]
        wrong = [one for one, answer in looked if answer is None or answer.new != answer.old]
        checked = Counter(stratum(by, one.name, one.confidence) for one, _ in looked)
        faults = Counter(stratum(by, one.name, one.confidence) for one in wrong)
        strata = {name: (faults[name], checked[name]) for name in sorted(checked) if by}
        again = sum(answer is None for _, answer in looked)
        return cls(accepted, len(fields), len(looked), len(wrong), again, strata)

    @property
    def is_done(self) -> bool:
        """Whether the sample has been checked."""
        return self.checked == self.planned and not self.again

    def __str__(self) -> str:
        """Return what is known so far, in sentences for a report."""
        if not self.checked:
            return f"{self.planned:,} of {self.accepted:,} accepted rows are to be checked."
        told = f"{self.wrong:,} of {self.checked:,} accepted rows that were keyed blind are wrong"
        if self.checked < self.accepted:
            low, high = interval(self.wrong, self.checked)
            most = at_most(self.wrong, self.checked)
            told += (
                f", drawn at random from {self.accepted:,}: {self.wrong / self.checked:.2%} (95 % "
                f"interval {low:.2%} to {high:.2%}). With 95 % confidence at most {most:.2%} are"
            )
        left = f" {self.planned - self.checked:,} are left, and {self.again:,} to look at again."
        each = (
            f"\n{name}: {wrong:,} of {of:,}, at most {at_most(wrong, of):.2%}"
            for name, (wrong, of) in self.strata.items()
        )
        return f"{told}.{'' if self.is_done else left}{''.join(each)}"
