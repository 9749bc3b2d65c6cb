"""RapidOCR on whole pages for `benchmarks/pages.py`, with whichever Python has it.

Standard input holds a file name a line; each is answered with a JSON list of boxes and texts.
"""

import json
import sys

from rapidocr_onnxruntime import RapidOCR  # type: ignore[import-not-found,unused-ignore]


def main() -> None:
    """Answer until the input ends."""
    engine = RapidOCR()
    for line in sys.stdin:
        found = []
        for points, text, _ in engine(line.strip())[0] or []:
            x, y = zip(*points, strict=True)
            left, top = round(min(x)), round(min(y))
            found.append([[left, top, round(max(x)) - left, round(max(y)) - top], text])
        print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main()
