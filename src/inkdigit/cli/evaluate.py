"""`inkdigit evaluate`: a trained network held against labelled digits."""

import argparse
import json
from typing import TYPE_CHECKING, Any

from inkdigit import learning
from inkdigit.cli.options import load_data, table, tell
from inkdigit.errors import OutputError
from inkdigit.files import is_taken
from inkdigit.learning.settings import SPLITS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from inkdigit.learning import Evaluation

FLAGS = {"--split": {"choices": SPLITS}}
_CLASS = "{digit:.0f} {precision:.4f} {recall:.4f} {f1:.4f} {support:,.0f}"


def run(options: argparse.Namespace) -> None:
    """Evaluate and print; write pictures where they are wanted."""
    if options.out and is_taken(options.out):
        raise OutputError(f"{options.out} is there already: choose another folder for the pictures")
    model = learning.DigitClassifier.load(options.model)
    dataset = load_data(options)
    evaluation = learning.evaluate(model, dataset, options.split)
    corrupted = {}
    if options.corruptions:
        from inkdigit.learning.evaluation.corruptions import evaluate_corrupted

        corrupted = evaluate_corrupted(model.probabilities, dataset.split(options.split))
    writers = evaluation.by_writer() if options.by else {}
    if evaluation.warning:
        tell(options, f"beware: {evaluation.warning}")
    if options.format == "json":
        described: dict[str, Any] = {
            "model": str(model.path),
            "trained_on": model.trained_on,
            "data": dataset.name,
            "split": options.split,
            "warning": evaluation.warning,
            **evaluation.to_dict(),
        }
        if corrupted:
            described["corruptions"] = {name: one.accuracy for name, one in corrupted.items()}
        if writers:
            described["by_writer"] = {name: one.to_dict() for name, one in writers.items()}
        print(json.dumps(described, indent=2))
    else:
        print(render(evaluation))
        if corrupted:
            print("", render_corrupted(corrupted), sep="\n")
        if writers:
            print("", render_writers([*writers.items(), ("all", evaluation)]), sep="\n")
    if options.out:
        from inkdigit.learning.evaluation.figures import write_evaluation_figures

        history = model.run.history if model.run else None
        images = dataset.split(options.split).images
        for path in write_evaluation_figures(options.out, evaluation, images, history):
            tell(options, f"wrote {path}")


def render(evaluation: "Evaluation") -> str:
    """Return an evaluation as text."""
    low, high = evaluation.accuracy_interval
    wrong, confused = int((~evaluation.right).sum()), _confused(evaluation)
    rows = [_CLASS.format(**row).split() for row in evaluation.per_class()]
    return "\n".join(
        [
            f"accuracy  {evaluation.accuracy:.4f}  (95 % interval {low:.4f} to {high:.4f}), "
            f"{wrong:,} of {len(evaluation.labels):,} wrong",
            f"loss      {evaluation.loss:.4f}",
            f"expected calibration error  {evaluation.calibration_error:.4f}",
            f"most confused  {confused or 'none'}",
            "",
            table(["digit", "precision", "recall", "F1", "digits"], rows),
        ]
    )


def _confused(evaluation: "Evaluation", count: int = 5) -> str:
    return ", ".join(
        f"{pair['digit']} read as {pair['read_as']} ({pair['times']}×)"
        for pair in evaluation.most_confused(count)
    )


def render_writers(evaluations: "Iterable[tuple[str, Evaluation]]") -> str:
    """Return how the digits of each writer are read, as text."""
    rows = []
    for writer, one in evaluations:
        wrong = f"{int((~one.right).sum())} of {len(one.labels):,}"
        interval = "{:.4f} to {:.4f}".format(*one.accuracy_interval)
        rows.append([writer, wrong, f"{one.accuracy:.4f}", interval, _confused(one, 2)])
    return table(["writer", "wrong", "accuracy", "95 % interval", "most confused"], rows)


def render_corrupted(corrupted: "dict[str, Evaluation]") -> str:
    """Return the accuracies under corruptions, and their mean, as text."""
    rows = [[name, f"{found.accuracy:.4f}"] for name, found in corrupted.items()]
    mean = sum(found.accuracy for found in corrupted.values()) / len(corrupted)
    return table(["corruption", "accuracy"], [*rows, ["mean", f"{mean:.4f}"]])
