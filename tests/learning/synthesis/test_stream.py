import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from inkdigit.errors import DataError
from inkdigit.learning.datasets import Digits
from inkdigit.learning.synthesis.stream import Generator, SampleStream, batches, vary
from inkdigit.reading.alphabet import LINE_ALPHABET

SCRIPT = """
import sys
import numpy as np
from inkdigit.learning.datasets import Digits
from inkdigit.learning.synthesis.stream import Generator, SampleStream

if __name__ == "__main__":
    images = np.zeros((10, 28, 28), np.uint8)
    images[:, 4:24, 12:16] = 255
    try:
        with SampleStream(Generator(Digits(images, np.arange(10)), None), 0, processes=2) as supply:
            print("begun", flush=True)
            for block in supply.blocks(0, 100_000, 64):
                print("block", flush=True)
    except KeyboardInterrupt:
        sys.exit(130)
"""


def test_other_processes_draw_what_this_one_would(digits: Digits, fonts: Path) -> None:
    drawing = Generator(digits, fonts)
    draw = drawing.begin()
    with SampleStream(drawing, 5, processes=2) as supply:
        blocks = list(supply.blocks(3, 6, size=4))
    assert [len(block) for block in blocks] == [4, 4, 4]
    for block, number in zip(blocks, (3, 4, 5), strict=True):
        for i, (pixels, text) in enumerate(block):
            expected, label = draw([5, number, i])
            assert text == label
            assert np.array_equal(pixels, expected)
            assert set(text) <= set(LINE_ALPHABET)


def test_what_goes_wrong_in_another_process_is_told(digits: Digits, tmp_path: Path) -> None:
    for name in ("a.ttf", "b.ttf"):
        (tmp_path / name).write_bytes(b"no font")
    with (
        pytest.raises(DataError, match="is no font that can be used"),
        SampleStream(Generator(digits, tmp_path), 0, processes=1) as supply,
    ):
        list(supply.blocks(0, 1, size=64))


def start(script: Path) -> subprocess.Popen[str]:
    script.write_text(SCRIPT)
    return subprocess.Popen(
        [sys.executable, str(script)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def wait_until_all_have_ended(group: int) -> None:
    deadline = time.monotonic() + 180
    while time.monotonic() < deadline:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return
        time.sleep(0.05)
    os.killpg(group, signal.SIGKILL)
    pytest.fail("a process stayed behind")


@pytest.mark.slow
@pytest.mark.parametrize("line", ["begun", "block"])
def test_ctrl_c_ends_every_process_without_a_word(tmp_path: Path, line: str) -> None:
    process = start(tmp_path / "script.py")
    assert process.stdout is not None
    while process.stdout.readline().strip() != line:
        assert process.poll() is None
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does
    _, messages = process.communicate(timeout=180)
    assert (process.returncode, messages) == (130, "")
    wait_until_all_have_ended(process.pid)


@pytest.mark.slow
def test_no_process_outlives_one_that_is_killed(tmp_path: Path) -> None:
    process = start(tmp_path / "script.py")
    assert process.stdout is not None
    while process.stdout.readline().strip() != "block":
        assert process.poll() is None
    process.kill()
    process.communicate(timeout=180)
    wait_until_all_have_ended(process.pid)


def test_batches_hold_every_line_once_by_width() -> None:
    rng = np.random.default_rng(0)
    lines = [(np.zeros((32, width), np.uint8), str(width)) for width in rng.permutation(50) + 1]
    for order in (None, np.random.default_rng(1)):
        found = list(batches(lines, 8, order))
        assert sorted(int(text) for batch in found for _, text in batch) == list(range(1, 51))
        assert [len(batch) for batch in found if len(batch) != 8] == [2]
        for batch in found:
            widths = [int(text) for _, text in batch]
            assert max(widths) - min(widths) < 8
    assert [batch[0][1] for batch in batches(lines, 8)][:2] == ["1", "9"]


def test_lines_are_varied() -> None:
    rng = np.random.default_rng(0)
    widths = {vary(np.full((32, 100), 128, np.uint8), rng).shape for _ in range(20)}
    assert {height for height, _ in widths} == {32}
    assert len(widths) > 10
