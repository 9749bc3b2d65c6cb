"""`learning.adapt`: a reader that has learned from pictures of one's own."""

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from inkdigit.errors import DataError, SettingError, shown
from inkdigit.files import as_path
from inkdigit.images import Source
from inkdigit.images.folder import pictures_in
from inkdigit.learning.adaptation.adapt import Adapting
from inkdigit.learning.adaptation.learners import AdaptConfig, make_learner
from inkdigit.learning.adaptation.pile import labels_of_folders, load_pile, named
from inkdigit.learning.adaptation.report import sentences, write_report
from inkdigit.learning.datasets.labels import LABELS, Label, as_label, one_digit_each, read_labels
from inkdigit.learning.settings import TrainingSettings
from inkdigit.reading.model_file import DigitModel
from inkdigit.reading.options import ReadOptions
from inkdigit.reading.reader import Reader

Pictures = str | Path | Mapping[str, Source] | Sequence[Source]
Labels = str | Path | Mapping[str, str] | Sequence[str | None]
Tell = Callable[[str], None]
STATE = ".adapting"


def adapt(  # noqa: PLR0913
    reader: Reader,
    pictures: Pictures,
    labels: Labels | None = None,
    *,
    single: bool = False,
    group: str | None = None,
    pattern: str | None = None,
    check: str | None = None,
    epochs: int | None = None,
    seed: int = 0,
    out: str | Path = "adapted.onnx",
    force: bool = False,
    tell: Tell | None = None,
) -> Reader:
    r"""Return a reader that has learned from pictures of one's own, and keep its model.

    `pictures` is a folder, or pictures as `Reader.read` takes them, by name or in a sequence.
    `labels` are texts by name, a text for each picture (`None` where it is unknown), or a CSV with
    columns `file` and `text`, empty where it is unknown; `group` names another column of it, of the
    writer or the document, which is then held out whole. They may be as written, or digits alone;
    without any, a file `labels.csv` in the folder is taken. What has no label is learned from where
    the reader is sure of it, and it fits `pattern` and passes `check`. `single` adapts the network
    of single digits: a picture in a folder that is named after a digit has that label. `epochs` are
    80, and fewer for more than 150 pictures.

    The model file goes to `out`, and a page about it beside, which has the suffix `.html`. What is
    finished is kept beside it until then, so that the same call goes on where it was stopped.
    `tell` is called with how far it is, and with what came of it.

    Raises `DataError` for pictures and labels that do not match, or are too few, and where the
    reader is no better than before, unless `force`; `SettingError` where `out` or the page is there
    already, or the reader has no network of the kind.

    >>> from inkdigit import Reader, learning
    >>> learning.adapt(Reader.load(), ["docs/amount.png"])
    Traceback (most recent call last):
    inkdigit.errors.DataError: there are too few pictures to learn from: 1, at least 20 are needed
    """
    if not isinstance(reader, Reader):
        raise SettingError(f"reader is a Reader, such as Reader.load(), received {shown(reader)}")
    out = as_path(out, "out")
    if out.suffix != ".onnx":
        raise SettingError(f"{out} is no kind of model file: end it in .onnx")
    page, state = out.with_suffix(".html"), out.with_name(out.name + STATE)
    # A page beside a state is of a call that stopped, or was not better.
    for path in [out] if state.exists() else [out, page]:
        if path.exists():
            raise SettingError(f"{path} is there already: name another file with -o or out")
    given: dict[str, Any] = {"epochs": epochs, "seed": seed}
    TrainingSettings(network="line", **given)
    options = ReadOptions(pattern=pattern, check=check, single=single)
    model = reader.model_for(options)
    sources = _sources(pictures)
    if labels is None and isinstance(pictures, str | Path):
        beside = Path(pictures, LABELS)
        labels = beside if beside.exists() else None
    known = _labels(labels, list(sources), group)
    if isinstance(model, DigitModel):
        one_digit_each({name: label for name, label in known.items() if label.text})
        known = known | labels_of_folders(sources, known)
    pile = load_pile(sources, known, partial(reader.shown, options=options))
    config = AdaptConfig.for_pile(len(pile))
    config = config if epochs is None else replace(config, epochs=epochs)
    learner = make_learner(model, config)
    say: Tell = tell or (lambda _: None)
    adapting = Adapting(learner, pile, options, seed, state, say)
    try:
        outcome = adapting.run(force=force)
    except KeyboardInterrupt as stopped:
        stopped.add_note("what is finished is kept: the same command goes on from there")
        raise
    write_report(outcome, page)
    for sentence in sentences(outcome):
        say(sentence)
    if not (outcome.is_better or force):
        raise DataError(
            f"the reader is no better than before, so {out} is not written: {page} says what came "
            f"of it. The same with force writes it all the same, from what is kept in {state}"
        )
    adapting.write(outcome, out)
    shutil.rmtree(state, ignore_errors=True)
    return Reader.load(out)


def _sources(pictures: Pictures) -> Mapping[str, Source]:
    if isinstance(pictures, str | Path):
        return pictures_in(Path(pictures))
    if isinstance(pictures, Mapping):
        return {str(name): source for name, source in pictures.items()}
    return named(pictures)


def _labels(labels: Labels | None, names: list[str], group: str | None) -> dict[str, Label]:
    if isinstance(labels, str | Path):
        return read_labels(Path(labels), group)
    if group is not None:
        raise SettingError("a group is a column of a CSV of labels: name that file")
    if labels is None:
        return {}
    if isinstance(labels, Mapping):
        pairs: Any = labels.items()
    elif len(labels) == len(names):
        pairs = zip(names, labels, strict=True)
    else:
        raise DataError(f"{len(labels)} labels do not match {len(names)} pictures")
    return {
        str(name): Label(as_label(text, f"the label of {shown(name)}"))
        for name, text in pairs
        if text is not None
    }
