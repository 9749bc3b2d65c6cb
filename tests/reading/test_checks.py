import subprocess
import sys

import pytest

from inkdigit.errors import MissingExtraError, SettingError
from inkdigit.reading.checks import check_names, find_check

VALID = {
    "luhn": "4111111111111111",
    "verhoeff": "2363",
    "damm": "5724",
    "iso7064.mod_11_10": "794623",
    "iso7064.mod_97_10": "3214282912345698765432161182",
    "isbn": "9780306406157",
    "ean": "4006381333931",
    "de.idnr": "36574261809",
}


def luhn(text: str) -> bool:
    """The definition, written once more."""
    doubled = [int(d) * (1 + i % 2) for i, d in enumerate(reversed(text))]
    return bool(text) and sum(n // 10 + n % 10 for n in doubled) % 10 == 0


def test_luhn_is_luhn() -> None:
    check = find_check("luhn")
    for number in range(20000):
        assert check(str(number)) == luhn(str(number))
    assert not check("")


@pytest.mark.parametrize("name", VALID)
def test_a_slip_of_one_digit_is_found(name: str) -> None:
    check, text = find_check(name), VALID[name]
    assert check(text)
    for i, digit in enumerate(text):
        for other in set("0123456789") - {digit}:
            assert not check(text[:i] + other + text[i + 1 :])


def test_every_name_is_a_check_that_takes_any_reading() -> None:
    assert len(check_names()) > 200
    for name in check_names():
        check = find_check(name)
        for text in ["", "0", "12.50", "1-2/3=", "0" * 40, "1234567897", "//", "20261301"]:
            assert isinstance(check(text), bool), name


def test_names_may_be_written_in_other_ways() -> None:
    for name in ["iso7064.mod-97-10", "stdnum.iso7064.mod_97_10", " ISO7064.mod_97_10"]:
        assert find_check(name) is find_check("iso7064.mod_97_10")


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("lunh", "luhn"),
        ("mod_97_10", "iso7064.mod_97_10"),
        ("idnr", "de.idnr"),
        ("zzzzzzzz", "another module of python-stdnum"),
        ("", "another module of python-stdnum"),
        ("é" * 5000, "another module of python-stdnum"),
    ],
)
def test_an_unknown_name_brings_near_ones(name: str, near: str) -> None:
    with pytest.raises(SettingError, match=near) as caught:
        find_check(name)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    "name",
    ["os", "subprocess", "stdnum.os", "..os", ".", "util", "exceptions", "luhn.sys", "/luhn"],
)
def test_nothing_else_is_imported(name: str) -> None:
    before = set(sys.modules)
    with pytest.raises(SettingError, match="there is no check"):
        find_check(name)
    assert {module.partition(".")[0] for module in set(sys.modules) - before} <= {"stdnum"}


def test_validators_are_imported_only_when_asked_for() -> None:
    code = "import sys, inkdigit.reading.checks; sys.exit('stdnum' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_without_python_stdnum_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    check_names.cache_clear()
    monkeypatch.setitem(sys.modules, "stdnum", None)
    with pytest.raises(MissingExtraError, match=r"python-stdnum.*inkdigit\[check\]"):
        find_check("luhn")
