"""Pages about a run and about a comparison: one HTML file each, with its pictures inside."""

import base64
from collections.abc import Iterator
from os.path import relpath
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jinja2
import numpy as np

from inkdigit.files import write_text
from inkdigit.learning.datasets.digits import Dataset, Digits, public_name
from inkdigit.learning.evaluation import figures
from inkdigit.learning.evaluation.comparison import COLUMNS, Column, Comparison
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
    paths = figures.write_evaluation_figures(folder, evaluation, test.images, history)
    temperature = metrics["calibration"]["temperature"]
    scaled = temperature_scale(evaluation.probabilities, temperature)
    calibrated = Evaluation(evaluation.labels, scaled)
    accepted = calibrated.confidences >= metrics["calibration"]["reject_threshold"]
    context = {
        "metrics": metrics,
        "data": public_name(metrics["data"]),
        "dataset": metrics["data"],
        "evaluation": evaluation,
        "calibrated": calibrated,
        "accepted": accepted,
        "accepted_wrong": accepted & ~calibrated.right,
        "weaknesses": list(_weaknesses(metrics, evaluation, calibrated)),
        "last": history[-1],
    }
    return _write_page(folder / REPORT, "run.html.j2", paths, context)


def write_comparison(comparison: Comparison, dataset: Dataset, folder: Path) -> Path:
    """Write the tables, a figure and `comparison.html` into a folder, and return the page."""
    tables = {
        "comparison": comparison.networks,
        "runs": comparison.runs,
        "differences": comparison.differences,
    }
    for name, frame in tables.items():
        write_text(folder / f"{name}.csv", frame.to_csv(index=False))
    path = folder / "accuracy_against_cost.png"
    figures.write_figure(figures.accuracy_against_cost(comparison.networks), path)
    context = _comparison_context(comparison, dataset, folder)
    return _write_page(folder / "comparison.html", "comparison.html.j2", [path], context)


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


def _weaknesses(
    metrics: dict[str, Any], evaluation: Evaluation, calibrated: Evaluation
) -> Iterator[str]:
    """Yield a sentence for each weakness that the figures show."""
    fitted, tested = 1 - metrics["train_accuracy"], 1 - evaluation.accuracy
    if tested >= max(2 * fitted, 0.002):
        yield (
            f"It has learnt much by heart: {_percent(fitted)} of the fitted digits are read wrong, "
            f"but {_percent(tested)} of the test digits."
        )
    seen = [row for row in evaluation.per_class() if row["support"]]
    worst = min(seen, key=lambda row: row["recall"])
    if wrong := round(worst["support"] * (1 - worst["recall"])):
        of_all = f"{wrong:,} of {worst['support']:,.0f}"
        yield f"Its worst digit is {worst['digit']:.0f}: {of_all} read wrong."
    for pair in evaluation.most_confused(1):
        times = "once" if pair["times"] == 1 else f"{pair['times']:,} times"
        yield f"Its commonest mistake is to read {pair['digit']} as {pair['read_as']} ({times})."
    mistakes = evaluation.mistakes()
    if sure := int((evaluation.confidences[mistakes] > SURE).sum()):
        yield f"It made {sure:,} of its {len(mistakes):,} mistakes with more than 99 % confidence."
    if calibrated.calibration_error > evaluation.calibration_error:
        yield (
            "The temperature that suits the validation digits worsens calibration on the test "
            "digits."
        )
    digits = metrics["calibration"]["reject_measured_on"]
    if digits < ENOUGH_FOR_ONE_IN_A_THOUSAND:
        yield (
            f"{digits:,} validation digits are too few to measure one mistake in a thousand: the "
            f"reject threshold was chosen with at most {digits // 1000} wrong among those above it."
        )


def _cells(networks: "pd.DataFrame", column: Column) -> list[tuple[str, bool]]:
    """Return the text of a column for each network, and whether it is the best."""
    values = networks[column.figure]
    best = values.agg(column.best) if len(networks) > 1 else np.nan
    return list(zip(column.texts(networks), values == best, strict=True))


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
        "rows": list(zip(networks["network"], cells, strict=True)),
        "seeds": int(networks["seeds"].max()),
        "differences": comparison.differences.to_dict("records"),
        "epochs": sorted(set(comparison.runs["epochs"])),
        "other_data": [public_name(name) for name in sorted(others)],
        "runs": comparison.runs.to_dict("records"),
        "reports": [relpath(Path(run, REPORT), folder) for run in comparison.runs["folder"]],
    }
