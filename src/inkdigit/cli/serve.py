"""`inkdigit serve`: an HTTP service and a page to write on."""

import argparse
import sys
import webbrowser
from dataclasses import fields

from inkdigit.cli.options import add_flags
from inkdigit.errors import needing
from inkdigit.serving.settings import Settings, flag_of

ABOUT = (
    "Serve a page to write numbers on and an API that reads them. By default only this machine can "
    "reach it: see --host. Each setting can also come from the environment, INKDIGIT_MAX_BYTES for "
    "--max-bytes; a flag wins. INKDIGIT_API_KEYS=ONE,TWO makes the API ask for one of these keys."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add a flag for each setting but the secret; what is not given is absent."""
    group = parser.add_argument_group("settings", argument_default=argparse.SUPPRESS)
    for known in fields(Settings):
        about = known.metadata
        if "help" in about:
            flag = f"{flag_of(known.name)} {about['metavar']}"
            told = f"{about['help']} (default: {about['default']})"
            add_flags(group, {flag: told}, **{known.name: {"type": about["kind"]}})
    add_flags(parser, {"--open": "open the page in the browser"})


def run(options: argparse.Namespace) -> None:
    """Serve until Ctrl-C or SIGTERM."""
    given = {name: value for name, value in vars(options).items() if name not in {"run", "open"}}
    with needing("serve"):
        from inkdigit.serving.server import serve

    def announce(address: str) -> None:
        print(f"Inkdigit reads at {address} (Ctrl-C ends it)", file=sys.stderr, flush=True)
        if options.open:
            webbrowser.open(address)

    serve(Settings.from_environment(**given), announce)
