from pathlib import Path

import pytest

from inkdigit.cli.flags import add_flag
from inkdigit.cli.parser import VerbParser, worded


@pytest.fixture
def parser() -> VerbParser:
    """A verb with flags of every kind."""
    parser = VerbParser(prog="inkdigit verb")
    flags = {"--pattern PATTERN": "", "-o --out FILE": "", "--page N": "", "--single": "",
             "--least P": "", "--format": "", "--networks NAME": "", "names NAME": ""}  # fmt: skip
    more = {
        "names NAME": {"nargs": "*"},
        "--networks NAME": {"nargs": "+"},
        "--format": {"choices": ("json", "csv")},
    }
    for flag, about in flags.items():
        add_flag(parser, flag, about, **more.get(flag, {}))
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


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("more than 8 (max_pixels): shrink it", "more than 8 (--max-pixels): shrink it"),
        ("max_pixels must be at least 1", "--max-pixels must be at least 1"),
        ("rotate is 0, 90, 180 or 270 degrees", "--rotate is 0, 90, 180 or 270 degrees"),
        ("it reads 12: set rotate to 90", "it reads 12: set --rotate to 90"),
        ("choose one with page (1 … 3)", "choose one with --page (1 … 3)"),
        ("leave out single", "leave out --single"),
        ("of a whole page: use find, or read_page", "of a whole page: use --find"),
        ("max_pixels/find.png is broken", "max_pixels/find.png is broken"),
    ],
)
def test_what_the_library_says_of_options_is_said_of_flags(said: str, told: str) -> None:
    assert worded(said) == told
