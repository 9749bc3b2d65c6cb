"""The documents tell the truth about the code."""

import argparse
import csv
import doctest
import importlib
import importlib.util
import inspect
import json
import re
import shlex
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from types import ModuleType

import pandas as pd
import pytest

import inkdigit
from benchmarks import tables
from inkdigit import errors, learning
from inkdigit.cli import build_parser, main
from inkdigit.learning.recipes import RECIPES

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
COMMAND_LINE = (ROOT / "docs" / "command-line.md").read_text("utf-8")
SOURCE = ROOT / "src"
WITH_EXAMPLES = [path for path in SOURCE.rglob("*.py") if ">>> " in path.read_text("utf-8")]
PUBLIC = [
    (module, name)
    for module in (inkdigit, learning)
    for name in module.__all__
    if not name.startswith("__")
]
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


@pytest.fixture
def documents(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder that holds docs/, and may be written to."""
    (tmp_path / "docs").symlink_to(ROOT / "docs")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.usefixtures("documents")
def test_the_readmes_python_runs() -> None:
    blocks = code_blocks(ROOT / "README.md", "python")
    assert blocks
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


@pytest.mark.parametrize("path", WITH_EXAMPLES, ids=lambda path: path.stem)
@pytest.mark.usefixtures("documents")
def test_the_examples_of_docstrings_come_out_as_they_say(path: Path) -> None:
    name = ".".join(path.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__")
    done = doctest.testmod(importlib.import_module(name), optionflags=doctest.ELLIPSIS)
    assert done.attempted
    assert not done.failed


@pytest.mark.parametrize(
    ("module", "name"), PUBLIC, ids=lambda part: getattr(part, "__name__", part)
)
def test_every_public_name_shows_an_example(module: ModuleType, name: str) -> None:
    found = doctest.DocTestFinder().find(getattr(module, name))
    assert any(test.examples for test in found)


class _Fetched(HTMLParser):
    """Collects what a browser fetches for a page without being asked."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = ("src", "href") if tag == "link" else ("src",)
        self.addresses += [value for name, value in attrs if name in names and value]


@pytest.mark.slow
def test_the_site_is_complete_and_needs_no_network(tmp_path: Path) -> None:
    """A page that is in no navigation, and a link that leads nowhere, are warnings."""
    command = [sys.executable, "-m", "sphinx", "--quiet", "--fail-on-warning", "--keep-going"]
    command += ["--conf-dir", ROOT / "docs", ROOT, tmp_path / "site", "-d", tmp_path / "trees"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    pages = {path.name: path.read_text("utf-8") for path in (tmp_path / "site").rglob("*.html")}
    assert {f"{page.stem}.html" for page in PAGES} <= pages.keys()
    for module, name in PUBLIC:
        found = getattr(module, name)
        shown = (
            f"module-{found.__name__}" if inspect.ismodule(found) else f"{module.__name__}.{name}"
        )
        assert f'id="{shown}"' in pages["api.html"]
    for name, page in pages.items():
        for address in _Fetched(page).addresses:
            assert not re.match(r"(https?:)?//", address), (name, address)


def test_the_version_is_the_same_everywhere() -> None:
    assert f"\nversion: {inkdigit.__version__}\n" in (ROOT / "CITATION.cff").read_text("utf-8")
    assert f"\n## {inkdigit.__version__} " in (ROOT / "CHANGELOG.md").read_text("utf-8")


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line[1:-1].split("|")]


def about(text: str) -> str:
    return re.sub(r"0\.\d{4}", "…", text)


def test_the_page_of_forms_can_be_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What it shows is what comes out of docs/claim, but for how sure the digits are."""
    page = ROOT / "docs" / "forms.md"
    made = shutil.ignore_patterns("claim.form.*", "claims.*", "check.pdf")  # by who followed it
    monkeypatch.chdir(shutil.copytree(ROOT / "docs" / "claim", tmp_path / "claim", ignore=made))
    new, _, check, read, *_ = (
        shlex.split(line, comments=True)[1:]
        for line in "".join(code_blocks(page, "sh")).splitlines()
        if line.startswith("inkdigit ")
    )
    assert main(new) == 0
    found = json.loads(Path("claim.form.json").read_text("utf-8"))
    (shown,) = code_blocks(page, "json")
    named = json.loads(shown)
    assert found["pages"] == named["pages"]
    keys = ("box", "kind", "cells", "gap")
    boxes = [[[one.get(k) for k in keys] for one in known["fields"]] for known in (found, named)]
    assert boxes[0] == boxes[1]
    Path("claim.form.json").write_text(shown, "utf-8")
    capsys.readouterr()
    assert main(check) == 5
    assert f"\n```\n{capsys.readouterr().out}```\n" in page.read_text("utf-8")
    assert main(["claims.csv" if flag == "claims.jsonl" else flag for flag in read]) == 5
    rows = list(csv.DictReader(Path("claims.csv").read_text("utf-8").splitlines()))
    told = page.read_text("utf-8").splitlines()
    header, *lines = (cells(line) for line in told if line.startswith(("| source |", "| scans/")))
    assert len(lines) == len(rows)
    for line, row in zip(lines, rows, strict=True):
        known = {name: text for name, text in zip(header, line, strict=True) if name != "…"}
        assert {name: about(text) for name, text in known.items()} == {
            name: about(row[name]) for name in known
        }
