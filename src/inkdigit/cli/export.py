"""`inkdigit export`: the model file of a run, where training could not write it."""

import argparse
from functools import partial
from pathlib import Path

from inkdigit.cli.options import Verbs, add_quiet_flag, load_data, needing_learn
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
        help="where to (default: RUN/model.onnx; needed with --second and --mean)",
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
        "--second",
        type=Path,
        metavar="RUN",
        help="of line: another run of it, which is asked where this one is in doubt; both go into "
        "one file, calibrated together",
    )
    parser.add_argument(
        "--data-dir",
        metavar="DIR",
        type=Path,
        help="with --second or --mean, where MNIST's four files lie, ahead of INKDIGIT_DATA and "
        "the cache",
    )
    add_quiet_flag(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Export, and print where the file is."""
    with needing_learn():
        from inkdigit.learning.models.export import export
        from inkdigit.learning.models.run import Run
        from inkdigit.learning.readers.train import export_with_fallback

    if options.mean:
        _export_mean(options)
        return
    if len(options.runs) > 1:
        raise SettingError("several runs make one model only with --mean")
    found = Run.open(options.runs[0])
    if options.second is None:
        if options.data_dir:
            raise SettingError("--data-dir goes with --second and --mean")
        print(export(found, options.out, eight_bits=options.eight_bits))
        return
    if options.out is None or options.eight_bits:
        raise SettingError(
            "a line network always is in eight bits: leave out --eight-bits"
            if options.eight_bits
            else "--second makes a file of two runs: say where it goes (--out)"
        )
    second = Run.open(options.second)
    print(export_with_fallback(found, second, load_data(options, found.data), options.out))


def _export_mean(options: argparse.Namespace) -> None:
    from inkdigit.learning.models.mean import export_mean
    from inkdigit.learning.models.run import Run

    if options.out is None or options.second:
        raise SettingError("--mean makes a file of several runs: say where it goes (--out) alone")
    runs = [Run.open(folder) for folder in options.runs]
    load = partial(load_data, options, runs[0].data)
    print(export_mean(runs, load, options.out, eight_bits=options.eight_bits))
