"""`inkdigit train --watch` from Python."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from inkdigit.bulk.progress import say
from inkdigit.errors import needing

if TYPE_CHECKING:
    from inkdigit.watching.watch import Watch


@contextmanager
def watching(
    tell: Callable[[str], None] = say, *, port: int = 0, open: bool = False
) -> Iterator["Watch"]:
    """Serve a page that shows networks learning, while the block runs.

    `tell` is called with the page's address, which is a secret, and with what trainings say. The
    port is a free one of this machine by default; `open` opens the page in the browser.

    >>> from inkdigit import learning
    >>> from inkdigit.watching import watching
    >>> with watching(tell=lambda _: None) as watch:
    ...     run = learning.train("sample", network="lenet5", epochs=1, out="watched", watch=watch)
    >>> run.finished
    True

    `watch.experiments()`, as the last line of the block, goes on with what the page asks for, until
    Ctrl-C or until the notebook's cell is stopped.
    """
    with needing("serve"):
        from inkdigit.serving.local import served_beside
        from inkdigit.watching.app import PAGE, create_api
    from inkdigit.watching.watch import Watch

    watch = Watch(tell)
    with served_beside(create_api(watch), PAGE, tell, port=port, open=open):
        try:
            yield watch
        finally:
            watch.told["ended"] = True
