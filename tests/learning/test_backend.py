import os
import subprocess
import sys

import pytest

from inkdigit.learning import backend
from inkdigit.learning.backend import computing_in, keras, quicker_of, quietly
from inkdigit.learning.recipes import BFLOAT16


def test_what_native_code_writes_is_kept_back(capfd: pytest.CaptureFixture[str]) -> None:
    with quietly():
        os.write(2, b"a wall of logs")
    os.write(2, b"a message")
    assert capfd.readouterr().err == "a message"


def test_it_is_shown_if_the_block_fails(capfd: pytest.CaptureFixture[str]) -> None:
    @quietly()
    def fail() -> None:
        os.write(2, b"why it failed")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert capfd.readouterr().err == "why it failed"


def test_layers_compute_as_the_block_says_and_no_others() -> None:
    def precision() -> str:
        return str(keras.layers.Dense(1).compute_dtype)

    def fail() -> None:
        with computing_in(BFLOAT16):
            assert precision() == "bfloat16"
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert precision() == "float32"


@pytest.mark.parametrize(("seconds", "taken"), [(0.5, BFLOAT16), (10.0, "float32")])
def test_a_precision_is_taken_unless_it_is_much_slower_here(
    seconds: float, taken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    times = {BFLOAT16: seconds, "float32": 1.0}
    monkeypatch.setattr(backend, "_seconds_to_learn", times.__getitem__)
    assert quicker_of(BFLOAT16) == taken
    assert quicker_of("float32") == "float32"


def test_what_a_precision_takes_is_measured() -> None:
    assert 0 < backend._seconds_to_learn("float32") < 1
    assert quicker_of(BFLOAT16) in {BFLOAT16, "float32"}


@pytest.mark.parametrize(
    ("backend", "sentence"),
    [
        ("nonsense", "Keras does not start"),
        ("torch", "KERAS_BACKEND is torch, which is not installed"),
    ],
)
def test_a_backend_that_is_not_there_is_one_sentence(backend: str, sentence: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "inkdigit", "networks"],
        env={**os.environ, "KERAS_BACKEND": backend},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith(f"inkdigit: {sentence}")
    assert "Traceback" not in done.stderr
