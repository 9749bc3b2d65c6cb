"""`inkdigit export`: the model file of a run, where training could not write it."""

import argparse

from inkdigit import learning
from inkdigit.cli.options import load_data
from inkdigit.errors import SettingError


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
