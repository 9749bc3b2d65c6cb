"""Models that say what a test tells them to, whatever they are shown."""

from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from inkdigit.reading.alphabet import LINE_ALPHABET, SINGLE_ALPHABET
from inkdigit.reading.model_file import (
    COLUMNS_PER_FRAME,
    FALLBACK,
    DigitModel,
    LineModel,
    ModelInfo,
)

INFO = ModelInfo(
    network="scripted",
    trained_on="nothing",
    trained_digits=1,
    accuracy=0.9,
    accuracy_on="nothing",
    temperature=1.0,
    reject_threshold=0.8,
    reject_error=0.001,
    reject_accepted=0.95,
    reject_measured_on=400,
    inkdigit_version="1",
)
Grey = npt.NDArray[np.uint8]
Odds = dict[str, float]
SURE = 0.999


def odds_of(symbol: str) -> Odds:
    return {symbol: SURE} if symbol else {}


class ScriptedLine(LineModel):
    """Says each of `said` in a frame of its own, evenly along the line, and blanks between.

    An empty one is a place of which nothing is said. `other` is the fallback network.
    """

    def __init__(self, *said: Odds | str, other: LineModel | None = None, **info: Any) -> None:
        self.info = replace(INFO, reads="line", classes=LINE_ALPHABET, input_height=32, **info)
        self.other = other
        self.said = [odds_of(one) if isinstance(one, str) else one for one in said]

    def frames(self, images: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        count = images.shape[2] // COLUMNS_PER_FRAME
        output = np.zeros((len(images), count, len(LINE_ALPHABET) + 1), np.float32)
        output[:, :, -1] = 1
        for i, odds in enumerate(self.said):
            frame = output[:, int((i + 0.5) * count / len(self.said))]
            frame[:] = 0
            for symbol, p in odds.items():
                frame[:, LINE_ALPHABET.index(symbol)] = p
            frame[:, -1] = 1 - sum(odds.values())
        return output

    @property
    def others(self) -> dict[str, Callable[[Grey], npt.NDArray[np.float32]]]:
        return {FALLBACK: self.other.frames} if self.other else {}


class ScriptedDigit(DigitModel):
    """Says the same of every digit."""

    def __init__(self, odds: Odds, **info: Any) -> None:
        self.info = replace(INFO, classes=SINGLE_ALPHABET, **info)
        self.odds = odds

    def probabilities(self, images: npt.NDArray[np.generic]) -> npt.NDArray[np.float32]:
        row = [self.odds.get(symbol, 0.0) for symbol in SINGLE_ALPHABET]
        return np.tile(np.array(row, np.float32), (len(images), 1))


def bars(count: int, *, dots: Collection[int] = ()) -> Grey:
    """Dark strokes side by side on light paper; in these places dots on the baseline."""
    page = np.full((80, 40 + 40 * count), 240, np.uint8)
    for i in range(count):
        page[52 if i in dots else 20 : 60, 30 + 40 * i : 40 + 40 * i] = 20
    return page
