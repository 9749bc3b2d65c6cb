"""From pictures to numbers: the one door to reading."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from math import ceil
from pathlib import Path
from typing import Literal, Self, Unpack, overload

from inkdigit.errors import InkdigitError, SettingError
from inkdigit.images import Grey, Source, open_grey, open_pages, turned
from inkdigit.reading.digit_reader import DigitReader
from inkdigit.reading.line_reader import LineReader
from inkdigit.reading.model_file import DigitModel, LineModel, load_model_file
from inkdigit.reading.number import meanings
from inkdigit.reading.options import Options, ReadOptions, with_read_options
from inkdigit.reading.result import Character, Reading
from inkdigit.reading.review_rules import Evidence, decide

_MODELS = Path(__file__).parents[1] / "models"
LINE_MODEL = _MODELS / "line.onnx"
SINGLE_MODEL = _MODELS / "single.onnx"
_THREADS = 2
# How many pictures are read as one batch: numpy decodes many lines in little more time than one.
_FEW, _MANY = 64, 256

Result = Reading | InkdigitError
_Found = Evidence | InkdigitError
# The shape of a page, or why it could not be opened.
_Note = tuple[int, int] | InkdigitError


class Reader:
    """Reads numbers from pictures; one reader may serve any number of threads.

    >>> reader = Reader.load()
    >>> reader.read("docs/amount.png")
    Reading('87.32', 0.9818, accepted)
    """

    def __init__(self, line: LineModel | None = None, single: DigitModel | None = None) -> None:
        """Read lines and single digits with these models.

        Without any, those in the package are loaded; with one, only what it reads can be read.
        """
        if line is None and single is None:
            line, single = LineModel.load(LINE_MODEL), DigitModel.load(SINGLE_MODEL)
        self._line = LineReader(line) if line else None
        self._single = DigitReader(single) if single else None

    @classmethod
    def load(cls, path: str | Path | None = None) -> Self:
        """Return a reader with the models in the package, or with the model file at `path`.

        A digit model reads `single` digits only, a line model lines only. Raises `ModelError` for
        a file that is missing, broken or of another kind.
        """
        if path is None:
            return cls()
        model = load_model_file(path)
        return cls(line=model) if isinstance(model, LineModel) else cls(single=model)

    def __repr__(self) -> str:
        models = [reader.model.name for reader in (self._line, self._single) if reader]
        return f"Reader({', '.join(models)})"

    @property
    def model(self) -> str:
        """The model that was given, or the one that reads lines."""
        return next(reader.model.name for reader in (self._line, self._single) if reader)

    @with_read_options
    def read(self, source: Source, **options: Unpack[Options]) -> Reading:
        r"""Return what one picture says.

        `source` is a path, bytes, a binary stream, a PIL image or an array (see
        `inkdigit.images.open_grey`).

        `pattern`
            what the number looks like, for example `\d{5}`; the likeliest text that fits is read.
        `check`
            a validator of python-stdnum (extra `check`) that the number passes, such as `luhn`.
        `single`
            there is exactly one digit.
        `decimal`
            `"dot"` or `"comma"`: which stands before decimals, for `Reading.number`.
        `min_confidence`
            what is less sure is for review; by default the model's own threshold.
        `page`
            which page of a document, counted from 1.
        `rotate`
            turn the picture clockwise by 90, 180 or 270 degrees first. Boxes are those of the
            picture as it was opened. With 0 it is not looked at on its side either.
        `max_pixels`
            larger pictures are refused, 64,000,000 by default.

        Raises `ImageError` for what is no picture, or holds several pages of which none is chosen,
        `SettingError` for options that make no sense, and `MissingExtraError` for PDF and checks
        without what they need. Blank paper is a reading.

        >>> Reader.load().read("docs/amount.png", pattern=r"\d\d\.\d\d").text
        '87.32'
        """
        return _raised(self.results([source], ReadOptions.from_mapping(options))[0])

    @overload
    def read_batch(
        self,
        sources: Iterable[Source],
        *,
        errors: Literal["raise"] = "raise",
        **options: Unpack[Options],
    ) -> list[Reading]: ...
    @overload
    def read_batch(
        self, sources: Iterable[Source], *, errors: Literal["return"], **options: Unpack[Options]
    ) -> list[Result]: ...
    @with_read_options
    def read_batch(
        self,
        sources: Iterable[Source],
        *,
        errors: Literal["raise", "return"] = "raise",
        **options: Unpack[Options],
    ) -> list[Reading] | list[Result]:
        """Return what each of several pictures says, in order; faster than one by one.

        Options are those of `read`. The first picture that cannot be read raises its error; with
        `errors="return"` the error stands in the list instead.

        >>> [reading.text for reading in Reader.load().read_batch(["docs/amount.png"] * 2)]
        ['87.32', '87.32']
        """
        if errors not in {"raise", "return"}:
            raise SettingError(
                f"errors are raised or returned (raise, return), received {errors!r}"
            )
        results = self.results(_listed(sources), ReadOptions.from_mapping(options))
        return results if errors == "return" else [*map(_raised, results)]

    @with_read_options
    def read_pages(self, document: Source, **options: Unpack[Options]) -> Iterator[Result]:
        """Yield a reading of each page of a document, or the error that the page met.

        Options are those of `read`, without `page`. What is wrong with the whole document is
        raised, before the first page.

        >>> [reading.text for reading in Reader.load().read_pages("docs/amount.png")]
        ['87.32']
        """
        return self.page_results(document, ReadOptions.from_mapping(options))

    @with_read_options
    def preprocess(self, source: Source, **options: Unpack[Options]) -> Grey:
        """Return what the network is shown of a picture, ink 255 on paper 0; 0 for blank paper.

        With `single` the digit, `uint8 (28, 28)`, else the line image, `uint8 (32, width)`.

        >>> Reader.load().preprocess("docs/amount.png").shape[0]
        32
        """
        return self.shown(source, ReadOptions.from_mapping(options))

    def results(self, sources: Iterable[Source], options: ReadOptions) -> list[Result]:
        """Return a reading of each picture, or the error that it met, in order."""
        page, most = options.page, options.max_pixels
        pages = [
            _Page(source, page, partial(open_grey, source, page=page, max_pixels=most))
            for source in sources
        ]
        size = min(max(_FEW, ceil(len(pages) / _THREADS)), _MANY)
        parts = [pages[i : i + size] for i in range(0, len(pages), size)]
        read = partial(_read, self._reader(options), options)
        if len(parts) == 1:
            return read(parts[0])
        pool = ThreadPoolExecutor(_THREADS)
        try:
            return [result for part in pool.map(read, parts) for result in part]
        finally:  # Ctrl-C does not wait for a drive that does not answer
            pool.shutdown(wait=False, cancel_futures=True)

    def page_results(self, document: Source, options: ReadOptions) -> Iterator[Result]:
        """Yield a reading of each page of a document, or the error that it met."""
        if options.page is not None:
            raise SettingError("read_pages reads every page: leave out page, or use read")
        reader = self._reader(options)
        pages = open_pages(document, max_pixels=options.max_pixels)
        listed = (_Page(document, n + 1, partial(pages.page, n)) for n in range(len(pages)))
        return (result for page in listed for result in _read(reader, options, [page]))

    def shown(self, source: Source, options: ReadOptions) -> Grey:
        """Return what `preprocess` does, for options that were checked."""
        page = open_grey(source, page=options.page, max_pixels=options.max_pixels)
        return self._reader(options).shown(turned(page, options.rotate or 0))

    def model_for(self, options: ReadOptions) -> LineModel | DigitModel:
        """Return the model that reads with these options; `SettingError` where there is none."""
        return self._reader(options).model

    def _reader(self, options: ReadOptions) -> LineReader | DigitReader:
        # What reads nothing but one digit need not be told so.
        reader = self._single if options.single or not self._line else self._line
        if reader is None:
            raise SettingError(
                f"the model {self.model} reads lines, and no single digits: leave out single"
            )
        return reader


def _listed(sources: Iterable[Source]) -> Iterable[Source]:
    one = isinstance(sources, str | bytes | bytearray | memoryview) or hasattr(sources, "read")
    if one or not isinstance(sources, Iterable):
        raise SettingError("read_batch takes several pictures: use read for one")
    return sources


def _raised(result: Result) -> Reading:
    if isinstance(result, InkdigitError):
        raise result
    return result


@dataclass(frozen=True)
class _Page:
    """A page of a source, and how it is opened; what was opened is not kept."""

    source: Source
    number: int | None
    open: Callable[[], Grey]


def _read(
    reader: LineReader | DigitReader, options: ReadOptions, pages: Sequence[_Page]
) -> list[Result]:
    notes: list[_Note] = []
    found = iter(reader.read(_opened(pages, options.rotate or 0, notes), options))
    return [
        note if isinstance(note, InkdigitError) else _reading(reader, next(found), note, page)
        for note, page in zip(notes, pages, strict=True)
    ]


def _opened(pages: Sequence[_Page], degrees: int, notes: list[_Note]) -> Iterator[Grey]:
    """Open and turn one page after the other, so that no two are held; note what came of each."""
    for page in pages:
        try:
            grey = turned(page.open(), degrees)
        except InkdigitError as error:
            notes.append(error)
        else:
            notes.append(grey.shape)
            yield grey


def _reading(
    reader: LineReader | DigitReader, found: _Found, shape: tuple[int, int], page: _Page
) -> Result:
    """Make a reading of what is known: decide what to do with it, and understand its number."""
    if isinstance(found, InkdigitError):
        return found
    if _may_lie_on_its_side(found):
        found = replace(found, turned=_read_turned(reader, found, page))
    status, reason, rule = decide(found)
    numbers = meanings(found.text, found.options.decimal)
    picture = partial(open_grey, page.source, page=page.number, max_pixels=found.options.max_pixels)
    return Reading(
        text=found.text,
        confidence=found.confidence,
        status=status,
        reason=reason,
        rule=rule,
        characters=_as_opened(found.characters, shape, found.options.rotate or 0),
        number=numbers.pop() if len(numbers) == 1 else None,
        unconstrained=found.free,
        model=reader.model.name,
        picture=None if hasattr(page.source, "read") else picture,  # a stream is read once
    )


def _may_lie_on_its_side(found: Evidence) -> bool:
    doubted = len(found.digits) < 2 or decide(found)[0] != "accepted"
    return bool(found.line and found.line.is_column and doubted and found.options.rotate is None)


def _read_turned(reader: LineReader | DigitReader, found: Evidence, page: _Page) -> str:
    """Say which number of more digits is read when a page is turned by a quarter, if one is.

    What is accepted as it lies, such as two 0 above each other as an 8, yields to nothing less.
    """
    good = ("accepted",) if decide(found)[0] == "accepted" else ("accepted", "review")
    with suppress(InkdigitError):
        grey, quarters = page.open(), (90, 270)
        ways = reader.read([turned(grey, degrees) for degrees in quarters], found.options)
        likely = [
            (way.confidence, degrees, way.text)
            for degrees, way in zip(quarters, ways, strict=True)
            if isinstance(way, Evidence)
            and decide(way)[0] in good
            and len(way.digits) > max(1, len(found.digits))
        ]
        if likely:
            _, degrees, text = max(likely)
            return f"turned clockwise by {degrees} degrees it reads {text}: set rotate to {degrees}"
    return ""


def _as_opened(
    characters: tuple[Character, ...], shape: tuple[int, int], degrees: int
) -> tuple[Character, ...]:
    """Return characters with their boxes on the page before it was turned to this shape."""
    down, across = shape
    for _ in range(degrees // 90):
        characters = tuple(
            replace(one, box=(y, across - x - width, height, width))
            for one in characters
            for x, y, width, height in [one.box]
        )
        down, across = across, down
    return characters
