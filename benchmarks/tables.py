"""The README's table of results, made from `benchmarks/results/learning.csv`.

`python benchmarks/tables.py` writes it between its marks in README.md; a test holds them together.
"""

from pathlib import Path

import pandas as pd

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results" / "learning.csv"
START, END = "<!-- results: made by benchmarks/tables.py -->\n", "<!-- end of results -->"
COLUMNS = (
    "network", "trained on", "test accuracy", "test loss", "training accuracy", "training loss",
    "parameters",
)  # fmt: skip
HEADER = f"| {' | '.join(COLUMNS)} |\n{'|---' * len(COLUMNS)}|\n"


def results_table(results: Path = RESULTS) -> str:
    """Return the Markdown table: means and standard deviations over seeds."""
    runs = pd.read_csv(results)
    groups = runs.groupby(["data", "network"], sort=False)
    return HEADER + "".join(_row(network, group) for (_, network), group in groups)


def _row(network: str, runs: pd.DataFrame) -> str:
    data = "MNIST" if runs["data"].iloc[0] == "mnist" else "Reduced MNIST shape"
    cells = [
        f"`{network}`",
        f"{data}, {runs['epochs'].iloc[0]} epochs",
        _percent(runs["test_accuracy"]),
        _spread(runs["test_loss"]),
        _percent(runs["train_accuracy"]),
        _spread(runs["train_loss"]),
        f"{runs['parameters'].iloc[0]:,}",
    ]
    return f"| {' | '.join(cells)} |\n"


def _percent(values: "pd.Series[float]") -> str:
    return f"{100 * values.mean():.2f} ± {100 * values.std():.2f} %"


def _spread(values: "pd.Series[float]") -> str:
    return f"{values.mean():.4f} ± {values.std():.4f}"


def with_table(text: str, table: str) -> str:
    """Return a text with the table between its marks."""
    before, _, rest = text.partition(START)
    _, _, after = rest.partition(END)
    return f"{before}{START}{table}{END}{after}"


if __name__ == "__main__":
    readme = ROOT / "README.md"
    readme.write_text(with_table(readme.read_text("utf-8"), results_table()), "utf-8")
