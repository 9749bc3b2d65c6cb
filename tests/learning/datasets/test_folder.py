import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from inkdigit.errors import DataError
from inkdigit.learning.datasets import Dataset, Digits
from inkdigit.learning.datasets.digits import joined
from inkdigit.learning.datasets.folder import load_folder


def per_class(digits: Digits, count: int) -> Digits:
    of_class = [np.flatnonzero(digits.labels == digit)[:count] for digit in range(10)]
    return digits.at(np.concatenate(of_class))


def draw(digits: Digits, folder: Path, kind: str = "png") -> Path:
    for index, (image, label) in enumerate(zip(digits.images, digits.labels, strict=True)):
        path = folder / str(label) / f"{index:04}.{kind}"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(path)
    return folder


@pytest.fixture(scope="module")
def few(sample: Dataset) -> Dataset:
    """Five digits a class to train on, two to test, each with full ink."""
    parts = [per_class(sample.train, 5), per_class(sample.test, 2)]
    for part in parts:
        part.images[:, 14, 14] = 255
    return Dataset("few", *parts)


def test_without_halves_it_is_divided_always_the_same_way(few: Dataset, tmp_path: Path) -> None:
    draw(few.train, tmp_path)
    found, again = load_folder(tmp_path), load_folder(tmp_path)
    assert found.name == f"folder:{tmp_path}"
    assert (np.bincount(found.train.labels) == 4).all()
    assert (np.bincount(found.test.labels) == 1).all()
    assert found.train.digest() == again.train.digest()
    assert found.notes == (f"{tmp_path} has no halves: 40 digits train, 10 test",)
    drawn = {image.tobytes() for image in few.train.images}
    train, test = ({i.tobytes() for i in d.images} for d in (found.train, found.test))
    assert train | test == drawn
    assert not train & test


@pytest.mark.parametrize(
    ("train", "test", "root"),
    [
        ("train", "test", ""),
        ("Training", "TESTING", ""),
        ("mnist_train", "mnist_test", ""),
        ("data/train", "data/test", ""),
        ("train_test_split/train", "train_test_split/test", ""),
        ("train/images", "test/images", ""),
        (
            "Reduced MNIST Data/Reduced Trainging data",
            "Reduced MNIST Data/Reduced Testing data",
            "",
        ),
        (
            "Reduced MNIST Data/Reduced Trainging data",
            "Reduced MNIST Data/Reduced Testing data",
            "Reduced MNIST Data",
        ),
        ("__MACOSX/../a/train", "a/test", ""),
    ],
)
def test_the_layouts_that_have_halves(
    train: str, test: str, root: str, few: Dataset, tmp_path: Path
) -> None:
    (tmp_path / "__MACOSX").mkdir()
    draw(few.train, tmp_path / train)
    draw(few.test, tmp_path / test)
    found = load_folder(tmp_path / root)
    assert found.train.digest() == few.train.digest()
    assert found.test.digest() == few.test.digest()
    assert found.notes == ()


def test_jpegs_keep_digits_close_to_what_they_were(few: Dataset, tmp_path: Path) -> None:
    draw(few.train, tmp_path / "train", "jpg")
    draw(few.test, tmp_path / "test", "jpg")
    found = load_folder(tmp_path)
    differences = np.abs(found.train.images.astype(int) - few.train.images).mean(axis=(1, 2))
    assert differences.max() < 10


def test_any_size_colour_and_polarity(few: Dataset, tmp_path: Path) -> None:
    draw(few.test, tmp_path / "test")
    looks = [
        lambda page: page.convert("RGB"),
        lambda page: Image.eval(page, lambda value: 255 - value).convert("RGBA"),
        lambda page: Image.eval(page, lambda value: 200 - value // 2),
        lambda page: page.resize((31, 31)).convert("CMYK"),
        lambda page: page.convert("P"),
    ]
    for index, (image, label) in enumerate(zip(few.train.images, few.train.labels, strict=True)):
        page = Image.fromarray(image).resize((140, 140), Image.Resampling.BICUBIC)
        path = tmp_path / "train" / str(label) / f"{index:04}.tiff"
        path.parent.mkdir(parents=True, exist_ok=True)
        looks[index % len(looks)](page).save(path)
    found = load_folder(tmp_path)
    assert (found.train.images.shape, found.train.images.dtype) == ((50, 28, 28), np.uint8)
    assert (found.train.labels == few.train.labels).all()
    differences = np.abs(found.train.images.astype(int) - few.train.images).mean(axis=(1, 2))
    assert differences.mean() < 11


def cut_out(digit: np.ndarray) -> Image.Image:
    """A digit four times as large, cut to the box of its ink."""
    large = Image.fromarray(digit).resize((112, 112))
    return large.crop(large.point(lambda value: 255 * (value > 40)).getbbox())


@pytest.mark.parametrize("kind", ["png", "jpg"])
@pytest.mark.parametrize("framed", [False, True], ids=["of any size", "28x28"])
def test_digits_cut_to_their_box_are_seen_the_right_way_round(
    kind: str, framed: bool, sample: Dataset, tmp_path: Path
) -> None:
    # The boldest: they take up more of their box than their paper.
    boldest = np.argsort(-sample.test.images.mean(axis=(1, 2)), kind="stable")
    digits, right = per_class(sample.test.at(boldest), 6), []
    for index, (image, label) in enumerate(zip(digits.images, digits.labels, strict=True)):
        cut = cut_out(image).resize((28, 28)) if framed else cut_out(image)
        right.append(np.asarray(cut) if framed else image)
        path = tmp_path / str(label) / f"{index:02}.{kind}"
        path.parent.mkdir(exist_ok=True)
        Image.eval(cut, lambda value, dark=index % 2: 255 - value if dark else value).save(path)
    found = joined([(both := load_folder(tmp_path)).train, both.test])
    assert len(found) == len(digits)
    for picture, label in zip(found.images, found.labels, strict=True):
        same = [shown for shown, of in zip(right, digits.labels, strict=True) if of == label]
        alike = [np.corrcoef(picture.ravel(), shown.ravel())[0, 1] for shown in same]
        assert max(alike) > 0.4


def test_what_cannot_be_read_is_named_counted_and_left_out(few: Dataset, tmp_path: Path) -> None:
    draw(few.train, tmp_path / "train")
    draw(few.test, tmp_path / "test")
    for number in range(7):
        (tmp_path / "train" / "3" / f"notes{number}.txt").write_text("not a digit")
    content = (tmp_path / "test" / "4" / "0008.png").read_bytes()
    (tmp_path / "test" / "4" / "zz.png").write_bytes(content[:80])
    found = load_folder(tmp_path)
    assert found.train.digest() == few.train.digest()
    assert found.test.digest() == few.test.digest()
    (note,) = found.notes
    assert note.startswith("8 left out: ")
    assert note.endswith("; and 3 more")
    assert str(tmp_path / "train" / "3" / "notes0.txt") in note


def test_hidden_files_are_passed_over(few: Dataset, tmp_path: Path) -> None:
    draw(few.train, tmp_path / "train")
    draw(few.test, tmp_path / "test")
    (tmp_path / "train" / "3" / ".DS_Store").write_text("x")
    (tmp_path / "train" / "3" / "Thumbs.db").write_text("x")
    checkpoints = tmp_path / "train" / "3" / ".ipynb_checkpoints"
    checkpoints.mkdir()
    Image.fromarray(few.train.images[0]).save(checkpoints / "copy.png")
    (tmp_path / ".git").mkdir()
    (tmp_path / "train" / "3" / "__MACOSX").mkdir()
    (tmp_path / "train" / "3" / "__MACOSX" / "copy.png").write_text("x")
    found = load_folder(tmp_path)
    assert found.notes == ()
    assert found.train.digest() == few.train.digest()


def refuses(root: Path, said: str) -> None:
    with pytest.raises(DataError, match=said) as caught:
        load_folder(root)
    assert "\n" not in str(caught.value)


def test_what_is_no_folder_of_digits(few: Dataset, tmp_path: Path) -> None:
    refuses(tmp_path / "gone", "gone is not a folder")
    (tmp_path / "file").touch()
    refuses(tmp_path / "file", "file is not a folder")
    (tmp_path / "empty" / "inner").mkdir(parents=True)
    refuses(tmp_path / "empty", "holds no folders 0 to 9, nor train and test halves")
    draw(per_class(few.train, 1), tmp_path / "one")
    refuses(tmp_path / "one", "10 digits are too few to divide")


def test_a_missing_half_is_named(few: Dataset, tmp_path: Path) -> None:
    draw(few.train, tmp_path / "a" / "training set")
    refuses(tmp_path / "a", r"has a train half \(training set\) but no test half")
    draw(few.test, tmp_path / "b" / "test")
    refuses(tmp_path / "b", r"has a test half \(test\) but no train half: add a folder called")
    (tmp_path / "a" / "test").mkdir()
    refuses(tmp_path / "a", "holds 0 of the class folders 0 to 9")
    draw(few.test, tmp_path / "a" / "test2")
    refuses(tmp_path / "a", "2 folders that could be its test half: test, test2")


def test_a_missing_or_empty_class_is_named(few: Dataset, tmp_path: Path) -> None:
    draw(few.train, tmp_path / "train")
    draw(few.test, tmp_path / "test")
    for path in (tmp_path / "test" / "7").iterdir():
        path.unlink()
    refuses(tmp_path, f"{tmp_path / 'test' / '7'} holds no picture that can be read")
    (tmp_path / "test" / "7" / "text.png").write_text("text")
    refuses(tmp_path, "holds no picture that can be read")
    (tmp_path / "test" / "7").rename(tmp_path / "test" / "other")
    assert len(load_folder(tmp_path).test) == 18


def test_a_blank_picture_is_named_and_left_out(few: Dataset, tmp_path: Path) -> None:
    draw(few.train, tmp_path)
    Image.new("L", (40, 60), 255).save(tmp_path / "8" / "blank.png")
    found = load_folder(tmp_path)
    assert len(found.train) + len(found.test) == len(few.train)
    assert found.notes[1] == f"1 left out: {tmp_path / '8' / 'blank.png'} is blank"


NAMES = {
    "{0}": "digits", "0{0}": "two digits", "{1}": "words", "{2}": "capitals", "class_{0}": "class",
    "Digit-{0}": "digit", "{0}_{1}": "digit and word", "label {0}": "label", "number{0}": "number",
}  # fmt: skip
WORDS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]


@pytest.mark.parametrize("name", NAMES)
def test_classes_are_known_by_what_people_call_them(
    name: str, few: Dataset, tmp_path: Path
) -> None:
    draw(few.train, tmp_path)
    for digit, word in enumerate(WORDS):
        called = name.format(digit, word, word.capitalize())
        (tmp_path / str(digit)).rename(tmp_path / called)
    found = load_folder(tmp_path)
    assert (np.bincount(found.train.labels) == 4).all()
    assert len(found.notes) == 1


@pytest.mark.parametrize("missing", [[0], [3, 7], [0, 1, 2, 3, 4, 5, 6, 7]])
def test_classes_that_are_missing_are_told(
    missing: list[int], few: Dataset, tmp_path: Path
) -> None:
    draw(few.train, tmp_path)
    for digit in missing:
        (tmp_path / str(digit)).rename(tmp_path / f".{digit}")
    found = load_folder(tmp_path)
    assert {*found.train.labels.tolist()} == {*range(10)} - {*missing}
    assert f"there is no {', '.join(map(str, missing))} to learn from" in found.notes[1]


def test_what_is_no_class_and_no_half_is_told(few: Dataset, tmp_path: Path) -> None:
    for half in ("train", "test", "Validation"):
        draw(few.test, tmp_path / half)
    (tmp_path / "train" / "10").mkdir()
    (tmp_path / "__MACOSX").mkdir()
    (note,) = load_folder(tmp_path).notes
    assert note.startswith("2 left out: ")
    assert f"{tmp_path / 'Validation'} is neither half" in note
    assert f"{tmp_path / 'train' / '10'} is no class 0 to 9" in note


def test_a_class_twice_is_refused(few: Dataset, tmp_path: Path) -> None:
    draw(few.train, tmp_path)
    (tmp_path / "seven").mkdir()
    refuses(tmp_path, "two folders of the class 7: 7, seven")


def test_a_pipe_among_pictures_is_left_out(few: Dataset, tmp_path: Path) -> None:
    draw(few.train, tmp_path)
    os.mkfifo(tmp_path / "3" / "x.png")
    assert "not a plain file" in load_folder(tmp_path).notes[1]


def by_writers(few: Dataset, folder: Path, writers: list[str]) -> Path:
    """A folder for each writer, with a picture of each digit."""
    for number, writer in enumerate(writers):
        draw(few.train.at(np.arange(50)[number % 5 :: 5]), folder / writer)
    return folder


WRITERS = ["Anna", "Ben", "Cem", "Six", "Test", "Trainor", "Zoë M", "three"]


def test_folders_of_writers_are_kept_whole(few: Dataset, tmp_path: Path) -> None:
    """Also where pupils are called as halves and classes are."""
    by_writers(few, tmp_path, WRITERS)
    (tmp_path / "__apart" / "Anna" / "3").mkdir(parents=True)
    (tmp_path / "contact-sheet-1.html").touch()
    found, again = load_folder(tmp_path), load_folder(tmp_path)
    halves = [set(half.writers.tolist()) for half in (found.train, found.test)]
    assert halves[0] | halves[1] == set(WRITERS)
    assert not halves[0] & halves[1]
    assert len(halves[1]) == 2
    assert (found.test.writers == again.test.writers).all()
    whole = "; 6 writers train, 2 test, each kept whole"
    assert found.notes == (f"{tmp_path} has no halves: 60 digits train, 20 test{whole}",)
    fitted, validation = found.fit_and_validation()
    assert not set(fitted.writers) & set(validation.writers)
    three = load_folder(by_writers(few, tmp_path / "7c", ["Anna", "Ben", "Testa"]))
    assert {*three.train.writers, *three.test.writers} == {"Anna", "Ben", "Testa"}
    both = joined([found.train, found.test])
    for name, writer, label in zip(both.names, both.writers, both.labels, strict=True):
        assert name.split("/")[:2] == [writer, str(label)]
        assert (tmp_path / name).exists()


@pytest.mark.parametrize("writers", [["Anna"], ["Anna", "Ben"], ["Anna", "Ben", "Cem"]])
def test_few_writers(writers: list[str], few: Dataset, tmp_path: Path) -> None:
    for writer in writers:
        draw(few.train, tmp_path / writer)
    found = load_folder(tmp_path)
    assert len(found.train) + len(found.test) == 50 * len(writers)
    if len(writers) > 1:
        assert not set(found.train.writers) & set(found.test.writers)


def test_pictures_that_say_digit_and_writer(few: Dataset, tmp_path: Path) -> None:
    names = {
        "3_anna": "anna", "3_anna_2": "anna", "4_anna-3": "anna", "5_ben (2)": "ben",
        "6_ben M": "ben M", "7_zoë3": "zoë", "8_cem_a_12": "cem_a",
    }  # fmt: skip
    for number, name in enumerate(names):
        Image.fromarray(few.train.images[number]).save(tmp_path / f"{name}.png")
    (tmp_path / "notes.txt").touch()
    found = load_folder(tmp_path)
    both = joined([found.train, found.test])
    said = {
        name.removesuffix(".png"): (str(label), writer)
        for name, label, writer in zip(both.names, both.labels, both.writers, strict=True)
    }
    assert said == {name: (name[0], writer) for name, writer in names.items()}


def test_a_file_with_such_a_name_beside_class_folders_is_none_of_them(
    few: Dataset, tmp_path: Path
) -> None:
    for number, (image, label) in enumerate(zip(few.train.images, few.train.labels, strict=True)):
        folder = tmp_path / str(label)
        folder.mkdir(exist_ok=True)
        Image.fromarray(image).save(folder / f"{number}.png")
    before = load_folder(tmp_path)
    (tmp_path / "1_readme.txt").write_text("notes")
    Image.fromarray(few.train.images[0]).save(tmp_path / "3_overview.png")
    after = load_folder(tmp_path)
    assert (after.train.digest(), after.test.digest()) == (
        before.train.digest(),
        before.test.digest(),
    )


def test_a_table_says_digits_and_writers(few: Dataset, tmp_path: Path) -> None:
    lines = ["file,text,who"]
    (tmp_path / "p").mkdir()
    for number, label in enumerate(few.train.labels):
        Image.fromarray(few.train.images[number]).save(tmp_path / "p" / f"{number}.png")
        lines.append(f"p/{number}.png,{label},w{number % 5}")
    (tmp_path / "labels.csv").write_text("\n".join(lines))
    found = load_folder(tmp_path, "who")
    assert {*found.train.writers} | {*found.test.writers} == {f"w{n}" for n in range(5)}
    assert set(found.test.writers) == {found.test.writers[0]}
    both = joined([found.train, found.test])
    numbers = [int(Path(name).stem) for name in both.names]
    assert (few.train.labels[numbers] == both.labels).all()
    assert not (load_folder(tmp_path).train.writers != "").any()
    with pytest.raises(DataError, match="has no column writer"):
        load_folder(tmp_path, "writer")
    (tmp_path / "labels.csv").write_text("file,text\np/0.png,12\n")
    refuses(tmp_path, "the label of p/0.png is one digit, received '12'")
    (tmp_path / "labels.csv").write_text("file,text\ngone.png,1\n")
    refuses(tmp_path, "holds no picture that can be read")
