import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from inkdigit.errors import SettingError
from inkdigit.images import MAX_PIXELS
from inkdigit.serving.settings import Settings, flag_of

DOCUMENT = Path(__file__).parents[2] / "docs" / "command-line.md"


def test_flags_come_before_the_environment_and_that_before_defaults(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("INKDIGIT_PORT", "81")
    monkeypatch.setenv("INKDIGIT_HOST", "::1")
    monkeypatch.setenv("INKDIGIT_MODEL", "mine.onnx")
    settings = Settings.from_environment(port=82)
    assert (settings.port, settings.host, settings.model) == (82, "::1", Path("mine.onnx"))
    assert settings.max_pixels == MAX_PIXELS
    assert settings.host != "0.0.0.0"


def test_lists_are_written_with_commas_and_keys_are_not_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("INKDIGIT_API_KEYS", "one, two,")
    monkeypatch.setenv("INKDIGIT_CORS_ORIGINS", "http://a.example")
    settings = Settings.from_environment()
    assert settings.api_keys == ("one", "two")
    assert settings.cors_origins == ("http://a.example",)
    assert "two" not in repr(settings)


@pytest.mark.parametrize("keys", ["", ",", " , "])
def test_keys_that_are_set_and_none_are_refused(keys: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INKDIGIT_API_KEYS", keys)
    with pytest.raises(SettingError, match=r"^INKDIGIT_API_KEYS is set and holds no key"):
        Settings.from_environment()


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        ({"port": 70_000}, "--port (INKDIGIT_PORT) must be between 0 and 65,535, received 70000"),
        ({"max_bytes": 0}, "--max-bytes (INKDIGIT_MAX_BYTES) must be at least 1, received 0"),
        ({"timeout": -1.0}, "must be between 0.1 and 3,600, received -1.0"),
        ({"timeout": float("nan")}, "must be between 0.1 and 3,600, received nan"),
        ({"queue": 8}, "a queue of 8 has no room for the 32 files of one batch"),
        ({"host": ""}, "--host (INKDIGIT_HOST) is empty"),
    ],
)
def test_what_makes_no_sense_is_one_sentence(flags: dict[str, object], sentence: str) -> None:
    with pytest.raises(SettingError) as caught:
        Settings.from_environment(**flags)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("QUEUE", "many", r"^INKDIGIT_QUEUE must be a number, received 'many'$"),
        ("PORT", "", r"^INKDIGIT_PORT must be a number, received ''$"),
        ("TIMEOUT", "1 s", r"^INKDIGIT_TIMEOUT must be a number"),
        ("HOST", "", r"^--host \(INKDIGIT_HOST\) is empty"),
        ("WORKERS", "0", r"^--workers \(INKDIGIT_WORKERS\) must be between 1 and 256, received 0$"),
    ],
)
def test_a_wrong_variable_is_named(
    name: str, value: str, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"INKDIGIT_{name}", value)
    with pytest.raises(SettingError, match=sentence):
        Settings.from_environment()


@pytest.mark.parametrize(
    ("written", "origin"),
    [
        ("https://A.example/", "https://a.example"),
        ("HTTPS://a.example:443", "https://a.example"),
        ("http://a.example:80/", "http://a.example"),
        ("http://a.example:8080", "http://a.example:8080"),
        ("http://[::1]:3000", "http://[::1]:3000"),
        ("http://[0:0:0:0:0:0:0:1]:0080", "http://[::1]"),
        ("http://[::ffff:1.2.3.4]", "http://[::ffff:102:304]"),
        ("http://[::FFFF:0102:0304]:3000", "http://[::ffff:102:304]:3000"),
        ("http://[::ffff:0.0.0.0]", "http://[::ffff:0:0]"),
        ("http://a.example:65535", "http://a.example:65535"),
        ("https://bücher.example", "https://xn--bcher-kva.example"),
        ("capacitor://localhost", "capacitor://localhost"),
        ("*", "*"),
        ("null", "null"),
    ],
)
def test_origins_are_written_as_browsers_send_them(written: str, origin: str) -> None:
    assert Settings(cors_origins=(written,)).cors_origins == (origin,)


@pytest.mark.parametrize(
    "written",
    ["a.example", "x;y", "https://", "https://a.example/page", "https://a b", "https://me@a.example",
     "ftp://a.example", "file://a", "ws://a.example",
     "https://a.example?x", "https://a.example:port", "https://*.example", "//a.example",
     "https://a.example:99999", "https://a.example:65536", "https://a.example:٨٠٨٠",
     "http://[:::]", "http://[1.2.3.4]", "http://[12345::]"],
)  # fmt: skip
def test_what_can_be_no_origin_is_refused(written: str) -> None:
    with pytest.raises(
        SettingError, match=r"^--cors-origins \(INKDIGIT_CORS_ORIGINS\) takes"
    ) as it:
        Settings(cors_origins=(written,))
    assert repr(written) in str(it.value)


def test_a_list_of_nothing_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INKDIGIT_CORS_ORIGINS", " , ")
    with pytest.raises(SettingError, match="the list of origins holds none: ' , '"):
        Settings.from_environment()
    monkeypatch.setenv("INKDIGIT_CORS_ORIGINS", "*, https://a.example")
    with pytest.raises(SettingError, match=r"\* takes every origin: name it alone"):
        Settings.from_environment()


def test_what_kubernetes_sets_is_not_ours(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("INKDIGIT_PORT", "tcp://10.0.0.1:8000")
    monkeypatch.setenv("INKDIGIT_SERVICE_HOST", "10.0.0.1")
    monkeypatch.setenv("INKDIGIT_PORT_8000_TCP_ADDR", "10.0.0.1")
    assert Settings.from_environment().port == 8000
    (said,) = caplog.messages
    assert "INKDIGIT_PORT=tcp://10.0.0.1:8000" in said


@pytest.mark.parametrize("path", ["", "/digits", "/a/b-1/", "/~me"])
def test_a_path_prefix_needs_no_slash_at_its_end(path: str) -> None:
    assert Settings(root_path=path).root_path == path.rstrip("/")


@pytest.mark.parametrize(
    "path",
    [
        "digits",
        "//evil.example",
        "/a b",
        "/a\r\nX: y",
        "http://a",
        "/ü",
        "/a/../b",
        "/.",
        "/..",
        "/" + 300 * "a",
    ],
)
def test_what_is_no_path_prefix_is_refused(path: str) -> None:
    with pytest.raises(SettingError, match="is a path such as /digits"):
        Settings(root_path=path)


def test_the_table_of_the_documents_is_that_of_the_fields() -> None:
    section = DOCUMENT.read_text("utf-8").partition("## `inkdigit serve`")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `(--[a-z-]+)` \| (.*) \| (.*) \|$", section, re.M)
    expected = [
        (flag_of(known.name), known.metadata["help"], known.metadata["default"])
        for known in fields(Settings)
        if "help" in known.metadata
    ]
    assert rows == expected


def test_the_command_line_reads_them_without_the_extra() -> None:
    code = "import sys, inkdigit.serving.settings; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True
    )
    modules = {name.partition(".")[0] for name in done.stdout.split()}
    assert not modules & {"pydantic", "fastapi", "starlette", "uvicorn", "numpy"}
