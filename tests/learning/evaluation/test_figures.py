"""Pictures hold the figures they are made of."""

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from evaluations import HISTORY, evaluation_of
from matplotlib.colors import to_rgba
from PIL import Image

from inkdigit.errors import DataError
from inkdigit.learning.backend import keras
from inkdigit.learning.evaluation import figures as pictures


@pytest.fixture
def evaluation():
    """Thirty digits, three of each; four of them read wrong."""
    labels = np.arange(30) % 10
    read, confidences = labels.copy(), np.full(30, 0.97)
    read[[4, 14, 23, 28]] = [9, 9, 5, 3]
    confidences[[4, 14, 23, 28]] = [0.6, 0.9999, 0.8, 0.7]
    return evaluation_of(labels, read, confidences)


@pytest.fixture
def perfect():
    return evaluation_of(np.arange(30) % 10, np.arange(30) % 10, np.full(30, 1.0))


@pytest.fixture
def images():
    """Thirty pictures told apart by their grey."""
    return np.arange(30, dtype=np.uint8)[:, None, None] * np.ones((1, 28, 28), np.uint8)


def digits_in(figure):
    return [axes for axes in figure.axes if axes.images]


def titles_of(figure):
    return [axes.get_title() for axes in digits_in(figure)]


def annotations(axes):
    placed = {text.get_position(): float(text.get_text()) for text in axes.texts}
    return np.array([[placed[x + 0.5, y + 0.5] for x in range(10)] for y in range(10)])


def test_confusion_matrix_is_annotated_with_the_counts_and_with_the_rates(evaluation):
    left, right = pictures.confusion_matrix(evaluation).axes
    np.testing.assert_array_equal(annotations(left), evaluation.confusion)
    assert annotations(left)[4, 9] == 2
    np.testing.assert_allclose(annotations(right), 100 * evaluation.confusion / 3, atol=0.051)


def test_the_diagonal_does_not_take_the_colour_scale_from_the_mistakes(evaluation):
    left, _ = pictures.confusion_matrix(evaluation).axes
    diagonal, wrong = left.collections
    assert wrong.get_clim() == (0, 2)
    assert wrong.get_array().mask.reshape(10, 10).diagonal().all()
    assert diagonal.get_array().count() == 10


def test_a_class_that_is_not_there_has_rates_of_zero():
    only_ones = evaluation_of([1, 1], [1, 7], [0.9, 0.8])
    _, right = pictures.confusion_matrix(only_ones).axes
    assert annotations(right)[0].tolist() == [0] * 10
    assert annotations(right)[1, [1, 7]].tolist() == [50, 50]


def test_training_curves_draw_the_history():
    loss, accuracy = pictures.training_curves(HISTORY).axes
    assert loss.get_yscale() == "log"
    drawn = {line.get_label(): line.get_ydata().tolist() for line in loss.lines}
    assert drawn == {"training": [0.9, 0.3], "validation": [0.5, 0.2]}
    drawn = {line.get_label(): line.get_ydata().tolist() for line in accuracy.lines}
    assert drawn == {"training": [0.7, 0.9], "validation": [0.8, 0.95]}


@pytest.mark.parametrize("as_returned", [True, False], ids=["History", "its dict"])
def test_training_curves_draw_what_fit_returns(as_returned):
    inputs, labels = np.zeros((4, 28, 28)), np.arange(4)
    network = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(10, "softmax")])
    network.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    fitted = network.fit(
        inputs, labels, epochs=2, validation_data=(inputs, labels), validation_freq=1, verbose=0
    )
    loss, accuracy = pictures.training_curves(fitted if as_returned else fitted.history).axes
    for axes, name in ((loss, "loss"), (accuracy, "accuracy")):
        drawn = {line.get_label(): line.get_xydata().tolist() for line in axes.lines}
        pairs = {"training": fitted.history[name], "validation": fitted.history[f"val_{name}"]}
        right = {label: [[1, first], [2, second]] for label, (first, second) in pairs.items()}
        assert drawn == right


def test_what_keras_measured_in_some_epochs_only_is_left_out():
    columns = {"loss": [0.9, 0.3], "accuracy": [0.7, 0.9], "val_loss": [0.2], "val_accuracy": [0.8]}
    loss, _ = pictures.training_curves(columns).axes
    assert [line.get_label() for line in loss.lines] == ["training"]


@pytest.mark.parametrize(
    "history",
    [
        *([], {}, {"loss": [0.3]}, {"loss": 0.3}, {"mae": [0.3, 0.4]}, None, [3], "a.csv"),
        *({"loss": [], "accuracy": []}, {"loss": ["a"], "accuracy": ["b"]}, [{"loss": 1}, 5]),
    ],
    ids=str,
)
def test_what_is_no_history(history):
    with pytest.raises(DataError, match="a history holds loss and accuracy of each epoch"):
        pictures.training_curves(history)


def test_a_training_that_diverged_is_drawn_as_far_as_it_came():
    loss, accuracy = pictures.training_curves({"loss": [1, np.nan], "accuracy": [0.1, 0.2]}).axes
    assert np.isnan(loss.lines[0].get_ydata()[1])
    assert accuracy.lines[0].get_ydata().tolist() == [0.1, 0.2]


def test_one_epoch_has_marks_and_a_tick_at_each_figure_s_place():
    figure = pictures.training_curves(HISTORY[:1])
    loss, accuracy = figure.axes
    assert [line.get_marker() for line in loss.lines] == ["o", "s"]
    inside = [tick for tick in accuracy.get_xticks() if 0.5 <= tick <= 1.5]
    assert inside == [1]


@pytest.mark.parametrize("last", [0.2, 0.85])
def test_the_loss_axis_has_ticks_however_narrow_its_range(last):
    loss, _ = pictures.training_curves([HISTORY[0] | {"validation_loss": last}]).axes
    low, high = loss.get_ylim()
    assert sum(low <= tick <= high for tick in loss.get_yticks()) >= 2


def test_predictions_are_titled_marked_and_the_same_each_time(evaluation, images):
    figure = pictures.predictions(evaluation, images, 30)
    titles = titles_of(figure)
    assert len(titles) == 30
    assert titles.count("true 4, read 9\n✗ 60.0 %") == 1
    assert titles.count("true 4, read 9\n✗ > 99.9 %") == 1
    assert titles.count("true 4, read 4\n✓ 97.0 %") == 1
    again = pictures.predictions(evaluation, images, 30)
    assert titles == titles_of(again)


def test_predictions_show_the_digits_they_name(evaluation, images):
    for axes in digits_in(pictures.predictions(evaluation, images, 12)):
        index = int(axes.images[0].get_array()[0, 0])
        true, read = evaluation.labels[index], evaluation.predictions[index]
        assert axes.get_title().startswith(f"true {true}, read {read}\n")


def test_right_and_wrong_differ_in_colour_mark_and_frame(evaluation, images):
    shown = digits_in(pictures.predictions(evaluation, images, 30))
    for axes in shown:
        wrong = "✗" in axes.get_title()
        colour = pictures.RED if wrong else pictures.GREEN
        assert axes.spines["left"].get_edgecolor() == to_rgba(colour)
        assert axes.spines["left"].get_linewidth() == (3 if wrong else 1)


def test_predictions_of_fewer_digits_than_wanted_show_them_all(images):
    figure = pictures.predictions(evaluation_of([1, 2], [1, 2], [0.9, 0.9]), images[:2])
    assert len(digits_in(figure)) == 2


def test_mistakes_come_surest_first(evaluation, images):
    figure = pictures.mistakes(evaluation, images, 3)
    assert [title.split("\n")[0] for title in titles_of(figure)] == [
        "true 4, read 9",
        "true 3, read 5",
        "true 8, read 3",
    ]
    assert [int(axes.images[0].get_array()[0, 0]) for axes in digits_in(figure)] == [14, 23, 28]
    assert figure.get_suptitle() == "3 of 4 mistakes, the surest first"


def test_no_mistakes_are_said_to_be_none(perfect, images):
    figure = pictures.mistakes(perfect, images)
    assert not figure.axes
    assert figure.texts[0].get_text() == "No mistakes: all 30 digits were read right"


def test_reliability_shows_accuracy_share_and_error(evaluation):
    figure = pictures.reliability(evaluation)
    above, below = figure.axes
    bins = evaluation.reliability()
    (points,) = (line for line in above.lines if line.get_marker() == "o")
    np.testing.assert_allclose(points.get_ydata(), [b["accuracy"] for b in bins])
    np.testing.assert_allclose(
        [bar.get_height() for bar in below.patches], [b["share"] for b in bins]
    )
    assert f"{100 * evaluation.calibration_error:.2f} %" in figure.get_suptitle()


def test_reliability_takes_columns_by_their_names(evaluation, monkeypatch):
    (points,) = (line for line in pictures.reliability(evaluation).axes[0].lines if _is_dots(line))
    turned = [dict(reversed(one.items())) for one in evaluation.reliability()]
    monkeypatch.setattr(type(evaluation), "reliability", lambda _: turned)
    (again,) = (line for line in pictures.reliability(evaluation).axes[0].lines if _is_dots(line))
    np.testing.assert_array_equal(again.get_xydata(), points.get_xydata())


def _is_dots(line):
    return line.get_marker() == "o"


def test_reliability_bars_are_the_wilson_interval():
    half = evaluation_of([1, 2, 3, 4], [1, 2, 5, 6], [0.5] * 4)
    above, _ = pictures.reliability(half).axes
    (bar,) = above.collections[0].get_segments()
    # Wilson's interval of 2 in 4, from its closed form.
    z, n = 1.959964, 4
    spread = z / (1 + z * z / n) * math.sqrt(0.25 / n + z * z / (4 * n * n))
    np.testing.assert_allclose(bar[:, 1], [0.5 - spread, 0.5 + spread], atol=1e-6)


def networks(**columns):
    table = {
        "network": ["lenet5", "classic"],
        "seeds": [3, 3],
        "test_accuracy_mean": [0.987, 0.991],
        "test_accuracy_sd": [0.001, 0.0005],
        "macs": [281_640, 2_631_040],
        "parameters": [44_426, 225_034],
    }
    return pd.DataFrame(table | columns)


def test_accuracy_against_cost_places_and_names_the_networks():
    (axes,) = pictures.accuracy_against_cost(networks()).axes
    marks = [line.get_xydata().tolist()[0] for line in axes.lines if len(line.get_xydata()) == 1]
    assert [281_640, 0.987] in marks
    assert [2_631_040, 0.991] in marks
    names = [text.get_text() for text in axes.texts]
    assert names == ["lenet5\n44,426 parameters", "classic\n225,034 parameters"]
    bars = [bar.get_segments()[0][:, 1] for bar in axes.collections]
    np.testing.assert_allclose(bars, [[0.986, 0.988], [0.9905, 0.9915]])
    assert axes.get_xscale() == "log"
    assert "3 seeds" in axes.get_ylabel()


def test_one_seed_has_no_error_bars(tmp_path):
    table = networks(seeds=[1, 1], test_accuracy_sd=[math.nan, math.nan])
    figure = pictures.accuracy_against_cost(table)
    (axes,) = figure.axes
    assert not axes.collections
    assert axes.get_ylabel() == "test accuracy, one seed"
    pictures.write_figure(figure, tmp_path / "cost.png")


def test_one_network_alone_is_drawn_below_100_per_cent():
    (axes,) = pictures.accuracy_against_cost(networks().head(1)).axes
    low, high = axes.get_ylim()
    assert low < 0.987 < high <= 1.001


def test_pictures_are_written_small_white_and_beside_nothing_else(tmp_path, evaluation):
    # As rough as real digits: a noisy stroke about as large as theirs.
    strokes = np.zeros((30, 28, 28), np.uint8)
    strokes[:, 5:23, 10:18] = np.random.default_rng(0).integers(0, 256, (30, 18, 8))
    folder = tmp_path / "new" / "pictures"
    paths = pictures.write_evaluation_figures(folder, evaluation, strokes)
    names = ["confusion_matrix.png", "predictions.png", "mistakes.png", "reliability.png"]
    assert [path.name for path in paths] == names
    assert sorted(names) == sorted(path.name for path in folder.iterdir())
    for path in paths:
        assert path.stat().st_size < 200_000
        with Image.open(path) as image:
            assert image.format == "PNG"
            assert image.convert("RGB").getpixel((0, 0)) == (255, 255, 255)


def test_writers_stand_below_each_other_beside_the_mean(tmp_path):
    writers = np.array(["ben", "anna"] * 5)
    evaluation = replace(
        evaluation_of([1] * 10, [1, 1, 7, 1, 1, 1, 7, 1, 1, 7], [0.9] * 10), writers=writers
    )
    (axes,) = pictures.by_writer(evaluation).axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["ben", "anna"]
    points, _, (bars,) = axes.containers[0]
    assert points.get_xdata().tolist() == [0.6, 0.8]
    ends = np.array([segment[:, 0] for segment in bars.get_segments()])
    intervals = [one.accuracy_interval for one in evaluation.by_writer().values()]
    assert ends == pytest.approx(np.array(intervals))
    assert axes.lines[-1].get_xdata() == [0.7, 0.7]
    paths = pictures.write_evaluation_figures(
        tmp_path, evaluation, np.zeros((10, 28, 28), np.uint8)
    )
    assert paths[-1].name == "by_writer.png"
    titles = [one.get_title() for one in pictures.mistakes(evaluation, np.zeros((10, 28, 28))).axes]
    assert titles[:3] == ["ben\ntrue 1, read 7\n✗ 90.0 %"] * 2 + ["anna\ntrue 1, read 7\n✗ 90.0 %"]
