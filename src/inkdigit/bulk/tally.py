"""How many rows of each kind there are."""

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Self

STATUSES = ("accepted", "review", "rejected", "failed")


@dataclass
class Tally:
    """Counts of rows by status, of those for review by reason, of failures by exit code."""

    statuses: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    codes: Counter[int] = field(default_factory=Counter)

    @property
    def rows(self) -> int:
        """How many rows there are in all."""
        return self.statuses.total()

    def count(self, record: dict[str, Any], code: int) -> None:
        """Count one more row, and the exit code of its failure, 0 where there is none."""
        self.statuses[record["status"]] += 1
        if record["status"] == "review":
            # Alike but for their figures is alike.
            self.reasons[re.sub(r"\d[\d.]*", "…", record["reason"])] += 1
        if code:
            self.codes[code] += 1

    def to_dict(self) -> dict[str, Any]:
        """Return plain types only."""
        codes = {str(code): count for code, count in self.codes.items()}
        return {"statuses": dict(self.statuses), "reasons": dict(self.reasons), "codes": codes}

    @classmethod
    def from_dict(cls, known: dict[str, Any]) -> Self:
        """Rebuild from `to_dict`."""
        statuses, reasons, codes = (
            Counter({name: int(count) for name, count in known[kind].items()})
            for kind in ("statuses", "reasons", "codes")
        )
        return cls(statuses, reasons, Counter({int(code): codes[code] for code in codes}))

    def __str__(self) -> str:
        return ", ".join(f"{self.statuses[status]:,} {status}" for status in STATUSES)
