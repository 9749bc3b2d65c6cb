"""`inkdigit serve`: an HTTP service and a page to write on."""

import argparse
import sys
import webbrowser
from dataclasses import fields

from inkdigit.cli.options import Verbs
from inkdigit.errors import MissingExtraError
from inkdigit.serving.settings import Settings, flag_of


def add_parser(verbs: Verbs) -> None:
    """Add the verb to the command line."""
    parser = verbs.add_parser(
        "serve",
        description="Serve a page to write numbers on and an API that reads them. By default only "
        "this machine can reach it: see --host. Each setting can also come from the environment, "
        "INKDIGIT_MAX_BYTES for --max-bytes; a flag wins. INKDIGIT_API_KEYS=ONE,TWO makes the API "
        "ask for one of these keys.",
    )
    # What is not given is absent from the namespace.
    group = parser.add_argument_group("settings", argument_default=argparse.SUPPRESS)
    for known in fields(Settings):
        about = known.metadata
        if "help" in about:
            told = f"{about['help']} (default: {about['default']})"
            group.add_argument(
                flag_of(known.name), type=about["kind"], metavar=about["metavar"], help=told
            )
    parser.add_argument("--open", action="store_true", help="open the page in the browser")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Serve until Ctrl-C or SIGTERM."""
    given = {name: value for name, value in vars(options).items() if name not in {"run", "open"}}
    try:
        from inkdigit.serving.server import serve
    except ModuleNotFoundError as error:
        raise MissingExtraError("serve", str(error.name)) from None

    def announce(address: str) -> None:
        print(f"Inkdigit reads at {address} (Ctrl-C ends it)", file=sys.stderr, flush=True)
        if options.open:
            webbrowser.open(address)

    serve(Settings.from_environment(**given), announce)
