import os
import re
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image
from servers import Bucket
from stand_ins import Recorder

from inkdigit.bulk import rows
from inkdigit.bulk.folders import FileFilter
from inkdigit.bulk.rows import read_rows
from inkdigit.bulk.sources import Picture, count_pictures, pictures
from inkdigit.bulk.storage import is_uri, located, read_object, without_secrets
from inkdigit.errors import ImageError, SourceError
from inkdigit.images import sources
from inkdigit.reading.options import ReadOptions
from inkdigit.reading.reader import Reader
from inkdigit.reading.result import Reading

FLAT = FileFilter()


def put(bucket: Bucket, name: str, content: bytes) -> None:
    store, path = located(bucket.uri(name))
    with store.open_output_stream(path) as stream:
        stream.write(content)


def listed(bucket: Bucket, path: str, wanted: FileFilter = FLAT) -> list[Picture]:
    return list(pictures([bucket.uri(path)], wanted))


def test_a_bucket_is_listed_by_name(bucket: Bucket) -> None:
    for name in ("b.png", "a.tif", "note.txt", "c/d.png"):
        put(bucket, f"scans/{name}", b"x")
    flat = [f"s3://{bucket.name}/scans/{name}" for name in ("a.tif", "b.png")]
    assert [picture.name for picture in listed(bucket, "scans/")] == flat
    deep = listed(bucket, "scans", FileFilter(recursive=True))
    assert [picture.name for picture in deep] == [*flat, f"s3://{bucket.name}/scans/c/d.png"]
    assert count_pictures([bucket.uri("scans/")], FileFilter(recursive=True)) == 3
    assert [picture.name for picture in listed(bucket, "scans/b.png")] == flat[1:]


def test_contents_decide_in_a_bucket_as_well(bucket: Bucket) -> None:
    for name in ("a", "b.dat", "c/d.png", "._e.png"):
        put(bucket, f"scans/{name}", b"\x89PNG\r\n" if name == "a" else b"x")
    told: list[str] = []
    (found,) = pictures([bucket.uri("scans/")], replace(FLAT, tell=told.append))
    assert found.name == f"s3://{bucket.name}/scans/a"
    assert told == [f"s3://{bucket.name}/scans/{name}" for name in ("b.dat", "c/")]
    assert count_pictures([bucket.uri("scans/")]) == 1
    own = frozenset({f"s3://{bucket.name}/scans/c"})
    everything = FileFilter(recursive=True, own=own)
    assert len(list(pictures([bucket.uri("scans/")], everything))) == 1


def test_credentials_may_stand_in_the_uri_and_are_not_shown(
    bucket: Bucket, some_crops: list[Path]
) -> None:
    put(bucket, "scans/0.png", some_crops[0].read_bytes())
    uri = bucket.uri("scans/").replace("s3://", "s3://testing:testing@")
    (picture,) = pictures([uri])
    (row,) = read_rows(Reader.load(), [picture], ReadOptions())
    assert row.failure is None
    assert row.source == f"s3://{bucket.name}/scans/0.png"
    (gone,) = pictures([uri.replace("scans/", "gone/")])
    assert gone.name == f"s3://{bucket.name}/gone/"
    assert str(gone.source) == f"{gone.name} is not there"


@pytest.mark.parametrize("secret", ["k:sec/ret@b/x", "k:sec ret@b/x", "k:secret@b/x?secret=1", "["])
def test_a_uri_that_cannot_be_opened_is_told_without_its_secrets(secret: str) -> None:
    for scheme in ("s3", "nostore"):
        unknown = scheme == "nostore" and secret != "["  # of "[" nobody can tell the scheme
        said = "is in no bucket" if unknown else "cannot be opened: ."
        with pytest.raises(SourceError, match=said) as caught:
            located(f"{scheme}://{secret}")
        assert not re.search("sec|k:", str(caught.value).replace("'secret'", ""))


def test_an_object_is_read_like_the_file(bucket: Bucket, some_crops: list[Path]) -> None:
    reader, expected = Reader.load(), str(some_crops[0])
    put(bucket, "scans/0.png", some_crops[0].read_bytes())
    (there,) = read_rows(reader, listed(bucket, "scans/"), ReadOptions())
    (here,) = read_rows(reader, [Picture(expected, expected)], ReadOptions())
    assert isinstance(there.result, Reading)
    assert there.result == here.result
    assert there.source == f"s3://{bucket.name}/scans/0.png"


def test_what_is_not_in_a_bucket_is_said(bucket: Bucket) -> None:
    put(bucket, "scans/note.txt", b"x")
    for path, sentence in [
        ("nothing/", "nothing/ is not there"),
        ("scans/", "scans/ holds no pictures"),
    ]:
        (picture,) = listed(bucket, path)
        assert isinstance(picture.source, SourceError)
        assert sentence in str(picture.source)
    with pytest.raises(ImageError, match=r"s3://.*/gone\.png cannot be opened"):
        read_object(bucket.uri("gone.png"))
    gone = Picture("gone", bucket.uri("gone.png"))
    (row,) = read_rows(Reader.load(), [gone], ReadOptions())
    assert isinstance(row.failure, ImageError)


def test_the_fields_of_a_document_take_one_request(
    bucket: Bucket, some_crops: list[Path], tmp_path: Path
) -> None:
    path = tmp_path / "form.tif"
    with Image.open(some_crops[0]) as page:
        page.save(path, save_all=True, append_images=[page])
    put(bucket, "form.tif", path.read_bytes())
    uri = bucket.uri("form.tif")
    read_object.cache_clear()
    fields = [
        Picture("form", uri, page=number, box=(x, 0, 20, 20)) for number in (1, 2) for x in (0, 5)
    ]
    wanted = [*fields, Picture("form", uri, page=2)]
    found = list(read_rows(Reader.load(), wanted, ReadOptions()))
    assert [row.failure for row in found] == [None] * 5
    assert read_object.cache_info().misses == 1


def test_of_large_objects_few_are_held(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(rows, "_HELD", 5)
    for name in "abcd":
        Path(tmp_path, name).write_bytes(b"12345"[: 3 + 2 * (name == "d")])
    recorder = Recorder()
    wanted = [Picture(name, f"file://{tmp_path}/{name}") for name in "abcd"]
    list(read_rows(recorder, wanted, ReadOptions()))  # type: ignore[arg-type]
    assert [sources for _, sources, _ in recorder.asked] == [[b"123", b"123"], [b"123", b"12345"]]


def test_an_object_may_be_as_large_as_a_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sources, "MAX_BYTES", 3)
    for name, content in (("a", b"123"), ("b", b"1234")):
        Path(tmp_path, name).write_bytes(content)
    assert read_object(f"file://{tmp_path}/a") == b"123"
    with pytest.raises(ImageError, match="/b is larger than 3 bytes"):
        read_object(f"file://{tmp_path}/b")


def test_names_that_pyarrow_cannot_say_are_said_to_be_so(tmp_path: Path) -> None:
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.png")).touch()
    (picture,) = pictures([f"file://{tmp_path}"])
    assert isinstance(picture.source, SourceError)
    assert str(picture.source).endswith("cannot be listed: a name in it is no text")


@pytest.mark.parametrize("name", [r"C:\a.png", "C:/a.png", "c://a.png", "NUL", r"\\server\a.png"])
def test_a_path_of_windows_is_no_uri(name: str) -> None:
    assert not is_uri(name)
    assert without_secrets(name) == name


@pytest.mark.parametrize("uri", ["nostore://x/y", "https://a.example/scans/1.png"])
def test_a_store_that_is_not_known_is_said(uri: str) -> None:
    with pytest.raises(SourceError, match=f"{uri} is in no bucket .*: fetch it first"):
        located(uri)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("s3://bucket/a@2.png?secret=1", "s3://bucket/a@2.png"),
        ("s3://key:/secret@bucket/a.png", "s3://bucket/a.png"),
        ("s3://key:secret@bucket/a:b@2.png", "s3://bucket/a:b@2.png"),
        ("s3://key:sec/ret@bucket/a.png", "s3://bucket/a.png"),
        ("gs://anonymous@bucket/", "gs://bucket/"),
        ("hdfs://host:8020/a@2.png", "hdfs://host:8020/a@2.png"),
        ("key:secret@a?.png", "key:secret@a?.png"),
    ],
)
def test_what_may_be_secret_in_a_uri_is_not_shown(name: str, shown: str) -> None:
    assert without_secrets(name) == shown
