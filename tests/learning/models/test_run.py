import shutil
from pathlib import Path

import pytest

from inkdigit.errors import RunError
from inkdigit.learning.datasets import Dataset
from inkdigit.learning.models.run import Run
from inkdigit.learning.settings import TrainingSettings


def test_a_run_that_is_open_is_opened_as_it_is(trained: Run) -> None:
    assert Run.open(trained) is trained
    assert Run.open(trained.folder) == trained
    assert Run.open(str(trained.folder)) == trained


def test_a_finished_run_says_what_it_is_worth(trained: Run, tmp_path: Path) -> None:
    worth, where = str(trained).splitlines()
    assert f"accuracy {trained.metrics['test_accuracy']:.4f}" in worth
    assert f"{trained.metrics['test_digits']:,} digits of sample" in worth
    assert where == f"report: {trained.folder / 'report.html'}"
    copy = Run.open(shutil.copytree(trained.folder, tmp_path / "run"))
    (copy.folder / "model.onnx").unlink()
    assert str(copy).splitlines()[2].endswith(f"run  inkdigit export {copy.folder}")


def test_a_run_that_was_only_started_says_so(small: Dataset, tmp_path: Path) -> None:
    run = Run.create(tmp_path / "run", TrainingSettings(recipe="fast"), small)
    assert not run.finished
    assert str(run) == f"{run.folder} is unfinished"
    assert Run.open(run.folder) == run
    with pytest.raises(RunError, match="is unfinished: resume it"):
        _ = run.metrics


@pytest.mark.parametrize(
    "content", ["", "{}", '{"settings": {"start": "x"}, "data": "", "digest": ""}', "[1]"]
)
def test_a_folder_whose_description_is_none_is_no_run(content: str, tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text(content)
    with pytest.raises(RunError, match="is no run folder"):
        Run.open(tmp_path)
