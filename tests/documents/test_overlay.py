from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.form_pages import DrawnForm, draw_form, warp
from inkdigit.documents.overlay import checked
from inkdigit.documents.registration import Registrar


def test_the_template_is_drawn_over_a_scan(
    drawn: DrawnForm, registrar: Registrar, tmp_path: Path
) -> None:
    scans = [warp(1, drawn.print)[0], warp(2, draw_form(6, marks=6).print)[0]]
    images = [Image.fromarray(scan) for scan in scans]
    images[0].save(tmp_path / "scans.tif", save_all=True, append_images=images[1:])
    (good, page), (bad, other) = checked(registrar, str(tmp_path / "scans.tif"), "scans.tif")
    assert good.startswith("scans.tif, page 1: page 1 of claim, 100% of its print within 0.")
    assert bad.startswith("scans.tif, page 2: refused, it shows no page of the form")
    green = (np.asarray(page) == (0, 0x6B, 0x4A)).all(axis=2)
    assert green.sum() > 1000
    assert not (np.asarray(other) == (0, 0x6B, 0x4A)).all(axis=2).any()
