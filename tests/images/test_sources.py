import io
import os
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from permissions import somebody
from PIL import Image
from samples import RAMP, encoded, farthest

from documents import document
from inkdigit.errors import ImageError
from inkdigit.images import open_grey
from inkdigit.images.sources import may_have_pages, name_of, read_whole


def test_empty_contents() -> None:
    for source in (b"", bytearray(), io.BytesIO()):
        with pytest.raises(ImageError, match=r"the picture is empty \(0 bytes\)"):
            open_grey(source)


def test_names_that_no_file_can_have() -> None:
    for name, said in [
        ("a\0b", "no file can have this name"),
        ("x" * 5000, "x… cannot be opened"),
        ("", "a folder"),
    ]:
        with pytest.raises(ImageError, match=said):
            open_grey(name)


def test_pipes_and_devices_are_read_as_streams_only(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", "/dev/zero"):
        with pytest.raises(
            ImageError, match="cannot be opened: it is not a plain file: save it as one first"
        ):
            open_grey(path)
    there, back = os.pipe()
    os.write(back, encoded(Image.fromarray(RAMP), "PNG"))
    os.close(back)
    with open(there, "rb", buffering=0) as stream:
        assert farthest(open_grey(stream), RAMP) == 0


def test_an_endless_stream_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("inkdigit.images.sources.MAX_BYTES", 5_000_000)
    with (
        open("/dev/zero", "rb") as stream,
        pytest.raises(ImageError, match="the picture is larger than 5,000,000 bytes"),
    ):
        open_grey(stream)


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="this system has no permissions of users")
def test_a_file_without_permission_to_read() -> None:
    with TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)  # the file is closed, not the way to it
        path = Path(folder, "locked.png")
        path.write_bytes(encoded(Image.fromarray(RAMP), "PNG"))
        path.chmod(0)
        with somebody():
            assert path.exists()
            with pytest.raises(ImageError, match=r"locked.png cannot be opened: Permission denied"):
                open_grey(path)


class Failing(io.RawIOBase):
    def read(self, _: int = -1) -> bytes:
        raise RuntimeError("the line went dead")


def test_streams_that_cannot_be_read() -> None:
    closed = io.BytesIO(b"x")
    closed.close()
    for stream, said in [
        (io.StringIO("x"), "comes as text: open it in binary mode"),
        (closed, "cannot be read: I/O operation on closed file"),
        (Failing(), "cannot be read: the line went dead"),
    ]:
        with pytest.raises(ImageError, match=f"the picture {said}"):
            open_grey(stream)  # type: ignore[arg-type]


def test_a_stream_is_read_from_its_start_and_stays_open() -> None:
    stream = io.BytesIO()
    Image.fromarray(RAMP).save(stream, "PNG")
    assert farthest(open_grey(stream), RAMP) == 0
    assert not stream.closed


def test_what_a_file_may_hold_pages_of_is_seen_at_its_head() -> None:
    for kind in ("TIFF", "PDF"):
        assert may_have_pages(document(kind)[:1024])
    for order in (b"MM\0*", b"II+\0"):
        assert may_have_pages(order + bytes(9))
    assert may_have_pages(b"x" * 900 + b"%PDF-1.7")
    assert not may_have_pages(b"x" * 1024 + b"%PDF-1.7")
    for kind in ("PNG", "GIF", "JPEG"):
        assert not may_have_pages(encoded(Image.fromarray(RAMP), kind))
    assert not may_have_pages(b"")


def test_messages_name_a_file_by_its_path(tmp_path: Path) -> None:
    assert name_of(tmp_path / "größe.png") == str(tmp_path / "größe.png")
    assert name_of("") == "''"
    assert name_of("x" * 300) == "x" * 200 + "…"
    assert name_of(b"x") == name_of(io.BytesIO()) == "the picture"


def test_a_file_is_read_whole_whatever_it_is(tmp_path: Path) -> None:
    content = bytes(range(256)) * 9000
    path = tmp_path / "content"
    path.write_bytes(content)
    stream = io.BytesIO(content)
    stream.seek(77)
    for source in (path, str(path), content, bytearray(content), memoryview(content), stream):
        assert read_whole(source) == content
