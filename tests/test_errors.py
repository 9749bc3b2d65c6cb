import inspect
import pickle
import re

import pytest

from inkdigit import errors
from inkdigit.errors import InkdigitError, MissingExtraError, error_of, escape_controls

KINDS = [
    kind
    for _, kind in inspect.getmembers(errors, inspect.isclass)
    if issubclass(kind, InkdigitError)
]


def test_every_error_has_an_exit_code_of_its_own() -> None:
    codes = [kind.exit_code for kind in KINDS]
    assert sorted(codes) == list(range(1, 12))
    assert errors.INTERRUPTED not in codes


def test_the_tree_in_the_docstring_is_the_tree_in_the_code() -> None:
    rows = re.findall(r"(\w+Error) +(\d+) +(\d+)", errors.__doc__ or "")
    described = {name: (int(code), int(status)) for name, code, status in rows}
    assert described == {kind.__name__: (kind.exit_code, kind.http_status) for kind in KINDS}


def test_http_statuses_are_errors() -> None:
    assert all(400 <= kind.http_status < 600 for kind in KINDS)


def test_a_download_that_failed_is_an_error_of_the_data() -> None:
    assert issubclass(errors.DownloadError, errors.DataError)


def test_a_missing_extra_says_how_to_install_it() -> None:
    with pytest.raises(InkdigitError, match=re.escape("pip install 'inkdigit[learn]'")) as caught:
        raise MissingExtraError("learn", "keras")
    assert "keras" in str(caught.value)


@pytest.mark.parametrize("kind", KINDS)
def test_errors_come_back_from_other_processes(kind: type[InkdigitError]) -> None:
    error = kind("learn", "keras") if kind is MissingExtraError else kind("a sentence")
    back = pickle.loads(pickle.dumps(error))
    assert type(back) is kind
    assert str(back) == str(error)


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_of_another_process_is_of_the_same_kind(kind: type[InkdigitError]) -> None:
    error = error_of(kind.exit_code, "it is broken")
    assert type(error) is kind
    assert str(error) == "it is broken"


def test_a_text_gives_a_terminal_no_commands() -> None:
    assert escape_controls("a\x1b[31m\n\x9bß.png") == r"a\x1b[31m\n\x9bß.png"
