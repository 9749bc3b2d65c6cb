"""The pictures of a folder, told by their first bytes."""

from pathlib import Path

from inkdigit.errors import DataError
from inkdigit.files import open_plain
from inkdigit.images import Source, is_picture

# Enough of a file to tell whether it is a picture.
_HEAD = 4096


def pictures_in(folder: Path) -> dict[str, Source]:
    """Return the pictures below a folder by their path in it; `DataError` where there are none."""
    if not folder.is_dir():
        raise DataError(f"{folder} is no folder of pictures")
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    found = {
        path.relative_to(folder).as_posix(): path
        for path in files
        if not path.name.startswith(".") and _is_picture(path)
    }
    if not found:
        raise DataError(f"{folder} holds no pictures")
    return dict(found)


def _is_picture(path: Path) -> bool:
    try:
        with open_plain(path) as file:
            return is_picture(file.read(_HEAD))
    except OSError:  # it may be one, and says why it is left out
        return True
