"""The documents' tables of results, made from the CSV files in `benchmarks/results`.

`python benchmarks/tables.py` writes them between their marks in README.md, docs/many.md and
docs/recipes.md; a test holds them together. What has not been measured has an empty table.
"""

from pathlib import Path

import pandas as pd

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results"
LEARNING, READING = RESULTS / "learning.csv", RESULTS / "reading.csv"
MANY = RESULTS / "many.csv"
FAST, INFERENCE = RESULTS / "fast.csv", RESULTS / "inference.csv"
RECORDS, STURDY = RESULTS / "records.csv", RESULTS / "sturdy.csv"
START = "<!-- {}: made by benchmarks/tables.py -->\n"
END = "<!-- end of {} -->"
COLUMNS = (
    "network", "trained on", "test accuracy", "test loss", "training accuracy", "training loss",
    "parameters",
)  # fmt: skip
READERS = {
    "inkdigit": "Inkdigit",
    "segments": "cut and classify",
    "rapidocr": "RapidOCR",
    "tesseract": "Tesseract",
}
TRAINED_BY = {
    "fast": "`--recipe fast`",
    "fast-5-epochs": "`--recipe fast-5-epochs`",
    "train_mnist_fast": "train_mnist_fast, PyTorch",
    "keras.io": "keras.io's `mnist_convnet`, to its first 99 %",
}
PICTURES = {
    "cheques": "amounts on bank cheques, many hands, security paper",
    "photo-0-to-100": "a phone photograph, one hand",
    "years": "years in parish records, tiny and faint",
    "own-hands": "single digits, 20 hands: paint programs, photographs, pens",
    "writers": "single digits, 25 writers, small on a page",
    "semeion": "Semeion, 16×16",
    "usps": "USPS, 16×16",
    "cells": "photographed sudoku cells, borders and shadow",
}
# What the row of all trainings of a recipe is called; its seed is how many they are.
TAUGHT, TOGETHER = ", taught", ", together"
# What is borne: rows of which column's value, and which figure of them.
BORNE = {
    "MNIST's test half": ("kind", "clean", "accuracy"),
    "the same corrupted, mean of fifteen": ("kind", "corruption", "accuracy"),
    **{PICTURES[name]: ("test", name, "accuracy") for name in list(PICTURES)[3:]},
    "calibration error on MNIST's test half": ("kind", "clean", "calibration_error"),
    "the same corrupted": ("kind", "corruption", "calibration_error"),
}


def results_table(results: Path = LEARNING) -> str:
    """Return the Markdown table of networks: means and standard deviations over seeds."""
    runs = pd.read_csv(results)
    groups = runs.groupby(["data", "network"], sort=False)
    return _header(COLUMNS) + "".join(_row(network, group) for (_, network), group in groups)


def _row(network: str, runs: pd.DataFrame) -> str:
    data = "MNIST" if runs["data"].iloc[0] == "mnist" else "Reduced MNIST shape"
    return _line(
        f"`{network}`",
        f"{data}, {runs['epochs'].iloc[0]} epochs",
        _percent(runs["test_accuracy"]),
        _spread(runs["test_loss"]),
        _percent(runs["train_accuracy"]),
        _spread(runs["train_loss"]),
        f"{runs['parameters'].iloc[0]:,}",
    )


def reading_table(results: Path = READING) -> str:
    """Return the Markdown table of readers: the share of pictures read right, set by set.

    And how many of them Inkdigit accepts, and how many of those are wrong.
    """
    figures = pd.read_csv(results)
    shares = figures.pivot_table(index="set", columns="reader", values=["share", "n"])
    ours = figures[figures["reader"] == "inkdigit"].set_index("set")
    readers = [reader for reader in READERS if reader in shares["share"]]
    names = ["pictures nobody trained on", "number", *(READERS[reader] for reader in readers)]
    names += ["Inkdigit accepts", "of those wrong"]
    rows = [
        _line(
            what, f"{shares['n'].loc[name].max():.0f}",
            *(_share(shares["share"].loc[name, reader]) for reader in readers),
            *(f"{ours.loc[name, which]:,.0f}" for which in ("accepted", "accepted_wrong")),
        )
        for name, what in {**PICTURES, "all": "all, with 277 letters and other signs"}.items()
        if name in shares.index
    ]  # fmt: skip
    return _header(names) + "".join(rows)


def many_table(results: Path = MANY) -> str:
    """Return the Markdown table of many pictures: each figure, its range and its bar."""
    if not results.exists():
        return ""
    figures = pd.read_csv(results).itertuples()
    rows = [
        _line(f"{row.part}: {row.figure}", _figure(row.value, row.unit), _bar(row.least, row.most))
        for row in figures
    ]
    return _header(("measured", "median", "must be")) + "".join(rows)


def _figure(value: float, unit: str) -> str:
    return f"{value:,.3g} {unit}" if abs(value) < 1000 else f"{value:,.0f} {unit}"


def _bar(least: float, most: float) -> str:
    if pd.notna(least):
        return f"at least {least:g}"
    return f"at most {most:g}" if pd.notna(most) else ""


def fast_table(results: Path = FAST) -> str:
    """Return the Markdown table of training times: means and standard deviations over seeds."""
    if not results.exists():
        return ""
    runs = pd.read_csv(results)
    names = ("trained by", "test accuracy", "seconds", "`fast` is faster", "seeds")
    mean = runs.groupby("recipe")["seconds"].mean()
    rows = [
        _line(
            what, _percent(group["test_accuracy"]),
            f"{group['seconds'].mean():.1f} ± {group['seconds'].std():.1f}",
            f"{mean[name] / mean['fast']:.1f} times" if "fast" in mean else "–",
            f"{len(group)}",
        )
        for name, what in TRAINED_BY.items()
        if len(group := runs[runs["recipe"] == name])
    ]  # fmt: skip
    return _header(names) + "".join(rows)


def records_table(results: Path = RECORDS) -> str:
    """Return the Markdown table of recipes for few parameters or most accuracy."""
    if not results.exists():
        return ""
    names = ("recipe", "parameters", "MACs", "epochs", "test accuracy", "seeds")
    rows = [
        _line(
            _recipe(str(recipe)),
            *(f"{group[name].iloc[0]:,}" for name in ("parameters", "macs", "epochs")),
            _percent(group["test_accuracy"]),
            f"{group['seed'].iloc[0] if TOGETHER in str(recipe) else len(group)}",
        )
        for recipe, group in pd.read_csv(results).groupby("recipe", sort=False)
    ]
    return _header(names) + "".join(rows)


def _recipe(name: str) -> str:
    if name.endswith(TOGETHER):
        return f"all of `{name.removesuffix(TOGETHER)}`, their mean answer"
    if name.endswith(TAUGHT):
        return f"`{name.removesuffix(TAUGHT)}`, taught by an ensemble"
    return f"`{name}`"


def sturdy_table(results: Path = STURDY) -> str:
    """Return the Markdown table of what networks bear: means and deviations over seeds."""
    if not results.exists():
        return ""
    tests = pd.read_csv(results)
    networks = list(dict.fromkeys(tests["network"]))
    seeds = tests.groupby("network")["seed"].nunique()
    rows = [_line("seeds", *(f"{seeds[name]}" for name in networks))]
    for what, (column, value, figure) in BORNE.items():
        shares = tests[tests[column] == value].groupby(["network", "seed"])[figure].mean()
        if len(shares):
            rows.append(_line(what, *(_percent(shares[name]) for name in networks)))
    return _header(("", *(f"`{name}`" for name in networks))) + "".join(rows)


def inference_table(results: Path = INFERENCE) -> str:
    """Return the Markdown table of reading speeds: the best batch, on one core and on two."""
    if not results.exists():
        return ""
    speeds = pd.read_csv(results)
    names = ("network", "run by", "one digit, µs", "digits/s, 1 core", "2 cores", "test accuracy")
    groups = speeds.groupby(["network", "way"], sort=False)
    return _header(names) + "".join(_speeds(*key, group) for key, group in groups)


def _speeds(network: str, way: str, rows: pd.DataFrame) -> str:
    best = rows.groupby("cores")["images_per_second"].max()
    many = [f"{best[cores]:,.0f}" if cores in best else "–" for cores in (1, 2)]
    right = rows["test_accuracy"].max()
    accuracy = f"{100 * right:.2f} %" if pd.notna(right) else "–"
    one = rows[rows["batch"] == 1].sort_values("cores")["microseconds"].head(1).min()
    return _line(f"`{network}`", way, f"{one:,.0f}", *many, accuracy)


def _header(names: list[str] | tuple[str, ...]) -> str:
    return _line(*names) + f"{'|---' * len(names)}|\n"


def _line(*cells: str) -> str:
    return f"| {' | '.join(cells)} |\n"


def _share(value: float) -> str:
    return f"{100 * value:.1f} %" if pd.notna(value) else "–"


def _percent(values: "pd.Series[float]") -> str:
    spread = f" ± {100 * values.std():.2f}" if len(values) > 1 else ""
    return f"{100 * values.mean():.2f}{spread} %"


def _spread(values: "pd.Series[float]") -> str:
    return f"{values.mean():.4f} ± {values.std():.4f}"


def with_table(text: str, table: str, name: str = "results") -> str:
    """Return a text with the table between its marks."""
    start, end = START.format(name), END.format(name)
    before, _, rest = text.partition(start)
    _, _, after = rest.partition(end)
    return f"{before}{start}{table}{end}{after}"


def written(text: str, tables: dict[str, str]) -> str:
    """Return a text with each named table between its marks."""
    for name, table in tables.items():
        text = with_table(text, table, name)
    return text


def documents() -> dict[Path, dict[str, str]]:
    """Return the tables of each document, by the name in their marks."""
    return {
        ROOT / "README.md": {
            "results": results_table(), "fast": fast_table(), "records": records_table(),
            "reading": reading_table(),
        },
        ROOT / "docs" / "many.md": {"many": many_table()},
        ROOT / "docs" / "recipes.md": {
            "records": records_table(), "inference": inference_table(), "sturdy": sturdy_table()
        },
    }  # fmt: skip


if __name__ == "__main__":
    for document, tables in documents().items():
        document.write_text(written(document.read_text("utf-8"), tables), "utf-8")
