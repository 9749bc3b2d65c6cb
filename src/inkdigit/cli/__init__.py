"""The command line: one verb a file, each a thin door onto a library call.

Results go to stdout, messages to stderr. Exit codes are those of `inkdigit.errors`, 0 for done, 2
for usage and 130 for Ctrl-C. Nothing heavy is imported until a verb runs.
"""

import argparse
import errno
import io
import os
import sys
from collections.abc import Sequence

import inkdigit
from inkdigit.bulk.plain import plain
from inkdigit.cli import bench, compare, evaluate, export, networks, read, serve, train
from inkdigit.errors import INTERRUPTED, InkdigitError, OutputError

# What a place says that takes no more.
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
VERBS = (read, serve, train, evaluate, compare, networks, export, bench)


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    parser = argparse.ArgumentParser(
        prog="inkdigit", description="Handwritten digits: read, train, evaluate, compare, export."
    )
    parser.add_argument("--version", action="version", version=f"inkdigit {inkdigit.__version__}")
    verbs = parser.add_subparsers(title="verbs", metavar="VERB", required=True)
    for verb in VERBS:
        verb.add_parser(verbs)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    options = build_parser().parse_args(arguments)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # File names need not be text; they are shown as well as can be.
            stream.reconfigure(errors="backslashreplace")
    try:
        options.run(options)
        if sys.stdout:  # closed by whoever started us, it is None
            sys.stdout.flush()
    except InkdigitError as error:
        print(f"inkdigit: {plain(str(error))}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("inkdigit: interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has gone; Python must not complain about it again on exit.
        _forget_stdout()
    except OSError as error:
        # What no place that knows more has caught: a folder that may not be entered, a full disk.
        named = f"{error.filename}: " if error.filename else ""
        print(f"inkdigit: {plain(named)}{error.strerror or error}", file=sys.stderr)
        _forget_stdout()
        return OutputError.exit_code if error.errno in _FULL else InkdigitError.exit_code
    return 0


def _forget_stdout() -> None:
    if sys.stdout:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
