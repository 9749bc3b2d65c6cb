"""`inkdigit train` for the networks that read in use, from drawn handwriting."""

import csv
import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest

import inkdigit
from inkdigit.cli import main
from inkdigit.learning.api import start_training
from inkdigit.learning.datasets import load_dataset
from inkdigit.learning.models.run import Run
from inkdigit.learning.recipes import RECIPES, SynthesisConfig
from inkdigit.learning.settings import TrainingSettings
from inkdigit.learning.training import Loop
from inkdigit.reading.model_file import LineModel, load_model_file
from inkdigit.reading.reader import SINGLE_MODEL

TINY = {
    "line": SynthesisConfig(block=32, epoch_blocks=2, fresh_blocks=2, validation=16, measured=60),
    "single": SynthesisConfig(
        block=128, epoch_blocks=3, fresh_blocks=1, validation=16, measured=60
    ),
}


class Killed(Exception):
    pass


@pytest.fixture(scope="session")
def fonts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("fonts")
    for name in ("DejaVuSans.ttf", "DejaVuSerif.ttf", "DejaVuSansMono.ttf"):
        shutil.copy(Path(mpl.get_data_path(), "fonts", "ttf", name), folder)
    return folder


@pytest.fixture(autouse=True)
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, config in TINY.items():
        monkeypatch.setitem(RECIPES, name, replace(RECIPES[name], synthesis=config))


@pytest.mark.slow
@pytest.mark.parametrize("network", ["line", "single"])
def test_a_reader_is_trained_goes_on_after_a_kill_and_reads(
    network: str, fonts: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, named = tmp_path / "run", fonts if network == "line" else None
    settings = TrainingSettings(
        network=network,
        epochs=2,
        batch_size=TINY[network].block // 2,
        fonts=str(named) if named else "",
    )

    def kill(_: Loop) -> None:
        raise Killed

    with pytest.raises(Killed):
        start_training(settings, load_dataset("sample")).run(folder, after_epoch=kill)
    assert (folder / "checkpoint.npz").exists()
    assert main(["train", "--resume", str(folder)]) == 0
    printed = capsys.readouterr()
    messages = [line.split()[0] for line in printed.err.splitlines()]
    assert messages == ["training", "no", "epoch"]
    missing = "no hands are named" if named else "no fonts and no hands are named"
    assert missing in printed.err
    assert [line.split()[0] for line in printed.out.splitlines()] == [f"{network}:", "model:"]

    run = Run.open(folder)
    assert run.finished
    assert {path.name for path in folder.iterdir()} == {
        "run.json", "history.csv", "metrics.json", "model.keras", "model.onnx"
    }  # fmt: skip
    rows = list(csv.DictReader((folder / "history.csv").read_text().splitlines()))
    assert [float(row["epoch"]) for row in rows] == [1, 2]
    metrics = json.loads((folder / "metrics.json").read_text())
    assert metrics["validation_loss"] == pytest.approx(float(rows[-1]["validation_loss"]))
    assert (metrics["test_digits"], metrics["calibration"]["reject_measured_on"]) == (60, 60)
    assert metrics["hands_learnt_from"] == metrics["hands_held_out"] == {"lines": 0, "others": 0}
    assert len(metrics["fonts_learnt_from"]) == (2 if named else 0)
    assert len(metrics["fonts_held_out"]) == (1 if named else 0)

    picture = np.full((60, 90), 255, np.uint8)
    picture[10:50, 40:46] = 0
    reader = inkdigit.Reader.load(folder / "model.onnx")
    reading = reader.read(picture, single=network == "single")
    assert reading.status in {"accepted", "review", "rejected"}
    assert reading.model.startswith(network)

    again = tmp_path / "again.onnx"
    assert main(["export", str(folder), "--out", str(again)]) == 0
    ours, theirs = (load_model_file(path) for path in (folder / "model.onnx", again))
    assert ours.info == theirs.info == run.info()
    code = main(["evaluate", str(folder), "--data", "sample", "--out", str(tmp_path / "pictures")])
    printed = capsys.readouterr()
    if isinstance(ours, LineModel):
        assert code == 6
        assert "is no digit model: it reads a line" in printed.err
    else:
        assert code == 0
        assert "95 % interval" in printed.out
        assert (tmp_path / "pictures" / "training_curves.png").exists()


@pytest.mark.slow
def test_two_line_networks_go_into_one_file(
    fonts: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folders = [tmp_path / "one", tmp_path / "two"]
    for seed, folder in enumerate(folders):
        settings = TrainingSettings(
            network="line", epochs=1, batch_size=16, seed=seed, fonts=str(fonts)
        )
        start_training(settings, load_dataset("sample")).run(folder)
    both = tmp_path / "both.onnx"
    first, second = map(str, folders)
    assert main(["export", first, "--fallback", second, "--out", str(both), "--quiet"]) == 0
    assert capsys.readouterr().out.strip() == str(both)

    model, *alone = (LineModel.load(path) for path in (both, *(f / "model.onnx" for f in folders)))
    strips = np.random.default_rng(0).integers(0, 256, (3, 32, 48), np.uint8)
    assert [*model.others] == ["fallback"]
    other = model.others["fallback"](strips)
    assert np.array_equal(model.frames(strips), alone[0].frames(strips))
    assert np.array_equal(other, alone[1].frames(strips))
    assert not np.array_equal(model.frames(strips), other)
    assert [one.others for one in alone] == [{}, {}]
    assert model.info.reject_measured_on == TINY["line"].measured
    assert model.info.trained_digits == sum(one.info.trained_digits for one in alone)

    # Beside another first network the fallback stays, but for what eight bits lose once more.
    kept = tmp_path / "kept.onnx"
    assert main(["export", second, "--fallback", str(both), "--out", str(kept), "--quiet"]) == 0
    capsys.readouterr()
    changed = LineModel.load(kept)
    assert np.array_equal(changed.frames(strips), other)
    assert np.allclose(changed.others["fallback"](strips), other, atol=0.05)

    picture = np.full((60, 90), 255, np.uint8)
    picture[10:50, 40:46] = 0
    assert inkdigit.Reader.load(both).read(picture).model == "line " + inkdigit.__version__
    pair = ["export", first, "--fallback", second, "--out", str(both)]
    for arguments, code, sentence in (
        (["export", first, "--fallback", second], 2, "say where it goes (out)"),
        ([*pair, "--eight-bits"], 2, "always is in eight bits"),
        (["export", first, "--data-dir", "."], 2, "--data-dir goes with --fallback"),
        (
            ["export", first, "--fallback", first, "--out", str(both)],
            2,
            "cannot be its own fallback",
        ),
    ):
        assert main(arguments) == code
        assert sentence in capsys.readouterr().err
    for name, old, new, code, sentence in (
        ("metrics.json", "DejaVuSerif.", "DejaVuSans.", 2, "learnt from fonts that"),
        ("run.json", '"digest": "', '"digest": "0', 7, "was started on other digits (sample)"),
        ("run.json", '"line"', '"single"', 2, "is a run of single: a fallback takes two of line"),
    ):
        changed = Path(second, name)
        changed.write_text(changed.read_text().replace(old, new))
        assert main(pair) == code
        assert sentence in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["train", "--fonts", "."], 2, "classic learns from no fonts: leave out the fonts"),
        (["train", "--hands", "."], 2, "classic learns from no hands: leave out the hands"),
        (["train", "--network", "line", "--fonts", "."], 3, "holds no font"),
        (["train", "--network", "line", "--hands", "."], 3, "holds no real hands"),
        (["train", "--network", "single", "--fonts", "nowhere"], 3, "nowhere holds no font"),
        (["train", "--network", "line", "--batch-size", "33"], 2, "the batch size must be at most"),
        (["train", "--network", "lines"], 2, "did you mean line?"),
        (["train", "--recipe", "slow"], 2, "'slow': choose from plain, fast, fast-5-epochs"),
        (
            ["train", "--recipe", "fast", "--network", "line"],
            2,
            "is a recipe for fast, not for line",
        ),
        (["train", "--network", "line", "--teacher", "x"], 2, "leave out the teacher"),
        (["train", "--teacher", "nowhere.keras"], 6, "nowhere.keras is not there"),
        (
            ["train", "--teacher", str(SINGLE_MODEL)],
            6,
            "tells 11 classes apart: a teacher tells 10",
        ),
        (["train", "--init-from", "nowhere.h5"], 6, "nowhere.h5 is not there"),
        (["train", "--init-from", str(SINGLE_MODEL)], 6, "is of no known kind: expected .keras"),
        (
            ["train", "--network", "single", "--init-from", "nowhere.keras", "--batch-size", "9"],
            6,
            "is not",
        ),
        (["compare", "--networks", "line"], 2, "line learns from drawn handwriting"),
    ],
)
def test_what_makes_no_sense_is_one_sentence(
    arguments: list[str],
    code: int,
    sentence: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main([*arguments, "--data", "sample", "--quiet"]) == code
    printed = capsys.readouterr()
    assert printed.out == ""
    assert len(printed.err.splitlines()) == 1
    assert sentence in printed.err
    assert "Traceback" not in printed.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_a_recipe_that_hurries_says_how_many_epochs_few_digits_need(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sample = ["train", "--recipe", "fast", "--data", "sample"]
    assert main([*sample, "--out", str(tmp_path / "hurried")]) == 0
    advice = re.search(r"too few for fast, .*: give it (\d+) epochs", capsys.readouterr().err)
    assert advice
    assert main([*sample, "--epochs", advice[1], "--out", str(tmp_path / "patient")]) == 0
    assert "too few" not in capsys.readouterr().err
    hurried, patient = (
        Run.open(tmp_path / name).metrics["test_accuracy"] for name in ("hurried", "patient")
    )
    assert patient > max(hurried, 0.95)


@pytest.mark.slow
def test_a_training_goes_on_from_another_with_new_digits(
    trained: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    network = trained.settings.network
    command = ["train", "--network", network, "--data", "sample", "--epochs", "1"]
    assert main([*command, "--out", str(tmp_path / "new")]) == 0
    started = ["--init-from", str(trained.folder), "--out", str(tmp_path / "more")]
    assert main([*command, *started]) == 0
    new, more = (Run.open(tmp_path / name).metrics for name in ("new", "more"))
    assert more["train_loss"] < new["train_loss"]
    assert more["init_from"] == str(trained.folder)
    assert "unseen" not in capsys.readouterr().err

    mnist = shutil.copytree(trained.folder, tmp_path / "mnist")
    told = json.loads((mnist / "run.json").read_text()) | {"data": "mnist"}
    (mnist / "run.json").write_text(json.dumps(told))
    assert main([*command, "--init-from", str(mnist), "--out", str(tmp_path / "seen")]) == 0
    assert "say nothing about unseen digits" in capsys.readouterr().err
