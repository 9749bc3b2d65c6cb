import functools
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inkdigit.errors import InkdigitError, ModelError, RunError, SettingError
from inkdigit.learning import api
from inkdigit.learning.backend import keras, layers
from inkdigit.learning.datasets import Dataset
from inkdigit.learning.evaluation.api import evaluate
from inkdigit.learning.models.load import DigitClassifier
from inkdigit.learning.models.run import OWN_NETWORK, Run
from inkdigit.learning.networks.own import OwnNetwork
from inkdigit.learning.settings import TrainingSettings
from inkdigit.reading import Reader


class Killed(Exception):
    pass


FILE = """
import keras

def build():
    return keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(10, "softmax")])

def broken():
    return keras.layers.Dense(10, "no such activation")

nothing = 3
"""


def sequential(*shown: Any, last: str | None = "softmax") -> Any:
    return keras.Sequential([*shown, layers.Flatten(), layers.Dense(10, last)])


def sequential_of_a_size(units: int) -> Any:
    return keras.Sequential([layers.Flatten(), layers.Dense(units), layers.Dense(10)])


def two_inputs() -> Any:
    first, second = (keras.Input((28, 28, 1)) for _ in range(2))
    joined = layers.Concatenate()([layers.Flatten()(first), layers.Flatten()(second)])
    return keras.Model([first, second], layers.Dense(10)(joined))


def two_outputs() -> Any:
    digit = keras.Input((28, 28, 1))
    dense = layers.Dense(10)(layers.Flatten()(digit))
    return keras.Model(digit, [dense, dense])


def functional() -> Any:
    digit = keras.Input((28, 28, 1))
    x = layers.Conv2D(4, 5, strides=3)(digit)
    return keras.Model(digit, layers.Dense(10)(layers.Flatten()(x)), name="residual")


@keras.saving.register_keras_serializable("tests")
class Subclass(keras.Model):  # type: ignore[misc]
    def __init__(self, **more: Any) -> None:
        super().__init__(**more)
        self.convolution = layers.Conv2D(4, 5, strides=2, activation="relu")
        self.flat, self.dense = layers.Flatten(), layers.Dense(10)

    def call(self, digits: Any) -> Any:
        return self.dense(self.flat(self.convolution(digits)))


BUILDERS: dict[str, Callable[[], Any]] = {
    "no input": sequential,
    "(28, 28)": lambda: sequential(keras.Input((28, 28))),
    "(28, 28, 1)": lambda: sequential(keras.Input((28, 28, 1))),
    "(784,)": lambda: sequential(keras.Input((784,))),
    "logits": lambda: sequential(last=None),
    "rows": lambda: keras.Sequential([keras.Input((28, 28)), layers.GRU(8), layers.Dense(10)]),
    "functional": functional,
    "subclass": Subclass,
}


@pytest.mark.parametrize("name", BUILDERS)
def test_a_network_becomes_what_ours_are(name: str) -> None:
    model = OwnNetwork.of(BUILDERS[name]).build()
    assert (model.input_shape, model.output_shape) == ((None, 28, 28, 1), (None, 10))
    answers = np.asarray(model(np.random.default_rng(0).random((5, 28, 28, 1), np.float32)))
    assert answers.min() >= 0
    assert answers.sum(axis=1) == pytest.approx(np.ones(5), abs=1e-5)


def test_a_model_that_needs_no_change_stays_itself() -> None:
    model = sequential(keras.Input((28, 28, 1)))
    assert OwnNetwork.of(model).build() is model


def test_softmax_is_not_taken_twice() -> None:
    model = sequential(keras.Input((28, 28)))
    digits = np.random.default_rng(0).random((5, 28, 28), np.float32)
    ours = OwnNetwork.of(model).build()(digits[..., None])
    np.testing.assert_allclose(ours, model(digits), rtol=1e-5)


def test_names_are_of_the_model_or_the_function() -> None:
    def fast() -> Any:
        return sequential()

    given = [functional(), functional, sequential(), Subclass(), fast]
    names = ["residual", "functional", "sequential", "subclass", "own-fast"]
    assert [OwnNetwork.of(one).name for one in given] == names


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (3, "a name, a Keras model or a function that builds one, received int"),
        (lambda: None, "builds no Keras model: it returned a NoneType"),
        (lambda: 1 / 0, "does not build a network: division by zero"),
        (sequential_of_a_size, "does not build a network"),
        (lambda: sequential(keras.Input((32, 32, 1))), "takes no digits"),
        (lambda: sequential(keras.Input((28, 28, 3))), "takes no digits"),
        (lambda: keras.Sequential([layers.Flatten(), layers.Dense(5)]), r"gives \(None, 5\)"),
        (lambda: keras.Sequential([layers.Conv2D(10, 3)]), "gives"),
        (
            lambda: sys.exit(3),
            r"does not build a network: it ends the program \(SystemExit, line \d+\)",
        ),
        (two_outputs, "gives several answers"),
        (two_inputs, r"has 2 inputs: a network takes one, of \(28, 28, 1\)"),
    ],
)
def test_what_is_no_network_is_one_sentence(
    given: Any, sentence: str, small: Dataset, tmp_path: Path
) -> None:
    with pytest.raises(SettingError, match=sentence) as raised:
        api.train(small, network=given, out=tmp_path / "never")
    assert "\n" not in str(raised.value)
    assert not (tmp_path / "never").exists()


def test_what_no_model_file_can_hold_is_refused_before_training(
    small: Dataset, tmp_path: Path
) -> None:
    def random_at_inference() -> Any:
        class Noise(layers.Layer):  # type: ignore[misc]
            def call(self, x: Any) -> Any:
                return x + keras.random.normal(keras.ops.shape(x))

        return keras.Sequential([Noise(), layers.Flatten(), layers.Dense(10)])

    with pytest.raises(ModelError, match="cannot be written as ONNX") as raised:
        api.train(small, network=random_at_inference, out=tmp_path / "run")
    assert "\n" not in str(raised.value)
    assert not (tmp_path / "run").exists()


def augmented() -> Any:
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.RandomRotation(0.03),
            layers.RandomTranslation(0.05, 0.05),
            layers.Conv2D(16, 3, strides=2, kernel_regularizer="l2"),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.Dropout(0.2),
            layers.Flatten(),
            layers.Dense(10),
        ]
    )


@pytest.fixture(scope="module")
def own_run(sample: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return api.train(
        sample,
        network=augmented,
        epochs=4,
        batch_size=32,
        learning_rate=3e-3,
        optimizer="adamw",
        patience=3,
        out=tmp_path_factory.mktemp("own") / "run",
    )


def test_a_network_with_augmentation_gets_all_that_ours_get(own_run: Run, sample: Dataset) -> None:
    assert own_run.metrics["test_accuracy"] > 0.8
    found = {path.name for path in own_run.folder.iterdir()}
    assert {"report.html", "model.onnx", "mnist_cnn_model.h5", "model.keras"} <= found
    # What is shown to it in use is not changed at random.
    answers = [
        DigitClassifier.load(own_run.folder / name).probabilities(sample.test.images)
        for name in ("model.onnx", "model.keras", "model.onnx")
    ]
    np.testing.assert_allclose(answers[0], answers[1], atol=1e-4)
    assert np.array_equal(answers[0], answers[2])
    assert evaluate(own_run, sample).accuracy == own_run.metrics["test_accuracy"]
    picture = 255 - sample.test.images[0]
    reader = Reader.load(own_run.folder / "model.onnx")
    assert reader.read(picture, single=True).model.startswith("augmented")


def test_what_was_asked_for_is_in_the_record(own_run: Run) -> None:
    settings = Run.open(own_run.folder).settings
    assert (settings.network, settings.optimizer) == ("augmented", "adamw")
    assert (settings.learning_rate, settings.patience) == (0.003, 3)


@pytest.mark.parametrize("name", ["model.keras", "mnist_cnn_model.h5"])
def test_a_saved_model_goes_on_in_plain_keras(name: str, own_run: Run, sample: Dataset) -> None:
    model = keras.saving.load_model(own_run.folder / name)
    pixels = sample.train.images[:500, ..., None] / np.float32(255)
    labels = np.eye(10, dtype=np.float32)[sample.train.labels[:500]]
    before = [array.copy() for array in model.get_weights()]
    _, accuracy = model.evaluate(pixels, labels, verbose=0)
    assert accuracy > 0.8
    history = model.fit(pixels, labels, epochs=2, verbose=0).history
    assert history["loss"][1] < history["loss"][0]
    assert max(abs(a - b).max() for a, b in zip(before, model.get_weights(), strict=True)) > 1e-4


@pytest.mark.slow
def test_a_run_of_ones_own_network_goes_on(small: Dataset, tmp_path: Path) -> None:
    def kill(said: str) -> None:
        if said.startswith("epoch 1/"):
            raise Killed

    how = {"network": augmented, "epochs": 2, "seed": 1}
    whole = api.train(small, **how, out=tmp_path / "whole")
    for again in (
        lambda f: api.resume(f, small),
        lambda f: api.train(small, **how, out=f, resume=True),
    ):
        folder = tmp_path / f"part-{id(again)}"
        with pytest.raises(Killed):
            api.train(small, **how, out=folder, tell=kill)
        assert (folder / OWN_NETWORK).exists()
        part = again(folder)
        assert part.metrics["test_loss"] == pytest.approx(whole.metrics["test_loss"], rel=1e-4)


def test_a_subclass_is_trained_to_its_end_and_says_how_it_goes_on(
    small: Dataset, tmp_path: Path
) -> None:
    said: list[str] = []
    run = api.train(small, network=Subclass, epochs=1, out=tmp_path / "run", tell=said.append)
    assert run.metrics["macs"] is None
    assert "MACs" not in (run.folder / "report.html").read_text()
    assert any("custom_objects alone" in line for line in said)
    assert "after a stop, go on with train, the same network and resume=True" in said
    assert evaluate(run, small).accuracy == run.metrics["test_accuracy"]


@pytest.mark.parametrize("rate", [0.01, keras.optimizers.schedules.CosineDecay(0.01, 100)])
def test_an_optimizer_of_ones_own_is_kept_with_its_rate(
    rate: Any, small: Dataset, tmp_path: Path
) -> None:
    for _ in range(2):  # Keras counts optimizers: the second has another name
        how = {"network": "lenet5", "epochs": 1, "optimizer": keras.optimizers.SGD(rate)}
        run = api.train(small, **how, out=tmp_path / "run", resume=True)
    assert run.finished
    assert run.metrics["optimizer"] == Run.open(run.folder).settings.optimizer


def test_an_optimizer_that_cannot_be_kept_is_told(small: Dataset, tmp_path: Path) -> None:
    class Mine(keras.optimizers.SGD):  # type: ignore[misc]
        pass

    with pytest.raises(
        SettingError, match=r"a class of your own takes .*register_keras_serializable"
    ):
        api.train(small, network="lenet5", optimizer=Mine(0.1), out=tmp_path / "never")
    assert not (tmp_path / "never").exists()


def test_a_run_with_callbacks_goes_on_with_the_same(small: Dataset, tmp_path: Path) -> None:
    class Kill(keras.callbacks.Callback):  # type: ignore[misc]
        killing = True

        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            if epoch == 1 and self.killing:
                raise Killed(logs)

    folder = tmp_path / "run"
    with pytest.raises(Killed):
        api.train(small, network="lenet5", epochs=2, out=folder, callbacks=[Kill()])
    with pytest.raises(SettingError, match="started with the callbacks Kill: go on from Python"):
        api.resume(folder, small)
    kind = Kill()
    kind.killing = False
    assert api.resume(folder, small, callbacks=[kind]).finished


def test_a_compiled_models_optimizer_is_used(small: Dataset, tmp_path: Path) -> None:
    model = sequential(keras.Input((28, 28, 1)))
    model.compile(keras.optimizers.SGD(0.05, momentum=0.9), "mse")
    said: list[str] = []
    run = api.train(small, network=model, epochs=1, out=tmp_path / "run", tell=said.append)
    assert run.settings.optimizer["class_name"].lower() == "sgd"
    assert run.settings.optimizer["config"]["momentum"] == 0.9
    assert any("compiled anew" in line for line in said)


@pytest.mark.parametrize("optimizer", [keras.optimizers.Adam, 3, "best"])
def test_what_is_no_optimizer_is_one_sentence(optimizer: Any, small: Dataset) -> None:
    with pytest.raises(SettingError, match="optimizer"):
        api.train(small, network="lenet5", optimizer=optimizer)


def test_a_network_of_a_file(small: Dataset, tmp_path: Path) -> None:
    file = tmp_path / "my_net.py"
    file.write_text(FILE)
    said: list[str] = []
    how = {"network": f"{file}:build", "epochs": 1, "tell": said.append}
    run = api.train(small, **how, out=tmp_path / "run")
    assert (run.settings.network, run.settings.name) == ("my_net.build", "my_net.build")
    assert any("my_net.py is run" in line for line in said)
    assert str(tmp_path) not in (run.folder / "report.html").read_text()
    for function, sentence in (
        ("broken", "does not build a network"),
        ("nothing", "no function 'nothing'"),
        ("absent", "no function 'absent'"),
    ):
        with pytest.raises(InkdigitError, match=sentence):
            api.train(small, network=f"{file}:{function}")
    with pytest.raises(SettingError, match="is not there"):
        api.train(small, network=f"{tmp_path}/nowhere.py:build")
    settings = TrainingSettings(network=f"{file}:build")
    assert (settings.network_file, settings.epochs) == (f"{file}:build", 12)


def test_what_fails_in_no_line_of_the_users_tells_none(small: Dataset) -> None:
    with pytest.raises(SettingError, match=r"invalid literal .* \(ValueError\)$"):
        api.train(small, network=functools.partial(int, "x"))


def test_a_network_that_has_changed_is_not_taken_for_the_one_before(
    small: Dataset, tmp_path: Path
) -> None:
    file = tmp_path / "net.py"
    file.write_text(FILE)
    how = {"network": f"{file}:build", "epochs": 1, "out": tmp_path / "run", "resume": True}
    run = api.train(small, **how)
    assert api.train(small, **how).metrics == run.metrics
    file.write_text(FILE.replace('"softmax")', '"softmax", use_bias=False)'))
    with pytest.raises(RunError, match=r"another network of the name net\.build"):
        api.train(small, **how)
