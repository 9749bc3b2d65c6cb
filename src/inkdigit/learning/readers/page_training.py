"""Training the network that finds numbers on pages, from drawn pages."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from inkdigit.learning.datasets import Digits, load_dataset
from inkdigit.learning.evaluation.metrics import threshold_at_error
from inkdigit.learning.readers.page_loop import PageLoop, evaluate, matched
from inkdigit.learning.readers.train import SEEDS, ReaderTraining
from inkdigit.learning.synthesis.pages import Shown
from inkdigit.learning.synthesis.stream import PageGenerator, SampleStream
from inkdigit.learning.training import Loop
from inkdigit.reading.calibration import Calibration
from inkdigit.reading.model_file import PageModel
from inkdigit.reading.reader import Reader

# Of the numbers that are accepted on drawn pages, which are harder than most, so many may be none,
# or read wrong. A box that shares so much with a number's is of that number.
_TARGET_ERROR, _SAME = 0.02, 0.3
_QUANTISATION_PAGES = 24


class PageTraining(ReaderTraining):
    """The training of `page` on drawn pages."""

    of_model: ClassVar = {
        "reads": "page",
        "classes": "paper rule print writing number core",
        "input_height": 0,
        "input_width": 0,
        "normalisation": "page ink: what is thinner than 34 pixels and stands out; strongest 1.0",
    }

    @contextmanager
    def loop(self) -> Iterator[Loop]:
        """Yield the loop of the network, while other processes draw for it."""
        validation = self.draw("validation", self.validation, self._amounts.validation)
        drawing = self._generator(self.fitted, held_out=False)
        with SampleStream[Shown](drawing, self.settings.seed) as stream:
            yield PageLoop(self.settings, stream, validation)

    def _generator(self, digits: Digits, *, held_out: bool) -> PageGenerator:
        return PageGenerator(digits, self._fonts, held_out, self._hands)

    def _measure(self, model: Any, drawn: list[Shown]) -> tuple[float, float]:
        return evaluate(model, drawn)

    def calibrate(self, model: Any, path: Path) -> dict[str, float]:  # noqa: ARG002
        """Return from which probability on what is found is surely a number, and read right.

        That is measured on drawn pages with the reader in the package, so it takes the model file.
        """
        if not path.exists():
            return asdict(Calibration())
        writer = self._generator(self.validation, held_out=True).writer()
        reader, sure, right = Reader.load(), list[float](), list[bool]()
        reader.finder = PageModel.load(path)
        for number in range(self._amounts.measured):
            picture, truths = writer.picture([SEEDS["calibration"], number])
            numbers = reader.read_page(picture, rotate=0).numbers
            boxes = [one.box for one in numbers], [one.box for one in truths]
            true = matched(*boxes, _SAME)
            for place, one in enumerate(numbers):
                if one.status == "accepted" or one.rule == "found":
                    sure.append(one.confidence)
                    right.append(place in true and _alike(one.text, truths[true[place]].text))
        threshold = threshold_at_error(np.array(sure), np.array(right, bool), _TARGET_ERROR)
        return asdict(Calibration(1.0, *threshold))

    def quantisation_pictures(self) -> Iterator[npt.NDArray[np.uint8]]:
        """Return drawn crops of pages."""
        return quantisation_pages()


def _alike(read: str, drawn: str) -> bool:
    """Return whether a text is right: dots and commas are alike, and nothing at its end."""
    one, other = (text.replace(",", ".").replace(" ", "").rstrip(".") for text in (read, drawn))
    return one == other


def quantisation_pages() -> Iterator[npt.NDArray[np.uint8]]:
    """Yield crops of pages as the network is shown them, of the sample's digits and pen strokes."""
    draw = PageGenerator(load_dataset("sample").train, None).begin()
    for number in range(_QUANTISATION_PAGES):
        ink, *_ = draw([SEEDS["quantisation"], 3 * number])
        yield ink
