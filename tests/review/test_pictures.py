import io
from pathlib import Path

import numpy as np
import pytest
from drawing import document, drawn
from PIL import Image
from piles import row
from servers import Bucket

from inkdigit.errors import ImageError, SourceError
from inkdigit.images import as_png, open_grey, turned
from inkdigit.reading.result import Box
from inkdigit.review.fields import Field
from inkdigit.review.pictures import Pictures


def field(source: str, page: int = 1, box: Box | None = None, rotate: int = 0) -> Field:
    known = {"source": source, "page": page, "rotate": rotate}
    return Field.of(1, row(1, "17", "review", 0.8, box) | known)


@pytest.mark.parametrize("kind", ["TIFF", "PDF"])
def test_a_page_and_a_box_of_it_are_shown_as_they_were_read(tmp_path: Path, kind: str) -> None:
    scan = tmp_path / f"scan.{kind.lower()}"
    scan.write_bytes(document(["12", "345"], kind, 100))
    whole = open_grey(scan, page=2)
    pictures = Pictures(tmp_path / "results.csv")
    assert np.array_equal(pictures.crop(field(str(scan), 2)), whole)
    boxed = field(str(scan), 2, (40, 50, 120, 60))
    assert np.array_equal(pictures.crop(boxed), whole[50:110, 40:160])
    assert np.array_equal(open_grey(pictures.png(boxed)), whole[50:110, 40:160])
    with pytest.raises(ImageError, match="reaches beyond"):
        pictures.crop(field(str(scan), 2, (0, 0, 9_000, 9_000)))


def test_the_surroundings_show_where_a_box_is(tmp_path: Path) -> None:
    Image.new("L", (1800, 2400), 255).save(tmp_path / "page.png")
    pictures = Pictures(tmp_path / "results.csv")
    with Image.open(
        io.BytesIO(pictures.surroundings(field("page.png", 1, (200, 400, 600, 300))))
    ) as shown:
        assert shown.size == (675, 900)
        left, top, right, bottom = Image.eval(shown, lambda grey: 255 - grey).getbbox() or ()
    frame = np.array([left, top, right, bottom]) * 2400 / 900
    assert np.abs(frame - [200, 400, 800, 700]).max() < 20


@pytest.mark.parametrize("rotate", [90, 180, 270])
def test_what_was_read_turned_is_shown_turned(tmp_path: Path, rotate: int) -> None:
    upright = np.random.default_rng(rotate).integers(0, 256, (300, 200)).astype(np.uint8)
    lying = turned(upright, -rotate)
    Image.fromarray(lying).save(tmp_path / "page.png")
    pictures = Pictures(tmp_path / "results.csv")
    assert np.array_equal(pictures.crop(field("page.png", rotate=rotate)), upright)
    cut = field("page.png", box=(20, 10, 60, 40), rotate=rotate)
    assert np.array_equal(pictures.crop(cut), turned(lying[10:50, 20:80], rotate))
    around, as_read = (
        open_grey(pictures.surroundings(replaced)) for replaced in (cut, cut._replace(rotate=0))
    )
    assert np.array_equal(around, turned(as_read, rotate))


def test_a_large_picture_is_shown_smaller(tmp_path: Path) -> None:
    Image.new("L", (5000, 1000), 255).save(tmp_path / "wide.png")
    shown = open_grey(Pictures(tmp_path / "results.csv").png(field("wide.png")))
    assert shown.shape == (400, 2000)


def test_pictures_are_found_as_named_beside_the_table_or_where_they_are_said_to_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "moved").mkdir()
    drawn("1").save(tmp_path / "a.png")
    drawn("22").save(tmp_path / "moved" / "a.png")
    monkeypatch.chdir(tmp_path / "moved")
    widths = [
        Pictures(table, folder).crop(field("a.png")).shape[1]
        for table, folder in [
            (Path("results.csv"), None),
            (tmp_path / "results.csv", None),
            (tmp_path / "results.csv", tmp_path),
        ]
    ]
    assert widths == [drawn("22").width, drawn("22").width, drawn("1").width]
    monkeypatch.chdir("/")
    assert Pictures(tmp_path / "results.csv").crop(field("a.png")).shape[1] == drawn("1").width
    with pytest.raises(SourceError, match=r"b\.png is not there: say with --pictures"):
        Pictures(tmp_path / "results.csv", tmp_path).check(field("b.png"))
    Pictures(tmp_path / "results.csv", tmp_path).check(field("a.png"))


def test_moved_pictures_are_found_by_the_longest_end_of_their_path(tmp_path: Path) -> None:
    for place in ("new/scans/1.png", "new/2.png", "new/1.png"):
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        drawn("1").save(tmp_path / place)
    pictures = Pictures(tmp_path / "results.csv", tmp_path / "new")
    for source, place in [
        ("/gone/scans/1.png", "scans/1.png"),
        ("scans/1.png", "scans/1.png"),
        ("/gone/scans/2.png", "2.png"),
        ("scans/2.png", "2.png"),
    ]:
        assert pictures.place(source) == str(tmp_path / "new" / place)
    with pytest.raises(SourceError, match=r"new/3\.png is not there: say with --pictures"):
        pictures.check(field("/gone/scans/3.png"))


def test_pictures_in_a_bucket(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    from pyarrow.fs import FileSystem

    store, path = FileSystem.from_uri(bucket.uri("a.png"))
    page = np.asarray(drawn("17"))
    with store.open_output_stream(path) as stream:
        stream.write(as_png(page))
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{bucket.server}")
    pictures, source = Pictures(Path("results.csv")), f"s3://{bucket.name}/a.png"
    pictures.check(field(source))
    assert np.array_equal(pictures.crop(field(source)), page)
    assert np.array_equal(pictures.crop(field(source, 1, (5, 6, 20, 30))), page[6:36, 5:25])
