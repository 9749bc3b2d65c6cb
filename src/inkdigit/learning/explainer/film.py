"""What a network had learned after each epoch, from the snapshots of its run."""

import base64
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from inkdigit.errors import RunError
from inkdigit.learning.datasets.digits import Digits
from inkdigit.learning.explainer.sheet import sheet_of

Arrays = dict[str, npt.NDArray[Any]]
# What there is of each epoch.
FRAME = ("epochs", "figures", "filters", "answers", "points")
# A page holds so many epochs at most, the first and the last among them.
FRAMES = 60
_STEPS = 2**15 - 1


def film_of(path: Path) -> dict[str, Any] | None:
    """Return the film in a file of snapshots, `None` where there is none.

    `epochs` is their numbers; `figures (epochs, 2)`, loss and accuracy on the validation digits,
    `filters`, `answers` and `points` are packed, one for each of them.
    """
    if not path.exists():
        return None
    kept = read_snapshots(path)
    count = len(kept["epochs"])
    chosen = np.unique(np.linspace(0, count - 1, min(count, FRAMES)).round().astype(int))
    frames = {name: packed(kept[name][chosen]) for name in FRAME[1:]}
    about = about_digits(Digits(kept["ten"], kept["ten_labels"]), kept["labels"])
    return {"epochs": kept["epochs"][chosen].tolist(), **about, **frames}


def read_snapshots(path: Path) -> Arrays:
    """Return what a file of snapshots holds; `RunError` where it is damaged."""
    try:
        with np.load(path, allow_pickle=False) as kept:
            return {name: kept[name] for name in (*FRAME, "ten", "ten_labels", "labels")}
    except Exception:  # noqa: BLE001  (whatever a damaged archive makes of it)
        raise RunError(f"{path} holds no usable snapshots: delete it") from None


def about_digits(ten: Digits, labels: npt.NDArray[np.int64]) -> dict[str, Any]:
    """Return the ten digits that are asked about, and what those in the plane are."""
    return {
        "ten": {"labels": ten.labels.tolist(), **sheet_of(ten.images)},
        "labels": labels.tolist(),
    }


def packed(values: npt.NDArray[Any]) -> dict[str, Any]:
    """Return numbers as JSON has them: whole ones of 16 bits in base64, to be scaled."""
    numbers = np.nan_to_num(np.asarray(values, np.float32))
    scale = max(float(np.abs(numbers).max(initial=0)), 1e-9) / _STEPS
    whole = np.rint(numbers / scale).astype("<i2").tobytes()
    return {"shape": numbers.shape, "scale": scale, "values": base64.b64encode(whole).decode()}
