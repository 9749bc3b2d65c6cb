"""`inkdigit networks`: what can be trained."""

import argparse

from inkdigit.cli.options import Verbs, needing_learn, table


def add_parser(verbs: Verbs) -> None:
    """Add the verb to the command line."""
    parser = verbs.add_parser(
        "networks",
        help="list the networks",
        description="List the networks with their parameters and multiply-accumulates a digit.",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:  # noqa: ARG001
    """Print the table."""
    with needing_learn():
        from inkdigit.learning.networks import NETWORKS, build_network, count_macs

    rows = []
    for name in NETWORKS:
        model = build_network(name)
        rows.append([name, f"{model.count_params():,}", f"{count_macs(model):,}"])
    print(table(["network", "parameters", "multiply-accumulates"], rows))
