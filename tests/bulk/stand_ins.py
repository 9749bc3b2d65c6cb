from collections.abc import Iterator, Sequence
from typing import Any

from inkdigit.errors import ImageError, InkdigitError
from inkdigit.reading.options import ReadOptions
from inkdigit.reading.result import Alternative, Character, Reading

PAGES = {"two.tif": 2, "torn.tif": 1, "hollow.tif": 0}


def reading(text: str = "07", **given: Any) -> Reading:
    characters = tuple(Character(c, 0.9, (1, 2, 3, 4), (Alternative(c, 0.9),)) for c in text)
    values: dict[str, Any] = {
        "text": text, "confidence": 0.8, "status": "accepted", "reason": "",
        "characters": characters, "model": "line 1",
    }  # fmt: skip
    return Reading(**{**values, **given})


class Recorder:
    """Stands where a reader does, and lists what it was asked; it reads the number in a name."""

    model = "recorder 1"

    def __init__(self) -> None:
        self.asked: list[tuple[str, object, dict[str, Any]]] = []

    def results(
        self, sources: Sequence[str], options: ReadOptions
    ) -> list[Reading | InkdigitError]:
        self.asked.append(("batch", list(sources), options.to_dict()))
        return [self._one(str(source)) for source in sources]

    def page_results(
        self, document: str, options: ReadOptions
    ) -> Iterator[Reading | InkdigitError]:
        self.asked.append(("pages", document, options.to_dict()))
        name = document.rpartition("/")[2]
        for page in range(PAGES[name]):
            yield reading(str(page))
        if name == "torn.tif":
            raise ImageError(f"{document} is broken")

    def _one(self, source: str) -> Reading | InkdigitError:
        return ImageError(f"{source} is broken") if "broken" in source else reading()
