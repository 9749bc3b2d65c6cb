"""`inkdigit serve`: an HTTP service and a page to write on."""

import argparse
import sys
import webbrowser
from dataclasses import fields
from typing import Any

from inkdigit.cli.options import given
from inkdigit.errors import needing
from inkdigit.serving.settings import Settings, flag_of

# A flag for each setting but the secret.
FLAGS: dict[str, Any] = {
    f"{flag_of(known.name)} {known.metadata['metavar']}": {
        "type": known.metadata["kind"],
        "help": f"{known.metadata['help']} (default: {known.metadata['default']})",
    }
    for known in fields(Settings)
    if "help" in known.metadata
}


def run(options: argparse.Namespace) -> None:
    """Serve until Ctrl-C or SIGTERM."""
    asked = given(options, *vars(options).keys() - {"run", "open"})
    with needing("serve"):
        from inkdigit.serving.server import serve

    def announce(address: str) -> None:
        print(f"Inkdigit reads at {address} (Ctrl-C ends it)", file=sys.stderr, flush=True)
        if options.open:
            webbrowser.open(address)

    serve(Settings.from_environment(**asked), announce)
