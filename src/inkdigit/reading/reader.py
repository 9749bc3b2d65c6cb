"""From pictures to numbers: the one door to reading."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property, partial
from math import ceil, sqrt
from pathlib import Path
from typing import Literal, NamedTuple, Self, Unpack, overload

import numpy as np
import numpy.typing as npt

from inkdigit.errors import ImageError, InkdigitError, ModelError, SettingError
from inkdigit.images import Grey, Source, open_grey, open_pages, turned
from inkdigit.reading.alphabet import only_digits
from inkdigit.reading.digit_reader import DigitReader
from inkdigit.reading.line_reader import LineReader
from inkdigit.reading.model_file import DigitModel, LineModel, PageModel, load_model_file
from inkdigit.reading.number import meanings
from inkdigit.reading.options import Options, ReadOptions, with_read_options
from inkdigit.reading.pages.looking import Seen, Spot, see, why_overlooked
from inkdigit.reading.pages.page import Page, PageNumber, with_columns
from inkdigit.reading.pages.tables import laid_out
from inkdigit.reading.preprocessing.line import extract_line
from inkdigit.reading.preprocessing.paper import why_unseen
from inkdigit.reading.result import Box, Character, Reading, Row
from inkdigit.reading.review_rules import Evidence, decide

_MODELS = Path(__file__).parents[1] / "models"
LINE_MODEL = _MODELS / "line.onnx"
SINGLE_MODEL = _MODELS / "single.onnx"
PAGE_MODEL = _MODELS / "page.onnx"
_THREADS = 2
# How many pictures are read as one batch: numpy decodes many lines in little more time than one.
_FEW, _MANY = 64, 256

# What may lie on its side is looked at so as well where fewer numbers are read, or less surely.
_WELL = 0.75
# Which way up a page lies is told by so many of its numbers. Where they are so much less sure
# upside down, it is upright. Else it is looked at both ways, and what tells these apart has to be
# more than so many times the root of all that is read: less may be chance.
_ASKED, _LESS, _MORE = 24, 0.85, 0.45
# Digits that upside down are others, or the same: of what is made of them it cannot be seen.
_EITHER_WAY = str.maketrans("69", "96")
_EITHER = frozenset("0125689")
# What is found less surely has to be read.
_SURELY_FOUND = 0.9
# What is lower than this share of the height that numbers of a page have may be none.
_LOW = 0.7
_NOTHING = Reading(
    text="",
    confidence=0.0,
    status="rejected",
    reason="no handwritten number was found: a picture of one number is read without find (--find)",
    rule="found",
)

Result = Reading | InkdigitError
_Found = Evidence | InkdigitError
# The shape of a page, or why it could not be opened.
_Note = tuple[int, int] | InkdigitError


class Reader:
    """Reads numbers from pictures; one reader may serve any number of threads.

    >>> reader = Reader.load()
    >>> reader.read("docs/amount.png")
    Reading('87.32', 0.9657, accepted)
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
        if isinstance(model, PageModel):
            raise ModelError(f"{path} finds numbers and reads none: set Reader.finder to it")
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
        `pattern_column`
            of `read_page` alone: what the numbers of a column look like, such as `3=\d{4}`.
        `total_column`
            of `read_page` alone: columns that end with the sum of the numbers above, such as `3`.
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
    def read_page(self, source: Source, **options: Unpack[Options]) -> Page:
        """Find every handwritten number on a page, and read each as `read` does.

        Options are those of `read`. With a pattern only what fits it is in the page. A number that
        was found is accepted where it is surely one, and surely read. Raises as `read` does.

        >>> page = Reader.load().read_page("docs/register.jpg")
        >>> "0.0" in [number.text for number in page.numbers if number.status == "accepted"]
        True
        """
        asked = ReadOptions.from_mapping(options)
        opened = partial(open_grey, source, page=asked.page, max_pixels=asked.max_pixels)
        page = self._page(opened(), asked)
        return replace(page, picture=None if hasattr(source, "read") else opened)

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

    def number_rows(self, source: Source, name: str, options: ReadOptions) -> Iterator[Row]:
        """Yield a row for each number on each page of a document, or for a page without one.

        The `id` of a row is ROW/COLUMN. What is wrong with the whole document is raised.
        """
        document = open_pages(source, max_pixels=options.max_pixels)
        for number in [options.page] if options.page else range(1, len(document) + 1):
            try:
                if number > len(document):
                    raise ImageError(
                        f"{name} has {len(document)} page{'s' * (len(document) > 1)}: there is no "
                        f"page {number}"
                    )
                page = document.page(number - 1)
                found = self._page(page, options)
            except InkdigitError as error:
                yield Row(name, number, error, self.model)
                continue
            for one in found.numbers:
                place = f"{one.row}/{one.column}", one.box, found.rotate
                yield Row(name, number, one, self.model, *place)
            if not found.numbers:
                nothing = _nothing(page, found.unfit, options)
                yield Row(name, number, replace(nothing, model=self.model), self.model)

    def _page(self, grey: Grey, options: ReadOptions) -> Page:
        options.check_of_pages()
        way, is_known = self._upright(grey, options)
        seen, crops = way.seen, [crop for crop, _ in way.cut]
        free = {
            n: one
            for n, one in enumerate(way.read)
            if isinstance(one, Reading) and way.is_wanted(n, one)
        }
        levels = {n: seen.spots[n].level for n in free}
        places = dict(zip(free, laid_out([*levels.values()], seen.first.said), strict=True))
        fitted = free | self._fitted(free, crops, places, options)
        threshold = self.finder.info.reject_threshold
        usual = float(np.median([level[3] for level in levels.values()])) if levels else 0.0
        sure = threshold if options.min_confidence is None else options.min_confidence
        least = _Least(sure, _LOW * usual, is_known)
        numbers = [
            _on_page(fitted[n], seen.spots[n], way.cut[n][1], places[n], seen, least)
            for n in sorted(free, key=lambda n: (*places[n], levels[n][0]))
        ]
        numbers = with_columns(numbers, {*options.by_column, *options.totals}, options.totals)
        angle = float(np.degrees(seen.angle))
        unfit = sum(
            not _fits(one, way.asked) and bool(only_digits(one.unconstrained or ""))
            for one in way.read
            if isinstance(one, Reading)
        )
        return Page(tuple(numbers), 90 * seen.quarters, angle, self.model, unfit)

    def _upright(self, grey: Grey, options: ReadOptions) -> tuple["_Way", bool]:
        """Return a page read upright, and whether it is known which way up it lies.

        It is so read that most is found and read surely.
        """
        way = self._way(grey, options)
        if options.rotate is not None:
            return way, True
        told = self._both_ways_up(way)
        if way.seen.may_lie and max(told) < _WELL * _ASKED:
            side = self._way(grey, replace(options, rotate=90))
            beside = self._both_ways_up(side)
            # What lies on its side falls apart into more numbers, which are read less surely.
            if max(beside) * side.share(beside) > max(told) * way.share(told):
                way, told = side, beside
        as_it_is, over = told
        if over <= _LESS * as_it_is:
            return way, True
        other = self._way(grey, replace(options, rotate=90 * way.seen.quarters + 180))
        over_there, as_there = self._both_ways_up(other)
        more = as_it_is + as_there - over - over_there
        if abs(more) < _MORE * sqrt(as_it_is + as_there + over + over_there):
            return way, False
        return (way if more > 0 else other), True

    def _way(self, grey: Grey, options: ReadOptions) -> "_Way":
        """Return a page as it is found and read in one way."""
        seen = see(self.finder, grey, options.rotate)
        cut = [seen.cut_out(spot) for spot in seen.spots]
        # Which column a number is in is known when it is known which are numbers.
        asked = options.of_crops()
        asked = replace(asked, pattern=None) if options.by_column else asked
        return _Way(seen, cut, asked, self.results([crop for crop, _ in cut], asked))

    def _both_ways_up(self, way: "_Way") -> tuple[float, float]:
        """Return how many of the numbers most surely found are read, as they lie and upside down.

        Each counts as much as it is sure, and what would not stay in the page counts nothing.
        """
        found = [-spot.place.probability for spot in way.seen.spots]
        surest = [int(n) for n in np.argsort(found, kind="stable")[:_ASKED]]
        over = self.results([turned(way.cut[n][0], 180) for n in surest], way.asked)
        as_they_lie = [way.read[n] for n in surest]
        return way.certainty(surest, as_they_lie), way.certainty(surest, over)

    def _as_asked(self, crops: Sequence[Grey], asked: Sequence[ReadOptions]) -> list[Result]:
        """Return a reading of each crop, each by its own options."""
        read = dict[int, Result]()
        for options in dict.fromkeys(asked):
            own = [number for number, one in enumerate(asked) if one == options]
            read |= zip(own, self.results([crops[number] for number in own], options), strict=True)
        return [read[number] for number in range(len(crops))]

    def _fitted(
        self,
        free: Mapping[int, Reading],
        crops: Sequence[Grey],
        places: Mapping[int, tuple[int, int]],
        options: ReadOptions,
    ) -> dict[int, Reading]:
        """Return the numbers of columns that have a pattern, read again by it.

        What fits it only with a digit more or less stays as it was read freely, for review.
        """
        others = options.of_crops()
        asked = {n: options.by_column.get(column, others) for n, (_, column) in places.items()}
        again = [n for n in free if options.by_column and asked[n].pattern]
        read = self._as_asked([crops[n] for n in again], [asked[n] for n in again])
        fitted = dict[int, Reading]()
        for n, one in zip(again, read, strict=True):
            why = f"it does not fit the pattern of column {places[n][1]}"
            fitted[n] = replace(free[n], status="review", rule="column", reason=why)
            if isinstance(one, Reading) and one.status != "rejected":
                fitted[n] = one if len(one.digits) == len(free[n].digits) else fitted[n]
        return fitted

    @cached_property
    def finder(self) -> PageModel:
        """The model that finds numbers on pages; loaded when a page is first read."""
        return PageModel.load(PAGE_MODEL)

    def shown(self, source: Source, options: ReadOptions) -> Grey:
        """Return what `preprocess` does, for options that were checked."""
        page = open_grey(source, page=options.page, max_pixels=options.max_pixels)
        return self._reader(options).shown(turned(page, options.rotate or 0))

    def model_for(self, options: ReadOptions) -> LineModel | DigitModel:
        """Return the model that reads with these options; `SettingError` where there is none."""
        return self._reader(options).model

    def _reader(self, options: ReadOptions) -> LineReader | DigitReader:
        # What reads nothing but one digit need not be told so.
        if options.by_column or options.totals:
            raise SettingError("columns are those of a whole page: use find, or read_page")
        reader = self._single if options.single or not self._line else self._line
        if reader is None:
            raise SettingError(
                f"the model {self.model} reads lines, and no single digits: leave out single"
            )
        return reader


def _nothing(page: Grey, unfit: int, options: ReadOptions) -> Reading:
    """Return what is said of a page without a number, of whose numbers so many do not fit."""
    if unfit:
        found = "1 number was found, and it does not fit"
        if unfit > 1:
            found = f"{unfit:,} numbers were found, and none fits"
        return replace(_NOTHING, rule="pattern", reason=f"{found} the pattern {options.pattern}")
    if unseen := why_overlooked(page.shape) if extract_line(page) else why_unseen(page):
        status, reason, rule = decide(Evidence.of_blank(options, unseen))
        return replace(_NOTHING, status=status, reason=reason, rule=rule)
    return _NOTHING


class _Least(NamedTuple):
    """How sure a number is at least that is accepted, and how high as `Spot.level`.

    And whether it is known which way up its page lies.
    """

    confidence: float
    height: float
    is_known: bool


class _Way(NamedTuple):
    """A page as it was found and read in one way: what was cut out for each spot, and its text."""

    seen: Seen
    cut: list[tuple[Grey, npt.NDArray[np.float64]]]
    asked: ReadOptions
    read: list[Result]

    def share(self, told: tuple[float, float]) -> float:
        """Return how sure a number is, on the mean, as it lies or upside down."""
        return max(told) / max(1, min(_ASKED, len(self.read)))

    def is_wanted(self, number: int, reading: Reading) -> bool:
        """Return whether a spot that was read so is a number, and fits as it was written.

        What is not sure to be one, and is rejected when it is read, is none.
        """
        if not reading.digits or reading.rule == "blank":
            return False
        found = self.seen.spots[number].place.probability
        if reading.status == "rejected" and found < _SURELY_FOUND:
            return False
        return _fits(reading, self.asked)

    def certainty(self, chosen: Sequence[int], read: Sequence[Result]) -> float:
        """Return how sure the readings of chosen spots are in all, of what stays in the page."""
        return sum(
            self.seen.spots[n].place.probability * one.confidence
            for n, one in zip(chosen, read, strict=True)
            if isinstance(one, Reading) and self.is_wanted(n, one)
        )


def _fits(reading: Reading, options: ReadOptions) -> bool:
    """Return whether what was read fits the pattern without a digit more or less."""
    if not options.pattern:
        return True
    seen = reading.unconstrained
    same = seen is None or len(only_digits(seen)) == len(reading.digits)
    return same and reading.rule != "pattern"


def _on_page(
    reading: Reading,
    spot: Spot,
    matrix: npt.NDArray[np.float64],
    place: tuple[int, int],
    seen: Seen,
    least: _Least,
) -> PageNumber:
    """Return a number with its boxes on the page as it was opened, and as sure as it is there."""
    found = spot.place.probability
    told = dict(vars(reading))
    if reading.status == "accepted":
        told |= _doubt(reading, spot, least)
    flat = seen.flat
    corners = flat.to_picture(spot.corners)
    characters = (
        replace(one, box=_boxed(flat.to_picture(_corners(one.box, matrix))))
        for one in reading.characters
    )
    boxed = Character("", 0.0, _boxed(corners), ())
    (own, *rest) = _as_opened((boxed, *characters), flat.shape, 90 * seen.quarters)
    told |= {"characters": tuple(rest), "confidence": reading.confidence * found, "picture": None}
    right, down = corners[1] - corners[0]
    angle = float(np.degrees(np.arctan2(down, right)))
    row, column = place
    return PageNumber(**told, box=own.box, angle=angle, found=found, row=row, column=column)


def _doubt(reading: Reading, spot: Spot, least: _Least) -> dict[str, str]:
    """Return what puts a number up for review where it stands, that was surely read: fields."""
    confidence, rule, why = spot.place.probability * reading.confidence, "found", ""
    if reading.text.startswith("-"):
        rule, why = "dash", "a dash stands before the number: minus, or what is left of a rule?"
    elif spot.look.is_beside_ink(spot.place):
        rule, why = "beside", "a stroke stands close beside the number: is it a digit?"
    elif spot.level[3] < least.height:
        rule, why = "low", "it is much lower than the numbers of the page: an accent, a comma?"
    elif not least.is_known and _is_other_upside_down(reading.digits):
        rule, why = "upside down", "it is another number if the page lies upside down, as it may"
    elif confidence < least.confidence:
        why = f"it is not sure that this is a handwritten number, and read right ({confidence:.2f})"
    return {"status": "review", "rule": rule, "reason": why} if why else {}


def _is_other_upside_down(digits: str) -> bool:
    return _EITHER.issuperset(digits) and digits[::-1].translate(_EITHER_WAY) != digits


def _corners(box: Box, matrix: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    x, y, width, height = box
    points = np.array([[x, y], [x + width, y], [x + width, y + height], [x, y + height]])
    return np.asarray(points @ matrix[:, :2].T + matrix[:, 2])


def _boxed(corners: npt.NDArray[np.float64]) -> Box:
    (x, y), (right, bottom) = corners.min(axis=0), corners.max(axis=0)
    left, top = max(0, round(float(x))), max(0, round(float(y)))
    return left, top, max(1, round(float(right)) - left), max(1, round(float(bottom)) - top)


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
