"""The one entry."""

import pytest

from benchmarks.__main__ import PARTS, main


@pytest.mark.parametrize("part", PARTS)
def test_every_part_says_what_it_measures(part: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([part, "--help"])
    assert ended.value.code == 0
    assert len(capsys.readouterr().out.splitlines()) > 5


def test_the_parts_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    listed = capsys.readouterr().out
    assert all(f"  {part} " in listed for part in PARTS)
    with pytest.raises(SystemExit):
        main(["records-of-old"])
    assert "invalid choice" in capsys.readouterr().err


def test_an_error_is_one_sentence_with_its_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    """The whole table of `fast` is of one run, so a part of it must not replace it."""
    for flags in (["--brief"], ["--parts", "fast"]):
        assert main(["fast", *flags]) == 2
        assert capsys.readouterr().err.endswith("give --parts or --brief an --out\n")
    assert main(["records", "--recipes", "best", "--together", "--teacher", "x"]) == 2
    assert "leave out --teacher" in capsys.readouterr().err
