"""Processes that work for this one: started together, asked in order, and ended with it."""

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing.connection import Connection, wait
from typing import Any, TypeVar

from inkdigit.errors import InkdigitError

Task = TypeVar("Task")
Result = TypeVar("Result")


class WorkerPool(ProcessPoolExecutor):
    """So many processes, spawned as they are needed.

    Each calls `prepare(*arguments)` once, before its first task. They leave Ctrl-C to this process,
    and end with it.
    """

    def __init__(self, processes: int, prepare: Callable[..., object], *arguments: Any) -> None:
        context = multiprocessing.get_context("spawn")
        watched, self._held = context.Pipe(duplex=False)
        super().__init__(processes, context, _prepare, (watched, prepare, arguments))

    def end(self) -> None:
        """End the processes at once, also one that waits for a drive that does not answer."""
        self._held.close()
        self.shutdown(cancel_futures=True)


def _prepare(
    watched: Connection, prepare: Callable[..., object], arguments: tuple[Any, ...]
) -> None:
    # Ctrl-C reaches every process of a terminal; the parent says when to stop.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end_with_parent(watched)
    prepare(*arguments)


def ordered_map(
    pool: WorkerPool,
    work: Callable[[Task], Result],
    tasks: Iterable[Task],
    *,
    ahead: int,
    broken: str,
) -> Iterator[Result]:
    """Yield `work(task)` of each task, in order, done by the processes of a pool.

    Lazy: at most `ahead` tasks are taken up beyond the one that is waited for. Raises
    `InkdigitError` with the sentence `broken` where a process comes to an end.
    """
    waiting: deque[Future[Result]] = deque()
    try:
        for task in tasks:
            with ignore_sigint_in_children():
                waiting.append(pool.submit(work, task))
            if len(waiting) > ahead:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    except BrokenProcessPool:
        raise InkdigitError(broken) from None


def cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):  # not on macOS and Windows
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def use_one_core() -> None:
    """Keep OpenCV to one core in this process, for where each core has a process of its own.

    Pictures of a line are small: sharing one among cores costs more than it gains.
    """
    import cv2

    cv2.setNumThreads(1)


def end_with_parent(*also: Connection) -> None:
    """End this process as soon as the one that started it is gone, whatever ended that.

    Or as soon as the other end of one of these pipes is closed.
    """
    threading.Thread(target=_end_with_parent, args=also, daemon=True).start()


def _end_with_parent(*also: Connection) -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel, *also])
        os._exit(1)


@contextmanager
def ignore_sigint_in_children() -> Iterator[None]:
    """Put Ctrl-C off, here until the end and for good in the processes that are started meanwhile.

    Else one that is still importing, or that this one has not told all yet, answers with a
    traceback. The mask is what they inherit; here it is not enough, as other threads have none.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    pressed: list[int] = []
    handler = signal.signal(signal.SIGINT, lambda number, _: pressed.append(number))
    masked = hasattr(signal, "pthread_sigmask")  # not on Windows
    if masked:
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        if masked:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        signal.signal(signal.SIGINT, handler)
        if pressed:
            signal.raise_signal(signal.SIGINT)
