import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from inkdigit.errors import InkdigitError
from inkdigit.processes import WorkerPool, cores, ordered_map

_factors: list[int] = []


def prepare(factor: int) -> None:
    _factors.append(factor)


def slower_when_earlier(number: int) -> int:
    time.sleep(0.02 * (8 - number))
    return _factors[0] * number


def fall_at_3(number: int) -> int:
    if number == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def ignores_ctrl_c(_: int) -> bool:
    return signal.getsignal(signal.SIGINT) is signal.SIG_IGN


def test_results_come_in_order_and_no_more_is_taken_up_than_asked_for() -> None:
    taken: list[int] = []

    def tasks() -> Iterator[int]:
        for number in range(8):
            taken.append(number)
            yield number

    with WorkerPool(2, prepare, 10) as pool:
        found = ordered_map(pool, slower_when_earlier, tasks(), ahead=3, broken="")
        assert next(found) == 0
        assert taken == [0, 1, 2, 3]
        assert list(found) == [10 * number for number in range(1, 8)]


def test_a_process_that_dies_is_the_callers_sentence() -> None:
    with WorkerPool(1, prepare, 1) as pool:
        found = ordered_map(pool, fall_at_3, range(8), ahead=1, broken="a process has gone")
        with pytest.raises(InkdigitError, match=r"^a process has gone$"):
            list(found)


def test_processes_leave_ctrl_c_to_the_one_that_started_them() -> None:
    with WorkerPool(1, prepare, 1) as pool:
        assert list(ordered_map(pool, ignores_ctrl_c, [1], ahead=0, broken="")) == [True]


def wait_for_nothing(_: int) -> None:
    reading, _ = os.pipe()
    os.read(reading, 1)


def test_processes_that_wait_for_ever_end_with_their_pool() -> None:
    pool = WorkerPool(2, prepare, 1)
    tasks = [pool.submit(wait_for_nothing, number) for number in range(8)]
    while not tasks[1].running():
        time.sleep(0.01)
    began = time.monotonic()
    pool.end()
    assert time.monotonic() - began < 10
    assert all(task.done() for task in tasks)


def test_one_core_is_one_core_in_this_process_alone() -> None:
    code = (
        "import cv2; cv2.setNumThreads(2); from inkdigit.processes import use_one_core; "
        "use_one_core(); raise SystemExit(cv2.getNumThreads())"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 1


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="processes are not pinned here")
def test_cores_are_those_that_the_process_may_use() -> None:
    code = (
        "import os; from inkdigit.processes import cores; before = cores(); "
        "print(before == len(os.sched_getaffinity(0))); "
        "os.sched_setaffinity(0, [min(os.sched_getaffinity(0))]); print(cores())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.split() == ["True", "1"]


def test_where_processes_are_not_pinned_cores_are_those_of_the_machine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    assert cores() == os.cpu_count()
