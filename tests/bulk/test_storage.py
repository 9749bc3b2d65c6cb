import os
from pathlib import Path

import pytest
from pyarrow.fs import FileSystem
from servers import Bucket

from inkdigit.bulk.folders import Wanted
from inkdigit.bulk.rows import read_rows
from inkdigit.bulk.sources import Picture, count_pictures, pictures
from inkdigit.bulk.storage import located, read_object
from inkdigit.errors import ImageError, SourceError
from inkdigit.reading.reader import Reader
from inkdigit.reading.result import Reading

FLAT = Wanted()


def put(bucket: Bucket, name: str, content: bytes) -> None:
    store, path = located(bucket.uri(name))
    with store.open_output_stream(path) as stream:
        stream.write(content)


def listed(bucket: Bucket, path: str, wanted: Wanted = FLAT) -> list[Picture]:
    return list(pictures([bucket.uri(path)], wanted))


def test_a_bucket_is_listed_by_name(bucket: Bucket) -> None:
    for name in ("b.png", "a.tif", "note.txt", "c/d.png"):
        put(bucket, f"scans/{name}", b"x")
    flat = [f"s3://{bucket.name}/scans/{name}" for name in ("a.tif", "b.png")]
    assert [picture.name for picture in listed(bucket, "scans/")] == flat
    deep = listed(bucket, "scans", Wanted(recursive=True))
    assert [picture.name for picture in deep] == [*flat, f"s3://{bucket.name}/scans/c/d.png"]
    assert count_pictures([bucket.uri("scans/")], Wanted(recursive=True)) == 3
    assert [picture.name for picture in listed(bucket, "scans/b.png")] == flat[1:]


def test_an_object_is_read_like_the_file(bucket: Bucket, some_crops: list[Path]) -> None:
    reader, expected = Reader.load(), str(some_crops[0])
    put(bucket, "scans/0.png", some_crops[0].read_bytes())
    (there,) = read_rows(reader, listed(bucket, "scans/"))
    (here,) = read_rows(reader, [Picture(expected, expected)])
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
    (row,) = read_rows(Reader.load(), [gone])
    assert isinstance(row.failure, ImageError)


def test_names_that_pyarrow_cannot_say_are_said_to_be_so(tmp_path: Path) -> None:
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.png")).touch()
    (picture,) = pictures([f"file://{tmp_path}"])
    assert isinstance(picture.source, SourceError)
    assert "cannot be listed: 'utf-8' codec" in str(picture.source)


def test_a_path_lies_on_this_machine(tmp_path: Path) -> None:
    store, path = located(f"{tmp_path}/")
    assert isinstance(store, FileSystem)
    assert path == str(tmp_path)
    with pytest.raises(SourceError, match="nostore://x cannot be opened"):
        located("nostore://x/y")
