"""`inkdigit export`: the model file of a run, where training could not write it."""

import argparse
from pathlib import Path

from inkdigit import learning
from inkdigit.cli.options import Verbs, add_data_dir_flag, add_quiet_flag, load_data, needing_learn
from inkdigit.errors import SettingError


def add_parser(verbs: Verbs) -> None:
    """Add the verb to the command line."""
    parser = verbs.add_parser(
        "export",
        description="Write the model file of a finished run: ONNX, with what it says of itself.",
    )
    parser.add_argument(
        "runs", nargs="+", type=Path, metavar="RUN", help="a finished run; several with --mean"
    )
    parser.add_argument(
        "-o",
        "--out",
        type=Path,
        metavar="FILE",
        help="the file to write (default: RUN/model.onnx; needed with --fallback and --mean)",
    )
    parser.add_argument(
        "--eight-bits",
        action="store_true",
        help="write a digit network in eight bits, which reads batches faster",
    )
    parser.add_argument(
        "--mean",
        action="store_true",
        help="write one model, .keras or .onnx, whose answer is the mean of those of several runs",
    )
    parser.add_argument(
        "--fallback",
        type=Path,
        metavar="RUN",
        help="`line` only: a second run, consulted when the first is unsure; both go into one "
        "file, calibrated together",
    )
    add_data_dir_flag(parser)
    add_quiet_flag(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Export, and print where the file is."""
    if options.mean:
        _export_mean(options)
        return
    if len(options.runs) > 1:
        raise SettingError("several runs make one model only with --mean")
    if options.fallback is None and options.data_dir:
        raise SettingError("--data-dir goes with --fallback and --mean")
    with needing_learn():
        found = learning.Run.open(options.runs[0])
        data = load_data(options, found.data) if options.fallback else None
        print(
            learning.export(
                found,
                options.out,
                eight_bits=options.eight_bits,
                fallback=options.fallback,
                data=data,
            )
        )


def _export_mean(options: argparse.Namespace) -> None:
    if options.out is None or options.fallback:
        raise SettingError("--mean makes a file of several runs: say where it goes (--out) alone")
    with needing_learn():
        runs = [learning.Run.open(folder) for folder in options.runs]
        data = load_data(options, runs[0].data) if options.out.suffix == ".onnx" else None
        print(learning.export_mean(runs, options.out, eight_bits=options.eight_bits, data=data))
