"""Pages about a run and about a comparison: one HTML file each, with its pictures inside."""

import base64
from collections.abc import Callable
from os.path import relpath
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jinja2
import numpy as np

from inkdigit.files import write_text
from inkdigit.learning.datasets.digits import Dataset, Digits, public_name
from inkdigit.learning.evaluation.comparison import COLUMNS, Column, Comparison
from inkdigit.learning.evaluation.figures import (
    accuracy_against_cost,
    write_evaluation_figures,
    write_figure,
)
from inkdigit.learning.evaluation.metrics import Evaluation
from inkdigit.learning.models.run import REPORT, History
from inkdigit.reading.calibration import temperature_scale

if TYPE_CHECKING:
    import pandas as pd


SURE = 0.99
# With fewer digits, the error rate of one in a thousand rests on fewer than ten mistakes.
ENOUGH_FOR_ONE_IN_A_THOUSAND = 10_000


def write_run_report(
    folder: Path, metrics: dict[str, Any], history: History, test: Digits, evaluation: Evaluation
) -> Path:
    """Write a run's pictures and `report.html` into its folder, and return the page."""
    paths = write_evaluation_figures(folder, evaluation, test.images, history)
    context = _run_context(metrics, evaluation) | {"last": history[-1]}
    return _write_page(folder / REPORT, "run.html.j2", paths, context)


def write_comparison_page(folder: Path, comparison: Comparison, dataset: Dataset) -> Path:
    """Write `accuracy_against_cost.png` and `comparison.html` into a folder; return the page."""
    path = folder / "accuracy_against_cost.png"
    write_figure(accuracy_against_cost(comparison.networks), path)
    context = _comparison_context(comparison, dataset, folder)
    return _write_page(folder / "comparison.html", "comparison.html.j2", [path], context)


def write_comparison(comparison: Comparison, dataset: Dataset, folder: Path) -> Path:
    """Write the tables and the page into a folder, and return the page."""
    tables = {
        "comparison": comparison.networks,
        "runs": comparison.runs,
        "differences": comparison.differences,
    }
    for name, frame in tables.items():
        write_text(folder / f"{name}.csv", frame.to_csv(index=False))
    return write_comparison_page(folder, comparison, dataset)


def _write_page(page: Path, template: str, pictures: list[Path], context: dict[str, Any]) -> Path:
    inline = {path.stem: _data_uri(path) for path in pictures}
    write_text(page, _environment().get_template(template).render(context, pictures=inline))
    return page


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("inkdigit.learning.evaluation"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
    )
    environment.filters |= {
        "percent": _percent,
        "number": lambda value: f"{value:,.0f}",
        "count": lambda value: f"{value:,.1f}".removesuffix(".0"),
        "seconds": lambda value: f"{value:,.0f} s" if value >= 10 else f"{value:.1f} s",
        "p_value": lambda value: "< 0.0001" if value < 0.0001 else f"= {value:.2g}",
    }
    return environment


def _percent(share: float) -> str:
    return f"{100 * share:.2f}\N{NO-BREAK SPACE}%"


def _data_uri(path: Path) -> str:
    return f"data:image/png;base64,{base64.b64encode(path.read_bytes()).decode()}"


def _run_context(metrics: dict[str, Any], evaluation: Evaluation) -> dict[str, Any]:
    calibrated = _calibrated(metrics, evaluation)
    accepted = calibrated.confidences >= metrics["calibration"]["reject_threshold"]
    return {
        "metrics": metrics,
        "data": public_name(metrics["data"]),
        "dataset": metrics["data"],
        "evaluation": evaluation,
        "calibrated": calibrated,
        "accepted": accepted,
        "accepted_wrong": accepted & ~calibrated.right,
        "weaknesses": [s for weakness in WEAKNESSES if (s := weakness(metrics, evaluation))],
    }


def _calibrated(metrics: dict[str, Any], evaluation: Evaluation) -> Evaluation:
    temperature = metrics["calibration"]["temperature"]
    return Evaluation(evaluation.labels, temperature_scale(evaluation.probabilities, temperature))


def _overfitted(metrics: dict[str, Any], evaluation: Evaluation) -> str | None:
    errors = 1 - metrics["train_accuracy"], 1 - evaluation.accuracy
    if errors[1] < max(2 * errors[0], 0.002):
        return None
    return (
        f"It has learnt much by heart: {_percent(errors[0])} of the fitted digits are read wrong, "
        f"but {_percent(errors[1])} of the test digits."
    )


def _worst_digit(_: dict[str, Any], evaluation: Evaluation) -> str | None:
    seen = [row for row in evaluation.per_class() if row["support"]]
    worst = min(seen, key=lambda row: row["recall"])
    if worst["recall"] == 1:
        return None
    wrong = round(worst["support"] * (1 - worst["recall"]))
    return (
        f"Its worst digit is {worst['digit']:.0f}: {wrong:,} of {worst['support']:,.0f} read wrong."
    )


def _commonest_confusion(_: dict[str, Any], evaluation: Evaluation) -> str | None:
    for pair in evaluation.most_confused(1):
        times = "once" if pair["times"] == 1 else f"{pair['times']:,} times"
        return f"Its commonest mistake is to read {pair['digit']} as {pair['read_as']} ({times})."
    return None


def _sure_mistakes(_: dict[str, Any], evaluation: Evaluation) -> str | None:
    wrong = evaluation.mistakes()
    sure = int((evaluation.confidences[wrong] > SURE).sum())
    if not sure:
        return None
    return f"It made {sure:,} of its {len(wrong):,} mistakes with more than 99 % confidence."


def _calibration_worsened(metrics: dict[str, Any], evaluation: Evaluation) -> str | None:
    if _calibrated(metrics, evaluation).calibration_error <= evaluation.calibration_error:
        return None
    return (
        "The temperature that suits the validation digits worsens calibration on the test digits."
    )


def _small_validation(metrics: dict[str, Any], _: Evaluation) -> str | None:
    digits = metrics["calibration"]["reject_measured_on"]
    if digits >= ENOUGH_FOR_ONE_IN_A_THOUSAND:
        return None
    return (
        f"{digits:,} validation digits are too few to measure one mistake in a thousand: the "
        f"reject threshold was chosen with at most {digits // 1000} wrong among those above it."
    )


WEAKNESSES: tuple[Callable[[dict[str, Any], Evaluation], str | None], ...] = (
    _overfitted,
    _worst_digit,
    _commonest_confusion,
    _sure_mistakes,
    _calibration_worsened,
    _small_validation,
)


def _cells(networks: "pd.DataFrame", column: Column) -> list[dict[str, Any]]:
    values = networks[column.figure]
    best = values.agg(column.best) if len(networks) > 1 else np.nan
    texts = column.texts(networks)
    return [
        {"text": text, "best": bool(value == best)}
        for text, value in zip(texts, values, strict=True)
    ]


def _comparison_context(comparison: Comparison, dataset: Dataset, folder: Path) -> dict[str, Any]:
    networks = comparison.networks
    others = set(comparison.runs["data"]) - {dataset.name}
    cells = zip(*(_cells(networks, column) for column in COLUMNS), strict=True)
    return {
        "names": ", ".join(networks["network"]),
        "data": public_name(dataset.name),
        "dataset": dataset.name,
        "test_digits": len(dataset.test),
        "many": len(networks) > 1,
        "columns": COLUMNS,
        "rows": [
            {"network": network, "cells": row}
            for network, row in zip(networks["network"], cells, strict=True)
        ],
        "seeds": int(networks["seeds"].max()),
        "differences": comparison.differences.to_dict("records"),
        "epochs": sorted(set(comparison.runs["epochs"])),
        "other_data": [public_name(name) for name in sorted(others)],
        "runs": comparison.runs.to_dict("records"),
        "reports": [relpath(Path(run, REPORT), folder) for run in comparison.runs["folder"]],
    }
