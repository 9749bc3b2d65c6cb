"""The documented JSON of a page: its reading or the error in its place, and where it comes from."""

from dataclasses import dataclass
from typing import Any

from inkdigit.errors import InkdigitError
from inkdigit.reading.result import Box, Reading

# The documented columns, in their order.
FIELDS = (
    "source", "page", "text", "confidence", "status", "reason", "digits", "number", "characters",
    "unconstrained", "error", "model",
)  # fmt: skip
# Those of a table: of what a manifest said as well.
COLUMNS = (*FIELDS, "id", "box")
FAILED = "failed"


@dataclass(frozen=True)
class Row:
    """What became of one page: its reading, or the error in its place. Pages count from 1.

    A manifest may have given it an `id`, and a `box` of the page.
    """

    source: str
    page: int
    result: Reading | InkdigitError
    model: str
    id: str | None = None
    box: Box | None = None

    @property
    def failure(self) -> InkdigitError | None:
        """The error, where there is no reading."""
        return self.result if isinstance(self.result, InkdigitError) else None

    @property
    def code(self) -> int:
        """The exit code of the error, 0 where there is a reading."""
        return self.failure.exit_code if self.failure else 0

    def to_dict(self, columns: tuple[str, ...] = FIELDS) -> dict[str, Any]:
        """Return plain types only, by the names and in the order of these columns."""
        known = {
            "source": self.source,
            "page": self.page,
            "model": self.model,
            "id": self.id,
            "box": list(self.box) if self.box else None,
        }
        if isinstance(self.result, InkdigitError):
            known |= {"status": FAILED, "reason": "", "characters": [], "error": str(self.result)}
        else:
            known |= self.result.to_dict()
        return {name: known.get(name) for name in columns}
