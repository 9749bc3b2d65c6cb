"""`inkdigit serve`: an HTTP service and a page to write on."""

import argparse
import sys
import webbrowser
from pathlib import Path

from inkdigit.cli.options import Verbs
from inkdigit.errors import MissingExtraError


def add_parser(verbs: Verbs) -> None:
    """Add the verb to the command line."""
    parser = verbs.add_parser(
        "serve",
        description="Serve a page to write numbers on and an API that reads them, to this machine "
        "alone unless --host says otherwise. Each flag may be set as INKDIGIT_… instead, "
        "INKDIGIT_MAX_BYTES for --max-bytes; INKDIGIT_API_KEYS asks for one of these keys.",
    )
    _add_flags(parser)
    parser.add_argument("--open", action="store_true", help="open the page in the browser")
    parser.set_defaults(run=run)


def _add_flags(parser: argparse.ArgumentParser) -> None:
    """Add what goes to the settings; what is not given is absent from the namespace."""
    group = parser.add_argument_group("settings", argument_default=argparse.SUPPRESS)
    for flag, kind, metavar, what in (
        ("host", str, "HOST", "the address to listen at (default: 127.0.0.1)"),
        ("port", int, "N", "the port; 0 takes a free one (default: 8000)"),
        ("model", Path, "FILE", "default: the models inside"),
        ("workers", int, "N", "processes (default: 1)"),
        ("threads", int, "N", "threads of each process that read (default: 1)"),
        ("batch", int, "N", "pictures that are read together at most (default: 16)"),
        ("queue", int, "N", "files of each process that may wait; 503 beyond (default: 64)"),
        ("max-bytes", int, "N", "the largest request (default: 20,000,000)"),
        ("max-pixels", int, "N", "the largest picture (default: 64,000,000)"),
        ("max-pages", int, "N", "the longest document (default: 50)"),
        ("max-files", int, "N", "the most files of a batch (default: 32)"),
        ("timeout", float, "SECONDS", "for a body to arrive, and to be read (default: 30)"),
        ("cors-origins", str, "LIST", "pages of other origins that may ask (default: none)"),
    ):
        group.add_argument(f"--{flag}", type=kind, metavar=metavar, help=what)


def run(options: argparse.Namespace) -> None:
    """Serve until Ctrl-C or SIGTERM."""
    given = {name: value for name, value in vars(options).items() if name not in {"run", "open"}}
    try:
        from inkdigit.serving.server import serve
        from inkdigit.serving.settings import Settings
    except ModuleNotFoundError as error:
        raise MissingExtraError("serve", str(error.name)) from None

    def announce(address: str) -> None:
        print(f"Inkdigit reads at {address} (Ctrl-C ends it)", file=sys.stderr, flush=True)
        if options.open:
            webbrowser.open(address)

    serve(Settings.of(**given), announce)
