import re
from pathlib import Path

import matplotlib as mpl
import nbformat
import pytest
from nbclient import NotebookClient
from nbformat import NotebookNode

NOTEBOOK = Path(__file__).parents[1] / "notebooks/Handwritten_Digit_Recognition_using_CNN.ipynb"
PICTURES = 11
IMAGE = re.compile(r'"image/png": "[^"]*"')
MACHINE_PATH = re.compile(r"/(home|work|tmp|root|Users)\b")


def _outputs(notebook: NotebookNode) -> list[NotebookNode]:
    return [output for cell in notebook.cells for output in cell.get("outputs", [])]


def _pictures(notebook: NotebookNode) -> int:
    return sum("image/png" in output.get("data", {}) for output in _outputs(notebook))


def _printed(notebook: NotebookNode, stream: str) -> str:
    return "".join(output.text for output in _outputs(notebook) if output.get("name") == stream)


@pytest.fixture
def committed() -> NotebookNode:
    return nbformat.read(NOTEBOOK, as_version=4)


@pytest.mark.slow
def test_it_runs_from_top_to_bottom_on_the_sample(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, committed: NotebookNode
) -> None:
    monkeypatch.delenv("INKDIGIT_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    # matplotlib looks for its list of fonts there, and says so on stderr if it has to make it.
    monkeypatch.setenv("MPLCONFIGDIR", mpl.get_cachedir())
    # The kernel is this Python, and no start-up file of the user's runs in it.
    monkeypatch.setenv("JUPYTER_PREFER_ENV_PATH", "1")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))

    resources = {"metadata": {"path": str(tmp_path)}}
    ran = NotebookClient(
        committed, kernel_name="python3", timeout=600, resources=resources
    ).execute()

    assert not [output for output in _outputs(ran) if output.output_type == "error"]
    assert _printed(ran, "stderr") == ""
    assert _pictures(ran) == PICTURES
    accuracy = re.search(r"^classic: ([\d.]+)% of 1,000 test digits", _printed(ran, "stdout"), re.M)
    assert accuracy
    assert float(accuracy[1]) > 93
    assert (tmp_path / "runs/notebook/sample/classic/model.onnx").exists()


def test_it_is_committed_with_clean_outputs(committed: NotebookNode) -> None:
    assert not [output for output in _outputs(committed) if output.output_type == "error"]
    assert _printed(committed, "stderr") == ""
    assert _pictures(committed) == PICTURES
    # In the letters of an encoded picture anything may come up.
    assert not MACHINE_PATH.search(IMAGE.sub("", NOTEBOOK.read_text(encoding="utf-8")))
    assert NOTEBOOK.stat().st_size < 1_000_000


def test_its_cells_have_names_and_no_timings(committed: NotebookNode) -> None:
    nbformat.validate(committed)

    assert (committed.nbformat, committed.nbformat_minor) == (4, 5)
    assert committed.metadata.kernelspec.name == "python3"
    assert not [cell.id for cell in committed.cells if cell.metadata]
