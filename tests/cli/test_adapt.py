from pathlib import Path

import pytest

from inkdigit.cli import main


def test_what_is_wrong_is_said_in_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["adapt", str(tmp_path / "none")]) == 3
    assert capsys.readouterr().err.endswith("none is no folder of pictures\n")
    assert main(["adapt", str(tmp_path)]) == 3
    assert "holds no pictures" in capsys.readouterr().err
    assert main(["adapt", str(tmp_path), "--group", "writer"]) == 3
    assert main(["adapt", str(tmp_path), "-o", "ours.h5"]) == 2
    assert "end it in .onnx" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_too_few_pictures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    amount = Path(__file__).parents[2] / "docs" / "amount.png"
    (tmp_path / "amount.png").write_bytes(amount.read_bytes())
    assert main(["adapt", str(tmp_path), "-o", str(tmp_path / "ours.onnx")]) == 3
    assert "there are too few pictures to learn from: 1, at least 20" in capsys.readouterr().err
