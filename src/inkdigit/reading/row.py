"""The documented JSON of a page: its reading or the error in its place, and where it comes from."""

from dataclasses import dataclass
from typing import Any

from inkdigit.errors import InkdigitError
from inkdigit.reading.result import Reading

# The documented columns, in their order.
FIELDS = (
    "source", "page", "text", "confidence", "status", "reason", "digits", "number", "characters",
    "unconstrained", "error", "model",
)  # fmt: skip
FAILED = "failed"


@dataclass(frozen=True)
class Row:
    """What became of one page: its reading, or the error in its place. Pages count from 1."""

    source: str
    page: int
    result: Reading | InkdigitError
    model: str

    @property
    def failure(self) -> InkdigitError | None:
        """The error, where there is no reading."""
        return self.result if isinstance(self.result, InkdigitError) else None

    def to_dict(self) -> dict[str, Any]:
        """Return plain types only, by the names and in the order of `FIELDS`."""
        known: dict[str, Any] = {"source": self.source, "page": self.page, "model": self.model}
        if isinstance(self.result, InkdigitError):
            known |= {"status": FAILED, "reason": "", "characters": [], "error": str(self.result)}
        else:
            known |= self.result.to_dict()
        return {name: known.get(name) for name in FIELDS}
