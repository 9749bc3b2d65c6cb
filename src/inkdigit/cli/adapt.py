"""`inkdigit adapt`: a reader that learns from your pictures."""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from inkdigit import Reader, learning
from inkdigit.bulk.progress import say


def run(options: argparse.Namespace) -> None:
    """Adapt, and print where the model file is."""
    wanted = ("labels", "single", "group", "pattern", "check", "epochs", "seed", "out", "force")
    how = {name: getattr(options, name) for name in wanted}
    reader = Reader.load(options.model)
    tell = None if options.quiet else say
    with _pictures(Path(options.pictures)) as pictures:
        learning.adapt(reader, pictures, **how, tell=tell)
    print(options.out)


@contextmanager
def _pictures(given: Path) -> Iterator[Path]:
    """Yield a folder of pictures: the one that is given, or what people settled in a review."""
    if not given.is_file():
        yield given
        return
    from inkdigit.review import table_of, write_labels

    with TemporaryDirectory() as scratch:
        folder = Path(scratch, "settled")
        write_labels(table_of(given), folder)
        yield folder
