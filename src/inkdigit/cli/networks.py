"""`inkdigit networks`: what can be trained."""

import argparse

from inkdigit.cli.options import Verbs, needing_learn, table

_READS = {"line": "a line", "single": "a digit or none"}


def add_parser(verbs: Verbs) -> None:
    """Add the verb to the command line."""
    parser = verbs.add_parser(
        "networks",
        description="List the networks: what each reads, its parameters, and its "
        "multiply-accumulates for one digit (for `line`: for a square of its line image).",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:  # noqa: ARG001
    """Print the table."""
    with needing_learn():
        from inkdigit.learning.networks import NETWORKS, READERS, build_network, count_macs

    rows = []
    for name in (*NETWORKS, *READERS):
        model = build_network(name)
        figures = f"{model.count_params():,}", f"{count_macs(model):,}"
        rows.append([name, _READS.get(name, "a digit"), *figures])
    print(table(["network", "reads", "parameters", "multiply-accumulates"], rows))
