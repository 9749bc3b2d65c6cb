"""The pages stand alone, escape what they are given, and say what the figures say."""

import base64
import math
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from evaluations import HISTORY, evaluation_of

from inkdigit.learning.datasets.digits import Dataset, Digits
from inkdigit.learning.evaluation import figures
from inkdigit.learning.evaluation.comparison import Comparison
from inkdigit.learning.evaluation.metrics import Evaluation
from inkdigit.learning.evaluation.report import write_comparison, write_run_report
from inkdigit.reading.model_file import temperature_scale

VOID = {"meta", "img", "br", "link", "hr", "input"}
PNG = b"\x89PNG\r\n\x1a\n"


class Page(HTMLParser):
    """A page read back: its elements, its text, and whether every element was closed."""

    def __init__(self, path):
        super().__init__()
        self.source = path.read_text(encoding="utf-8")
        self.elements, self.open, self.pieces = [], [], []
        self.feed(self.source)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag
        if tag in {"td", "th"}:
            self.pieces.append(" ")

    def handle_data(self, data):
        if not self.open or self.open[-1] != "style":
            self.pieces.append(data)

    @property
    def text(self):
        return " ".join("".join(self.pieces).split())

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


def check_standing_alone(page, pictures):
    for forbidden in ("http:", "https:", "//", "@import", "url("):
        without_pictures = page.source.replace("base64,", "\n")
        lines = [line for line in without_pictures.splitlines() if not line.startswith("iVBOR")]
        assert forbidden not in "\n".join(lines)
    assert not page.all("script")
    assert not page.all("link")
    assert len(page.all("img")) == pictures
    for image in page.all("img"):
        head, encoded = image["src"].split(",")
        assert head == "data:image/png;base64"
        assert base64.b64decode(encoded, validate=True).startswith(PNG)
        assert len(image["alt"]) > 15
    assert page.all("html") == [{"lang": "en"}]
    assert "width=device-width" in next(
        meta["content"] for meta in page.all("meta") if meta.get("name") == "viewport"
    )
    assert len(page.all("h1")) == len(page.all("main")) == 1


LABELS = np.arange(40) % 10
READ = LABELS.copy()
READ[[4, 14, 23]] = [9, 9, 5]
SURENESS = np.where(np.arange(40) == 14, 0.999, 0.9)


def metrics_of(evaluation, **changes):
    calibration = {
        "temperature": 0.8,
        "reject_threshold": 0.95,
        "reject_error": 0.0,
        "reject_accepted": 0.6,
        "reject_measured_on": 400,
    }
    return {
        "train_accuracy": 0.9994,
        "train_loss": 0.0037,
        "validation_accuracy": 0.9525,
        "validation_loss": 0.2122,
        "test_accuracy": evaluation.accuracy,
        "test_loss": evaluation.loss,
        "parameters": 225034,
        "macs": 2631040,
        "network": "classic",
        "epochs": 2,
        "batch_size": 128,
        "seed": 7,
        "changed_by_hand": [],
        "wrong_labels": 0.0,
        "seconds": 271.7,
        "data": "sample",
        "train_digits": 3600,
        "validation_digits": 400,
        "test_digits": len(evaluation.labels),
        "calibration": calibration | changes.pop("calibration", {}),
        "versions": {"inkdigit": "0.1.0", "keras": "3.15.1"},
        "machine": "x86_64, 2 cores",
        **changes,
    }


def run_page(folder, evaluation=None, **changes):
    evaluation = evaluation or evaluation_of(LABELS, READ, SURENESS)
    images = np.zeros((len(evaluation.labels), 28, 28), np.uint8)
    test = Digits(images, evaluation.labels)
    metrics = metrics_of(evaluation, **changes)
    return Page(write_run_report(folder, metrics, HISTORY, test, evaluation))


def test_what_was_changed_by_hand_or_wrong_on_purpose_is_told(tmp_path):
    changes = [{"epoch": 2, "learning_rate": 0.01}, {"epoch": 4, "batch_size": 64}]
    text = run_page(tmp_path, changed_by_hand=changes, wrong_labels=0.25).text
    assert "do not give this network again" in text
    assert "from epoch 2 on learning rate 0.01; from epoch 4 on batch size 64." in text
    assert "25.00" in text
    assert "wrong label on purpose" in text


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory):
    return tmp_path_factory.mktemp("run")


@pytest.fixture(scope="module")
def page(run_folder):
    return run_page(run_folder)


@pytest.fixture
def undrawn(monkeypatch):
    """Pages with empty pictures, where only the words matter: drawing takes seconds."""

    def write(folder, *_):
        paths = [
            folder / f"{name}.png"
            for name in (
                "confusion_matrix", "predictions", "mistakes", "reliability", "training_curves"
            )
        ]  # fmt: skip
        for path in paths:
            path.write_bytes(PNG)
        return paths

    monkeypatch.setattr(figures, "write_evaluation_figures", write)
    monkeypatch.setattr(figures, "write_figure", lambda _, path: path.write_bytes(PNG))


def test_a_run_report_stands_alone(page):
    check_standing_alone(page, pictures=5)


def test_a_run_report_lies_beside_its_pictures(page, run_folder):
    names = {"confusion_matrix", "predictions", "mistakes", "reliability", "training_curves"}
    assert {path.name for path in run_folder.iterdir()} == {
        "report.html",
        *(f"{name}.png" for name in names),
    }
    embedded = {base64.b64decode(image["src"].split(",")[1]) for image in page.all("img")}
    assert embedded == {(run_folder / f"{name}.png").read_bytes() for name in names}


def test_a_run_report_has_the_figures(page):
    low, high = evaluation_of(LABELS, READ, SURENESS).accuracy_interval
    for said in (
        "classic on sample",
        "5,000 digits of MNIST's training half",
        "3,600 digits were fitted, 400 validated on, and 40 tested",
        "92.50 %",
        f"95 % interval {100 * low:.2f} % to {100 * high:.2f} %",
        "3 of 40 test digits",
        "225,034",
        "2,631,040",
        "272 s",
        "99.94 %",
        "0.2122",
        "4 read as 9: 2 times",
        "3 read as 5: 1 time",
        "seed 7",
        "keras 3.15.1",
        "x86_64, 2 cores",
    ):
        assert said in page.text, said


def test_a_run_report_has_each_digit_s_precision_recall_f1_and_support(page):
    # Digit 4: four are there, two were read, none wrongly as it. Digit 9: two more were read as it.
    assert "4 100.00 % 50.00 % 66.67 % 4" in page.text
    assert "9 66.67 % 100.00 % 80.00 % 4" in page.text


def test_a_run_report_gives_the_calibration_error_before_and_after(page):
    evaluation = evaluation_of(LABELS, READ, SURENESS)
    after = Evaluation(evaluation.labels, temperature_scale(evaluation.probabilities, 0.8))
    assert (
        f"is {100 * evaluation.calibration_error:.2f} % as the network speaks, and "
        f"{100 * after.calibration_error:.2f} % after"
    ) in page.text
    assert "0.800" in page.text


def test_a_run_report_says_what_the_threshold_lets_through(page):
    # Tempered by 0.8, confidence 0.9 becomes 0.965, so all 40 lie above 0.95, 3 of them wrong.
    assert "Of the 400 validation digits it was chosen on, 60.00 % lay at or above it" in page.text
    assert "Of the test digits 100.00 % do, and 3 of those 40 are wrong." in page.text


@pytest.mark.usefixtures("undrawn")
def test_without_a_threshold_every_digit_should_be_looked_at(tmp_path):
    none = {"reject_threshold": 1.0, "reject_accepted": 0.0, "reject_error": 0.0}
    said = run_page(tmp_path, calibration=none).text
    assert "No confidence kept mistakes to one in a thousand on the 400 validation digits" in said


def test_weaknesses_are_named(page):
    for said in (
        "All digits are MNIST's",
        "With only 40 test digits",
        "0.06 % of the fitted digits are read wrong, but 7.50 % of the test digits.",
        "Its worst digit is 4: 2 of 4 read wrong.",
        "Its commonest mistake is to read 4 as 9 (2 times).",
        "It made 1 of its 3 mistakes with more than 99 % confidence.",
        "400 validation digits are too few to measure one mistake in a thousand",
    ):
        assert said in page.text, said


@pytest.mark.usefixtures("undrawn")
def test_a_network_without_mistakes_is_reported_without_inventing_any(tmp_path):
    perfect = evaluation_of(LABELS, LABELS, np.full(40, 0.9))
    changes = {"train_accuracy": 1.0, "calibration": {"reject_measured_on": 20_000}}
    said = run_page(tmp_path, perfect, **changes).text
    assert "No digit was read as another." in said
    assert "0 of 40 test digits" in said
    for unsaid in ("worst digit", "commonest", "by heart", "too few", "more than 99 %"):
        assert unsaid not in said
    assert "With only 40 test digits" in said


@pytest.mark.usefixtures("undrawn")
def test_a_worse_calibration_is_admitted(tmp_path):
    said = run_page(tmp_path, calibration={"temperature": 3.0}).text
    assert "worsens calibration on the test digits" in said


@pytest.mark.usefixtures("undrawn")
def test_names_are_escaped_and_paths_stay_private(tmp_path):
    page = run_page(tmp_path, data="folder:/home/someone/<b>x & y")
    assert "folder:<b>x & y" in page.text
    assert not page.all("b")
    assert "/home/someone" not in page.source


NETWORKS = pd.DataFrame(
    {
        "network": ["lenet5", "classic"],
        "seeds": [2, 2],
        "test_accuracy_mean": [0.987, 0.991],
        "test_accuracy_sd": [0.001, 0.0005],
        "test_loss_mean": [0.04, 0.03],
        "test_loss_sd": [0.002, 0.001],
        "seconds_mean": [100.0, 270.0],
        "seconds_sd": [2.0, 3.0],
        "parameters": [44_426, 225_034],
        "macs": [281_640, 2_631_040],
        "model_bytes": [180_000, 905_000],
        "one_image_ms": [0.11, 0.11],
        "images_per_second": [50_000.0, 20_000.0],
    }
)
RUNS = pd.DataFrame(
    {
        "network": ["lenet5", "classic", "lenet5", "classic"],
        "seed": [0, 0, 1, 1],
        "epochs": [12] * 4,
        "data": ["sample"] * 4,
        "test_accuracy": [0.986, 0.9905, 0.988, 0.9915],
    }
)
DIFFERENCE = {
    "first": "lenet5",
    "second": "classic",
    "only_first": 3.5,
    "only_second": 8.0,
    "p": 0.2266,
    "real": False,
}


def comparison_page(folder, networks=NETWORKS, runs=RUNS, differences=(DIFFERENCE,), name="sample"):
    half = Digits(np.zeros((1000, 28, 28), np.uint8), np.arange(1000) % 10)
    found = pd.DataFrame(differences, columns=list(DIFFERENCE))
    folders = [f"{folder}/{run.network}-seed{run.seed}" for run in runs.itertuples()]
    runs = runs.assign(folder=folders)
    comparison = Comparison(runs=runs, networks=networks, differences=found)
    return Page(write_comparison(comparison, Dataset(name, half, half), folder))


@pytest.fixture(scope="module")
def compared(tmp_path_factory):
    return comparison_page(tmp_path_factory.mktemp("comparison"))


def test_a_comparison_page_stands_alone(compared):
    check_standing_alone(compared, pictures=1)


def test_a_comparison_page_has_the_figures_and_marks_the_best_of_each_column(compared):
    assert (
        "lenet5 98.70 ± 0.10 0.0400 ± 0.0020 ★ 44,426 ★ 281,640 ★ 180 ★ 100 ± 2 ★ 0.11 ★ 50,000"
    ) in compared.text
    assert (
        "classic ★ 99.10 ± 0.05 ★ 0.0300 ± 0.0010 225,034 2,631,040 905 270 ± 3 ★ 0.11 20,000"
    ) in compared.text


def test_a_comparison_page_links_to_every_run(compared):
    assert [link["href"] for link in compared.all("a")] == [
        "lenet5-seed0/report.html",
        "classic-seed0/report.html",
        "lenet5-seed1/report.html",
        "classic-seed1/report.html",
    ]


def test_a_run_from_elsewhere_is_linked_where_it_lies(tmp_path):
    runs = RUNS.head(1).assign(network="../my digits/lenet5")
    page = comparison_page(tmp_path, networks=NETWORKS.head(1), runs=runs, differences=())
    assert [link["href"] for link in page.all("a")] == ["../my%20digits/lenet5-seed0/report.html"]


def test_a_difference_that_could_be_chance_is_called_so(compared):
    assert (
        "could be chance: lenet5 alone read 3.5 digits right, classic alone 8; p = 0.23"
    ) in compared.text
    assert "the difference is real" not in compared.text


@pytest.mark.usefixtures("undrawn")
def test_a_real_difference_is_called_so(tmp_path):
    said = comparison_page(tmp_path, differences=[DIFFERENCE | {"real": True, "p": 1e-9}]).text
    assert "the difference is real: lenet5 alone" in said
    assert "p < 0.0001" in said


@pytest.mark.usefixtures("undrawn")
def test_one_network_with_one_seed_has_no_spread_no_best_and_no_differences(tmp_path):
    one = NETWORKS.head(1).assign(seeds=1)
    one.loc[:, [c for c in one if c.endswith("_sd")]] = math.nan
    said = comparison_page(tmp_path, networks=one, runs=RUNS.head(1), differences=[]).text
    assert "lenet5 98.70 0.0400 44,426" in said
    assert "★" not in said
    assert "Are the differences real?" not in said
    assert "One seed each" in said


@pytest.mark.usefixtures("undrawn")
def test_remarks_name_what_was_unlike(tmp_path):
    runs = RUNS.assign(epochs=[12, 12, 4, 12], data=["sample", "sample", "mnist", "sample"])
    said = comparison_page(tmp_path, runs=runs).text
    assert "different numbers of epochs: 4, 12" in said
    assert "trained on other digits than these; their training figures are on those: mnist" in said
    assert "2 seeds each" in said
    assert "The test half has 1,000 digits: one more or less read right is 0.10 %" in said


@pytest.mark.usefixtures("undrawn")
def test_a_comparison_page_escapes_names(tmp_path):
    page = comparison_page(tmp_path, name="folder:<b>x")
    assert "Networks compared on folder:<b>x" in page.text
    assert not page.all("b")
