import hashlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from inkdigit.classroom.collection import Collection
from inkdigit.errors import ImageError, OutputError, RunError, SettingError
from inkdigit.images import as_png, open_grey
from inkdigit.learning.datasets import Dataset

MINE, OTHER = "0" * 16, "f" * 16


@pytest.fixture
def digit(sample: Dataset) -> bytes:
    return as_png(np.pad(255 - sample.test.images[0], 20, constant_values=255))


def draw(collection: Collection, name: str, token: str, digit: bytes) -> bool:
    try:
        collection.draw(name, token, "3", digit, 10**6)
    except RunError:
        return False
    return True


def test_nothing_is_written_over(tmp_path: Path) -> None:
    collection, path = Collection(tmp_path / "class"), tmp_path / "class" / "Anna" / "3" / "1.png"
    assert collection.keep(path, b"first")
    assert not collection.keep(path, b"second")
    assert path.read_bytes() == b"first"


def test_a_person_has_one_folder(tmp_path: Path) -> None:
    (tmp_path / "Zoe\u0308").mkdir()
    assert Collection(tmp_path).person("zoë") == tmp_path / "Zoe\u0308"
    assert Collection(tmp_path).person("Ben") == tmp_path / "Ben"


def test_of_two_phones_with_a_name_one_draws(digit: bytes, tmp_path: Path) -> None:
    collection = Collection(tmp_path)
    tokens = [f"{number:016x}" for number in range(16)]
    names = ["Anna", "ANNA", "anna "] * 6
    with ThreadPoolExecutor(16) as pool:
        drawn = list(pool.map(draw, [collection] * 16, names, tokens, [digit] * 16))
    assert sum(drawn) == 1
    (path,) = collection.on_phones()
    token = tokens[drawn.index(True)]
    # Who sees the files does not learn the token that may delete them.
    assert path.name.split("-")[1] == hashlib.sha256(token.encode()).hexdigest()[:16]
    assert (open_grey(path) == open_grey(digit)).all()


def test_what_was_drawn_is_forgotten_and_sheets_stay(digit: bytes, tmp_path: Path) -> None:
    collection = Collection(tmp_path)
    assert draw(collection, "Anna", MINE, digit)
    assert draw(collection, "Ben", OTHER, digit)
    of_sheet = tmp_path / "Anna" / "3" / "1.png"
    collection.keep(of_sheet, digit)
    with pytest.raises(RunError, match="another phone draws as anna: add a letter"):
        collection.forget("anna", OTHER)
    collection.forget("anna", MINE)
    assert of_sheet.exists()
    assert [path.parent.parent.name for path in collection.on_phones()] == ["Ben"]
    assert draw(collection, "Anna", OTHER, digit)  # the name is free again


def test_what_is_no_drawing_is_refused(digit: bytes, tmp_path: Path) -> None:
    collection, white = Collection(tmp_path), as_png(np.full((40, 40), 255, np.uint8))
    for content, said in ((white, "there is no digit on it"), (b"x", "not a picture")):
        with pytest.raises(ImageError, match=said):
            collection.draw("Anna", MINE, "3", content, 10**6)
    with pytest.raises(SettingError, match="a name holds no '/'"):
        collection.draw("../Anna", MINE, "3", digit, 10**6)
    assert not list(tmp_path.iterdir())


def test_a_photograph_is_made_smaller(digit: bytes, tmp_path: Path) -> None:
    large = np.kron(open_grey(digit), np.ones((30, 30), np.uint8))
    Collection(tmp_path).draw("Anna", MINE, "3", large, 10**8)
    (path,) = Collection(tmp_path).on_phones()
    assert max(open_grey(path).shape) == 600


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot be made"):
        Collection(tmp_path / "file" / "class")
