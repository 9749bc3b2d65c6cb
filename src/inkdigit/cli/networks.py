"""`inkdigit networks`: what can be trained."""

import argparse

from inkdigit.cli.options import table

_READS = {"line": "a line", "single": "a digit or none", "page": "where numbers stand"}


def run(options: argparse.Namespace) -> None:  # noqa: ARG001
    """Print the table."""
    from inkdigit.learning.networks import NETWORKS, READERS, build_network, count_macs

    rows = []
    for name in (*NETWORKS, *READERS):
        model = build_network(name)
        figures = f"{model.count_params():,}", f"{count_macs(model):,}"
        rows.append([name, _READS.get(name, "a digit"), *figures])
    print(table(["network", "reads", "parameters", "multiply-accumulates"], rows))
