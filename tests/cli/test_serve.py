import socket
from dataclasses import fields

import pytest

from inkdigit.cli import build_parser, main
from inkdigit.serving.settings import Settings, flag_of


def test_every_setting_but_the_secret_has_a_flag_that_tells_its_default(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    with pytest.raises(SystemExit):
        build_parser().parse_args(["serve", "--help"])
    shown = " ".join(capsys.readouterr().out.split())
    for known in fields(Settings):
        flag, about = flag_of(known.name), known.metadata
        if known.name == "api_keys":
            assert flag not in shown
        else:
            told = f"{flag} {about['metavar']} {about['help']} (default: {about['default']})"
            assert told in shown


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["--port", "99999"], 2, "--port (INKDIGIT_PORT) must be between 0 and 65,535"),
        (["--host", "999.1.1.1"], 2, "999.1.1.1 cannot be listened at on port 8000"),
        (["--queue", "3"], 2, "no room for the 32 files of one batch"),
        (["--model", "nothing.onnx"], 6, "nothing.onnx"),
        (["--model", __file__], 6, "test_serve.py"),
    ],
)
def test_what_cannot_be_served_is_one_sentence(
    arguments: list[str], code: int, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["serve", *arguments]) == code
    printed = capsys.readouterr()
    assert printed.out == ""
    assert len(printed.err.splitlines()) == 1
    assert sentence in printed.err


def test_a_port_that_is_taken_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert main(["serve", "--port", str(taken.getsockname()[1])]) == 2
    assert "Address already in use: choose another --host or --port" in capsys.readouterr().err
