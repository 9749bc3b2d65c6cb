"""The documents' tables of results, made from the CSV files in `benchmarks/results`.

`python -m benchmarks tables` writes each between its marks in the documents; a test holds them
together. What has not been measured has an empty table.
"""

import argparse
from collections.abc import Callable, Iterable
from pathlib import Path

import pandas as pd

from inkdigit.reading.review_rules import RULES

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results"
START = "<!-- {}: made by benchmarks/tables.py -->\n"
END = "<!-- end of {} -->"
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
    "cells-sheets": "cells of old weather sheets, four stations, binarised",
    "registers": "numbers in registers of notaries, between rules",
    "own-hands": "single digits, 20 hands: paint programs, photographs, pens",
    "writers": "single digits, 25 writers, small on a page",
    "semeion": "Semeion, 16×16",
    "usps": "USPS, 16×16",
    "cells": "photographed sudoku cells, borders and shadow",
}
KEPT_BACK = ("deferred", "caught")
# What the row of all trainings of a recipe is called; its seed is how many they are.
TAUGHT, TOGETHER = ", taught", ", together"
# Rows of which column's value are meant, and which figure of them.
TESTS = {
    "MNIST's test half": ("kind", "clean", "accuracy"),
    "the same corrupted, mean of fifteen": ("kind", "corruption", "accuracy"),
    **{PICTURES[name]: ("test", name, "accuracy") for name in list(PICTURES)[5:]},
    "calibration error on MNIST's test half": ("kind", "clean", "calibration_error"),
    "the same corrupted": ("kind", "corruption", "calibration_error"),
}


def results_table(runs: pd.DataFrame) -> str:
    """Return the table of networks: means and standard deviations over seeds."""
    names = ("network", "trained on", "test accuracy", "test loss", "training accuracy")
    rows = []
    for (data, network), group in runs.groupby(["data", "network"], sort=False):
        trained_on = "MNIST" if data == "mnist" else "Reduced MNIST shape"
        rows.append(
            (
                f"`{network}`", f"{trained_on}, {group['epochs'].iloc[0]} epochs",
                _percent(group["test_accuracy"]), _spread(group["test_loss"]),
                _percent(group["train_accuracy"]), _spread(group["train_loss"]),
                f"{group['parameters'].iloc[0]:,}",
            )
        )  # fmt: skip
    return _table((*names, "training loss", "parameters"), rows)


def reading_table(figures: pd.DataFrame) -> str:
    """Return the table of readers: the share of pictures read right, set by set.

    And how many of them Inkdigit accepts, and how many of those are wrong.
    """
    shares = figures.pivot_table(index="set", columns="reader", values=["share", "n"])
    ours = figures[figures["reader"] == "inkdigit"].set_index("set")
    readers = [reader for reader in READERS if reader in shares["share"]]
    names = ["pictures nobody trained on", "number", *(READERS[reader] for reader in readers)]
    rows = [
        (
            what, f"{shares['n'].loc[name].max():.0f}",
            *(_share(shares["share"].loc[name, reader]) for reader in readers),
            *(f"{ours.loc[name, which]:,.0f}" for which in ("accepted", "accepted_wrong")),
        )
        for name, what in {**PICTURES, "all": "all, with 277 letters and other signs"}.items()
        if name in shares.index
    ]  # fmt: skip
    return _table([*names, "Inkdigit accepts", "of those wrong"], rows)


def rules_table(earned: pd.DataFrame) -> str:
    """Return the table of review rules, in order, with the readings that they kept back.

    Of each kind of pictures: how many of those were right, and how many wrong.
    """
    names = ["rule", "status", "kind", "reason"]
    rows = [[rule.name, f"`{rule.status}`", rule.kind, rule.reason] for rule in RULES]
    for pictures, counts in earned.groupby("pictures", sort=False):
        names += [f"{counts['n'].max():,} {pictures}: right", "wrong"]
        known = counts.set_index("rule")
        for rule, row in zip(RULES, rows, strict=True):
            found = rule.name in known.index
            row += [f"{known.loc[rule.name, name]}" if found else "–" for name in KEPT_BACK]
    return _table(names, rows)


def figures_table(figures: pd.DataFrame) -> str:
    """Return the table of what was measured: each figure and its bar."""
    rows = [
        (f"{row.part}: {row.figure}", _figure(row.value, row.unit), _bar(row.least, row.most))
        for row in figures.itertuples()
    ]
    return _table(("measured", "median", "must be"), rows)


def _figure(value: float, unit: str) -> str:
    return f"{value:,.3g} {unit}" if abs(value) < 1000 else f"{value:,.0f} {unit}"


def _bar(least: float, most: float) -> str:
    if pd.notna(least):
        return f"at least {least:g}"
    return f"at most {most:g}" if pd.notna(most) else ""


def fast_table(runs: pd.DataFrame) -> str:
    """Return the table of training times: means and standard deviations over seeds."""
    names = ("trained by", "test accuracy", "seconds", "`fast` is faster", "seeds")
    mean = runs.groupby("recipe")["seconds"].mean()
    rows = [
        (
            what, _percent(group["test_accuracy"]),
            f"{group['seconds'].mean():.1f} ± {group['seconds'].std():.1f}",
            f"{mean[name] / mean['fast']:.1f} times" if "fast" in mean else "–",
            f"{len(group)}",
        )
        for name, what in TRAINED_BY.items()
        if len(group := runs[runs["recipe"] == name])
    ]  # fmt: skip
    return _table(names, rows)


def records_table(runs: pd.DataFrame) -> str:
    """Return the table of recipes for few parameters or most accuracy."""
    names = ("recipe", "parameters", "MACs", "epochs", "test accuracy", "seeds")
    rows = [
        (
            _recipe(str(recipe)),
            *(f"{group[name].iloc[0]:,}" for name in ("parameters", "macs", "epochs")),
            _percent(group["test_accuracy"]),
            f"{group['seed'].iloc[0] if TOGETHER in str(recipe) else len(group)}",
        )
        for recipe, group in runs.groupby("recipe", sort=False)
    ]
    return _table(names, rows)


def _recipe(name: str) -> str:
    if name.endswith(TOGETHER):
        return f"all of `{name.removesuffix(TOGETHER)}`, their mean answer"
    if name.endswith(TAUGHT):
        return f"`{name.removesuffix(TAUGHT)}`, taught by an ensemble"
    return f"`{name}`"


def robustness_table(tests: pd.DataFrame) -> str:
    """Return the table of how robust networks are: means and deviations over seeds."""
    networks = list(dict.fromkeys(tests["network"]))
    seeds = tests.groupby("network")["seed"].nunique()
    rows = [["seeds", *(f"{seeds[name]}" for name in networks)]]
    for what, (column, value, figure) in TESTS.items():
        shares = tests[tests[column] == value].groupby(["network", "seed"])[figure].mean()
        if len(shares):
            rows.append([what, *(_percent(shares[name]) for name in networks)])
    return _table(("", *(f"`{name}`" for name in networks)), rows)


def inference_table(speeds: pd.DataFrame) -> str:
    """Return the table of reading speeds: the best batch, on one core and on two."""
    names = ("network", "run by", "one digit, µs", "digits/s, 1 core", "2 cores", "test accuracy")
    groups = speeds.groupby(["network", "way"], sort=False)
    return _table(names, [_speeds(*key, group) for key, group in groups])


def _speeds(network: str, way: str, rows: pd.DataFrame) -> list[str]:
    best = rows.groupby("cores")["images_per_second"].max()
    many = [f"{best[cores]:,.0f}" if cores in best else "–" for cores in (1, 2)]
    right = rows["test_accuracy"].max()
    accuracy = f"{100 * right:.2f} %" if pd.notna(right) else "–"
    one = rows[rows["batch"] == 1].sort_values("cores")["microseconds"].head(1).min()
    return [f"`{network}`", way, f"{one:,.0f}", *many, accuracy]


def _table(header: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Return a table in Markdown."""
    first, *others = [f"| {' | '.join(cells)} |\n" for cells in (header, *rows)]
    return "".join([first, "|---" * (first.count("|") - 1), "|\n", *others])


def _share(value: float) -> str:
    return f"{100 * value:.1f} %" if pd.notna(value) else "–"


def _percent(values: "pd.Series[float]") -> str:
    spread = f" ± {100 * values.std():.2f}" if len(values) > 1 else ""
    return f"{100 * values.mean():.2f}{spread} %"


def _spread(values: "pd.Series[float]") -> str:
    return f"{values.mean():.4f} ± {values.std():.4f}"


# What makes each table, by the name in its marks, which is that of its results or in `FILES`.
TABLES: dict[str, Callable[[pd.DataFrame], str]] = {
    "learning": results_table,
    "reading": reading_table,
    "rules": rules_table,
    "many": figures_table,
    "review": figures_table,
    "fast": fast_table,
    "records": records_table,
    "robustness": robustness_table,
    "inference": inference_table,
}
FILES = {"rules": "review_rules"}
DOCUMENTS = {
    ROOT / "README.md": ("learning", "fast", "records", "reading"),
    ROOT / "docs" / "many.md": ("many",),
    ROOT / "docs" / "readings.md": ("rules",),
    ROOT / "docs" / "review.md": ("review",),
    ROOT / "docs" / "recipes.md": ("records", "inference", "robustness"),
}


def made(name: str, results: Path = RESULTS) -> str:
    """Return a table by its name; an empty one where nothing was measured."""
    path = results / f"{FILES.get(name, name)}.csv"
    return TABLES[name](pd.read_csv(path)) if path.exists() else ""


def with_tables(document: Path) -> str:
    """Return a document's text with its tables between their marks."""
    text = document.read_text("utf-8")
    for name in DOCUMENTS[document]:
        start, end = START.format(name), END.format(name)
        before, mark, rest = text.partition(start)
        _, _, after = rest.partition(end)
        if not mark:
            raise SystemExit(f"{document} has no place for the table {name}: {start}")
        text = f"{before}{start}{made(name)}{end}{after}"
    return text


def add_flags(_: argparse.ArgumentParser) -> None:
    """There is nothing to ask for."""


def main(_: argparse.Namespace) -> None:
    """Write the tables into the documents."""
    for document in DOCUMENTS:
        document.write_text(with_tables(document), "utf-8")
        print(f"wrote the tables of {document}")
