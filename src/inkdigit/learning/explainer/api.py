"""What `inkdigit explain` does: trained networks in, one page out."""

from collections.abc import Sequence
from pathlib import Path

from inkdigit.errors import OutputError, SettingError
from inkdigit.files import as_path, is_taken
from inkdigit.learning.datasets import Dataset, load_dataset
from inkdigit.learning.explainer.facts import Opened, facts_of
from inkdigit.learning.explainer.network import Network
from inkdigit.learning.explainer.page import write_page
from inkdigit.learning.models.keras_files import load_any_model
from inkdigit.learning.models.load import data_of, model_of_run
from inkdigit.learning.models.run import KERAS_MODEL, Run
from inkdigit.learning.networks import NETWORKS
from inkdigit.reading.model_file import FALLBACK, FIRST, load_model_file

Source = Run | str | Path
# Side by side there is room for two.
_MOST = 2


def explain(
    models: Sequence[Source] | Source,
    out: str | Path = "explain.html",
    data: Dataset | str | None = None,
) -> Path:
    """Write a page that opens one trained network up, or two side by side, and return its path.

    A model is a run or its folder, a `.keras`, an `.h5`, or the `.onnx` of one of our networks; it
    reads digits or lines. The digits are those of `data`, by default what the first model learnt
    from, if that is known. The page is one file: it fetches nothing. Where it cannot compute a
    layer, it says so and shows what comes before.

    Raises `OutputError` where something lies at `out`, `ModelError` and `RunError` for a model that
    can't be opened.

    >>> from inkdigit import learning
    >>> run = learning.train("sample", network="lenet5", epochs=1, out="runs/example", resume=True)
    >>> learning.explain(run, "lenet5.html").name
    'lenet5.html'
    """
    sources = models if isinstance(models, Sequence) and not isinstance(models, str) else [models]
    page = as_path(out, "out")
    if page.suffix != ".html":
        raise SettingError(f"{page} is no page: end it in .html")
    if is_taken(page):
        raise OutputError(f"{page} is there already: choose another file")
    paths = [_path(source) for source in sources]
    opened = [one for path in paths for one in _opened(path)]
    if not 1 <= len(opened) <= _MOST or len({one.reads_lines for one in opened}) > 1:
        raise SettingError(
            f"a page explains one network or two that read alike, received {len(opened)}: name a "
            "run or a model file for each"
        )
    own = data_of(paths[0])
    # `auto` takes MNIST where it is at hand, and downloads nothing.
    usual = own if own and own != "mnist" else "auto"
    dataset = data if isinstance(data, Dataset) else load_dataset(data or usual)
    write_page(page, facts_of(opened, dataset))
    return page


def _path(source: Source) -> Path:
    """Return the file of a model; `RunError` for a run without one."""
    path = as_path(source.folder if isinstance(source, Run) else source, "a model")
    return model_of_run(path, [KERAS_MODEL]) if path.is_dir() else path


def _opened(path: Path) -> list[Opened]:
    """Return the networks in a file: of a line model also its fallback, the second opinion."""
    label = path.resolve().parent.name if path.name == KERAS_MODEL else path.name
    learnt = data_of(path)
    if path.suffix == ".onnx":
        from inkdigit.learning.models.trainable import trainable_networks

        learnt = learnt or load_model_file(path).info.trained_on
        known = trainable_networks(path, [], NETWORKS)
        models = [known[name] for name in (FIRST, FALLBACK) if name in known]
    else:
        models = [load_any_model(path)]
    labels = [label, f"{label}, second opinion"]
    pairs = zip(labels, models, strict=False)
    return [Opened(name, Network.of(model), learnt) for name, model in pairs]
