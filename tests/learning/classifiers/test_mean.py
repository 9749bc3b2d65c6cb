import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from inkdigit.cli import main
from inkdigit.learning.api import start_training
from inkdigit.learning.datasets import Dataset, load_dataset
from inkdigit.learning.models.load import DigitClassifier
from inkdigit.learning.models.run import Run
from inkdigit.learning.settings import TrainingSettings
from inkdigit.reading import DigitModel


@pytest.fixture(scope="module")
def other(small: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("other") / "run"
    return start_training(
        TrainingSettings(network="lenet5", epochs=1, batch_size=50, seed=1), small
    ).run(folder)


def export(*arguments: object) -> int:
    return main(["export", *map(str, arguments)])


def test_the_mean_of_runs_is_a_model_like_any_other(
    small: Dataset, trained: Run, other: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "mean.keras"
    assert export("--mean", trained.folder, other.folder, "-o", out) == 0
    assert capsys.readouterr().out == f"{out}\n"
    images = small.test.images
    answers = [DigitClassifier.load(run.folder).probabilities(images) for run in (trained, other)]
    mean = DigitClassifier.load(out).probabilities(images)
    assert np.allclose(mean, np.mean(answers, axis=0), atol=1e-4)
    assert not np.allclose(answers[0], answers[1], atol=1e-2)


def test_in_eight_bits_it_says_how_well_it_reads_the_validation_digits(
    trained: Run, other: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = [trained.folder, other.folder]
    sample = load_dataset("sample")
    # The two runs learnt from a tenth of the sample, which has no name of its own.
    monkeypatch.setattr(Dataset, "digest", lambda _: trained.digest)
    for name, flags in (("exact.onnx", []), ("small.onnx", ["--eight-bits"])):
        assert export("--mean", *runs, *flags, "-o", tmp_path / name) == 0
    exact, small = (DigitModel.load(tmp_path / name) for name in ("exact.onnx", "small.onnx"))
    _, validation = sample.fit_and_validation()
    answers = exact.probabilities(validation.images)
    close = small.probabilities(validation.images)
    assert np.corrcoef(close.ravel(), answers.ravel())[0, 1] > 0.99
    sizes = [(tmp_path / name).stat().st_size for name in ("small.onnx", "exact.onnx")]
    assert sizes[0] < sizes[1] / 2
    for info in (exact.info, small.info):
        assert info.network == "mean of 2 runs"
        assert info.accuracy == (answers.argmax(axis=1) == validation.labels).mean()
        assert info.accuracy_on == f"sample, validation part, {len(validation):,} digits"
        assert info.reject_measured_on == len(validation)


def test_an_onnx_of_digits_that_have_changed_is_refused(
    trained: Run, other: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "mean.onnx"
    assert export("--mean", trained.folder, other.folder, "-o", out) == 7
    assert "was trained on other digits than sample has now" in capsys.readouterr().err
    assert not out.exists()


def test_what_makes_no_mean_is_refused(
    small: Dataset, trained: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    elsewhere = shutil.copytree(trained.folder, tmp_path / "elsewhere")
    described = json.loads((elsewhere / "run.json").read_text()) | {"digest": "of others"}
    (elsewhere / "run.json").write_text(json.dumps(described))
    settings = TrainingSettings(network="lenet5", epochs=1)
    unfinished = Run.create(tmp_path / "unfinished", settings, small).folder
    drawn = Run.create(tmp_path / "drawn", TrainingSettings(network="line"), small).folder
    run, out = trained.folder, tmp_path / "mean.keras"
    cases = [
        (["--mean", run, "-o", out], 2, "name at least two"),
        (["--mean", run, run], 2, "say where it goes"),
        (["--mean", run, run, "-o", tmp_path / "mean.h5"], 2, "end it in .keras or .onnx"),
        (["--mean", run, run, "-o", out, "--eight-bits"], 2, "only an .onnx file holds eight"),
        (["--mean", run, elsewhere, "-o", out], 7, "was trained on other digits"),
        (["--mean", run, unfinished, "-o", out], 7, "is unfinished"),
        (["--mean", run, drawn, "-o", out], 2, "is of line: no mean is made of it"),
        ([run, run], 2, "several runs make one model only with --mean"),
    ]
    for arguments, code, message in cases:
        assert export(*arguments) == code, arguments
        assert message in capsys.readouterr().err
    assert not out.exists()
