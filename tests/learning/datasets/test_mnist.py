import gzip
import hashlib
import http.server
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from inkdigit.errors import DataError, DownloadError, OutputError
from inkdigit.learning.datasets import Dataset, mnist
from inkdigit.learning.datasets.mnist import SHA256, cache_folder, fetch_mnist, load_mnist

TRAIN_IMAGES, TRAIN_LABELS, TEST_IMAGES, TEST_LABELS = SHA256


def idx(array: np.ndarray) -> bytes:
    sizes = struct.pack(f">{array.ndim}I", *array.shape)
    return bytes([0, 0, 8, array.ndim]) + sizes + array.astype(np.uint8).tobytes()


def halves(seed: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {
        TRAIN_IMAGES: rng.integers(0, 256, (30, 28, 28)),
        TRAIN_LABELS: np.arange(30) % 10,
        TEST_IMAGES: rng.integers(0, 256, (10, 28, 28)),
        TEST_LABELS: np.arange(10),
    }


ARRAYS = halves(0)
FILES = {name: idx(array) for name, array in ARRAYS.items()}
DIGESTS = {name: hashlib.sha256(content).hexdigest() for name, content in FILES.items()}
PACKED = {f"{name}.gz": gzip.compress(content) for name, content in FILES.items()}


@pytest.fixture(autouse=True)
def _digests(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """Take these files for MNIST's, but where the real ones are."""
    if "mnist" not in request.fixturenames:
        monkeypatch.setattr(mnist, "SHA256", dict(DIGESTS))


def written(folder: Path, files: dict[str, bytes]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


def holds_the_digits(dataset: Dataset) -> bool:
    return (
        dataset.name == "mnist"
        and (dataset.train.images == ARRAYS[TRAIN_IMAGES]).all()
        and (dataset.train.labels == ARRAYS[TRAIN_LABELS]).all()
        and (dataset.test.images == ARRAYS[TEST_IMAGES]).all()
        and (dataset.test.labels == ARRAYS[TEST_LABELS]).all()
    )


# Files on this machine


@pytest.mark.parametrize("inner", ["", "mnist"])
@pytest.mark.parametrize("files", [FILES, PACKED])
def test_files_packed_or_not_in_the_folder_or_in_its_mnist(
    files: dict[str, bytes], inner: str, tmp_path: Path, sockets: list[object]
) -> None:
    written(tmp_path / "data" / inner, files)
    dataset = load_mnist(tmp_path / "data")
    assert holds_the_digits(dataset)
    assert dataset.train.images.dtype == np.uint8
    assert dataset.train.labels.dtype == np.int64
    assert sockets == []


@pytest.mark.parametrize("level", [0, 1, 9])
def test_how_a_file_is_packed_does_not_matter(level: int, tmp_path: Path) -> None:
    packed = {f"{name}.gz": gzip.compress(FILES[name], level, mtime=level) for name in FILES}
    assert holds_the_digits(load_mnist(written(tmp_path, packed)))


def test_a_name_that_lies_about_packing_does_not_matter(tmp_path: Path) -> None:
    lying = {f"{name}.gz": content for name, content in FILES.items()}
    assert holds_the_digits(load_mnist(written(tmp_path, lying)))


def test_where_it_is_looked_for_and_in_which_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert mnist.find_mnist() is None
    cache = written(cache_folder(), FILES)
    assert mnist.find_mnist() == cache
    assert tmp_path in cache.parents
    monkeypatch.setenv("INKDIGIT_DATA", str(tmp_path / "nowhere"))
    assert mnist.find_mnist() == cache
    named = written(tmp_path / "named", dict.fromkeys(FILES, b""))
    monkeypatch.setenv("INKDIGIT_DATA", str(named))
    assert mnist.find_mnist() == named
    with pytest.raises(DataError, match="is not MNIST's"):
        load_mnist()
    given = written(tmp_path / "given" / "mnist", PACKED)
    assert holds_the_digits(load_mnist(given.parent))


def test_a_data_dir_without_it_is_an_error_and_no_download(
    tmp_path: Path, sockets: list[object]
) -> None:
    written(tmp_path / "data", {name: FILES[name] for name in list(FILES)[:3]})
    for place in (tmp_path / "data", tmp_path / "nowhere"):
        with pytest.raises(DataError, match=r"holds no MNIST: expected train-images.* packed"):
            load_mnist(place)
    assert sockets == []


FASHION = {name: idx(array) for name, array in halves(1).items()}
WIDE = idx(np.zeros((30, 28, 32)))


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        (TRAIN_IMAGES, FASHION[TRAIN_IMAGES], "is not MNIST's .*another copy is needed"),
        (TEST_IMAGES, FASHION[TEST_IMAGES], "is not MNIST's"),
        (TRAIN_LABELS, idx(np.arange(30)[::-1] % 10), "is not MNIST's"),
        (TRAIN_IMAGES, FILES[TRAIN_IMAGES][:-1], "is not MNIST's"),
        (TRAIN_IMAGES, FILES[TRAIN_IMAGES] + b"\0", "is not MNIST's"),
        (TRAIN_IMAGES, FILES[TRAIN_IMAGES][:9], "is not MNIST's"),
        (TRAIN_IMAGES, b"", "is not MNIST's"),
        (TRAIN_IMAGES, FILES[TRAIN_LABELS], "is not MNIST's"),
        (TEST_LABELS, FILES[TEST_IMAGES], "is not MNIST's"),
        (TEST_LABELS, b"\0\0\x0d\x01" + FILES[TEST_LABELS][4:], "is not MNIST's"),
        (TRAIN_IMAGES, WIDE, "is not MNIST's"),
        (TRAIN_IMAGES, b"\0\0\x08\x03" + b"\xff" * 12, "is not MNIST's"),
        (TRAIN_IMAGES, PACKED[f"{TRAIN_IMAGES}.gz"][:-20], "is a broken gzip file"),
        (TRAIN_IMAGES, b"\x1f\x8b" + b"\0" * 40, "is a broken gzip file"),
    ],
)
def test_broken_and_foreign_files(name: str, content: bytes, said: str, tmp_path: Path) -> None:
    written(tmp_path, FILES | {name: content})
    with pytest.raises(DataError, match=said) as caught:
        load_mnist(tmp_path)
    assert str(tmp_path / name) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_unpacks_to_far_too_much(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mnist, "MAX_BYTES", 10_000)
    with pytest.raises(DataError, match="unpacks to more than 10,000 bytes"):
        load_mnist(written(tmp_path, PACKED))


# Mirrors

Answer = tuple[int, dict[str, str], bytes]


@dataclass
class Mirrors:
    """A local server with a mirror a folder; `answers` says what each path gets."""

    address: str
    answers: dict[str, Callable[[bytes], Answer]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def name(self, *names: str) -> list[str]:
        """Let these be the mirrors that are asked."""
        mnist.MIRRORS = tuple(f"{self.address}/{name}/" for name in names)
        return list(mnist.MIRRORS)


def good(content: bytes) -> Answer:
    return 200, {}, content


def absent(_: bytes) -> Answer:
    return 404, {}, b"nothing here"


def cut_off(content: bytes) -> Answer:
    return 200, {"Content-Length": str(len(content))}, content[: len(content) // 2]


def cut_off_unnoticed(content: bytes) -> Answer:
    return 200, {}, content[: len(content) // 2]


def foreign(content: bytes) -> Answer:
    return 200, {}, gzip.compress(gzip.decompress(content)[:-1] + b"!")


def page(_: bytes) -> Answer:
    return 200, {"Content-Type": "text/html"}, b"<html>Please log in</html>"


def unpacking(content: bytes) -> Answer:
    return 200, {"Content-Encoding": "gzip"}, content


BAD = {
    absent: "HTTP 404",
    cut_off: "",
    cut_off_unnoticed: "is a broken gzip file",
    foreign: "is not MNIST's",
    page: "is not MNIST's",
}


@pytest.fixture
def mirrors(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mirrors]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(mnist, "MIRRORS", ())  # put back what `Mirrors.name` sets

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            served.asked.append(self.path)
            mirror, _, name = self.path.strip("/").partition("/")
            answer = served.answers.get(self.path, served.answers.get(mirror, absent))
            status, headers, body = answer(PACKED[name])
            self.send_response(status)
            for key, value in ({"Content-Length": str(len(body))} | headers).items():
                self.send_header(key, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        served = Mirrors(f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield served
        server.shutdown()
        thread.join()


def test_a_download_is_kept_and_used_again(mirrors: Mirrors) -> None:
    mirrors.answers["a"] = good
    mirrors.name("a")
    assert holds_the_digits(load_mnist())
    assert mirrors.asked == [f"/a/{name}" for name in PACKED]
    assert sorted(path.name for path in cache_folder().iterdir()) == sorted(PACKED)
    assert holds_the_digits(load_mnist())
    assert len(mirrors.asked) == 4


@pytest.mark.parametrize("bad", BAD)
def test_the_next_mirror_is_tried(
    bad: Callable[[bytes], Answer], mirrors: Mirrors, tmp_path: Path
) -> None:
    mirrors.answers |= {"a": bad, "b": good}
    mirrors.name("a", "b")
    fetch_mnist(tmp_path / "new" / "mnist")
    assert holds_the_digits(load_mnist(tmp_path / "new"))
    assert mirrors.asked[:2] == [f"/a/{TRAIN_IMAGES}.gz", f"/b/{TRAIN_IMAGES}.gz"]


@pytest.mark.parametrize(("bad", "said"), BAD.items())
def test_a_failed_download_leaves_nothing_behind(
    bad: Callable[[bytes], Answer], said: str, mirrors: Mirrors, tmp_path: Path
) -> None:
    mirrors.answers |= {"a": bad, "b": absent}
    urls = mirrors.name("a", "b")
    with pytest.raises(DownloadError, match=f"no mirror gave {TRAIN_IMAGES}.gz") as caught:
        fetch_mnist(tmp_path / "mnist")
    message = str(caught.value)
    assert said in message
    assert all(url in message for url in urls)
    assert "name it (data_dir, --data-dir), or take the data set sample" in message
    assert "\n" not in message
    assert str(tmp_path) not in message
    assert list((tmp_path / "mnist").iterdir()) == []


def test_a_server_that_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    monkeypatch.setattr(mnist, "MIRRORS", [f"http://127.0.0.1:{port}/"])
    with pytest.raises(DownloadError, match="refused") as caught:
        fetch_mnist(tmp_path)
    assert f"127.0.0.1:{port}/{TRAIN_IMAGES}.gz: Connection refused)" in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_server_that_says_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(mnist, "SECONDS_TO_ANSWER", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/"
        monkeypatch.setattr(mnist, "MIRRORS", [url])
        with pytest.raises(DownloadError, match="timed out"):
            fetch_mnist(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_second_try_fetches_only_what_is_missing(mirrors: Mirrors, tmp_path: Path) -> None:
    mirrors.answers |= {"a": good, f"/a/{TEST_IMAGES}.gz": cut_off}
    mirrors.name("a")
    with pytest.raises(DownloadError, match=f"no mirror gave {TEST_IMAGES}"):
        fetch_mnist(tmp_path)
    kept = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert kept == {name: PACKED[name] for name in list(PACKED)[:2]}
    mirrors.asked.clear()
    del mirrors.answers[f"/a/{TEST_IMAGES}.gz"]
    fetch_mnist(tmp_path)
    assert mirrors.asked == [f"/a/{TEST_IMAGES}.gz", f"/a/{TEST_LABELS}.gz"]
    assert holds_the_digits(load_mnist(tmp_path))


def test_a_server_that_has_the_client_unpack(mirrors: Mirrors, tmp_path: Path) -> None:
    mirrors.answers["a"] = unpacking
    mirrors.name("a")
    fetch_mnist(tmp_path)
    assert holds_the_digits(load_mnist(tmp_path))


@pytest.mark.parametrize("inner", ["", "mnist"])
def test_a_target_that_cannot_be_written(inner: str, mirrors: Mirrors, tmp_path: Path) -> None:
    mirrors.answers["a"] = good
    (tmp_path / "file").write_text("in the way")
    mirrors.name("a")
    with pytest.raises(OutputError, match="cannot be made"):
        fetch_mnist(tmp_path / "file" / inner)
    assert mirrors.asked == []
    assert (tmp_path / "file").read_text() == "in the way"


def test_a_file_that_cannot_get_its_name(mirrors: Mirrors, tmp_path: Path) -> None:
    mirrors.answers["a"] = good
    (tmp_path / f"{TRAIN_IMAGES}.gz").mkdir()
    mirrors.name("a")
    with pytest.raises(OutputError, match="cannot be written"):
        fetch_mnist(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [f"{TRAIN_IMAGES}.gz"]


@pytest.mark.parametrize("progress", [False, True])
def test_a_bar_is_shown_where_asked_for(
    progress: bool, mirrors: Mirrors, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mirrors.answers["a"] = good
    mirrors.name("a")
    fetch_mnist(tmp_path, progress=progress)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert ("100%" in captured.err) == progress


# The real one


@pytest.mark.mnist
def test_the_full_set(mnist: Dataset) -> None:
    for half, counts in (
        (mnist.train, [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]),
        (mnist.test, [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]),
    ):
        assert np.bincount(half.labels).tolist() == counts
        assert half.images.shape == (sum(counts), 28, 28)
    train = {image.tobytes() for image in mnist.train.images}
    assert not train & {image.tobytes() for image in mnist.test.images}
    fitted, validation = mnist.fit_and_validation()
    assert (len(fitted), len(validation)) == (54_000, 6_000)
