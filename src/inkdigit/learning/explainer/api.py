"""What `inkdigit explain` does: trained networks in, one page out."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from inkdigit.errors import OutputError, SettingError
from inkdigit.files import as_path, is_taken
from inkdigit.learning.datasets import Dataset, load_dataset
from inkdigit.learning.evaluation.metrics import Evaluation
from inkdigit.learning.explainer.facts import chosen_digits, digits_of, facts_of
from inkdigit.learning.explainer.network import Network
from inkdigit.learning.explainer.page import write_page
from inkdigit.learning.models.keras_files import load_digit_model, predict
from inkdigit.learning.models.load import already_seen, data_of, model_of_run
from inkdigit.learning.models.run import KERAS_MODEL, Run
from inkdigit.reading.alphabet import DIGITS
from inkdigit.reading.model_file import DigitModel

Source = Run | str | Path
Tell = Callable[[str], None]
# What a class is called that is no digit.
NONE = "none"
# Side by side there is room for two.
_MOST = 2


def explain(
    models: Sequence[Source] | Source,
    out: str | Path = "explain.html",
    data: Dataset | str | None = None,
    tell: Tell | None = None,
) -> Path:
    """Write a page that opens one trained network up, or two side by side, and return its path.

    A model is a run or its folder, a `.keras`, an `.h5`, or the `.onnx` of one of our networks. The
    digits are those of `data`, by default what the first model learnt from, if that is known. The
    page is one file: it needs neither network nor anything beside it.

    Raises `OutputError` where something lies at `out`, `ModelError` and `RunError` for a model that
    can't be opened.

    >>> from inkdigit import learning
    >>> run = learning.train("sample", network="lenet5", epochs=1, out="runs/example", resume=True)
    >>> learning.explain(run, "lenet5.html").name
    'lenet5.html'
    """
    sources = models if isinstance(models, Sequence) and not isinstance(models, str) else [models]
    if not 1 <= len(sources) <= _MOST:
        raise SettingError(f"a page explains one network or two, received {len(sources)}")
    page = as_path(out, "out")
    if page.suffix != ".html":
        raise SettingError(f"{page} is no page: end it in .html")
    if is_taken(page):
        raise OutputError(f"{page} is there already: choose another file")
    paths = [_path(source) for source in sources]
    opened = [_opened(path) for path in paths]
    networks = [Network.of(model) for model, _ in opened]
    own = data_of(paths[0])
    # `auto` takes MNIST where it is at hand, and downloads nothing.
    usual = own if own and own != "mnist" else "auto"
    dataset = data if isinstance(data, Dataset) else load_dataset(data or usual)
    test = dataset.test
    evaluations = [Evaluation(test.labels, predict(one.model, test.images)) for one in networks]
    shown = chosen_digits(evaluations)
    described = []
    for path, network, evaluation, (_, learnt) in zip(
        paths, networks, evaluations, opened, strict=True
    ):
        if tell and network.missing:
            tell(f"{path}: {network.missing}")
        about: dict[str, Any] = {
            "label": path.parent.name if path.name == KERAS_MODEL else path.name,
            "classes": [*DIGITS, NONE][: network.model.output_shape[1]],
            "warning": already_seen(learnt, dataset.name, "test") or "",
        }
        facts = facts_of(network, evaluation, test, shown)
        described.append({**about, **network.to_dict(), **facts})
    write_page(page, {"networks": described, "digits": digits_of(dataset, shown)})
    return page


def _path(source: Source) -> Path:
    """Return the file of a model; `RunError` for a run without one."""
    path = as_path(source.folder if isinstance(source, Run) else source, "a model")
    return model_of_run(path, [KERAS_MODEL]) if path.is_dir() else path


def _opened(path: Path) -> tuple[Any, str | None]:
    """Return the Keras model in a file, and the name of what it learnt from, if that is known."""
    if path.suffix != ".onnx":
        return load_digit_model(path), data_of(path)
    from inkdigit.learning.models.trainable import trainable_networks

    info = DigitModel.load(path).info  # a model of lines is refused
    (model,) = trainable_networks(path, [])
    return model, data_of(path) or info.trained_on
