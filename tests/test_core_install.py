"""`pip install .` alone: small, quick, and honest about what it lacks."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.install
ROOT = Path(__file__).parents[1]
HEAVY = (
    "keras",
    "tensorflow",
    "jax",
    "matplotlib",
    "seaborn",
    "scipy",
    "sklearn",
    "pandas",
    "onnx",
)


@pytest.fixture(scope="module")
def core(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The binaries of an environment that holds Inkdigit's core and nothing else."""
    folder = tmp_path_factory.mktemp("core")
    source = folder / "source"
    source.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE", "NOTICE"):
        shutil.copy(ROOT / name, source)
    shutil.copytree(ROOT / "src", source / "src")
    subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
    pip = [folder / "venv/bin/pip", "install", "--quiet", "--constraint"]
    subprocess.run([*pip, ROOT / "requirements-pins.txt", source], check=True, capture_output=True)
    return Path(folder, "venv", "bin")


def run(core: Path, *command: str) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    return subprocess.run(
        [core / command[0], *command[1:]], capture_output=True, text=True, env=environment
    )


def test_nothing_heavy_is_installed(core: Path) -> None:
    listed = run(core, "pip", "list", "--format=json").stdout
    installed = {package["name"].lower() for package in json.loads(listed)}
    assert "inkdigit" in installed
    assert not installed & set(HEAVY)


def test_import_and_help_load_nothing_heavy(core: Path) -> None:
    code = "import sys, inkdigit, inkdigit.cli, inkdigit.reading; print(*sys.modules)"
    done = run(core, "python", "-c", code)
    assert done.returncode == 0, done.stderr
    assert not {name.split(".")[0] for name in done.stdout.split()} & set(HEAVY)


@pytest.mark.parametrize(
    "arguments",
    [
        ["train"],
        ["train", "--data", "sample"],
        ["train", "--resume", "x"],
        ["evaluate", "x.keras"],
        ["compare"],
        ["networks"],
        ["export", "x"],
    ],
)
def test_a_verb_that_needs_more_prints_the_exact_line(core: Path, arguments: list[str]) -> None:
    done = run(core, "inkdigit", *arguments)
    assert done.returncode == 9, done.stderr
    assert done.stderr.endswith("run  pip install 'inkdigit[learn]'\n")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "extra"),
    [
        (["serve"], "serve"),
        (["form", "edit", "x.form.json"], "serve"),
        (["read", "x.png", "--check", "luhn"], "check"),
    ],
)
def test_what_else_is_missing_prints_the_exact_line(
    core: Path, arguments: list[str], extra: str
) -> None:
    done = run(core, "inkdigit", *arguments)
    assert done.returncode == 9, done.stderr
    assert re.fullmatch(
        rf"inkdigit: this needs \S+: run  pip install 'inkdigit\[{extra}\]'\n", done.stderr
    )


def loaded(core: Path, code: str) -> set[str]:
    """The modules that `code` loads, besides those of a bare Python."""
    before = "import sys; before = set(sys.modules)"
    after = "print(*set(sys.modules) - before, file=sys.stderr)"
    done = run(core, "python", "-c", f"{before}\n{code}\n{after}")
    assert done.returncode == 0, done.stderr
    return set(done.stderr.split())


def test_help_starts_in_a_blink(core: Path) -> None:
    """It loads little, and nothing that takes long: the clock would also tell how busy we are."""
    asked = "import inkdigit.cli\ntry: inkdigit.cli.main(['--help'])\nexcept SystemExit: pass"
    for code, most in (("import inkdigit", 60), (asked, 200)):
        modules = loaded(core, code)
        assert len(modules) <= most
        assert {name.split(".")[0] for name in modules} <= sys.stdlib_module_names | {"inkdigit"}
