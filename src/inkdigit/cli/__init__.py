"""The command line: one verb a file, each a thin door onto a library call.

Results go to stdout, messages to stderr. Exit codes are those of `inkdigit.errors`, 0 for done, 2
for usage and 130 for Ctrl-C. Nothing heavy is imported until a verb runs.
"""

import argparse
import errno
import io
import os
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
from importlib import import_module
from typing import NoReturn

import inkdigit
from inkdigit.cli.flags import VERBS, add_flags
from inkdigit.cli.parser import Parser, VerbParser, worded
from inkdigit.errors import INTERRUPTED, InkdigitError, OutputError, escape_controls, needing

# What a place says that takes no more.
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def build_parser(asked: Iterable[str] = VERBS) -> argparse.ArgumentParser:
    """Return the parser of the whole command line, with the flags of the verbs that are asked."""
    parser = Parser(
        prog="inkdigit", description="Handwritten digits: read, train, evaluate, compare, export."
    )
    parser.add_argument("--version", action="version", version=f"inkdigit {inkdigit.__version__}")
    verbs = parser.add_subparsers(
        title="verbs", metavar="VERB", required=True, parser_class=VerbParser
    )
    for name, known in VERBS.items():
        if name in asked:
            verb = import_module(f"{__name__}.{name}")
            flags = verbs.add_parser(name, description=known["about"])
            add_flags(flags, name, getattr(verb, "FLAGS", {}))
            flags.set_defaults(run=verb.run)
        else:
            verbs.add_parser(name, help=known["does"])
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    arguments = sys.argv[1:] if arguments is None else arguments
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # File names need not be text; they are shown as well as can be.
            stream.reconfigure(errors="backslashreplace")
    options = build_parser(arguments[:1]).parse_args(arguments)
    try:
        # What is missing is learning's: the other verbs say themselves what they need.
        with needing("learn"):
            options.run(options)
        if sys.stdout:  # closed by whoever started us, it is None
            sys.stdout.flush()
    except InkdigitError as error:
        _tell_notes(options, error)
        print(f"inkdigit: {escape_controls(worded(str(error)))}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt as error:
        _tell_notes(options, error)
        print("inkdigit: interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has gone; Python must not complain about it again on exit.
        _forget_stdout()
    except OSError as error:
        # What no place that knows more has caught: a folder that may not be entered, a full disk.
        named = f"{error.filename}: " if error.filename else ""
        print(f"inkdigit: {escape_controls(named)}{error.strerror or error}", file=sys.stderr)
        _forget_stdout()
        return OutputError.exit_code if error.errno in _FULL else InkdigitError.exit_code
    return 0


def program() -> NoReturn:
    """Be the program: `main`, which Ctrl-C ends at once, also where a thread waits for a drive."""
    code = main()
    if code == INTERRUPTED:
        with suppress(OSError, AttributeError):
            sys.stdout.flush()
        os._exit(code)
    sys.exit(code)


def _tell_notes(options: argparse.Namespace, error: BaseException) -> None:
    """Say what stands beside an error, as what was done before it."""
    for note in getattr(error, "__notes__", ()) if not getattr(options, "quiet", False) else ():
        print(escape_controls(note), file=sys.stderr)


def _forget_stdout() -> None:
    if sys.stdout:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
