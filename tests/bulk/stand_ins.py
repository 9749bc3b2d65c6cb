from collections.abc import Iterator, Sequence
from typing import Any

from inkdigit.errors import ImageError, InkdigitError
from inkdigit.reading.result import Alternative, Character, Mark, Reading

PAGES = {"two.tif": 2, "torn.tif": 1, "hollow.tif": 0}


def reading(text: str = "07", **given: Any) -> Reading:
    digits = tuple(Character(c, 0.9, (1, 2, 3, 4), (Alternative(c, 0.9),)) for c in text)
    values: dict[str, Any] = {
        "text": text, "confidence": 0.8, "status": "accepted", "reason": "", "digits": digits,
        "marks": (Mark(",", 1, 0.5, (5, 6, 7, 8)),), "unconstrained": None, "model": "line 1",
    }  # fmt: skip
    return Reading(**{**values, **given})


class Recorder:
    """Stands where a reader does, and lists what it was asked; it reads the number in a name."""

    model = "recorder 1"

    def __init__(self) -> None:
        self.asked: list[tuple[str, object, dict[str, Any]]] = []

    def read_batch(self, sources: Sequence[str], **options: Any) -> list[Reading | InkdigitError]:
        self.asked.append(("batch", list(sources), options))
        return [self._one(str(source)) for source in sources]

    def read_pages(self, document: str, **options: Any) -> Iterator[Reading | InkdigitError]:
        self.asked.append(("pages", document, options))
        name = document.rpartition("/")[2]
        for page in range(PAGES[name]):
            yield reading(str(page))
        if name == "torn.tif":
            raise ImageError(f"{document} is broken")

    def _one(self, source: str) -> Reading | InkdigitError:
        return ImageError(f"{source} is broken") if "broken" in source else reading()
