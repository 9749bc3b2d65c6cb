"""Read, review, learn from it, read again."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image
from piles import said

from inkdigit import learning, read_to
from inkdigit.bulk.readers import read_table
from inkdigit.learning.datasets import Dataset
from inkdigit.learning.synthesis.stream import Generator
from inkdigit.reading.alphabet import only_digits
from inkdigit.reading.reader import Reader
from inkdigit.review import Journal, write_labels
from inkdigit.review.fields import doubtful

# How far all lines lean: further than any hand that the reader learned from.
LEAN = 0.9


def leaning(pages: Path, seed: int, count: int, sample: Dataset) -> dict[str, str]:
    """Draw lines that lean far to the left, and return what stands in each picture."""
    pages.mkdir()
    draw, texts = Generator(sample.train, None).pictures(), dict[str, str]()
    for number in range(count):
        page, text = draw(np.random.default_rng([seed, number]))
        if not only_digits(text) or "?" in text:
            continue
        height, width = page.shape
        matrix, size = np.array([[1, LEAN, 0], [0, 1, 0]]), (round(width + LEAN * height), height)
        name = str(pages / f"{number:03}.png")
        leant = cv2.warpAffine(page, matrix, size, borderMode=cv2.BORDER_REPLICATE)
        Image.fromarray(leant).save(name)
        texts[name] = text
    return texts


@pytest.mark.slow
def test_what_people_settle_teaches_the_reader(sample: Dataset, tmp_path: Path) -> None:
    """Numbers are drawn; of what is doubtful, a person says what stands there.

    What is read better are those, and above all others by the same hand, which nobody settled.
    """
    texts = leaning(tmp_path / "pages", 11, 200, sample)
    others = leaning(tmp_path / "others", 12, 160, sample)
    table = tmp_path / "results.jsonl"
    read_to(sorted(texts), table, jobs=1)
    before, journal = doubtful(table), Journal(table)
    for field in before:
        new = texts[field.source]
        journal.append(said(field.row, new, field=field.name, old=field.proposal))
    assert write_labels(table, tmp_path / "ours") == len(before)
    out = tmp_path / "ours.onnx"
    learning.adapt(Reader.load(), tmp_path / "ours", epochs=10, out=out, force=True)
    again = tmp_path / "again.jsonl"
    read_to(sorted(texts), again, model=out, jobs=1)

    def right(path: Path) -> int:
        """Return how many of the settled texts are read right."""
        rows, settled = read_table(path), {field.row for field in before}
        return sum(
            row["digits"] == only_digits(texts[row["source"]])
            for number, row in enumerate(rows, start=1)
            if number in settled
        )

    def right_of_others(reader: Reader) -> int:
        found = reader.read_batch(sorted(others))
        return sum(
            reading.digits == only_digits(others[name])
            for reading, name in zip(found, sorted(others), strict=True)
        )

    assert right(again) > right(table)
    assert right_of_others(Reader.load(out)) > right_of_others(Reader.load())
