from pathlib import Path

import pytest

from benchmarks import review


def test_a_text_is_mended_by_few_keys() -> None:
    def fewest(text: str, digits: str, stands: int) -> list[str]:
        return min(review.mendings(text, digits, stands), key=len)

    assert fewest("1518.", "15718", 2) == ["7", "1", "8", "Enter"]
    assert fewest("623=", "6237", 3) == ["7", "Enter"]
    assert fewest("104927", "104027", 2) == ["4", "0", "Enter"]
    assert fewest("11", "117", 0) == ["End", "7", "Enter"]
    assert list(review.mendings("1234", "56", 0)) == []


def test_intervals_hold_the_true_share(tmp_path: Path) -> None:
    (figure,) = review.measure_audit(review.Setting(tmp_path, None))
    assert figure.met == "yes"


def test_a_kill_loses_no_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(review, "KILLS", 2)
    monkeypatch.setattr(review, "ROWS", 2_000)
    answered, lost = review.measure_kills(review.Setting(tmp_path, None))
    assert answered.value > 0
    assert lost.value == 0
