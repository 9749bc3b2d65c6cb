"""RapidOCR's recognition for `readers.py`, with whichever Python has it.

Standard input holds a JSON list of file names a line; each is answered with a line of JSON: what
was read in each picture, how sure, and the seconds that it took from arrays in memory. With
`--batch` the pictures are given to the recognition at once, the way it is fastest.
"""

import json
import sys
import time
from importlib.metadata import version
from typing import Any

from rapidocr_onnxruntime import RapidOCR  # type: ignore[import-not-found,unused-ignore]


def main() -> None:
    """Answer until the input ends; first say which version answers."""
    engine = RapidOCR()
    read = in_batches if "--batch" in sys.argv else one_by_one
    print(json.dumps({"version": version("rapidocr-onnxruntime")}), flush=True)
    for line in sys.stdin:
        pictures = [engine.load_img(path) for path in json.loads(line)]
        start = time.perf_counter()
        found = read(engine, pictures)
        seconds = time.perf_counter() - start
        answers = [[text, float(score)] for text, score in found]
        print(json.dumps({"found": answers, "seconds": seconds}), flush=True)


def one_by_one(engine: Any, pictures: list[Any]) -> list[tuple[str, float]]:
    """Return text and score of each picture, taken as one line of writing."""
    results = (engine(picture, use_det=False, use_cls=False)[0] for picture in pictures)
    return [result[0][:2] if result else ("", 0.0) for result in results]


def in_batches(engine: Any, pictures: list[Any]) -> list[tuple[str, float]]:
    """Return text and score of each picture, recognised together."""
    return list(engine.text_rec(pictures)[0])


if __name__ == "__main__":
    main()
