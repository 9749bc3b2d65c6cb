import re
from pathlib import Path

import pytest

from inkdigit.cli import build_parser, main
from inkdigit.errors import SettingError
from inkdigit.images import MAX_PIXELS
from inkdigit.serving.settings import Settings


def test_flags_come_before_the_environment_and_that_before_defaults(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("INKDIGIT_PORT", "81")
    monkeypatch.setenv("INKDIGIT_HOST", "::1")
    monkeypatch.setenv("INKDIGIT_MODEL", "mine.onnx")
    settings = Settings.of(port=82)
    assert (settings.port, settings.host, settings.model) == (82, "::1", Path("mine.onnx"))
    assert settings.max_pixels == MAX_PIXELS
    assert settings.host != "0.0.0.0"


def test_lists_are_written_with_commas_and_keys_are_not_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("INKDIGIT_API_KEYS", "one, two,")
    monkeypatch.setenv("INKDIGIT_CORS_ORIGINS", "http://a.example")
    settings = Settings.of()
    assert [key.get_secret_value() for key in settings.api_keys] == ["one", "two"]
    assert settings.cors_origins == ("http://a.example",)
    assert "two" not in repr(settings)


@pytest.mark.parametrize("keys", ["", ",", " , "])
def test_keys_that_are_set_and_none_are_refused(
    keys: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("INKDIGIT_API_KEYS", keys)
    assert main(["serve", "--host", "999.1.1.1"]) == 2
    told = capsys.readouterr().err
    assert "INKDIGIT_API_KEYS: it is set and holds no key" in told
    assert len(told.splitlines()) == 1


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        ({"port": 70_000}, "--port: input should be less than or equal to 65535, received 70000"),
        ({"max_bytes": 0}, "--max-bytes: input should be greater than or equal to 1, received 0"),
        ({"timeout": -1.0}, "--timeout: input should be greater than 0, received -1.0"),
        ({"queue": 8}, "a queue of 8 has no room for the 32 files of one batch"),
        ({"colour": "red"}, "--colour: extra inputs are not permitted"),
    ],
)
def test_what_makes_no_sense_is_one_sentence(flags: dict[str, object], sentence: str) -> None:
    with pytest.raises(SettingError) as caught:
        Settings.of(**flags)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_wrong_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INKDIGIT_QUEUE", "many")
    with pytest.raises(SettingError, match=r"^INKDIGIT_QUEUE: .*received 'many'"):
        Settings.of()


def test_every_setting_but_the_secret_has_a_flag_that_tells_its_default(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        build_parser().parse_args(["serve", "--help"])
    shown = " ".join(capsys.readouterr().out.split()).partition("settings:")[2]
    told = dict(re.findall(r"--([a-z-]+) [A-Z]+ (.*?)(?= --|$)", shown))
    for name, field in Settings.model_fields.items():
        if name == "api_keys":
            continue
        plain = name in {"port", "host"} or not isinstance(field.default, int)
        default = field.default if plain else f"{field.default:,}"
        assert str(default or "") in told[name.replace("_", "-")]
    assert "timeout" in told
