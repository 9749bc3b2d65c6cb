"""`inkdigit export`: the model file of a run, where training could not write it."""

import argparse

from inkdigit import learning
from inkdigit.cli.learning_flags import DATA_DIR, load_data
from inkdigit.cli.options import QUIET, add_flags
from inkdigit.errors import SettingError

ABOUT = "Write the model file of a finished run: ONNX, with what it says of itself."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags of the verb."""
    flags = {
        "runs RUN": "a finished run, or a .keras or .h5 file; several runs with --mean",
        "-o --out FILE": "the file to write (default: RUN/model.onnx; needed with --fallback and "
        "--mean)",
        "--eight-bits": "write a digit network in eight bits, which reads batches faster",
        "--mean": "write one model, .keras or .onnx, whose answer is the mean of those of several "
        "runs",
        "--fallback RUN": "`line` only: a second run, or a line model file, consulted when the "
        "first is unsure; both go into one file, calibrated together",
        **DATA_DIR,
        **QUIET,
    }
    add_flags(parser, flags, runs={"nargs": "+"})


def run(options: argparse.Namespace) -> None:
    """Export, and print where the file is."""
    if options.mean:
        _export_mean(options)
        return
    if len(options.runs) > 1:
        raise SettingError("several runs make one model only with --mean")
    (found,) = options.runs
    from inkdigit.learning.models.run import KERAS_SUFFIXES

    data = None
    if options.fallback:
        data = load_data(options, learning.Run.open(found).data)
    elif found.suffix in KERAS_SUFFIXES:
        data = load_data(options)
    elif options.data_dir:
        raise SettingError("--data-dir goes with --fallback, --mean and files of Keras")
    how = {"eight_bits": options.eight_bits, "fallback": options.fallback, "data": data}
    print(learning.export(found, options.out, **how))


def _export_mean(options: argparse.Namespace) -> None:
    if options.out is None or options.fallback:
        raise SettingError("--mean makes a file of several runs: say where it goes (--out) alone")
    runs = [learning.Run.open(folder) for folder in options.runs]
    data = load_data(options, runs[0].data) if options.out.suffix == ".onnx" else None
    print(learning.export_mean(runs, options.out, eight_bits=options.eight_bits, data=data))
