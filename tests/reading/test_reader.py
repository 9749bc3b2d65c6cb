import gc
import inspect
import io
import json
import re
import subprocess
import sys
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, replace
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hand import Grey, Hand, encoded, overlap
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image
from scripted import SURE, ScriptedDigit, ScriptedLine, bars

from inkdigit.errors import ImageError, InkdigitError, ModelError, SettingError
from inkdigit.reading import Reader, Reading, ReadOptions
from inkdigit.reading.reader import LINE_MODEL, SINGLE_MODEL

if TYPE_CHECKING:
    from inkdigit.learning.datasets import Dataset

pytestmark = pytest.mark.usefixtures("sockets")

BLANK = np.full((60, 200), 235, np.uint8)


@pytest.fixture(scope="module")
def pages(hand: Hand) -> list[Grey]:
    """Numbers of many lengths, and so of many widths, and among them a blank."""
    texts = ["0", "07", "123", "4096", "55555", "314159", "27182818", "0123456789"]
    written = [hand.write(text, first) for first in (0, 15) for text in texts]
    return [*written[:7], BLANK, *written[7:]]


def in_brief(result: Reading | InkdigitError) -> dict[str, Any] | str:
    return result.to_dict() if isinstance(result, Reading) else str(result)


def assert_alike(found: Any, expected: Any) -> None:
    """The same, numbers within 1e-5."""
    assert json.dumps(rounded(found)) == json.dumps(rounded(expected)) or all(
        close(a, b) for a, b in zip(leaves(found), leaves(expected), strict=True)
    )


def rounded(value: Any) -> Any:
    return json.loads(json.dumps(value), parse_float=lambda number: round(float(number), 3))


def leaves(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [leaf for item in value.values() for leaf in leaves(item)]
    return [leaf for item in value for leaf in leaves(item)] if isinstance(value, list) else [value]


def close(found: Any, expected: Any) -> bool:
    return abs(found - expected) < 2e-5 if isinstance(found, float) else bool(found == expected)


# What is read well: needs the trained models.


def test_clear_numbers_are_read(reader: Reader, hand: Hand) -> None:  # trained model
    texts = ["07", "1250", "4096", "00719", "31415", "888", "27182818"] * 12
    found = reader.read_batch([hand.write(text, first) for first, text in enumerate(texts)])
    right = [reading.text == text for reading, text in zip(found, texts, strict=True)]
    # Some of MNIST's digits are not clear to anyone.
    assert np.mean(right) > 0.8
    sure = [reading for reading in found if reading.status == "accepted"]
    assert len(sure) > 10
    assert all(reading.number == int(reading.text) for reading in sure)


def test_clear_digits_are_read(reader: Reader, sample: "Dataset") -> None:  # trained model
    digits, labels = sample.test.images[::10], sample.test.labels[::10]
    found = reader.read_batch([255 - np.pad(digit, 8) for digit in digits], single=True)
    assert np.mean([reading.text for reading in found] == labels.astype(str)) > 0.95


def test_boxes_lie_over_their_digits(reader: Reader, hand: Hand) -> None:  # trained model
    found = []
    for first in range(12):
        page, boxes = hand.placed("4096", first)
        larger = np.asarray(Image.fromarray(page).resize((page.shape[1] * 3, page.shape[0] * 3)))
        for shown, scale in ((page, 1), (larger, 3)):
            reading = reader.read(shown)
            if reading.text != "4096":
                continue
            for digit, box in zip(reading.characters, boxes, strict=True):
                x, y, width, height = (scale * side for side in box)
                found.append(overlap(digit.box, (x, y, width, height)))
    assert len(found) >= 12 * 4
    # Two of them may share their ink in some other way.
    assert min(found) > 0.4
    assert np.quantile(found, 0.05) > 0.6


def test_a_dot_is_read(reader: Reader, hand: Hand) -> None:  # trained model
    found = [reader.read(hand.write("12.50", first)) for first in range(10)]
    right = [reading for reading in found if reading.text == "12.50"]
    assert len(right) >= 5
    assert all(reading.number == Decimal("12.50") for reading in right)
    assert all("".join(one.value for one in reading.characters) == "12.50" for reading in right)
    accepted = [reading for reading in found if reading.status == "accepted"]
    assert len(accepted) >= 4
    # A dot that was not read for sure is looked at: there is no accepted 1250.
    assert {reading.text for reading in accepted} == {"12.50"}
    with_dot = [reader.read(hand.write("12.50", i), pattern=r"\d+\.\d\d") for i in range(10)]
    assert sum(reading.text == "12.50" for reading in with_dot) >= 7


def test_a_pattern_and_a_check_help(reader: Reader, hand: Hand) -> None:  # trained model
    pages = [hand.write("79927398713", first) for first in range(15)]

    def right(**options: Any) -> int:
        return sum(one.text == "79927398713" for one in reader.read_batch(pages, **options))

    assert right() <= right(pattern=r"\d{11}") <= right(pattern=r"\d{11}", check="luhn")
    assert right(pattern=r"\d{11}", check="luhn") >= 8


# What holds for any model.


def sources(page: Grey, tmp_path: Path) -> dict[str, Any]:
    path = tmp_path / "größe 1.png"
    path.write_bytes(encoded(page))
    picture = Image.fromarray(page)
    return {
        "path": path,
        "name": str(path),
        "bytes": encoded(page),
        "bytearray": bytearray(encoded(page)),
        "stream": io.BytesIO(encoded(page)),
        "picture": picture,
        "grey": page,
        "channel": page[:, :, None],
        "colours": np.dstack([page] * 3),
        "alpha": np.dstack([page] * 3 + [np.full_like(page, 255)]),
        "uint16": page.astype(np.uint16) * 257,
        "float": page / 255,
        "float32": (page / np.float32(255)).astype(np.float32),
        "tiff": encoded(page, "TIFF"),
        "webp": encoded(page, "WEBP", lossless=True),
        "bmp": encoded(page, "BMP"),
        "gif": encoded(page, "GIF"),
    }


@pytest.mark.parametrize("single", [False, True])
def test_a_picture_is_read_the_same_however_it_comes(
    reader: Reader, hand: Hand, tmp_path: Path, single: bool
) -> None:
    page = hand.write("4096")
    expected = reader.read(page, single=single).to_dict()
    for name, source in sources(page, tmp_path).items():
        assert reader.read(source, single=single).to_dict() == expected, name
    assert_alike(reader.read(255 - page, single=single).to_dict(), expected)


def test_pages_are_read_one_by_one(reader: Reader, hand: Hand) -> None:
    pages = [Image.fromarray(hand.write(text)) for text in ("07", "4096", "123")]
    document = io.BytesIO()
    pages[0].save(document, "TIFF", save_all=True, append_images=pages[1:])
    content = document.getvalue()
    alone = [reader.read(page).to_dict() for page in pages]
    assert [in_brief(result) for result in reader.read_pages(content)] == alone
    assert [reader.read(content, page=n).to_dict() for n in (1, 2, 3)] == alone
    assert [in_brief(result) for result in reader.read_pages(encoded(BLANK))] == [
        reader.read(BLANK).to_dict()
    ]
    with pytest.raises(ImageError, match="has 3 pages: choose one"):
        reader.read(content)
    with pytest.raises(ImageError, match="there is no page 4"):
        reader.read(content, page=4)
    with pytest.raises(ImageError, match="is empty"):
        reader.read_pages(b"")
    with pytest.raises(SettingError):
        reader.read_pages(content, pattern="(")
    (row,) = reader.number_rows(encoded(BLANK), "a.png", ReadOptions(page=2))
    assert str(row.failure) == "a.png has 1 page: there is no page 2"


def test_a_reading_is_plain_and_consistent(reader: Reader, pages: list[Grey]) -> None:
    for page in pages:
        for options in ({}, {"single": True}, {"pattern": r"\d{4}"}, {"check": "luhn"}):
            reading = reader.read(page, **options)  # type: ignore[arg-type]
            plain = reading.to_dict()
            assert json.loads(json.dumps(plain, allow_nan=False)) == plain
            assert list(plain) == [
                "text", "confidence", "status", "reason", "digits", "number", "characters",
                "unconstrained", "model",
            ]  # fmt: skip
            assert "".join(one.value for one in reading.characters) == reading.text
            assert 0 <= reading.confidence <= 1
            assert reading.status in {"accepted", "review", "rejected"}
            assert (reading.reason == "") == (reading.rule == "") == (reading.status == "accepted")
            assert (reading.unconstrained is None) == (not options.keys() & {"pattern", "check"})
            for digit in reading.characters:
                shares = [other.confidence for other in digit.alternatives]
                assert shares == sorted(shares, reverse=True)
                named = [other.value for other in digit.alternatives]
                assert digit.value in named
                assert len(named) == len(set(named)) == (10 if "single" in options else len(named))
                x, y, width, height = digit.box
                assert 0 <= x < x + width <= page.shape[1]
                assert 0 <= y < y + height <= page.shape[0]


def test_blank_paper_is_an_empty_accepted_text(reader: Reader) -> None:
    for single in (False, True):
        reading = reader.read(BLANK, single=single)
        assert (reading.text, reading.status, reading.confidence) == ("", "accepted", 1.0)
        assert (reading.characters, reading.digits, reading.number) == ((), "", None)


@pytest.mark.parametrize("single", [False, True])
@pytest.mark.parametrize("shape", [(60, 200), (200, 60), (28, 28), (8, 8)])
def test_white_paper_of_a_program_is_blank(
    reader: Reader, shape: tuple[int, int], single: bool
) -> None:
    reading = reader.read(np.full(shape, 255, np.uint8), single=single)
    assert (reading.text, reading.status, reading.confidence) == ("", "accepted", 1.0)


@pytest.mark.parametrize("single", [False, True])
def test_where_nothing_could_be_seen_nothing_is_accepted(
    reader: Reader, hand: Hand, single: bool
) -> None:
    over = np.maximum(255 - (240 - hand.write("4")) // 24, 240)
    for page in (np.zeros((50, 50), np.uint8), BLANK[:, :1], hand.write("4096")[40:42], over):
        reading = reader.read(np.asarray(page, np.uint8), single=single)
        assert (reading.text, reading.status, reading.rule) == ("", "review", "unseen")
        assert reading.confidence == 0.0


# A stroke that is no number, in a picture that is no page.
SMALL = np.pad(np.zeros((30, 4), np.uint8), ((10, 10), (20, 26)), constant_values=240)


@pytest.mark.parametrize(
    ("page", "status", "said"),
    [
        (np.zeros((300, 200), np.uint8), "review", "nothing could be seen: the paper is black"),
        (np.full((4, 2), 200, np.uint8), "review", "the picture is too small for a digit"),
        (np.tile(SMALL, (1, 400)), "review", "too long and narrow to look at whole (20000×50"),
        (SMALL, "review", "the picture is too small for a page (50×50 pixels)"),
        (BLANK, "rejected", "a picture of one number is read without find (--find)"),
    ],
)
def test_a_page_without_numbers_says_whether_one_could_have_been_seen(
    reader: Reader, page: Grey, status: str, said: str
) -> None:
    (row,) = reader.number_rows(page, "page", ReadOptions())
    assert row.result.status == status
    assert said in row.result.reason


def quarters(page: Grey, degrees: int) -> Grey:
    """The page as it looks after it was turned clockwise."""
    return np.ascontiguousarray(np.rot90(page, -degrees // 90))


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
@pytest.mark.parametrize("single", [False, True])
def test_a_picture_is_turned_before_it_is_read(
    reader: Reader, hand: Hand, degrees: int, single: bool
) -> None:
    page = hand.write("4" if single else "4096")
    upright = reader.read(page, single=single)
    lying = quarters(page, 360 - degrees)
    turned = reader.read(lying, single=single, rotate=degrees)
    assert turned.to_dict() | {"characters": []} == upright.to_dict() | {"characters": []}
    assert (
        reader.preprocess(lying, single=single, rotate=degrees)
        == reader.preprocess(page, single=single)
    ).all()  # fmt: skip
    for found, expected in zip(turned.characters, upright.characters, strict=True):
        assert replace(found, box=expected.box) == expected
        marked = np.zeros_like(page)
        x, y, width, height = expected.box
        marked[y : y + height, x : x + width] = 1
        x, y, width, height = found.box
        assert quarters(marked, 360 - degrees)[y : y + height, x : x + width].all()
        assert width * height == expected.box[2] * expected.box[3]
    assert turned.picture is not None
    assert (turned.picture() == lying).all()


@pytest.mark.parametrize("degrees", [90, 270])
def test_a_number_on_its_side_is_for_review_and_says_how_to_turn_it(
    reader: Reader, hand: Hand, degrees: int, tmp_path: Path
) -> None:  # trained model
    page = hand.write("4096", 2)
    assert reader.read(page).text == "4096"
    lying = quarters(page, 360 - degrees)
    said = f"turned clockwise by {degrees} degrees it reads 4096: set rotate to {degrees}"
    (tmp_path / "lying.png").write_bytes(encoded(lying))
    for source in (lying, encoded(lying), io.BytesIO(encoded(lying)), tmp_path / "lying.png"):
        reading = reader.read(source)
        assert (reading.status, reading.rule, reading.reason) == ("review", "on its side", said)
    (by_page,) = reader.read_pages(encoded(lying, "TIFF"))
    assert in_brief(by_page) == reader.read(lying).to_dict()
    # Who says how it lies is taken at their word.
    assert reader.read(lying, rotate=0).rule != "on its side"
    assert reader.read(lying, rotate=180).rule != "on its side"


class Stacked(ScriptedLine):
    """Says that a column of strokes is an 8, and a line of them 1200."""

    def frames(self, images: Grey) -> np.ndarray:
        text = "1200" if images.shape[2] > 2 * images.shape[1] else "8"
        self.said = [{symbol: SURE} for symbol in text]
        return super().frames(images)


def test_a_number_on_its_side_is_not_taken_for_the_digit_that_it_looks_like() -> None:
    reader = Reader(line=Stacked())
    lying = quarters(bars(4), 90)
    reading = reader.read(lying)
    assert (reading.text, reading.status, reading.rule) == ("8", "review", "on its side")
    assert reading.reason.endswith("it reads 1200: set rotate to 270")
    assert reader.read(lying, rotate=0).status == "accepted"
    # One stroke is no column, and of several that are surely several nothing is tried.
    assert reader.read(quarters(bars(1), 90)).status == "accepted"
    assert reader.read(bars(4)).text == "1200"


def test_a_page_that_cannot_be_opened_again_is_read_as_it_lies(reader: Reader, hand: Hand) -> None:
    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

    lying = encoded(quarters(hand.write("4096", 2), 270))
    reading = reader.read(Pipe(lying))
    assert reading.status != "accepted"
    assert reading.rule != "on its side"


def test_a_number_upside_down_is_turned_only_if_asked(reader: Reader, hand: Hand) -> None:
    lying = quarters(hand.write("4096", 2), 180)
    assert "turned" not in reader.read(lying).reason
    assert reader.read(lying, rotate=180).text == "4096"


def test_a_sheet_of_numbers_says_what_it_is(reader: Reader, hand: Hand) -> None:
    for columns in (1, 2, 5):
        reading = reader.read(np.tile(hand.write("47"), (4, columns)))
        assert (reading.status, reading.rule) == ("review", "many numbers")
        assert "a page of many numbers: ask for each with find" in reading.reason


def test_a_pattern_holds_whatever_is_there(reader: Reader, pages: list[Grey]) -> None:
    results = reader.read_batch(pages, pattern=r"0\d{3}")
    free = reader.read_batch(pages)
    for page, result, without in zip(pages, results, free, strict=True):
        assert result.unconstrained == without.digits
        if result.text:
            assert (len(result.text), result.text[0]) == (4, "0")
        else:
            assert result.status == "rejected"
            assert result.reason in {r"nothing here fits the pattern 0\d{3}", "there is no ink"}
        assert (page is BLANK) <= (result.reason == "there is no ink")


def test_what_the_network_is_shown(reader: Reader, hand: Hand) -> None:
    shown = reader.preprocess(hand.write("5"), single=True)
    assert (shown.shape, shown.dtype, shown.max()) == ((28, 28), np.uint8, 255)
    line = reader.preprocess(hand.write("5"))
    assert (line.shape[0], line.dtype, line.max()) == (32, np.uint8, 255)
    for single in (False, True):
        assert not reader.preprocess(BLANK, single=single).any()
    with pytest.raises(ImageError):
        reader.preprocess("missing.png")
    asked = ReadOptions(single=True)
    assert (reader.shown(hand.write("5"), asked) == shown).all()


def test_batches_read_what_each_would_alone(reader: Reader, pages: list[Grey]) -> None:
    for options in ({}, {"single": True}, {"pattern": r"\d{2,6}"}):
        alone = [reader.read(page, **options).to_dict() for page in pages]  # type: ignore[arg-type]
        assert_alike([in_brief(r) for r in reader.read_batch(pages, **options)], alone)  # type: ignore[arg-type]
        order = np.random.default_rng(0).permutation(len(pages) * 9) % len(pages)
        many = reader.read_batch([pages[i] for i in order], **options)  # type: ignore[arg-type]
        assert_alike([in_brief(r) for r in many], [alone[i] for i in order])
        some = [
            r
            for i in range(0, len(pages), 5)
            for r in reader.read_batch(pages[i : i + 5], **options)
        ]  # type: ignore[arg-type]
        assert_alike([in_brief(r) for r in some], alone)
    assert reader.read_batch([]) == []


def test_a_bad_picture_does_not_disturb_the_others(
    reader: Reader, pages: list[Grey], tmp_path: Path
) -> None:
    bad: list[Any] = [
        b"", b"not a picture", encoded(pages[0])[:60], tmp_path, "missing.png", None, 7,
        np.full((4, 4), np.nan), np.zeros((0, 4), np.uint8), np.zeros((2, 2, 2, 2)),
        np.full((3, 3), 2**40), np.array([["a"]]), Image.new("L", (1, 0)),
    ]  # fmt: skip
    mixed = [source for pair in zip(pages, bad, strict=False) for source in pair]
    found = reader.read_batch(mixed, errors="return")
    assert all(isinstance(result, ImageError) for result in found[1::2])
    assert all(len(str(result).splitlines()) == 1 for result in found[1::2])
    alone = [in_brief(r) for r in reader.read_batch(pages[: len(bad)])]
    assert_alike([in_brief(r) for r in found[::2]], alone)
    for source in bad:
        with pytest.raises(ImageError):
            reader.read(source)


def test_the_first_bad_picture_of_a_batch_raises_its_error(
    reader: Reader, pages: list[Grey]
) -> None:
    with pytest.raises(ImageError, match="the picture is empty"):
        reader.read_batch([pages[0], b"", "missing.png", pages[1]])
    assert all(isinstance(one, Reading) for one in reader.read_batch(iter(pages)))
    assert all(isinstance(one, Reading) for one in reader.read_batch(iter(pages), errors="return"))


def test_every_option_is_shown_where_it_can_be_given() -> None:
    options = {field.name: field.default for field in fields(ReadOptions)}
    for method, own in (
        (Reader.read, ["source"]),
        (Reader.read_batch, ["sources", "errors"]),
        (Reader.read_pages, ["document"]),
        (Reader.preprocess, ["source"]),
    ):
        shown = inspect.signature(method).parameters
        assert list(shown) == ["self", *own, *options], method.__name__
        for name, default in options.items():
            assert shown[name].kind == inspect.Parameter.KEYWORD_ONLY
            assert shown[name].default == default


def test_each_option_is_explained(reader: Reader) -> None:
    documented = re.findall(r"^`(\w+)`$", inspect.getdoc(Reader.read) or "", re.M)
    assert documented == [field.name for field in fields(ReadOptions)]


def test_options_may_come_as_one(reader: Reader, pages: list[Grey], hand: Hand) -> None:
    asked = ReadOptions(pattern=r"\d{2,6}", check="luhn", min_confidence=0.5)
    given = asked.to_dict()
    sources = [pages[3], b"", pages[4]]
    expected = [in_brief(one) for one in reader.read_batch(sources, errors="return", **given)]
    assert [in_brief(one) for one in reader.results(sources, asked)] == expected
    content = encoded(pages[3])
    assert [*reader.page_results(content, asked)] == [*reader.read_pages(content, **given)]


def test_the_number_is_what_the_text_means_in_one_way() -> None:
    reader = Reader(line=ScriptedLine(*"1.500"))
    page = bars(5)
    assert reader.read(page).text == "1.500"
    assert reader.read(page).number is None
    assert reader.read(page, decimal="dot").number == Decimal("1.500")
    assert reader.read(page, decimal="comma").number == Decimal(1500)
    assert Reader(line=ScriptedLine(*"12/05")).read(page).number is None


def test_a_reading_says_which_rule_decided() -> None:
    reader = Reader(line=ScriptedLine("1", {"2": 0.6}))
    reading = reader.read(bars(2))
    assert (reading.text, reading.status, reading.rule) == ("12", "review", "unsure")
    assert reading.reason == f"confidence {reading.confidence:.4f} is below 0.8000"
    assert reader.read(bars(2), min_confidence=0.1).rule == ""


def test_threads_read_what_one_does_to_the_bit(reader: Reader, pages: list[Grey]) -> None:
    def all_of(_: int) -> list[Any]:
        lines = [reader.read(page).to_dict() for page in pages]
        return lines + [reader.read(page, single=True).to_dict() for page in pages]

    expected = all_of(0)
    with ThreadPoolExecutor(8) as pool:
        assert all(found == expected for found in pool.map(all_of, range(8)))


def test_both_models_are_loaded_at_once(pages: list[Grey], monkeypatch: pytest.MonkeyPatch) -> None:
    fresh = Reader.load()

    def refuse(*_: object) -> None:
        raise AssertionError("a model file is opened late")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with ThreadPoolExecutor(8) as pool:
        texts = list(pool.map(lambda i: fresh.read(pages[3], single=i % 2 == 0).text, range(16)))
    assert len(set(texts[::2])) == len(set(texts[1::2])) == 1


def test_memory_stays_flat(reader: Reader) -> None:
    """What Python and numpy hold: nothing of a picture that was read."""
    page = Image.new("L", (600, 300), 240)
    page.paste(20, (100, 50, 130, 200))

    def read() -> None:
        reader.read_batch([page] * 10)
        reader.read(page, pattern=r"\d{2}")
        reader.read(page, single=True)

    read()
    tracemalloc.start()
    read()
    before = tracemalloc.get_traced_memory()[0]
    for _ in range(8):
        read()
    gc.collect()
    after = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    # One picture takes 180 kB.
    assert after - before < 50_000


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="there is no /proc here")
def test_memory_of_the_process_stays_flat() -> None:
    """What leaks below Python, a picture at a time, in a process of its own."""
    code = """
import os
from pathlib import Path
from PIL import Image
import inkdigit

def held():
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

reader = inkdigit.Reader.load()
page = Image.new("L", (600, 300), 240)
page.paste(20, (100, 50, 130, 200))
for count in range(60):
    if count == 20:
        before = held()
    reader.read_batch([page] * 10)
    reader.read(page, pattern="[0-9]{2}")
    reader.read(page, single=True)
print(held() - before)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    # All of the pictures together hold 86 MB.
    assert int(done.stdout) < 15e6


def test_waiting_takes_no_time_of_the_processor(hand: Hand, tmp_path: Path) -> None:
    """In a process of its own: no thread of the runtime spins on while nothing is read."""
    (tmp_path / "a.png").write_bytes(encoded(hand.write("4096")))
    code = """
import time, inkdigit
reader = inkdigit.Reader.load()
reader.read_batch(["a.png"] * 20)
time.sleep(0.2)
before = time.process_time()
time.sleep(0.5)
print(time.process_time() - before)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert float(done.stdout) < 0.1


@pytest.mark.parametrize("shape", [(1, 1), (20, 30_000), (30_000, 20), (2000, 1500)])
def test_pictures_of_any_size(reader: Reader, shape: tuple[int, int]) -> None:
    page = np.full(shape, 255, np.uint8)
    page[:: max(2, shape[0] // 3), : shape[1] // 2] = 0
    for single in (False, True):
        reading = reader.read(page, single=single)
        assert reading.status in {"accepted", "review", "rejected"}
    with pytest.raises(ImageError, match="more than 1,000,000"):
        reader.read(np.zeros((1001, 1000), np.uint8), max_pixels=1_000_000)


# Models by their path.


def test_a_line_model_by_its_path_reads_lines_only(hand: Hand, reader: Reader) -> None:
    page = hand.write("4096")
    given = Reader.load(LINE_MODEL)
    assert given.read(page) == reader.read(page)
    assert repr(given) == f"Reader({given.model})"
    assert given.model == reader.model == reader.read(page).model
    with pytest.raises(SettingError, match="reads lines, and no single digits"):
        given.read(page, single=True)


def test_a_digit_model_by_its_path_reads_one_digit_whether_told_or_not(
    hand: Hand, reader: Reader
) -> None:
    page = hand.write("4")
    given = Reader.load(str(SINGLE_MODEL))
    assert given.read(page, single=True) == reader.read(page, single=True)
    assert given.model == given.read(page, single=True).model
    assert given.read(page) == given.read(page, single=True)
    (from_document,) = given.read_pages(encoded(page))
    assert from_document == given.read(page)
    several = given.read(hand.write("42"))
    assert several.status != "accepted"


def test_models_can_be_given(hand: Hand) -> None:
    both = Reader(line=ScriptedLine("4", "2"), single=ScriptedDigit({"7": 1.0}))
    assert both.read(hand.write("11")).text == "42"
    assert both.read(hand.write("1"), single=True).text == "7"
    assert both.model == "scripted 1"
    assert repr(both) == "Reader(scripted 1, scripted 1)"


def test_models_that_are_none_say_so(tmp_path: Path) -> None:
    content = LINE_MODEL.read_bytes()
    (tmp_path / "corrupt.onnx").write_bytes(content[: len(content) // 2])
    (tmp_path / "text.onnx").write_text("not a model")
    (tmp_path / "empty.onnx").write_bytes(b"")
    newer = content.replace(b"inkdigit.format\x12\x011", b"inkdigit.format\x12\x019")
    assert newer != content
    (tmp_path / "newer.onnx").write_bytes(newer)
    for name, sentence in {
        "corrupt.onnx": "is not a working ONNX model",
        "text.onnx": "is not a working ONNX model",
        "empty.onnx": "is not a working ONNX model",
        "newer.onnx": "is of model format 9, and this Inkdigit reads format 1",
        "missing.onnx": "cannot be read: No such file or directory",
        ".": "is a folder without model.onnx",
    }.items():
        with pytest.raises(ModelError, match=sentence) as refused:
            Reader.load(tmp_path / name)
        assert len(str(refused.value).splitlines()) == 1


def test_options_are_judged_before_pictures_are_opened(reader: Reader) -> None:
    for options in ({"pattern": "("}, {"check": "lunh"}, {"page": 0}, {"patern": "1"}):
        with pytest.raises(SettingError):
            reader.read_batch(["missing.png"], **options)
        with pytest.raises(SettingError):
            reader.read_pages("missing.png", **options)
        with pytest.raises(SettingError):
            reader.preprocess("missing.png", **options)
    for options in ({"pattern": "("}, {"check": "lunh"}, {"page": 0}):
        with pytest.raises(SettingError):
            reader.read("missing.png", **options)  # type: ignore[arg-type]
    with pytest.raises(SettingError, match="errors are raised or returned"):
        reader.read_batch(["missing.png"], errors="ignore")  # type: ignore[call-overload]
    with pytest.raises(SettingError, match="there is no option patern"):
        reader.read("missing.png", patern="1")  # type: ignore[call-arg]


# Whatever is handed in, there comes a reading or an error of Inkdigit's own.

PATTERNS = st.text(r"0123456789d\[]{}()|.,-/=^?*+", max_size=12) | st.sampled_from(
    [r"\d{5}", r"\d+\.\d\d", "(1|2)*", r"[^0]{1,9}", r"\d*"]
)
SHAPES = st.lists(st.integers(0, 9), max_size=4).map(tuple) | st.tuples(
    st.integers(1, 40), st.integers(1, 40)
)
PICTURES = st.one_of(
    arrays.arrays(arrays.scalar_dtypes(), SHAPES),
    arrays.arrays(np.uint8, SHAPES),
    arrays.arrays(np.float32, SHAPES, elements=st.floats(0, 1, width=32)),
    st.binary(max_size=50),
)


@settings(max_examples=40, deadline=None, database=None, derandomize=True)
@given(PICTURES, PATTERNS | st.none(), st.booleans(), st.sampled_from([None, "luhn"]))
def test_anything_is_read_or_refused(
    picture: Any, pattern: str | None, single: bool, check: str | None
) -> None:
    try:
        reading = _READER.read(picture, pattern=pattern, single=single, check=check)
    except InkdigitError as error:
        sentence = str(error)
    else:
        sentence = reading.status
        json.dumps(reading.to_dict(), allow_nan=False)
    assert len(sentence.splitlines()) == 1


_READER = Reader()


def test_reading_needs_no_training_library(hand: Hand, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(encoded(hand.write("07")))
    code = (
        "import sys, inkdigit; inkdigit.Reader.load().read_batch(['a.png', 'a.png'], single=True);"
        "print(*sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        capture_output=True, text=True, check=True, cwd=tmp_path,
    )  # fmt: skip
    heavy = {"tensorflow", "keras", "matplotlib", "scipy", "sklearn", "pandas", "onnx", "stdnum"}
    assert not heavy & {name.partition(".")[0] for name in done.stdout.split()}


def test_a_pattern_does_not_invent_an_accepted_number(reader: Reader, hand: Hand) -> None:
    page = hand.write("888", 3)
    assert reader.read(page).status == "accepted"
    found = reader.read(page, pattern=r"777")
    assert (found.text, found.unconstrained) == ("777", "888")
    assert found.status != "accepted"


def test_several_digits_are_not_one(reader: Reader, hand: Hand) -> None:
    page = np.hstack([hand.write("0", 1), hand.write("0", 2)])
    assert reader.read(page, single=True).status != "accepted"


def test_close_digits_and_a_digit_with_a_mark_ahead_are_not_one(reader: Reader, hand: Hand) -> None:
    for first in range(8):
        pair = hand.write("58", first)
        assert reader.read(pair, single=True).status != "accepted"
        alone = hand.write("5", first, margin=40)
        dashed = alone.copy()
        dashed[66:70, 16:34] = 40
        assert reader.read(dashed, single=True).status != "accepted"
    accepted = [reader.read(hand.write("5", i, margin=40), single=True).status for i in range(8)]
    assert accepted.count("accepted") >= 6


def test_a_pattern_does_not_invent_an_accepted_dot(reader: Reader, hand: Hand) -> None:
    for first in range(10):
        reading = reader.read(hand.write("1250", first), pattern=r"\d+\.\d\d")
        assert reading.status != "accepted"


def test_pages_are_all_read_or_one_is_chosen(reader: Reader, hand: Hand) -> None:
    with pytest.raises(SettingError, match="every page"):
        next(reader.read_pages(hand.write("0"), page=2))
    with pytest.raises(SettingError, match="use read"):
        reader.read_batch("one.png")
    for one in (b"x", bytearray(b"x"), io.BytesIO(b"x"), Path("one.png"), None, 5):
        with pytest.raises(SettingError, match="read_batch takes several pictures"):
            reader.read_batch(one)  # type: ignore[arg-type]
