"""Read, review, learn from it, read again."""

from pathlib import Path

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


@pytest.mark.slow
def test_what_people_settle_teaches_the_reader(sample: Dataset, tmp_path: Path) -> None:
    """Numbers are drawn; of what is doubtful, a person says what stands there."""
    pages, texts = tmp_path / "pages", dict[str, str]()
    pages.mkdir()
    draw = Generator(sample.train, None).pictures()
    for number in range(120):
        page, text = draw(np.random.default_rng([11, number]))
        if only_digits(text) and "?" not in text:
            name = str(pages / f"{number:03}.png")
            texts[name] = text
            Image.fromarray(page).save(name)
    table = tmp_path / "results.jsonl"
    read_to(sorted(texts), table, jobs=1)
    before, journal = doubtful(table), Journal(table)
    for field in before:
        new = texts[field.source]
        journal.append(said(field.row, new, field=field.name, old=field.proposal))
    assert write_labels(table, tmp_path / "ours") == len(before)
    labels = tmp_path / "ours" / "labels.csv"
    out = tmp_path / "ours.onnx"
    learning.adapt(Reader.load(), tmp_path / "ours", labels, epochs=10, out=out, force=True)
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

    assert right(again) > right(table)
