"""The documents tell the truth about the code."""

import argparse
import inspect
import re
import shlex
from pathlib import Path

import pandas as pd
import pytest

from benchmarks import tables
from inkdigit import errors
from inkdigit.cli import build_parser
from inkdigit.learning.recipes import RECIPES

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
COMMAND_LINE = (ROOT / "docs" / "command-line.md").read_text("utf-8")
PAGES = [ROOT / "README.md", *sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))]


def verbs() -> dict[str, argparse.ArgumentParser]:
    (action,) = (a for a in build_parser()._actions if isinstance(a, argparse._SubParsersAction))
    return dict(action.choices)


def section(verb: str) -> str:
    return COMMAND_LINE.partition(f"## `inkdigit {verb}`")[2].partition("\n## ")[0]


@pytest.mark.parametrize("verb", verbs())
def test_every_verb_and_flag_is_documented(verb: str) -> None:
    documented = set(re.findall(r"`(-{1,2}[a-z-]+|[A-Z]+)\b", section(verb)))
    for action in verbs()[verb]._actions:
        if not isinstance(action, argparse._HelpAction):
            names = action.option_strings or [str(action.metavar)]
            assert set(names) <= documented, names


@pytest.mark.parametrize("verb", verbs())
def test_no_flag_is_documented_that_is_not_there(verb: str) -> None:
    known = {name for action in verbs()[verb]._actions for name in action.option_strings}
    assert set(re.findall(r"^\| `(--[a-z-]+)", section(verb), re.M)) <= known


def test_every_exit_code_is_documented() -> None:
    table = dict(re.findall(r"^\| (\d+) \| `?(\w*)", COMMAND_LINE, re.M))
    for name, error in inspect.getmembers(errors, inspect.isclass):
        if issubclass(error, errors.InkdigitError):
            assert table[str(error.exit_code)] == name
            assert f"{name} " in (errors.__doc__ or "")
    assert "130" in table


def code_blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", page.read_text("utf-8"), re.S)


def test_every_command_in_the_documents_is_understood() -> None:
    lines = [
        line
        for page in PAGES
        for block in code_blocks(page, "sh")
        for line in block.replace("\\\n", " ").splitlines()
        if line.startswith("inkdigit ")
    ]
    assert len(lines) > 10
    for line in lines:
        build_parser().parse_args(shlex.split(line, comments=True)[1:])


def test_the_readmes_python_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocks = code_blocks(ROOT / "README.md", "python")
    assert blocks
    (tmp_path / "docs").symlink_to(ROOT / "docs")
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for block in blocks:
        exec(compile(block, "README.md", "exec"), names)
    assert Path("runs/mine/report.html").exists()


def test_the_tables_of_the_documents_are_those_of_the_results() -> None:
    for document, names in tables.DOCUMENTS.items():
        text = document.read_text("utf-8")
        assert tables.with_tables(document) == text
        assert all(tables.START.format(name) in text for name in names)


def test_the_results_meet_their_bars() -> None:
    runs = pd.read_csv(ROOT / "benchmarks" / "results" / "learning.csv")
    means = runs.groupby(["data", "network"]).mean(numeric_only=True)
    classic, modern = means.loc[("mnist", "classic")], means.loc[("mnist", "modern")]
    assert classic["test_accuracy"] >= 0.990
    assert classic["test_loss"] < 0.05
    assert classic["train_accuracy"] >= 0.995
    assert classic["train_loss"] < 0.02
    assert modern["test_accuracy"] > classic["test_accuracy"]
    assert modern["parameters"] < classic["parameters"]
    assert (runs.groupby(["data", "network"]).size() >= 5).all()


def test_results_of_recipes_are_of_what_the_recipes_say() -> None:
    for name in ("fast", "records"):
        rows = pd.read_csv(ROOT / "benchmarks" / "results" / f"{name}.csv")
        said = rows["recipe"].str.split(",").str[0].map(RECIPES)
        assert said.notna().any()
        for (_, row), recipe in zip(rows[said.notna()].iterrows(), said.dropna(), strict=True):
            for column in ("epochs", "batch_size", "learning_rate"):
                assert row[column] == getattr(recipe, column), (row["recipe"], column)


def test_links_between_the_documents_lead_somewhere() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\((?!http|#|mailto)([^)#]+)", page.read_text("utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
