from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from inkdigit import Reader, learning
from inkdigit.errors import DataError, SettingError
from inkdigit.images import Grey, as_png
from inkdigit.learning.adaptation import adapt as adapting
from inkdigit.learning.adaptation.learners import AdaptConfig, DigitLearner, Example, LineLearner
from inkdigit.learning.adaptation.pile import Pile, Sample
from inkdigit.learning.adaptation.report import sentences
from inkdigit.learning.datasets import Dataset
from inkdigit.learning.readers.train import Weights, held_against
from inkdigit.learning.synthesis.stream import Generator
from inkdigit.reading.alphabet import only_digits
from inkdigit.reading.decoding.rescoring import Hypothesis
from inkdigit.reading.model_file import LineModel
from inkdigit.reading.options import ReadOptions
from inkdigit.reading.reader import LINE_MODEL
from inkdigit.reading.tta import PADDED_TO, pad


@pytest.fixture(scope="module")
def written(sample: Dataset) -> list[tuple[Grey, str]]:
    """Drawn pictures, and the digits in them."""
    draw = Generator(sample.train, None).pictures()
    drawn = (draw(np.random.default_rng([5, number])) for number in range(60))
    return [(page, only_digits(text)) for page, text in drawn if only_digits(text)][:40]


@pytest.mark.slow
def test_a_reader_learns_and_an_interrupted_adaptation_goes_on(
    written: list[tuple[Grey, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adapting, "_DRAWN", 60)
    pages = [page for page, _ in written]
    labels = [text if number < 30 else None for number, (_, text) in enumerate(written)]
    out, told = tmp_path / "ours.onnx", list[str]()

    def stop(sentence: str) -> None:
        told.append(sentence)
        if "training 5 of" in sentence:
            raise KeyboardInterrupt

    how = {"epochs": 2, "out": out, "force": True}
    with pytest.raises(KeyboardInterrupt):
        learning.adapt(Reader.load(), pages, labels, **how, tell=stop)
    assert not out.exists()
    (state,) = (tmp_path / "ours.onnx.adapting").iterdir()
    finished = [*state.iterdir()]
    assert len(finished) == 5
    fit, fits = LineLearner.fit, list[int]()

    def counted(learner: LineLearner, old: Weights, examples: list[Example], seed: int) -> Weights:
        fits.append(len(examples))
        return fit(learner, old, examples, seed)

    monkeypatch.setattr(LineLearner, "fit", counted)
    reader = learning.adapt(Reader.load(), pages, labels, **how, tell=told.append)
    assert len(fits) == 28 - len(finished)
    assert not state.exists()
    assert "training 28 of 28: learned from" in "".join(told)
    assert any("of labelled pictures" in sentence and "of 30 (" in sentence for sentence in told)
    assert any("drawn numbers by other hands" in sentence for sentence in told)
    page = out.with_suffix(".html").read_text(encoding="utf-8")
    assert "Errors, by the number of labels" in page
    found = reader.read_batch(pages)
    right = sum(one.digits == text for one, (_, text) in zip(found, written, strict=True))
    assert right >= 20
    model = reader.model_for(ReadOptions())
    assert model.info.trained_on.endswith("adapted to 40 pictures")
    # It is calibrated on drawn pictures, as there are few labels.
    assert isinstance(model, LineModel)
    assert model.info.reject_measured_on == 60
    # What it read with before looks beside it, and still does where it is adapted again.
    assert [*model.others] == ["fallback", "witness_first", "witness_fallback"]
    again = LineLearner(model, AdaptConfig(drawn=60))
    assert [*again.learning] == ["first", "fallback"]
    assert [*again.witnesses] == ["witness_first", "witness_fallback"]
    lines = pad([reader.shown(page, ReadOptions()) for page in pages[:8]], PADDED_TO)
    before = LineModel.load(LINE_MODEL)
    for name, witness in {"first": before.frames, **before.others}.items():
        said, known = model.others[f"witness_{name}"](lines), witness(lines)
        assert (said.argmax(axis=-1) == known.argmax(axis=-1)).mean() > 0.98


@pytest.mark.slow
def test_single_digits_of_class_folders_are_learned(
    sample: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hand that leans far to the left: others of it are then read at least as well, and surer."""
    monkeypatch.setattr(adapting, "_DRAWN", 200)
    lean = np.array([[1, 1.2, -1.2 * 14], [0, 1, 0]])
    order = np.random.default_rng(0).permutation(len(sample.test))[:300]
    images = [cv2.warpAffine(image, lean, (28, 28)) for image in sample.test.images[order]]
    labels = [str(label) for label in sample.test.labels[order]]
    for number in range(100):
        folder = tmp_path / "digits" / labels[number]
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{number}.png").write_bytes(as_png(np.asarray(images[number], np.uint8)))

    def of_others(reader: Reader) -> tuple[int, int, int]:
        found = reader.read_batch(images[100:], single=True)
        right = [one.digits == label for one, label in zip(found, labels[100:], strict=True)]
        accepted = [one.status == "accepted" for one in found]
        return sum(right), sum(accepted), sum(np.array(accepted) & ~np.array(right))

    told, out = list[str](), tmp_path / "ours.onnx"
    reader = learning.adapt(
        Reader.load(), tmp_path / "digits", single=True, epochs=5, out=out, force=True,
        tell=told.append,
    )  # fmt: skip
    assert any("of 100 (" in sentence for sentence in told)
    (right, accepted, wrong), before = of_others(reader), of_others(Reader.load())
    assert right > before[0]
    assert accepted > 1.1 * before[1]
    assert wrong <= 2


def test_without_labels_something_has_to_be_sure(
    written: list[tuple[Grey, str]], tmp_path: Path
) -> None:
    with pytest.raises(
        DataError, match=r"sure of [01] of 40 pictures that fit: too few to learn from"
    ):
        learning.adapt(
            Reader.load(), [p for p, _ in written], pattern=r"\d{11}", out=tmp_path / "ours.onnx"
        )
    assert list(tmp_path.iterdir()) == []


def test_what_a_training_has_left(tmp_path: Path) -> None:
    weights = [np.ones((2, 3), np.float32), np.zeros(4, np.float32)]
    np.savez(tmp_path / "all.npz", *weights)
    found = adapting._kept_weights(tmp_path / "all.npz")
    assert found is not None
    assert all((ours == theirs).all() for ours, theirs in zip(found, weights, strict=True))
    whole = (tmp_path / "all.npz").read_bytes()
    for name, broken in (("cut", whole[:300]), ("empty", b""), ("other", b"no weights")):
        (tmp_path / f"{name}.npz").write_bytes(broken)
        assert adapting._kept_weights(tmp_path / f"{name}.npz") is None
    assert adapting._kept_weights(tmp_path / "none.npz") is None


def test_marks_in_a_reading_do_not_make_it_wrong() -> None:
    read = [Hypothesis("12.50", 0.9), Hypothesis("1250", 0.8), Hypothesis("12.5", 0.7)]
    said, right = held_against(read, ["12.50", "12.50", "12.50"])
    assert said.tolist() == [0.9, 0.8, 0.7]
    assert right.tolist() == [True, True, False]


def test_what_cannot_be_adapted(written: list[tuple[Grey, str]], tmp_path: Path) -> None:
    pages = [page for page, _ in written]
    out = tmp_path / "ours.onnx"
    with pytest.raises(SettingError, match="reader is a Reader, such as"):
        learning.adapt("x", pages, out=out)
    with pytest.raises(DataError, match="2 labels do not match 40 pictures"):
        learning.adapt(Reader.load(), pages, ["1", "2"], out=out)
    with pytest.raises(SettingError, match="reads lines, and no single digits"):
        learning.adapt(Reader.load(LINE_MODEL), pages, single=True, out=out)
    with pytest.raises(SettingError, match="there is exactly one digit, and none fits"):
        learning.adapt(Reader.load(), pages, single=True, pattern=r"\d{5}", out=out)
    (tmp_path / "there.onnx").touch()
    with pytest.raises(SettingError, match=r"there\.onnx is there already: name another file"):
        learning.adapt(Reader.load(), pages, out=tmp_path / "there.onnx")
    (tmp_path / "there.onnx").rename(tmp_path / "ours.html")
    with pytest.raises(SettingError, match=r"ours\.html is there already: name another file"):
        learning.adapt(Reader.load(), pages, out=out)
    (tmp_path / "ours.html").unlink()
    with pytest.raises(DataError, match="the label of 0 is one digit, received '12'"):
        learning.adapt(Reader.load(), pages, {"0": "12"}, single=True, out=out)
    with pytest.raises(SettingError, match=r"ours\.h5 is no kind of model file"):
        learning.adapt(Reader.load(), pages, out=tmp_path / "ours.h5")
    with pytest.raises(SettingError, match="a group is a column of a CSV"):
        learning.adapt(Reader.load(), pages, ["1"] * 40, group="writer", out=out)
    with pytest.raises(DataError, match="there is a label for 99, and no such picture"):
        learning.adapt(Reader.load(), pages, {"99": "1"}, out=out)
    with pytest.raises(DataError, match="holds 'x': a label has digits"):
        learning.adapt(Reader.load(), pages, {"3": "1x"}, out=out)
    for wrong in ({"epochs": 0}, {"epochs": 2.5}, {"seed": -1}):
        with pytest.raises(SettingError, match=next(iter(wrong))):
            learning.adapt(Reader.load(), pages, out=out, **wrong)
    assert list(tmp_path.iterdir()) == []


def outcome(
    labels: list[str | None], before: list[str], after: list[str], accepted_before: int = 0
) -> adapting.Outcome:
    from inkdigit.learning.adaptation.pile import Pile, Sample

    pixels = np.zeros((32, 64), np.uint8)
    pile = Pile([Sample(str(i), pixels, label) for i, label in enumerate(labels)])
    model = Reader.load().model_for(ReadOptions())
    info = replace(model.info, reject_threshold=0.9)
    sure = np.linspace(1.0, 0.8, len(labels))
    sure_before = np.where(np.arange(len(labels)) < accepted_before, 1.0, 0.0)
    drawn = {"1 digit": adapting.Change.of([True] * 9, [False] * 7 + [True] * 2)}
    return adapting.Outcome(pile, before, after, sure_before, sure, info, info, drawn, {}, {})


@pytest.mark.slow
def test_wrong_labels_are_found_and_not_learned_from(
    sample: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adapting, "_DRAWN", 60)
    pages = [255 - image for image in sample.test.images[::8][:120]]
    labels = [str(label) for label in sample.test.labels[::8][:120]]
    wrong = [3, 40, 77, 101]
    for number in wrong:
        labels[number] = str((int(labels[number]) + 3) % 10)
    told, learned = list[str](), list[set[tuple[bytes, str]]]()
    fit = DigitLearner.fit

    def watched(learner: DigitLearner, old: Weights, examples: list[Example], seed: int) -> Weights:
        learned.append({(example.pixels.tobytes(), example.text) for example in examples})
        return fit(learner, old, examples, seed)

    monkeypatch.setattr(DigitLearner, "fit", watched)
    how = {"single": True, "epochs": 1, "out": tmp_path / "ours.onnx", "force": True}
    learning.adapt(Reader.load(), pages, labels, **how, tell=told.append)
    doubts = "labels that may be wrong (4): 3; 40; 77; 101; they were not learned from"
    assert any(sentence.startswith(doubts) for sentence in told)
    # They count as they are: who reads otherwise may be wrong as well.
    assert any("of 120 (" in sentence for sentence in told)
    assert any(sentence.startswith("training 7 of 7: ") for sentence in told)
    shown = [Reader.load().shown(pages[n], ReadOptions(single=True)) for n in wrong]
    odd = {(one.tobytes(), labels[n]) for one, n in zip(shown, wrong, strict=True)}
    # The folds tell which labels these are; then all learn without them, and so does each part.
    assert odd <= set[tuple[bytes, str]]().union(*learned[:3])
    assert odd.isdisjoint(set[tuple[bytes, str]]().union(*learned[3:]))
    page = (tmp_path / "ours.html").read_text(encoding="utf-8")
    assert "Labels that may be wrong, and were not learned from" in page
    other = labels[::-1]
    with pytest.raises(DataError, match=r"^1\d\d labels .* and \d+ surely are: are they"):
        learning.adapt(Reader.load(), pages, other, single=True, out=tmp_path / "odd.onnx")


def test_a_label_for_which_there_is_no_room_is_in_doubt(tmp_path: Path) -> None:
    learner = LineLearner(LineModel.load(LINE_MODEL), AdaptConfig(drawn=30))
    lines = [learner.draw([2, number]) for number in range(24)]
    samples = [Sample(str(number), *line) for number, line in enumerate(lines)]
    samples[7] = replace(samples[7], label="1" * samples[7].pixels.shape[1])
    made = adapting.Adapting(learner, Pile(samples), ReadOptions(), 0, tmp_path, print)
    assert made.pile.doubted == [7]
    assert len(made.pile.trusted) == 23


def test_what_came_of_it() -> None:
    found = outcome(
        ["12", "34", "1.-", None, None], ["12", "39", "2", "5", "6"], ["21", "34", "1", "5", "7"]
    )
    assert (found.right.before.count, found.right.after.count) == (1, 2)
    assert (found.right.won, found.right.lost) == (2, 1)
    assert not found.right.is_real
    assert found.is_better
    assert found.accepted == [0, 1, 2]
    assert found.changed == [0, 1, 2]
    assert found.to_label == [4, 3]
    low, high = found.right.after.interval
    # Wilson's formula by hand for 2 of 3: the centre is (x + z²/2) / (n + z²).
    assert (low + high) / 2 == pytest.approx((2 + 1.9207) / (3 + 3.8415), abs=1e-4)
    alone = outcome([None, None], ["1", "2"], ["1", "2"])
    assert alone.is_better
    nothing = replace(alone, info=replace(alone.info, reject_threshold=2.0))
    assert not nothing.is_better
    # As much is read right: it is better if more of it is accepted, and no more of that wrong.
    labels, wrong = ["1", "2", "3"], ["1", "9", "3"]
    assert outcome(labels, labels, labels, accepted_before=1).is_better
    assert not outcome(labels, labels, labels, accepted_before=2).is_better
    assert not outcome(labels, wrong, wrong, accepted_before=1).is_better


def test_what_is_said_of_it() -> None:
    found = outcome(["12", "34", None], ["12", "39", "2"], ["12", "34", "1"], accepted_before=1)
    told = "; ".join(sentences(found))
    assert "1 of 2 (9.5 to 90.5 %) were read right before, and 2 of 2" in told
    assert "1 more, and 0 no longer; so small a difference may be chance" in told
    assert "by confidence 2 of 3 would be accepted, before 1" in told
    assert "2 of 9 (6.3 to 54.7 %) are read right, before 9 of 9" in told
    # Seven of nine lost: p is 1/64.
    assert "worse than before: numbers of 1 digit" in told


def test_what_is_as_sure_as_what_was_accepted_before_is_accepted() -> None:
    """By hand: before, 0.9 by log-odds of 2.197 was asked for."""
    info = replace(
        outcome(["1"], ["1"], ["1"]).info, confidence_slope=1.0, confidence_intercept=0.0
    )
    # Of the pile such readings are right oftener than of drawn pictures, or less often.
    surer, less = (replace(info, confidence_intercept=odds) for odds in (1.0, -1.0))
    assert adapting.least_accepted(info, surer) == pytest.approx(1 / (1 + np.exp(-3.19722)))
    assert adapting.least_accepted(info, less) == 0.9
    digits = replace(info, temperature=2.0), replace(info, temperature=1.0)
    assert adapting.least_accepted(*digits) == pytest.approx(1 / (1 + np.exp(-2 * 2.19722)))
    nothing = replace(info, reject_threshold=2.0)
    assert adapting.least_accepted(nothing, nothing) == 2.0

    said = np.array([0.97, 0.999, 0.9, 0.998, 0.95])
    found = adapting.accepting(said, 0.96, 0.0, 1.0)
    assert found["reject_threshold"] == 0.96
    assert found["reject_accepted"] == 3 / 5
    assert found["reject_error"] == pytest.approx((0.001 + 0.002 + 0.03) / 3)
    # More is accepted as long as few are to be expected wrong, and never less.
    assert adapting.accepting(said, 0.96, 0.021, 0.021)["reject_threshold"] == 0.95
    assert adapting.accepting(said, 0.96, 0.005, 0.02)["reject_threshold"] == 0.97
    # 1.1 % are to be expected wrong there: no more than 1 % may be.
    assert adapting.accepting(said, 0.96, 0.0, 0.01)["reject_threshold"] == 0.998
    assert adapting.accepting(said, 2.0, 0.0, 1.0)["reject_accepted"] == 0
    # What is equally sure is accepted together, or not at all.
    equals = adapting.accepting(np.array([0.999] * 4 + [0.98] * 96), 0.99, 0.005, 0.01)
    assert equals["reject_threshold"] == 0.999
    assert equals["reject_accepted"] == 0.04
    assert equals["reject_error"] == pytest.approx(0.001)


def test_the_page_shows_pictures_and_their_names_as_text(tmp_path: Path) -> None:
    from inkdigit.learning.adaptation.report import sentences, write_report

    found = outcome(["12", "34", "56", None], ["1<b>", "34", "5", ""], ["12", "34", "56", ""])
    page = write_report(found, tmp_path / "page.html").read_text(encoding="utf-8")
    assert "1&lt;b&gt;" in page
    assert page.count("data:image/png") == 3
    assert (
        "pictures 1 of 3 (6.1 to 79.2 %) were read right before, and 3 of 3" in sentences(found)[0]
    )
    without = sentences(outcome([None, None], ["1", "2"], ["1", "2"]))
    assert without[0].startswith("without a label it cannot be known")
    assert "labels are too few to tell it of these" in without[1]
    rare = outcome([None], ["1"], ["1"])
    rare = replace(rare, info=replace(rare.info, reject_error=0.0004))
    assert "0.04 % are to be expected wrong" in sentences(rare)[1]
    many = [str(number) for number in range(10, 130)]
    told = sentences(outcome([*many, None], [*many, "1"], ["7", *many[1:], "1"]))
    assert "61 of 121 would be accepted" in told[1]
    assert told[1].endswith("and of the 61 with a label 1 are read otherwise")
