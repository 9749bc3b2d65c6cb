"""MNIST itself: found on this machine, or fetched, and verified by what is inside.

LeCun, Cortes and Burges: 60,000 digits to train and 10,000 to test, as four IDX files, packed with
gzip or not. Mirrors pack them differently, so the SHA-256 is that of the unpacked file.
"""

import gzip
import hashlib
import os
import tomllib
import zlib
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from inkdigit.errors import DataError, DownloadError
from inkdigit.files import make_folder, reading, write_atomically
from inkdigit.learning.datasets.digits import Dataset, Digits
from inkdigit.reading.preprocessing.digit import SIZE

_KNOWN = tomllib.loads(Path(__file__).with_name("mnist.toml").read_text("utf-8"))
SHA256: dict[str, str] = _KNOWN["sha256"]
MIRRORS: Sequence[str] = _KNOWN["mirrors"]
ENVIRONMENT = "INKDIGIT_DATA"
SECONDS_TO_ANSWER = 30
# The largest file unpacks to 47 MB; anything far beyond that is not MNIST.
MAX_BYTES = 64_000_000
GZIP = b"\x1f\x8b"


def load_mnist(data_dir: str | Path | None = None, *, progress: bool = False) -> Dataset:
    """Return MNIST from `data_dir`, else `INKDIGIT_DATA`, else the user's cache, else a mirror."""
    folder = find_mnist() if data_dir is None else _folder_with_files(Path(data_dir))
    if folder is None:
        if data_dir is not None:
            raise DataError(
                f"{data_dir} holds no MNIST: expected {', '.join(SHA256)}, "
                "packed (.gz) or not, in it or in its mnist/"
            )
        folder = cache_folder()
        fetch_mnist(folder, progress=progress)
    train, test = (_read_half(folder, half) for half in ("train", "t10k"))
    return Dataset("mnist", train, test)


def find_mnist() -> Path | None:
    """Return the folder of MNIST's files that `INKDIGIT_DATA` or the cache holds, if one does."""
    named = os.environ.get(ENVIRONMENT)
    folder = _folder_with_files(Path(named)) if named else None
    return folder or _folder_with_files(cache_folder())


def cache_folder() -> Path:
    """Return where fetched digits are kept: the user's cache."""
    import pooch

    return Path(pooch.os_cache("inkdigit")) / "mnist"


def fetch_mnist(folder: Path, *, progress: bool = False) -> None:
    """Download what `folder` lacks of MNIST's files, from the first mirror that has them whole.

    A file is verified before it gets its name, so a broken download leaves nothing behind.
    """
    make_folder(folder)
    for name in SHA256:
        if _existing(folder, name) is None:
            _fetch_file(folder, name, progress)


def _fetch_file(folder: Path, name: str, progress: bool) -> None:
    refusals = []
    for url in (f"{mirror}{name}.gz" for mirror in MIRRORS):
        try:
            write_atomically(folder / f"{name}.gz", partial(_download, url, name, progress))
            return
        except DataError as refusal:
            refusals.append(str(refusal))
    raise DownloadError(
        f"no mirror gave {name}.gz ({'; '.join(refusals)}): try again later, put "
        "MNIST's four files into a folder and name it (data_dir, --data-dir), or take the data set "
        "sample, which needs no download"
    )


def _download(url: str, name: str, progress: bool, target: Path) -> None:
    import pooch
    import requests

    download = pooch.HTTPDownloader(progressbar=progress, timeout=SECONDS_TO_ANSWER)
    try:
        download(url, str(target), None)
    except requests.Timeout:
        raise DownloadError(f"{url}: it timed out") from None
    except (requests.RequestException, ValueError) as error:
        response = getattr(error, "response", None)
        why = _reason(error) if response is None else f"HTTP {response.status_code}"
        raise DownloadError(f"{url}: {why}") from None
    _verified(target, name, url)


def _reason(error: BaseException | None) -> str:
    """Return what the operating system said, below what libraries made of it."""
    while error:
        if isinstance(error, OSError) and error.strerror:
            return error.strerror
        error = error.__context__
    return "the connection broke off"


def _folder_with_files(place: Path) -> Path | None:
    for folder in (place, place / "mnist"):
        if all(_existing(folder, name) for name in SHA256):
            return folder
    return None


def _existing(folder: Path, name: str) -> Path | None:
    return next((path for path in (folder / name, folder / f"{name}.gz") if path.is_file()), None)


def _read_half(folder: Path, half: str) -> Digits:
    # What has the digest needs no other check: a header of 16 or 8 bytes stands before the bytes.
    images = _read_file(folder, f"{half}-images-idx3-ubyte")[16:].reshape(-1, SIZE, SIZE)
    labels = _read_file(folder, f"{half}-labels-idx1-ubyte")[8:]
    return Digits(images, labels.astype(np.int64))


def _read_file(folder: Path, name: str) -> npt.NDArray[np.uint8]:
    path = _existing(folder, name) or folder / name
    return np.frombuffer(_verified(path, name, str(path)), np.uint8)


def _verified(path: Path, name: str, source: str) -> bytes:
    """Return what a file of MNIST unpacks to; `DataError` where it is anything else."""
    with reading(source, DataError), path.open("rb") as file:
        # By what it is, not by its name: servers and browsers unpack on the way without saying so.
        packed = file.peek(2).startswith(GZIP)
        try:
            content = (gzip.GzipFile(fileobj=file) if packed else file).read(MAX_BYTES + 1)
        except (EOFError, zlib.error, gzip.BadGzipFile):
            raise DataError(f"{source} is a broken gzip file: another copy is needed") from None
    if len(content) > MAX_BYTES:
        raise DataError(f"{source} unpacks to more than {MAX_BYTES:,} bytes: that is not MNIST")
    found = hashlib.sha256(content).hexdigest()
    if found != SHA256[name]:
        raise DataError(
            f"{source} is not MNIST's (its content has SHA-256 {found[:12]}…, expected "
            f"{SHA256[name][:12]}…): another copy is needed"
        )
    return bytes(content)
