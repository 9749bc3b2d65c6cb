"""The command line: one verb a file, each a thin door onto a library call.

Results go to stdout, messages to stderr. Exit codes are those of `inkdigit.errors`, 0 for done, 2
for usage and 130 for Ctrl-C. Nothing heavy is imported until a verb runs.
"""

import argparse
import os
import sys
from collections.abc import Sequence

import inkdigit
from inkdigit.cli import compare, evaluate, export, networks, train
from inkdigit.errors import INTERRUPTED, InkdigitError

VERBS = (train, evaluate, compare, networks, export)


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    parser = argparse.ArgumentParser(
        prog="inkdigit", description="Handwritten digits: train, evaluate, compare, export."
    )
    parser.add_argument("--version", action="version", version=f"inkdigit {inkdigit.__version__}")
    verbs = parser.add_subparsers(title="verbs", metavar="VERB", required=True)
    for verb in VERBS:
        verb.add_parser(verbs)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    options = build_parser().parse_args(arguments)
    try:
        options.run(options)
        sys.stdout.flush()
    except InkdigitError as error:
        print(f"inkdigit: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("inkdigit: interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has gone; Python must not complain about it again on exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0
