from pathlib import Path

import pytest

from inkdigit.cli.options import add_flags
from inkdigit.cli.parser import VerbParser


@pytest.fixture
def parser() -> VerbParser:
    """A verb with flags of every kind."""
    parser = VerbParser(prog="inkdigit verb")
    flags = {"--pattern PATTERN": "", "-o --out FILE": "", "--page N": "", "--single": "",
             "--least P": "", "--format": "", "--networks NAME": "", "names NAME": ""}  # fmt: skip
    more = {
        "names": {"nargs": "*"},
        "networks": {"nargs": "+"},
        "format": {"choices": ("json", "csv")},
    }
    add_flags(parser, flags, **more)
    group = parser.add_mutually_exclusive_group()
    add_flags(group, {"--resume": "", "--overwrite": ""})
    return parser


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        (["--pattern", r"-?\d+"], {"pattern": r"-?\d+"}),
        (["--pattern", "-5"], {"pattern": "-5"}),
        (["--pattern", "--no-flag"], {"pattern": "--no-flag"}),
        (["--pattern", "a=b"], {"pattern": "a=b"}),
        (["--pattern=--single"], {"pattern": "--single"}),
        (["--pattern==", "a"], {"pattern": "=", "names": ["a"]}),
        (["-o", "-5.csv"], {"out": Path("-5.csv")}),
        (["-oa.csv"], {"out": Path("a.csv")}),
        (["-o=a.csv"], {"out": Path("a.csv")}),
        (["--least", "-0.5"], {"least": -0.5}),
        (["a", "--single", "b", "--page", "2", "c"], {"names": ["a", "b", "c"], "page": 2}),
        (["a", "-", "--single"], {"names": ["a", "-"], "single": True}),
        (["--single", "--", "-5.png", "--page"], {"names": ["-5.png", "--page"], "single": True}),
        (["--networks", "a", "b", "--single", "c"], {"networks": ["a", "b"], "names": ["c"]}),
        (["-there.png"], {"names": ["-there.png"]}),
    ],
)
def test_a_value_may_begin_with_a_dash_and_names_stand_anywhere(
    arguments: list[str],
    found: dict[str, object],
    parser: VerbParser,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("-there.png").touch()
    options = vars(parser.parse_args(arguments))
    assert {name: options[name] for name in found} == found


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--patern", "x"], "there is no flag --patern: did you mean --pattern?"),
        (["--patern=x"], "there is no flag --patern: did you mean --pattern?"),
        (["--patt", "x"], "there is no flag --patt: did you mean --pattern?"),
        (["-5.png"], "there is no flag -5.png: a file of that name is ./-5.png"),
        (["--pattern"], "--pattern needs a value"),
        (["--pattern", "--single"], "--pattern needs a value"),
        (["--pattern", "--", "a"], "--pattern needs a value"),
        (["--pattern", ""], "--pattern needs a value, received an empty one"),
        (["--out="], "--out needs a value, received an empty one"),
        (["--networks", "--single"], "--networks needs a value"),
        (["--page", "two"], "--page takes a whole number, received 'two'"),
        (["--least", "x"], "--least takes a number, received 'x'"),
        (["--single=yes"], "--single takes no value, received 'yes'"),
        (["--resume", "--overwrite"], "--overwrite does not go with --resume"),
        (["--page", "\x1b[31m"], "--page takes a whole number, received '\\x1b[31m'"),
    ],
)
def test_a_usage_error_is_one_sentence_behind_the_usage_of_the_verb(
    arguments: list[str],
    sentence: str,
    parser: VerbParser,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as exit_info:
        parser.parse_args(arguments)
    assert exit_info.value.code == 2
    usage, *_, last = capsys.readouterr().err.splitlines()
    assert usage.startswith("usage: inkdigit verb ")
    assert last == f"inkdigit: {sentence}"


def test_a_choice_that_is_none_is_told_with_those_there_are(
    parser: VerbParser, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        parser.parse_args(["--format", "xml"])
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.replace("'", "") == "inkdigit: --format is one of json, csv, received xml"
