"""What `inkdigit explain` does: trained networks in, one page out."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from inkdigit.errors import ModelError, OutputError, SettingError
from inkdigit.files import as_path, is_taken
from inkdigit.learning.datasets import Dataset, load_dataset
from inkdigit.learning.evaluation.report import link_explainer
from inkdigit.learning.explainer.facts import Opened, facts_of
from inkdigit.learning.explainer.film import film_of
from inkdigit.learning.explainer.network import Network
from inkdigit.learning.explainer.page import write_page
from inkdigit.learning.models.keras_files import load_any_model
from inkdigit.learning.models.load import locate
from inkdigit.learning.models.run import KERAS_MODEL, SNAPSHOTS, Run
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
    reads digits or lines. The digits are those of `data`, by default what each model learnt
    from, if that is known; all are tested on those of the first. A run that kept snapshots is also
    shown as it learned. The page is one file: it fetches nothing. Where it cannot compute a layer,
    it says so and shows what comes before. The report of a run then links to it.

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
    located = [locate(source, KERAS_MODEL) for source in sources]
    load = cache(load_dataset)  # two networks that learnt from the same digits share them
    opened = []
    for path, run in located:
        # `auto` takes MNIST only where it is at hand.
        name = data or (run.data if run and run.data != "mnist" else "auto")
        known = name if isinstance(name, Dataset) else load(name)
        opened += _opened(path, run, known)
    if not 1 <= len(opened) <= _MOST or len({one.reads_lines for one in opened}) > 1:
        more = ": name a run or a model file for each"
        if len(opened) > len(sources):
            more = f" in {len(sources)} files: name a line model alone, as it holds two"
        raise SettingError(
            f"a page explains one network or two that read alike, received {len(opened)}{more}"
        )
    write_page(page, facts_of(opened))
    for _, run in located:
        if run:
            link_explainer(run.folder, page)
    return page


def _opened(path: Path, run: Run | None, known: Dataset) -> list[Opened]:
    """Return the networks in a file: of a line model also its fallback, the second opinion."""
    is_run = path.name == KERAS_MODEL
    label = path.resolve().parent.name if is_run else path.name
    film = film_of(path.with_name(SNAPSHOTS)) if is_run else None
    learnt = run.data if run else None
    if path.suffix == ".onnx":
        from inkdigit.learning.models.trainable import trainable_networks

        learnt = learnt or load_model_file(path).info.trained_on
        ours = trainable_networks(path, [], NETWORKS)
        models = [ours[name] for name in (FIRST, FALLBACK) if name in ours]
    else:
        models = [load_any_model(path)]
    if len(models[0].output_shape) > 3:
        raise ModelError(f"{path} finds numbers: explain what reads digits or lines")
    labels = [label, f"{label}, second opinion"]
    pairs = zip(labels, models, strict=False)
    return [Opened(name, Network.of(model), learnt, known, film) for name, model in pairs]
