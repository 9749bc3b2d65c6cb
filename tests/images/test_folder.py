from pathlib import Path

import numpy as np
import pytest

from inkdigit.errors import DataError
from inkdigit.images import as_png
from inkdigit.images.folder import pictures_in

PAGE = np.full((40, 60), 230, np.uint8)


def test_pictures_of_a_folder_are_told_by_what_they_are(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "scan").write_bytes(as_png(PAGE))
    (tmp_path / "notes.png").write_text("no picture")
    (tmp_path / ".hidden.png").write_bytes(as_png(PAGE))
    assert pictures_in(tmp_path) == {"below/scan": tmp_path / "below" / "scan"}
    (tmp_path / "below" / "scan").unlink()
    for folder in (tmp_path, tmp_path / "none"):
        with pytest.raises(DataError, match="no"):
            pictures_in(folder)
