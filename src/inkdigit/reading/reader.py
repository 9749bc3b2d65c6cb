"""From pictures to numbers: the one door to reading."""

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from math import ceil
from pathlib import Path
from typing import Self, Unpack, cast

from inkdigit.errors import InkdigitError, SettingError
from inkdigit.images import MAX_PIXELS, Grey, Source, open_grey, open_pages
from inkdigit.reading.digit_reader import DigitReader
from inkdigit.reading.line_reader import LineReader
from inkdigit.reading.model_file import DigitModel, LineModel, load_model_file
from inkdigit.reading.options import Options, Rules
from inkdigit.reading.result import Reading

_MODELS = Path(__file__).parents[1] / "models"
LINE_MODEL = _MODELS / "line.onnx"
SINGLE_MODEL = _MODELS / "single.onnx"
_THREADS = 2
# How many pictures are read as one batch: numpy decodes many lines in little more time than one.
_FEW, _MANY = 64, 256

Result = Reading | InkdigitError


class Reader:
    """Reads numbers from pictures; one reader may serve any number of threads."""

    def __init__(self, line: LineModel | None = None, single: DigitModel | None = None) -> None:
        """Read lines and single digits with these models, or with those in the package."""
        self._given_line, self._given_single = line, single
        self._lock = threading.Lock()

    @classmethod
    def load(cls, path: str | Path | None = None) -> Self:
        """Return a reader with the models in the package, or with the model file at `path`.

        A digit model reads `single` digits only, a line model lines only. Raises `ModelError` for
        a file that is missing, broken or of another kind.
        """
        if path is None:
            reader = cls()
            _ = reader._lines
            return reader
        model = load_model_file(path)
        return cls(line=model) if isinstance(model, LineModel) else cls(single=model)

    @property
    def model(self) -> str:
        """The model that was given, or the one that reads lines."""
        return (self._given_single or self._given_line or self._lines.model).name

    def read(self, source: Source, **options: Unpack[Options]) -> Reading:
        """Return what one picture says.

        Takes what `inkdigit.images.open_grey` takes: a path, bytes, a binary stream, a PIL image or
        an array. Raises `ImageError` for what is no picture, or holds several pages of which none
        is chosen, `SettingError` for options that make no sense, and `MissingExtraError` for PDF
        and checks without what they need. Blank paper is a reading.
        """
        (result,) = self.read_batch([source], **options)
        if isinstance(result, InkdigitError):
            raise result
        return result

    def read_batch(self, sources: Iterable[Source], **options: Unpack[Options]) -> list[Result]:
        """Return a reading of each picture, or the error that it met, in order."""
        rules = Rules.of(options)
        pictures = _listed(sources)
        read = self._kind(rules)
        size = min(max(_FEW, ceil(len(pictures) / _THREADS)), _MANY)
        parts = [pictures[i : i + size] for i in range(0, len(pictures), size)]

        def read_part(part: Sequence[Source]) -> list[Result]:
            failures: dict[int, InkdigitError] = {}
            results = iter(read(_opened(part, rules, failures), rules))
            return [failures.get(i) or next(results) for i in range(len(part))]

        if len(parts) == 1:
            return read_part(parts[0])
        with ThreadPoolExecutor(_THREADS) as pool:
            return [result for part in pool.map(read_part, parts) for result in part]

    def read_pages(self, document: Source, **options: Unpack[Options]) -> Iterator[Result]:
        """Yield a reading of each page of a document, or the error that it met.

        What is wrong with the whole document is raised, before the first page.
        """
        rules = Rules.of(options)
        if rules.page is not None:
            raise SettingError("read_pages reads every page: leave out page, or use read")
        read = self._kind(rules)
        pages = open_pages(document, max_pixels=rules.max_pixels or MAX_PIXELS)
        return (_page(pages, read, rules) for _ in range(len(pages)))

    def look(self, source: Source, **options: Unpack[Options]) -> Grey:
        """Return what the network is shown, ink 255 on paper 0; all 0 for blank paper.

        With `single` the digit, `uint8 (28, 28)`, else the line, `uint8 (32, width)`.
        """
        rules = Rules.of(options)
        page = open_grey(source, page=rules.page, max_pixels=rules.max_pixels or MAX_PIXELS)
        return self._singles.look(page) if rules.single else self._lines.look(page)

    def _kind(self, rules: Rules) -> "_Read":
        return self._singles.read if rules.single else self._lines.read

    @cached_property
    def _lines(self) -> LineReader:
        if self._given_single and not self._given_line:
            raise SettingError(
                f"the model {self._given_single.name} reads one digit: say so (single, --single)"
            )
        with self._lock:
            # Another thread may have been here first.
            if "_lines" in self.__dict__:
                return cast("LineReader", self.__dict__["_lines"])
            return LineReader(self._given_line or LineModel.load(LINE_MODEL))

    @cached_property
    def _singles(self) -> DigitReader:
        if self._given_line and not self._given_single:
            raise SettingError(
                f"the model {self._given_line.name} reads lines: it takes no single (--single)"
            )
        with self._lock:
            if "_singles" in self.__dict__:
                return cast("DigitReader", self.__dict__["_singles"])
            return DigitReader(self._given_single or DigitModel.load(SINGLE_MODEL))


_Read = Callable[[Iterable[Grey], Rules], Sequence[Result]]


def _listed(sources: Iterable[Source]) -> list[Source]:
    one = isinstance(sources, str | bytes | bytearray | memoryview) or hasattr(sources, "read")
    if one or not isinstance(sources, Iterable):
        raise SettingError("read_batch takes several pictures: use read for one")
    return list(sources)


def _opened(
    sources: Sequence[Source], rules: Rules, failures: dict[int, InkdigitError]
) -> Iterator[Grey]:
    """Open one picture after the other, so that no two are held; note those that cannot be."""
    for number, source in enumerate(sources):
        try:
            yield open_grey(source, page=rules.page, max_pixels=rules.max_pixels or MAX_PIXELS)
        except InkdigitError as error:
            failures[number] = error


def _page(pages: Iterator[Grey], read: _Read, rules: Rules) -> Result:
    try:
        return read([next(pages)], rules)[0]
    except InkdigitError as error:
        return error
