"""A network that is watched while it learns: `inkdigit train --watch`.

watch       what the page is told, and what it can ask for, as a callback of the training
api         the page served while a block trains, and the experiments afterwards
app, page/  all that over HTTP, with the middleware and style of the service
"""

from inkdigit.watching.api import watching

__all__ = ["watching"]
