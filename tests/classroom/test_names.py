from pathlib import Path

import pytest

from inkdigit.classroom.names import as_name, key_of, read_names
from inkdigit.errors import SettingError


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("Anna", "Anna"),
        ("  Anna   Maria ", "Anna Maria"),
        ("Anna M.", "Anna M"),
        ("Zoe\u0308", "Zoë"),
        ("O'Neill-Łu", "O'Neill-Łu"),
        ("हिन्दी", "हिन्दी"),
        ("李", "李"),
        ("Ben 2", "Ben 2"),
    ],
)
def test_names_as_folders_are_called(given: str, name: str) -> None:
    assert as_name(given) == name
    assert as_name(name) == name


@pytest.mark.parametrize("given", ["a/b", "../x", "a\\b", "a:b", "Anna, Berg", "Anna;Berg", "a\tb"])
def test_a_name_with_a_slash_or_a_separator_is_refused(given: str) -> None:
    with pytest.raises(SettingError, match="a name holds no"):
        as_name(given)


@pytest.mark.parametrize(
    "given", ["", " ", ".", "7", "-", ".anna", "_x", "__apart", "a" * 41, "a\u202eb"]
)
def test_what_can_be_no_folder_is_refused(given: str) -> None:
    with pytest.raises(SettingError, match="a name has a letter"):
        as_name(given)


@pytest.mark.parametrize("given", ["con", "LPT1", "Aux.b"])
def test_what_windows_keeps_for_itself_is_refused(given: str) -> None:
    with pytest.raises(SettingError, match=f"Windows has no folder called {given}: add a letter"):
        as_name(given)


def test_names_that_differ_by_capitals_are_one_folder() -> None:
    assert key_of("ANNA") == key_of("anna")
    assert key_of("Zoe\u0308") == key_of("zoë")


def test_a_list_of_names(tmp_path: Path) -> None:
    path = tmp_path / "7b.csv"
    path.write_text('\ufeffName\r\nAnna\r\n\r\n"Zoë Maria"\r\n', "utf-8")
    assert read_names(path) == ["Anna", "Zoë Maria"]
    path.write_text("Zoe\u0308\nBen Ö.\n", "utf-8")
    told = list[str]()
    assert read_names(path, told.append) == ["Zoë", "Ben Ö"]
    assert told == [f"{path}, line 2: 'Ben Ö.' becomes 'Ben Ö'"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "holds no names: write one a line"),
        (b"name\n", "holds no names"),
        (b"Anna\nben\nANNA\n", "holds Anna twice, in lines 1 and 3: add a letter of the surname"),
        (b"Zo\n\nAnna,Berg\n", "7b.csv, line 3: a name holds no ','"),
        (b"Zo\xeb\n", "is no text in UTF-8: save it as CSV UTF-8"),
    ],
)
def test_lists_that_are_none(content: bytes, said: str, tmp_path: Path) -> None:
    path = tmp_path / "7b.csv"
    path.write_bytes(content)
    with pytest.raises(SettingError, match=said) as caught:
        read_names(path)
    assert "\n" not in str(caught.value)
    with pytest.raises(SettingError, match="cannot be read"):
        read_names(tmp_path / "none.csv")
