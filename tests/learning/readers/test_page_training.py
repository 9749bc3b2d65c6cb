import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from inkdigit.learning.api import export, start_training
from inkdigit.learning.datasets import load_dataset
from inkdigit.learning.models.run import Run
from inkdigit.learning.recipes import RECIPES, SynthesisConfig
from inkdigit.learning.settings import TrainingSettings
from inkdigit.learning.training import Loop
from inkdigit.reading.model_file import PageModel

TINY = SynthesisConfig(block=16, epoch_blocks=2, fresh_blocks=2, validation=6, measured=2)


class Killed(Exception):
    pass


@pytest.mark.slow
def test_a_page_network_is_trained_and_goes_on_after_a_kill(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(RECIPES, "page", replace(RECIPES["page"], synthesis=TINY))
    folder, sample = tmp_path / "run", load_dataset("sample")
    settings = TrainingSettings(network="page", epochs=2)

    def kill(_: Loop) -> None:
        raise Killed

    with pytest.raises(Killed):
        start_training(settings, sample).run(folder, after_epoch=kill)
    run = start_training(settings, sample).run(folder, resume=True)
    assert run.finished
    assert [row["epoch"] for row in Run.open(folder).history] == [1, 2]
    metrics = json.loads((folder / "metrics.json").read_text("utf-8"))
    assert metrics["model"]["reads"] == "page"
    model = PageModel.load(folder / "model.onnx")
    assert model.info == run.info()
    assert model.places(np.zeros((64, 96), np.uint8)).shape == (16, 24, 6)
    again = export(run, tmp_path / "again.onnx")
    assert PageModel.load(again).info == model.info
