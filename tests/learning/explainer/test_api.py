import json
import re
import shutil
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import numpy as np
import pytest
from sklearn.decomposition import PCA

from inkdigit.errors import ModelError, OutputError, RunError, SettingError
from inkdigit.learning import DigitClassifier, build_network
from inkdigit.learning.backend import keras
from inkdigit.learning.classifiers.mean import export_mean
from inkdigit.learning.datasets import Dataset
from inkdigit.learning.explainer.api import explain
from inkdigit.learning.models.export import write_model_file
from inkdigit.learning.models.run import DESCRIPTION, Run
from inkdigit.reading.reader import LINE_MODEL, PAGE_MODEL, SINGLE_MODEL


@pytest.fixture(scope="module")
def few(small: Dataset) -> Dataset:
    return Dataset("sample", small.train, small.test.at(np.arange(0, len(small.test), 6)))


def facts_of(page: Path) -> dict[str, Any]:
    (found,) = re.findall(
        r'<script type="application/json" id="facts">(.*?)</script>', page.read_text(), re.S
    )
    return dict(json.loads(found))


@pytest.mark.parametrize("name", ["", "model.keras", "mnist_cnn_model.h5", "model.onnx"])
def test_every_form_of_a_run_opens(trained: Run, few: Dataset, tmp_path: Path, name: str) -> None:
    facts = facts_of(explain(trained.folder / name, tmp_path / "page.html", few))
    (network,) = facts["networks"]
    assert [layer["name"] for layer in network["layers"]][:4] == ["C1", "S2", "C3", "S4"]
    assert network["missing"] == ""
    assert network["parameters"] == trained.metrics["parameters"]
    assert network["label"] == (name if name not in {"", "model.keras"} else "run")


def test_what_is_said_of_the_test_digits_is_so(trained: Run, few: Dataset, tmp_path: Path) -> None:
    facts = facts_of(explain(trained, tmp_path / "page.html", few))
    (network,), digits = facts["networks"], facts["digits"]
    model = DigitClassifier.load(trained)
    read = model.predict(few.test.images)
    # All of so few test digits are in the page, in their order.
    assert digits["labels"] == few.test.labels.tolist()
    assert network["read"] == read.tolist()
    assert np.trace(network["confusion"]) == (read == few.test.labels).sum()
    assert [len(known["labels"]) for known in facts["known"]] == [300]
    layer = keras.models.load_model(trained.folder / "model.keras")
    features = keras.Model(layer.inputs, layer.get_layer("F6").output)
    known = features.predict(few.test.images[..., None] / np.float32(255), verbose=0)
    wanted = PCA(2, svd_solver="full").fit_transform(known)
    np.testing.assert_allclose(np.abs(network["points"]), np.abs(wanted), atol=1e-3)


def test_digits_that_a_network_learned_from_are_owned_up_to(
    trained: Run, few: Dataset, tmp_path: Path
) -> None:
    mnist = Dataset("mnist", few.train, few.test)
    model = DigitClassifier.load()
    assert model.trained_on
    (network,) = facts_of(explain(model.path, tmp_path / "page.html", few))["networks"]
    assert "say nothing about unseen digits" in network["warning"]
    (network,) = facts_of(explain(trained, tmp_path / "other.html", mnist))["networks"]
    assert network["warning"] == ""


def test_the_report_of_a_run_links_to_its_explainer(
    trained: Run, few: Dataset, tmp_path: Path
) -> None:
    folder = shutil.copytree(trained.folder, tmp_path / "run")
    report = folder / "report.html"
    assert "inkdigit explain ." in report.read_text("utf-8")
    for name in ("a b&c.html", "again.html"):
        page = explain(folder, tmp_path / name, few)
        (link,) = re.findall('<a href="(.*?)">Look inside', report.read_text("utf-8"))
        assert (folder / unquote(link)).resolve() == page
        assert "inkdigit explain ." in report.read_text("utf-8")


def test_the_model_inside_has_a_class_for_what_is_no_digit(few: Dataset, tmp_path: Path) -> None:
    (network,) = facts_of(explain(SINGLE_MODEL, tmp_path / "page.html", few))["networks"]
    assert network["classes"] == [*"0123456789", "none"]
    assert np.trace(network["confusion"]) > 0.95 * len(few.test)


def test_a_line_model_opens_with_its_second_opinion(few: Dataset, tmp_path: Path) -> None:
    facts = facts_of(explain(LINE_MODEL, tmp_path / "page.html", few))
    first, second = facts["networks"]
    assert facts["lines"]
    assert [first["missing"], second["missing"]] == ["", ""]
    assert second["label"] == f"{first['label']}, second opinion"
    assert first["weights"] != second["weights"]
    assert first["classes"][10:] == [".", ",", "-", "/", "=", "none", "blank"]


def test_a_run_of_lines_opens(few: Dataset, tmp_path: Path) -> None:
    build_network("line").save(tmp_path / "line.keras")
    facts = facts_of(explain(tmp_path / "line.keras", tmp_path / "page.html", few))
    assert facts["lines"]
    assert len(facts["networks"]) == 1


def test_a_mean_of_networks_is_opened_into_their_layers(
    trained: Run, few: Dataset, tmp_path: Path
) -> None:
    mean = export_mean([trained, trained], tmp_path / "mean.keras")
    (network,) = facts_of(explain(mean, tmp_path / "page.html", few))["networks"]
    assert [layer["name"].partition("_")[0] for layer in network["layers"]].count("C1") == 2
    assert network["layers"][-1]["type"] == "Average"
    assert network["layers"][-1]["inputs"] == [7, 15]
    assert network["missing"] == ""


@pytest.mark.parametrize("name", ["modern", "fast", "small-8k"])
def test_model_files_of_our_networks_open_without_a_run(
    trained: Run, few: Dataset, tmp_path: Path, name: str
) -> None:
    """What batch normalisation was folded into reads as before."""
    model = build_network(name)
    info = DigitClassifier.load(trained.folder / "model.onnx")
    described = {**trained.info().__dict__, "network": name}
    write_model_file(model, type(trained.info())(**described), tmp_path / "model.onnx")
    page = explain([tmp_path / "model.onnx"], tmp_path / "page.html", few)
    (network,) = facts_of(page)["networks"]
    answers = model.predict(few.test.images[..., None] / np.float32(255), verbose=0)
    assert network["read"] == answers.argmax(axis=1).tolist()
    assert info.path.exists()


def test_classic_takes_at_most_a_megabyte_and_a_half(sample: Dataset, tmp_path: Path) -> None:
    build_network("classic").save(tmp_path / "classic.keras")
    few = Dataset("sample", sample.train, sample.test.at(np.arange(0, 1000, 3)))
    assert explain(tmp_path / "classic.keras", tmp_path / "c.html", few).stat().st_size < 1.5e6


def test_what_cannot_be_explained_is_said_in_a_sentence(
    trained: Run, few: Dataset, tmp_path: Path
) -> None:
    page = tmp_path / "page.html"
    unfinished = tmp_path / "unfinished"
    unfinished.mkdir()
    (unfinished / DESCRIPTION).write_text((trained.folder / DESCRIPTION).read_text())
    for models, error, words in [
        ([], SettingError, "one network or two that read alike, received 0"),
        ([trained] * 3, SettingError, "one network or two that read alike, received 3"),
        (tmp_path / "nowhere", ModelError, "nowhere"),
        (unfinished, RunError, "unfinished"),
        ([LINE_MODEL, trained], SettingError, "read alike"),
        ([LINE_MODEL] * 2, SettingError, "received 4 in 2 files: name a line model alone"),
        (PAGE_MODEL, ModelError, r"page\.onnx finds numbers: explain what"),
        (3, SettingError, "received 3"),
    ]:
        with pytest.raises(error, match=words):
            explain(models, page, few)
    assert not page.exists()
    with pytest.raises(SettingError, match=r"end it in \.html"):
        explain(trained, tmp_path / "page.txt", few)
    page.write_text("mine")
    with pytest.raises(OutputError, match="there already"):
        explain(trained, page, few)
    assert page.read_text() == "mine"
