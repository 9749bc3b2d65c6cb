"""Reading pictures that hold a line of digits: what networks say of a line becomes evidence."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import prod

import cv2
import numpy as np
import numpy.typing as npt

from inkdigit.errors import InkdigitError, SettingError
from inkdigit.images import Grey
from inkdigit.reading.alphabet import DIGITS, MARKS
from inkdigit.reading.decoding.characters import Characters, locate
from inkdigit.reading.decoding.marks import Mark, find_marks, unseen_marks
from inkdigit.reading.decoding.rescoring import Hypothesis
from inkdigit.reading.model_file import COLUMNS_PER_FRAME, LineModel
from inkdigit.reading.number import meanings
from inkdigit.reading.options import ReadOptions
from inkdigit.reading.preprocessing.line import LINE_HEIGHT, LineImage, extract_line
from inkdigit.reading.preprocessing.paper import why_unseen
from inkdigit.reading.result import Alternative, Box, Character
from inkdigit.reading.review_rules import Evidence
from inkdigit.reading.tta import Views, view_lines

# Less likely alternatives are not worth listing.
_LEAST_ALTERNATIVE = 0.001
# How much ink it costs to part two characters a column farther from the middle between them.
_STRAYING = 0.25
# A mark that is less likely is not there.
_FAINT = 0.2
# Lines of so many columns are decoded together.
_MOST_COLUMNS = 2**15

Result = Evidence | InkdigitError


@dataclass(frozen=True)
class LineReader:
    """Reads one line of digits a picture, with a line model."""

    model: LineModel

    def read(self, pages: Iterable[Grey], options: ReadOptions) -> list[Result]:
        """Return what each grey page says, or why it cannot be: too long for its pattern."""
        lines: list[LineImage | None] = []
        results: list[Result] = []
        blank = Evidence.of_blank(options)
        for page in pages:
            lines.append(extract_line(page))
            unseen = "" if lines[-1] else why_unseen(page)
            results.append(Evidence.of_blank(options, unseen) if unseen else blank)
        for numbers in _alike(lines):
            group = [found for found in (lines[number] for number in numbers) if found]
            for number, result in zip(numbers, self._results(group, options), strict=True):
                results[number] = result
        return results

    def shown(self, page: Grey) -> Grey:
        """Return what the network is shown of a page, `uint8 (32, width)`, 0 for blank paper."""
        found = extract_line(page)
        return found.pixels if found else np.zeros((LINE_HEIGHT, LINE_HEIGHT), np.uint8)

    def _results(self, lines: list[LineImage], options: ReadOptions) -> Sequence[Result]:
        try:
            return self._read(lines, options)
        except SettingError as error:
            if len(lines) == 1:
                return [error]
            return [result for line in lines for result in self._results([line], options)]

    def _read(self, lines: list[LineImage], options: ReadOptions) -> list[Evidence]:
        views = view_lines(self.model.frames, [line.pixels for line in lines], self.model.others)
        chosen = self._calibrated(views.choose(options))
        texts = [found.text for found in chosen]
        posteriors = views.first.restricted_to(options.symbols)
        characters = locate(posteriors, texts, options.compiled_pattern)
        marks = _find_marks(views, characters, options)
        unseen = unseen_marks(views.first, texts, characters)
        free = self._calibrated(views.unconstrained)
        return [
            self._evidence(line, chosen[i], free[i], characters[i], marks[i], unseen[i], options)
            for i, line in enumerate(lines)
        ]

    def _evidence(
        self,
        line: LineImage,
        chosen: Hypothesis,
        free: Hypothesis,
        found: Characters,
        seen: list[Mark],
        unseen: str,
        options: ReadOptions,
    ) -> Evidence:
        threshold = self.model.info.reject_threshold
        seen = [mark for mark in seen if _has_ink(line, mark.first, mark.last)]
        places = [*zip(found.first, found.last, strict=True)]
        sure = [(mark.first, mark.last) for mark in seen if mark.is_seen]
        boxes = _boxes(line, [*places, *sure])
        characters = self._characters(chosen.text, found, boxes, options.symbols)
        marks = _with_boxes(line, seen, boxes[len(places) :])
        # Without a pattern marks are decoded apart, and those that were seen are written.
        apart = [] if options.pattern else [m for m in marks if m.character.value in MARKS]
        written = _written(characters, [mark for mark in apart if mark.is_seen])
        decisive = [mark for mark in apart if _matters(characters, apart, mark, options.decimal)]
        return Evidence(
            found=chosen.text,
            characters=written,
            confidence=chosen.probability * prod(mark.certainty for mark in decisive),
            threshold=threshold,
            options=options,
            marks=[mark for mark in marks if mark.is_seen],
            decisive_marks=decisive,
            free=free.text if options.constrained else None,
            free_is_sure=free.probability >= threshold,
            unseen_mark=unseen or _inkless_mark(line, chosen.text, places),
            line=line,
        )

    def _calibrated(self, found: list[Hypothesis]) -> list[Hypothesis]:
        """Return texts with how often those of their probability are right."""
        confidences = self.model.info.platt.confidence(np.array([one.probability for one in found]))
        return [
            Hypothesis(one.text, confidence)
            for one, confidence in zip(found, confidences.tolist(), strict=True)
        ]

    def _characters(
        self, text: str, found: Characters, boxes: list[Box], symbols: str
    ) -> list[Character]:
        shares = np.maximum(found.probabilities, 1e-12) ** self.model.info.confidence_slope
        shares /= shares.sum(axis=1, keepdims=True)
        characters = []
        for value, row, box in zip(text, shares.tolist(), boxes, strict=False):
            odds = dict(zip(symbols, row, strict=True))
            likely = [s for s in symbols if odds[s] >= _LEAST_ALTERNATIVE or s == value]
            likely.sort(key=lambda symbol: -odds[symbol])
            alternatives = tuple(Alternative(symbol, odds[symbol]) for symbol in likely)
            characters.append(Character(value, odds[value], box, alternatives))
        return characters


def _find_marks(
    views: Views, characters: list[Characters], options: ReadOptions
) -> list[list[Mark]]:
    """Return the marks that either network sees: none is to vanish."""
    marks = find_marks(views.first, characters, written=options.symbols, least=_FAINT)
    if views.fallback is None:
        return marks
    doubtful = [characters[number] for number in views.doubt]
    others = find_marks(views.fallback, doubtful, written=options.symbols, least=_FAINT)
    for number, found in zip(views.doubt, others, strict=True):
        known = {mark.position for mark in marks[number]}
        sure = {mark.position for mark in marks[number] if mark.is_seen}
        # One that is too faint to be written keeps no sure one out.
        marks[number] += [
            mark for mark in found if mark.position not in (sure if mark.is_seen else known)
        ]
        marks[number].sort(key=lambda mark: (mark.position, mark.first))
    return marks


def _with_boxes(line: LineImage, marks: list[Mark], boxes: list[Box]) -> list[Mark]:
    """Return marks with the boxes of those that are sure; a faint one takes no ink from others."""
    sure = iter(boxes)
    placed = []
    for mark in marks:
        box = next(sure) if mark.is_seen else _boxes(line, [(mark.first, mark.last)])[0]
        placed.append(replace(mark, character=replace(mark.character, box=box)))
    return placed


def _written(characters: list[Character], marks: list[Mark]) -> tuple[Character, ...]:
    """Return the characters of a text with marks among them, each before its position."""
    written = list(characters)
    for mark in marks[::-1]:
        written.insert(mark.position, mark.character)
    return tuple(written)


def _matters(
    characters: list[Character], marks: list[Mark], mark: Mark, decimal: str | None
) -> bool:
    """Return whether the number would be another without a mark, or with one too faint to write.

    What closes a number, as the dot behind `1250.`, changes nothing; nor need a dot before three
    digits, unless `decimal` says that it stands before decimals.
    """
    others = [other for other in marks if other is not mark and other.is_seen]
    if not mark.is_seen and any(other.position == mark.position for other in others):
        return False  # both are the same ink
    among = [other for other in marks if other is mark or other.is_seen]
    without, with_it = (
        meanings("".join(one.value for one in _written(characters, some)), decimal)
        for some in (others, among)
    )
    return without.isdisjoint(with_it)


def _alike(lines: Sequence[LineImage | None]) -> Iterator[list[int]]:
    """Yield the numbers of the lines with ink, those together that are about as wide."""
    groups = defaultdict(list)
    for number, found in enumerate(lines):
        if found is not None:
            groups[found.pixels.shape[1].bit_length()].append(number)
    for bits, numbers in groups.items():
        together = _MOST_COLUMNS >> bits
        yield from (numbers[i : i + together] for i in range(0, len(numbers), together))


def _has_ink(line: LineImage, first: float, last: float) -> bool:
    """Return whether there is ink in the frames of a mark: the network may read one into a gap."""
    start, end = (int(COLUMNS_PER_FRAME * frame) for frame in (first - 2, last + 3))
    return line.has_ink(start, end)


def _inkless_mark(line: LineImage, text: str, places: list[tuple[float, float]]) -> str:
    """Return the first mark of a text that stands where there is no ink, or nothing."""
    for symbol, place in zip(text, places, strict=True):
        if symbol not in DIGITS and not _has_ink(line, *place):
            return symbol
    return ""


def _boxes(line: LineImage, spans: list[tuple[float, float]]) -> list[Box]:
    """Return the boxes of characters by the frames that say them, in pixels of the picture.

    The network says a character somewhere on it: between it and the next they are parted where
    there is least ink, and the box is drawn around the ink.
    """
    if not spans:
        return []
    middles = [(first + last + 1) / 2 * COLUMNS_PER_FRAME for first, last in spans]
    reach, width = line.pixels.shape
    order = sorted(range(len(spans)), key=middles.__getitem__)
    ink = line.strokes.sum(axis=0, dtype=np.int64)
    edges = [0.0, *(_gap(ink, middles[a], middles[b]) for a, b in pairwise(order)), float(width)]
    boxes = [(0, 0, 0, 0)] * len(spans)
    for place, (left, right) in zip(order, pairwise(edges), strict=True):
        start, end = max(left, middles[place] - reach), min(right, middles[place] + reach)
        boxes[place] = _box(line, round(start), round(end))
    return boxes


def _gap(ink: npt.NDArray[np.int64], left: float, right: float) -> float:
    """Return the column between two others that has least ink, of several the most central."""
    middle = (left + right) / 2
    columns = np.arange(int(left), min(int(right) + 1, len(ink)))
    if not len(columns):
        return middle
    return float(columns[(ink[columns] + _STRAYING * np.abs(columns - middle)).argmin()])


def _box(line: LineImage, left: int, right: int) -> Box:
    """Return the box of the strokes between two columns of a line image."""
    left = min(max(left, 0), line.strokes.shape[1] - 1)
    inside = line.strokes[:, left : max(right, left + 1)]
    x, y, width, height = cv2.boundingRect(inside)
    if not width:
        x, y, (height, width) = 0, 0, inside.shape
    return line.to_picture(left + x, y, width, height)
