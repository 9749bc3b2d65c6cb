"""Sheets of a class, filled in, and what reads them."""

import pytest

from benchmarks.class_sheets import Pupil, filled, printed
from inkdigit.classroom.sheet import TEMPLATE
from inkdigit.documents.registration import Registrar
from inkdigit.images import Grey
from inkdigit.reading.reader import Reader

NAMES = ["Anna", "Zoë M", "Cem"]


@pytest.fixture(scope="session")
def registrar() -> Registrar:
    return Registrar([TEMPLATE])


@pytest.fixture(scope="session")
def reader() -> Reader:
    return Reader.load()


@pytest.fixture(scope="session")
def blanks(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Grey]:
    """The sheets of a class as they were printed, at 200 dpi."""
    pages = printed(tmp_path_factory.mktemp("printed") / "sheets.pdf", "7b", NAMES)
    return dict(zip(NAMES, pages, strict=True))


@pytest.fixture(scope="session")
def sheet(blanks: dict[str, Grey]) -> Grey:
    """Anna's sheet: two boxes are empty, and one is crossed out."""
    return filled(Pupil(4), blanks["Anna"], empty=[("3", 4), ("9", 8)], crossed=[("5", 2)])
