"""Buckets and other stores by URI, through pyarrow's filesystems (extra `ray` or `parquet`).

`s3://bucket/scans`, `gs://bucket/scans`, `file:///scans`. Credentials, region and endpoint come
from where the store's own tools take them, or from the URI:
`s3://bucket/scans?endpoint_override=127.0.0.1:9000&scheme=http`.
"""

import re
from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache, partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from inkdigit.bulk.folders import HEAD, FileFilter, Found
from inkdigit.errors import ImageError, SourceError, need
from inkdigit.files import reason

if TYPE_CHECKING:
    from pyarrow.fs import FileSystem

_SCHEMES = {"s3", "gs", "gcs", "abfs", "abfss", "hdfs", "viewfs", "file"}
_URI = re.compile(r"[a-z][a-z0-9+.-]+://", re.I)
# Up to the @ before a bucket, also where a / in a password was not escaped; not an @ of a path.
_CREDENTIALS = re.compile(r"(?<=://)([^/@]*|[^/@]*:(?!\d+/)[^@]*)@")


def is_uri(name: str) -> bool:
    """Return whether a name is one of a bucket or another store, such as `s3://bucket/scans`."""
    return bool(_URI.match(name))


def without_secrets(name: str) -> str:
    """Return a name as it is shown: of a URI without its query and credentials."""
    return _CREDENTIALS.sub("", name.partition("?")[0], count=1) if is_uri(name) else name


def located(uri: str) -> "tuple[FileSystem, str]":
    """Return the filesystem that a URI lies in, and where in it.

    Raises `SourceError` for a store that nothing is known of.
    """
    bucket, shown = uri, without_secrets(uri)
    try:
        split = urlsplit(uri)
        if split.scheme not in _SCHEMES:
            raise SourceError(f"{shown} is in no bucket (s3, gs, abfs, hdfs, file): fetch it first")
        # Of the bucket alone, so that its filesystem is made once.
        bucket = f"{split.scheme}://{split.netloc or '/'}{_query(uri)}"
        store = _store(bucket)
    except (OSError, ValueError) as error:
        # pyarrow tells the URI as it was given.
        why = reason(ValueError(str(error).replace(bucket, shown)))
        raise SourceError(f"{shown} cannot be opened: {why}") from None
    return store, (split.netloc.rpartition("@")[2] + split.path).rstrip("/")


@lru_cache(maxsize=64)
def _store(uri: str) -> "FileSystem":
    need("parquet", "pyarrow")
    from pyarrow.fs import FileSystem

    return FileSystem.from_uri(uri)[0]


@lru_cache(maxsize=1)
def read_object(uri: str) -> bytes:
    """Return what lies at a URI; `ImageError` where it cannot be read, or exceeds `MAX_BYTES`.

    It is kept until the next one, as the pages of a form and their fields stand one after the
    other.
    """
    from inkdigit.images.sources import MAX_BYTES

    store, path = located(uri)
    shown = without_secrets(uri)
    try:
        with store.open_input_file(path) as file:
            if file.size() > MAX_BYTES:
                raise ImageError(f"{shown} is larger than {MAX_BYTES:,} bytes: split it")
            return bytes(file.read())
    except OSError as error:
        raise ImageError(f"{shown} cannot be opened: {reason(error)}") from None


def objects_below(uri: str, wanted: FileFilter) -> Found:
    """Yield the URIs of the wanted objects, by name in each folder, as `files_below` does.

    A URI that is an object itself is the only one.
    """
    from pyarrow.fs import FileType

    shown = without_secrets(uri)
    try:
        store, path = located(uri)
        kind = store.get_file_info(path).type
        if kind == FileType.File:
            yield uri
        elif kind == FileType.NotFound:
            yield SourceError(f"{shown} is not there")
        else:
            yield from wanted.or_none(_objects_below(uri, path, wanted), shown)
    except UnicodeDecodeError:
        yield SourceError(f"{shown} cannot be listed: a name in it is no text")
    except OSError as error:
        yield SourceError(f"{shown} cannot be listed: {reason(error)}")


def _objects_below(uri: str, folder: str, wanted: FileFilter) -> Iterator[str]:
    from pyarrow.fs import FileSelector, FileType

    store, split = located(uri)[0], urlsplit(uri)
    user = "".join(split.netloc.rpartition("@")[:2])
    entries = store.get_file_info(FileSelector(folder))
    for entry in sorted(entries, key=lambda entry: str(entry.path)):
        name, shown = entry.base_name, f"{split.scheme}://{entry.path}"
        if wanted.ignores(name, shown):
            continue
        if entry.type == FileType.Directory:
            if wanted.enters(name, shown):
                yield from _objects_below(uri, entry.path, wanted)
        elif wanted.takes(name, shown, partial(_first_bytes, store, entry.path)):
            yield f"{split.scheme}://{user}{entry.path}{_query(uri)}"


def _first_bytes(store: "FileSystem", path: str) -> bytes | None:
    with suppress(OSError), store.open_input_file(path) as file:
        return bytes(file.read(HEAD))
    return None


def _query(uri: str) -> str:
    """Return the query of a URI with its question mark, nothing where there is none."""
    return "".join(uri.partition("?")[1:])
