"""`inkdigit form edit` from Python."""

from collections.abc import Callable
from pathlib import Path

from inkdigit.bulk.progress import say
from inkdigit.editor.file import TemplateFile
from inkdigit.errors import needing


def edit(
    path: str | Path, *, port: int = 0, open: bool = False, tell: Callable[[str], None] = say
) -> None:
    """Serve the page on which the fields of a form are drawn, until Ctrl-C.

    Its port is a free one by default; `open` opens it in the browser. `tell` is called with its
    address, which is a secret, in a sentence; else that is printed. Raises `SettingError` for what
    is no template, or has no blank.
    """
    with needing("serve"):
        from inkdigit.editor.app import PAGE, create_api
        from inkdigit.serving.local import serve_locally

    serve_locally(create_api(TemplateFile(Path(path))), PAGE, tell, port=port, open=open)
