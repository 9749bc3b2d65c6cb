import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from inkdigit import __version__
from inkdigit.cli import VERBS, main
from inkdigit.cli.flags import _SHARED
from inkdigit.learning.models.run import KERAS_MODEL, Run
from inkdigit.learning.recipes import PLAIN, RECIPES
from inkdigit.learning.settings import TrainingSettings

ENVIRONMENT = {**os.environ, "PYTHONUNBUFFERED": "1"}


def inkdigit(*arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "inkdigit", *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=ENVIRONMENT, **options)  # type: ignore[call-overload,no-any-return]


def test_help_and_version(capsys: pytest.CaptureFixture[str]) -> None:
    for flag, expected in (("--help", "usage: inkdigit"), ("--version", f"inkdigit {__version__}")):
        with pytest.raises(SystemExit) as exit_info:
            main([flag])
        assert exit_info.value.code == 0
        assert expected in capsys.readouterr().out


def test_the_help_lists_every_verb_and_imports_none() -> None:
    code = "import sys; from inkdigit.cli import main; main(sys.argv[1:])"
    check = "import atexit, sys; atexit.register(lambda: print(*sys.modules, file=sys.stderr)); "
    for arguments, wanted in (["--help"], set()), (["networks", "--help"], {"networks"}):
        done = subprocess.run(
            [sys.executable, "-c", check + code, *arguments], capture_output=True, text=True
        )
        loaded = {name.rpartition(".")[2] for name in done.stderr.split() if ".cli." in name}
        assert loaded & set(VERBS) == wanted
        assert done.returncode == 0
        if not wanted:
            told = (f"\n    {verb:8}  {known['does']}" for verb, known in VERBS.items())
            assert all(line in done.stdout for line in told)


def test_the_flags_tell_the_recipes_as_they_are() -> None:
    train, training = VERBS["train"]["flags"], _SHARED["training"]
    usual = RECIPES[PLAIN]
    assert f": {', '.join(RECIPES)};" in train["--recipe NAME"]
    assert f"`{usual.network}` for" in train["--network NAME"]
    assert f" {usual.epochs} for" in training["--epochs N"]
    assert f" {usual.batch_size} for" in training["--batch-size N"]
    assert f" {usual.optimizer} for" in train["--optimizer"]
    assert f" {usual.augmentation} for" in train["--augmentation"]
    assert train["--seed N"].endswith(f"(default: {TrainingSettings.seed})")


def test_every_verb_has_help(capsys: pytest.CaptureFixture[str]) -> None:
    for verb in VERBS:
        with pytest.raises(SystemExit) as exit_info:
            main([verb, "--help"])
        assert exit_info.value.code == 0
        assert f"usage: inkdigit {verb}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "usage", "sentence"),
    [
        ([], "usage: inkdigit [-h]", "VERB is missing"),
        (["nothing"], "usage: inkdigit [-h]", "VERB is one of "),
        (["--nothing"], "usage: inkdigit [-h]", "VERB is missing"),
        (["train", "--epochs", "many"], "usage: inkdigit train", "--epochs takes a whole number"),
        (["evaluate"], "usage: inkdigit evaluate", "MODEL is missing"),
        (["networks", "more"], "usage: inkdigit networks", "there is no place for more"),
        (["read", "a.png", "--modle", "x"], "usage: inkdigit read", "did you mean --model?"),
    ],
)
def test_usage_errors_exit_with_2(
    arguments: list[str], usage: str, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as exit_info:
        main(arguments)
    assert exit_info.value.code == 2
    first, *_, last = capsys.readouterr().err.splitlines()
    assert first.startswith(usage)
    assert last.startswith("inkdigit: ")
    assert sentence in last


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "cp437"])
def test_a_console_of_another_encoding_takes_what_is_said(encoding: str) -> None:
    environment = {**ENVIRONMENT, "PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"}
    for arguments, code in [(["read", "--help"], 0), (["read", "größe-日本.png"], 5)]:
        done = subprocess.run(
            [sys.executable, "-m", "inkdigit", *arguments], capture_output=True, env=environment
        )
        assert done.returncode == code
        assert b"Traceback" not in done.stderr


def test_a_pipe_that_closes_early_is_no_error() -> None:
    command = f"{sys.executable} -m inkdigit networks | true; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("redirection", [">&-", "> /dev/full"])
def test_an_output_that_takes_nothing_gives_no_traceback(redirection: str) -> None:
    command = f"{sys.executable} -m inkdigit networks {redirection}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True)
    assert "Traceback" not in done.stderr
    assert done.returncode == (0 if redirection == ">&-" else 8)


@pytest.mark.slow
def test_training_is_quiet_but_for_its_own_lines(tmp_path: Path) -> None:
    done = inkdigit(
        "train", "--network", "lenet5", "--data", "sample", "--epochs", "1", "--out", "r",
        cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0
    assert [line.split()[0] for line in done.stderr.splitlines()] == ["training", "epoch"]
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["lenet5:", "report:"]


def start_training(folder: Path) -> subprocess.Popen[str]:
    """Start a training, and come back when its first epoch is kept."""
    command = [sys.executable, "-m", "inkdigit", "train", "--network", "lenet5", "--data", "sample",
               "--epochs", "4", "--out", str(folder)]  # fmt: skip
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT
    )
    deadline = time.monotonic() + 120
    while not (folder / "checkpoint.npz").exists():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return process


@pytest.mark.slow
def test_killed_and_interrupted_trainings_end_where_an_undisturbed_one_does(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    killed, interrupted, whole = (tmp_path / name for name in ("killed", "interrupted", "whole"))
    process = start_training(killed)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    process = start_training(interrupted)
    process.send_signal(signal.SIGINT)
    _, messages = process.communicate()
    assert process.returncode == 130
    assert f"go on with  inkdigit train --resume {interrupted}" in messages
    assert "Traceback" not in messages

    for folder in (killed, interrupted):
        assert not Run.open(folder).finished
        assert main(["train", "--resume", str(folder)]) == 0
    arguments = ["train", "--network", "lenet5", "--data", "sample", "--epochs", "4"]
    assert main([*arguments, "--out", str(whole)]) == 0
    from inkdigit.learning.models.keras_files import load_keras_model

    expected = load_keras_model(whole / KERAS_MODEL).get_weights()
    for folder in (killed, interrupted):
        found = load_keras_model(folder / KERAS_MODEL).get_weights()
        assert all(np.array_equal(a, b) for a, b in zip(found, expected, strict=True))
    capsys.readouterr()
    assert main(["train", "--resume", str(whole)]) == 0
    assert "is finished already" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["train", "--epochs", "0"], 2, "the epochs must be between 1 and 10,000, received 0"),
        (["train", "--epochs=-5"], 2, "received -5"),
        (["train", "--network", "lenet6"], 2, "no network is called 'lenet6'"),
        (["train", "--data", "emnist"], 2, "no data set is called 'emnist'"),
        (["train", "--data", "folder:nowhere"], 3, "nowhere is not a folder"),
        (["train", "--data", "mnist", "--data-dir", "."], 3, "holds no MNIST"),
        (["train", "--data", "sample", "--out", "file"], 7, "not empty and not a run"),
        (["train", "--data", "sample", "--out", "file/run"], 8, "cannot be made"),
        (["train", "--resume", "nowhere"], 7, "nowhere is no run folder"),
        (["train", "--resume", "x", "--epochs", "3", "--out", "y"], 2, "leave out --epochs, --out"),
        (["compare", "--data", "sample", "--out", "."], 7, "not empty and no comparison"),
        (["evaluate", "missing.keras"], 6, "missing.keras is not there"),
        (["evaluate", "file"], 6, "file is no model"),
        (["evaluate", "corrupt.h5"], 6, "corrupt.h5 is damaged"),
        (["evaluate", "corrupt.onnx"], 6, "corrupt.onnx is not a working ONNX model"),
        (["compare", "--seeds", "0", "--data", "sample"], 2, "the seeds must be at least 1"),
        (["compare", "--networks", "a", "--data", "sample"], 2, "no network is called 'a'"),
        (["export", "nowhere"], 7, "nowhere is no run folder"),
    ],
)
def test_bad_input_is_one_sentence_and_its_exit_code(
    arguments: list[str],
    code: int,
    sentence: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("file", "corrupt.h5", "corrupt.onnx"):
        Path(name).write_text("something I had")
    assert main(arguments) == code
    printed = capsys.readouterr()
    assert printed.out == ""
    lines = printed.err.splitlines()
    assert lines[-1].startswith("inkdigit: ")
    assert sentence in lines[-1]
    assert "Traceback" not in printed.err
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "corrupt.h5",
        "corrupt.onnx",
        "file",
    ]
    assert Path("file").read_text() == "something I had"
