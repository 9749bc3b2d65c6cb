"""`inkdigit export`: the model file of a run, where training could not write it."""

import argparse
from pathlib import Path

from inkdigit.cli.options import Verbs, needing_learn


def add_parser(verbs: Verbs) -> None:
    """Add the verb to the command line."""
    parser = verbs.add_parser(
        "export",
        help="write the model file (ONNX) of a run",
        description="Write the model file of a finished run: ONNX, with what it says of itself.",
    )
    parser.add_argument("run_folder", type=Path, metavar="RUN", help="a finished run")
    parser.add_argument(
        "-o", "--out", type=Path, metavar="FILE", help="where to (default: RUN/model.onnx)"
    )
    parser.add_argument(
        "--eight-bits",
        action="store_true",
        help="write a digit network in eight bits, which reads batches faster",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Export, and print where the file is."""
    with needing_learn():
        from inkdigit.learning.runs import Run
        from inkdigit.learning.training import export

    print(export(Run.open(options.run_folder), options.out, eight_bits=options.eight_bits))
