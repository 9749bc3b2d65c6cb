"""What these tests share."""

from dataclasses import replace
from pathlib import Path

import pytest
from browsing import browser

from benchmarks.form_pages import claim_form

__all__ = ["browser"]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A template without a field for the meals."""
    drawn = claim_form()
    drawn = replace(drawn, fields=[one for one in drawn.fields if one.name != "meals"])
    drawn.save(tmp_path, "claim")
    return tmp_path / "claim.form.json"
