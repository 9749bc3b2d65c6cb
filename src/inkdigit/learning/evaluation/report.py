"""Pages about a run and about a comparison: one HTML file each, with its pictures inside."""

import base64
import re
from contextlib import suppress
from os.path import relpath
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import jinja2
import numpy as np

from inkdigit.errors import OutputError
from inkdigit.files import write_text
from inkdigit.learning.datasets.digits import Dataset, Digits, public_name
from inkdigit.learning.evaluation import figures
from inkdigit.learning.evaluation.comparison import COLUMNS, Column, Comparison
from inkdigit.learning.evaluation.metrics import Evaluation
from inkdigit.learning.models.load import SUFFIXES
from inkdigit.learning.models.run import REPORT, History
from inkdigit.reading.calibration import temperature_scale

if TYPE_CHECKING:
    import pandas as pd

# What stands before the command that explains a network, until there is a page to link to.
_EXPLAINER = re.compile('<span id="explainer">.*?</span>')


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
        "last": history[-1],
    }
    return write_page(folder / REPORT, "run.html.j2", paths, context)


def link_explainer(folder: Path, explainer: Path) -> None:
    """Let the report of a run, where it has one, link to the page that explains the network.

    A report that can't be written stays as it is.
    """
    page, place = folder / REPORT, quote(Path(relpath(explainer, folder)).as_posix())
    link = (
        f'<span id="explainer"><a href="{place}">Look inside, layer by layer</a>, or anew:</span>'
    )
    if page.exists():
        with suppress(OutputError):
            write_text(page, _EXPLAINER.sub(lambda _: link, page.read_text("utf-8")))


def write_comparison(comparison: Comparison, dataset: Dataset, folder: Path) -> Path:
    """Write the tables, a figure and `comparison.html` into a folder, and return the page."""
    write_text(folder / "comparison.csv", comparison.networks.to_csv(index=False))
    write_text(folder / "runs.csv", comparison.runs.to_csv(index=False))
    write_text(folder / "differences.csv", comparison.differences.to_csv(index=False))
    path = folder / "accuracy_against_cost.png"
    figures.write_figure(figures.accuracy_against_cost(comparison.networks), path)
    context = _comparison_context(comparison, dataset, folder)
    return write_page(folder / "comparison.html", "comparison.html.j2", [path], context)


def write_page(page: Path, template: str, pictures: list[Path], context: dict[str, Any]) -> Path:
    """Write a page of a template with what it shows, and with pictures inside; return it."""
    inline = {path.stem: base64.b64encode(path.read_bytes()).decode() for path in pictures}
    write_text(page, _environment().get_template(template).render(context, pictures=inline))
    return page


def _environment() -> jinja2.Environment:
    pages, strict = jinja2.PackageLoader("inkdigit.learning.evaluation"), jinja2.StrictUndefined
    environment = jinja2.Environment(
        loader=pages, autoescape=True, undefined=strict, trim_blocks=True
    )
    environment.filters |= {
        "percent": lambda share: f"{100 * share:.2f}\N{NO-BREAK SPACE}%",
        "number": lambda value: f"{value:,.0f}",
        "count": lambda value: f"{value:,.1f}".removesuffix(".0"),
        "seconds": lambda value: f"{value:,.0f} s" if value >= 10 else f"{value:.1f} s",
        "p_value": lambda value: "< 0.0001" if value < 0.0001 else f"= {value:.2g}",
    }
    return environment


def _cells(networks: "pd.DataFrame", column: Column) -> list[tuple[str, bool]]:
    """Return the text of a column for each network, and whether it is the best."""
    values = networks[column.figure]
    best = values.agg(column.best) if len(networks) > 1 else np.nan
    return list(zip(column.texts(networks), values == best, strict=True))


def _page_of(place: Path) -> Path:
    """Return the report of a run; of a model file, itself."""
    return place if place.suffix in SUFFIXES else place / REPORT


def _comparison_context(comparison: Comparison, dataset: Dataset, folder: Path) -> dict[str, Any]:
    networks = comparison.networks
    runs = comparison.runs
    others = set(runs["data"].dropna()) - {dataset.name}
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
        "epochs": sorted(set(runs["epochs"].dropna().astype(int))),
        "other_data": [public_name(name) for name in sorted(others)],
        "runs": runs.to_dict("records"),
        "pages": [relpath(_page_of(Path(place)), folder) for place in runs["folder"]],
    }
