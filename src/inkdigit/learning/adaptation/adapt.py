"""Networks adapted to a pile: cross-fitted, calibrated on what they did not learn from, and judged.

What is said of a reader that has learned from a pile is measured on pictures of it that it did not
learn from: it is cut into folds, and each is read by networks that learned from the others (Stone
1974). Those that learned from all of it are kept.
"""

import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self
from zipfile import BadZipFile

import numpy as np

import inkdigit
from inkdigit.errors import DataError
from inkdigit.files import make_folder, write_atomically
from inkdigit.images import Grey
from inkdigit.learning.adaptation.learners import (
    AdaptConfig,
    Confidences,
    Example,
    Learner,
    Networks,
)
from inkdigit.learning.adaptation.pile import LEAST, Folds, Pile
from inkdigit.learning.evaluation.comparison import mcnemar_p
from inkdigit.learning.evaluation.metrics import REJECT_ALL, wilson
from inkdigit.learning.readers.train import Weights
from inkdigit.reading.alphabet import MARKS, only_digits
from inkdigit.reading.calibration import PlattScaling
from inkdigit.reading.decoding.rescoring import Hypothesis
from inkdigit.reading.model_file import ModelInfo
from inkdigit.reading.options import ReadOptions

# So much of what is accepted may be wrong, as far as the calibration knows; and so much at most
# where the reader was no surer before.
ERRORS = 0.005, 0.01
# With fewer labels the calibration is fitted on drawn lines.
_ENOUGH = 100
_DRAWN_SEED = 93
# So many drawn lines or digits say what other hands lose.
_DRAWN = 500
# So many pictures are named that it would tell most to label.
TO_LABEL = 50
# A reading that is so sure says that a label is right, or that it may be wrong.
_SURE = 0.9
# Kinds of drawn numbers, each from so many digits on.
_KINDS = {"1 digit": 1, "2 or 3 digits": 2, "4 to 6 digits": 4, "7 digits or more": 7}

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Share:
    """How many of several, with the 95 % interval of the share (Wilson 1927)."""

    count: int
    of: int

    @property
    def interval(self) -> tuple[float, float]:
        """The least and the most that the share may well be."""
        return wilson(self.count, self.of)

    def __str__(self) -> str:
        low, high = self.interval
        return f"{self.count:,} of {self.of:,} ({100 * low:.1f} to {100 * high:.1f} %)"


@dataclass(frozen=True)
class Change:
    """How many of the same pictures were read right before and are now, and how many only once."""

    before: Share
    after: Share
    won: int
    lost: int

    @classmethod
    def of(cls, before: Sequence[bool], after: Sequence[bool]) -> Self:
        """Count two answers to each picture."""
        pairs = [*zip(before, after, strict=True)]
        return cls(
            Share(sum(before), len(pairs)),
            Share(sum(after), len(pairs)),
            sum(new and not old for old, new in pairs),
            sum(old and not new for old, new in pairs),
        )

    @property
    def is_real(self) -> bool:
        """Whether so large a change would seldom be chance (McNemar 1947)."""
        return mcnemar_p(self.won, self.lost) < 0.05


@dataclass(frozen=True)
class Outcome:
    """What came of adapting a reader to a pile.

    `before` is what it read, and `after` what networks read that did not learn from the sample,
    with calibrated `confidences`; `sure_before` are those of before. `info_before` and `info` are
    what the model file said of itself, and what the new one says. `drawn` says how drawn pictures
    by other hands are read, by kind, and `curve` how many labelled samples are read wrong, by the
    number of labels that were learned from. `networks` learned from the whole pile, but for labels
    in doubt.
    """

    pile: Pile
    before: list[str]
    after: list[str]
    sure_before: Confidences
    confidences: Confidences
    info_before: ModelInfo
    info: ModelInfo
    drawn: dict[str, Change]
    curve: dict[int, Share]
    networks: Networks = field(repr=False)

    @property
    def right(self) -> Change:
        """How many labelled samples are read right."""
        numbers, is_right = self.pile.labelled, self.pile.is_right
        return Change.of(
            [is_right(i, self.before[i]) for i in numbers],
            [is_right(i, self.after[i]) for i in numbers],
        )

    @property
    def is_better(self) -> bool:
        """Whether more is read right than before, or as much and more of it accepted.

        Without labels it cannot be known; what accepts nothing is no better.
        """
        if not self.pile.labelled:
            return bool(self.accepted)
        if self.right.won != self.right.lost:
            return self.right.won > self.right.lost
        wrong_before = self.wrong(self.accepted_before, self.before)
        no_worse = len(self.wrong(self.accepted, self.after)) <= len(wrong_before)
        return no_worse and len(self.accepted) > len(self.accepted_before)

    def wrong(self, numbers: Sequence[int], texts: Sequence[str]) -> list[int]:
        """Return those of some samples whose label is another."""
        known = {*self.pile.labelled}
        return [i for i in numbers if i in known and not self.pile.is_right(i, texts[i])]

    @property
    def calibrated_on_pile(self) -> bool:
        """Whether there are labels enough to calibrate on, and not on drawn pictures."""
        return len(self.pile.labelled) >= _ENOUGH

    @property
    def accepted(self) -> list[int]:
        """The numbers of the samples that are read surely enough."""
        return np.flatnonzero(self.confidences >= self.info.reject_threshold).tolist()

    @property
    def accepted_before(self) -> list[int]:
        """The numbers of the samples that were read surely enough before."""
        return np.flatnonzero(self.sure_before >= self.info_before.reject_threshold).tolist()

    @property
    def changed(self) -> list[int]:
        """The numbers of labelled samples that were read right and are not, or the other way."""
        both, is_right = (self.before, self.after), self.pile.is_right
        return [i for i in self.pile.labelled if len({is_right(i, r[i]) for r in both}) > 1]

    @property
    def to_label(self) -> list[int]:
        """The samples without a label of which least is known, fifty at most."""
        unknown = [i for i, one in enumerate(self.pile.samples) if one.label is None]
        return sorted(unknown, key=lambda i: float(self.confidences[i]))[:TO_LABEL]


class Adapting:
    """The adaptation of a model file to a pile.

    What is finished is kept in the folder `state`, and not done again.
    """

    def __init__(
        self, learner: Learner, pile: Pile, options: ReadOptions, seed: int, state: Path, tell: Tell
    ) -> None:
        self.learner, self.options = learner, options
        labels = ((i, pile.samples[i]) for i in pile.labelled)
        too_long = [i for i, one in labels if not learner.has_room(one.pixels, one.label or "")]
        self.pile = replace(pile, doubted=too_long)
        self.config, self.info = (config := learner.config), learner.model.info
        self._seed, self._tell = seed, tell
        self._state = state / _digest(learner.model.path, pile, options, config, seed)
        unknown = len(pile.labelled) < len(pile)
        rounds = config.rounds if unknown else 1
        turns = 2 * config.folds + 1 if pile.labelled else config.folds + 1
        self._fits = rounds * turns * len(learner.learning)
        self._done, self._times = 0, list[float]()

    def run(self, *, force: bool = False) -> Outcome:
        """Adapt and calibrate, and return what came of it.

        Raises `DataError` where nothing is known of the pile, or its labels look like others'
        (not with `force`), and `OutputError` where what is finished cannot be kept.
        """
        every, folds = range(len(self.pile)), self.pile.folds(self.config.folds, self._seed)
        start = self.learner.start
        if not self.pile.labelled and len(sure := self._sure(start, every)) < LEAST:
            fitting = " that fit" if self.options.constrained else ""
            raise DataError(
                f"the reader is sure of {len(sure)} of {len(self.pile)} pictures{fitting}: too few "
                "to learn from without labels"
            )
        known = self._found(start, every)
        if not force:
            self._check_labels(known)
        make_folder(self._state)
        unseen = self._unseen(folds)
        self.pile = replace(self.pile, doubted=self._in_doubt(known, unseen))
        labelled = self.pile.labelled
        networks = self._adapted(every, "all")
        curve = self._curve(folds, known, unseen) if labelled else {}
        drawn = [self.learner.draw([_DRAWN_SEED, number]) for number in range(_DRAWN)]
        pixels, texts = (list(each) for each in zip(*drawn, strict=True))
        by_others = [self.learner.read(each, pixels, ReadOptions()) for each in (start, networks)]
        kinds = _by_kind(texts, *by_others)
        shown = [unseen[i] for i in every]
        if len(labelled) >= _ENOUGH:
            labels = [self.pile.samples[i].label or "" for i in labelled]
            of_labelled = [[found[i] for i in labelled] for found in (known, unseen)]
            calibration = self._calibration(of_labelled, labels, shown, ERRORS)
        else:
            calibration = self._calibration(by_others, texts, by_others[1], (0.0, 1.0))
        right = Change.of(*(_are_right(found, texts) for found in by_others)).after
        info = replace(
            self.info,
            accuracy=right.count / right.of,
            accuracy_on=f"{right.of} drawn pictures",
            trained_on=f"{self.info.trained_on}, adapted to {len(self.pile)} pictures",
            inkdigit_version=inkdigit.__version__,
            **calibration,
        )
        before, after = ([found[i].text for i in every] for found in (known, unseen))
        certain = (
            self.learner.confidences([known[i] for i in every], self.info),
            self.learner.confidences(shown, info),
        )
        infos = self.info, info
        return Outcome(self.pile, before, after, *certain, *infos, kinds, curve, networks)

    def _unseen(self, folds: Folds) -> dict[int, Hypothesis]:
        """Return what is read on each sample by networks that did not learn from it."""
        unseen: dict[int, Hypothesis] = {}
        for fold in range(self.config.folds):
            inside, others = (np.flatnonzero(some) for some in (folds == fold, folds != fold))
            networks = self._adapted(others.tolist(), f"without-{fold}")
            unseen |= self._found(networks, inside.tolist())
        return unseen

    def _in_doubt(
        self, known: dict[int, Hypothesis], unseen: dict[int, Hypothesis]
    ) -> Sequence[int]:
        """Return labels that may be wrong.

        Networks that did not learn from them surely read otherwise, and the same as the networks
        of before, which are not sure of the same mistakes.
        """
        _, wrong = self._surely_read(unseen)
        alike = [i for i in wrong if only_digits(known[i].text) == only_digits(unseen[i].text)]
        return [*self.pile.doubted, *alike]

    def _surely_read(self, found: dict[int, Hypothesis]) -> tuple[list[int], list[int]]:
        """Return which labels are surely read as they are, and which are surely read otherwise.

        How sure that is the calibration of before says: wrong labels do not touch it.
        """
        said = self.learner.confidences([*found.values()], self.info)
        sure = {i for i, confidence in zip(found, said, strict=True) if confidence >= _SURE}
        right: list[int] = []
        wrong: list[int] = []
        for i in sure.intersection(self.pile.trusted):
            (right if self.pile.is_right(i, found[i].text) else wrong).append(i)
        return sorted(right), sorted(wrong)

    def _check_labels(self, known: dict[int, Hypothesis]) -> None:
        """Raise `DataError` for labels that look like those of other pictures."""
        right, wrong = self._surely_read(known)
        odd = sorted([*self.pile.doubted, *wrong])
        if len(odd) > max(len(right), len(self.pile.labelled) / 10):
            name = self.pile.samples[odd[0]].name
            raise DataError(
                f"{len(odd)} labels are surely not what stands in their pictures, such as that of "
                f"{name}, and {len(right)} surely are: are they of these pictures? With force it "
                "goes on all the same"
            )

    def _adapted(self, numbers: Sequence[int], name: str) -> Networks:
        """Return the networks after they have learned from some of the samples."""
        unknown = [i for i in numbers if self.pile.samples[i].label is None]
        trusted = {*self.pile.trusted}.intersection(numbers)
        samples = [self.pile.samples[i] for i in sorted(trusted)]
        labelled = [_labelled(one.pixels, one.label or "") for one in samples]
        networks = self.learner.start
        for step in range(self.config.rounds if unknown else 1):
            sure = self._sure(networks, unknown) if unknown else []
            examples = [*labelled, *sure]
            learned = {
                which: self._fit(weights, examples, f"{name}-{step}-{which}")
                for which, weights in self.learner.learning.items()
            }
            networks = learned | self.learner.witnesses
        return networks

    def _sure(self, networks: Networks, numbers: Sequence[int]) -> list[Example]:
        """Return pictures with the digits that networks read on them, where they are sure of it."""
        found = self._found(networks, numbers, self.options)
        said = self.learner.confidences([*found.values()], self.info)
        return [
            _labelled(self.pile.samples[number].pixels, one.text)
            for (number, one), confidence in zip(found.items(), said.tolist(), strict=True)
            if confidence >= self.config.sure and self.options.passes(one.text)
        ]

    def _fit(self, weights: Weights, examples: list[Example], name: str) -> Weights:
        """Return weights that have learned from examples, or did so in an earlier run.

        Raises `DataError` where there are none.
        """
        if not examples:
            raise DataError(
                "nothing is left to learn from in a part of the pile: its labels are in doubt, or "
                "no picture is surely read"
            )
        kept = self._state / f"{name}-{_digest_of(examples)}.npz"
        seed = [self._seed, *name.encode()]
        fitted = _kept_weights(kept)
        if fitted is None:
            began = time.monotonic()
            fitted = learned = self.learner.fit(weights, examples, seed)
            write_atomically(kept, lambda path: np.savez(path, *learned, allow_pickle=False))
            self._times.append(time.monotonic() - began)
        self._done += 1
        left = ""
        if self._times and self._done < self._fits:
            left = f"; about {_span((self._fits - self._done) * float(np.mean(self._times)))} left"
        of = f"training {self._done} of {self._fits}"
        self._tell(f"{of}: learned from {len(examples)} pictures{left}")
        return fitted

    def _found(
        self, networks: Networks, numbers: Sequence[int], options: ReadOptions | None = None
    ) -> dict[int, Hypothesis]:
        """Return what networks read on some of the samples, by their numbers."""
        images = [self.pile.samples[number].pixels for number in numbers]
        read = self.learner.read(networks, images, options or ReadOptions())
        return dict(zip(numbers, read, strict=True))

    def _curve(
        self, folds: Folds, known: dict[int, Hypothesis], unseen: dict[int, Hypothesis]
    ) -> dict[int, Share]:
        """Return how many labelled samples are read wrong, by how many labels were learned from.

        Those without a label are learned from all along, so that labels alone make the difference.
        """
        numbers, count = self.pile.labelled, self.config.folds
        unknown = [i for i in range(len(self.pile)) if self.pile.samples[i].label is None]
        tries: dict[int, Hypothesis] = {}
        for fold in range(count):
            few = [i for i in numbers if folds[i] == fold]
            networks = self._adapted([*few, *unknown], f"only-{fold}")
            tries |= self._found(networks, [i for i in numbers if folds[i] == (fold + 1) % count])
        a_third = round(len(numbers) / count)
        # Of one label a third is none.
        read = {a_third: tries, len(numbers) - a_third: unseen} | {0: known}
        return {
            labels: Share(
                sum(not self.pile.is_right(i, found[i].text) for i in numbers), len(numbers)
            )
            for labels, found in sorted(read.items())
        }

    def _calibration(
        self,
        read: Sequence[Sequence[Hypothesis]],
        labels: list[str],
        shown: Sequence[Hypothesis],
        errors: tuple[float, float],
    ) -> dict[str, Any]:
        """Return the calibration as `ModelInfo` has it, by what was not learned from.

        It is fitted on what the old and the new networks `read` where there are `labels`; the
        threshold is that for which `errors` are to be expected of what is `shown`.
        """
        old, new = read
        known = self.learner.calibration(new, labels)
        confidences = self.learner.confidences(shown, replace(self.info, **known))
        before_anew = replace(self.info, **self.learner.calibration(old, labels))
        least = least_accepted(self.info, before_anew)
        return known | accepting(confidences, least, *errors)

    def write(self, outcome: Outcome, out: Path) -> None:
        """Write the networks that are kept into one model file."""
        self.learner.write(outcome.networks, outcome.info, out)


def _labelled(pixels: Grey, text: str) -> Example:
    """Return an example; where its label has no mark, marks in the picture are passed over."""
    return Example(pixels, text, not set(text) & set(MARKS))


def _kept_weights(path: Path) -> Weights | None:
    """Return what a training has left, or nothing where it has not, or the file is broken."""
    try:
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            return [file[each] for each in file.files]
    except (OSError, ValueError, EOFError, BadZipFile):
        return None


def _span(seconds: float) -> str:
    return f"{seconds / 60:.0f} min" if seconds >= 90 else f"{seconds:.0f} s"


def _are_right(found: Sequence[Hypothesis], texts: Sequence[str]) -> list[bool]:
    """Return which drawn pictures are read right, of those with digits."""
    digits = map(only_digits, texts)
    return [one.text == text for one, text in zip(found, digits, strict=True) if text]


def _by_kind(
    texts: Sequence[str], before: Sequence[Hypothesis], after: Sequence[Hypothesis]
) -> dict[str, Change]:
    """Return how drawn numbers are read, by how many digits they have."""
    lengths = np.array([len(only_digits(text)) for text in texts])
    places = np.digitize(lengths, [*_KINDS.values()]) - 1
    kinds: dict[str, Change] = {}
    for place, kind in enumerate(_KINDS):
        if numbers := np.flatnonzero(places == place).tolist():
            some = [texts[i] for i in numbers]
            read = ([found[i] for i in numbers] for found in (before, after))
            kinds[kind] = Change.of(*(_are_right(found, some) for found in read))
    return kinds


def least_accepted(info: ModelInfo, anew: ModelInfo) -> float:
    """Return how often the least sure that a reader accepts is right, by its calibration anew.

    It is never less than the reader asks for.
    """
    asked = info.reject_threshold
    raw = _curve(info).probability(np.array(asked))
    return max(asked, float(_curve(anew).confidence(raw)))


def accepting(confidences: Confidences, least: float, target: float, most: float) -> dict[str, Any]:
    """Return a threshold and what is to be expected above it, as `Calibration` has them.

    What is as sure as `least` is sure enough, as long as at most the share `most` is to be expected
    wrong; and what is less sure, as long as it is at most `target`.
    """
    said = np.sort(confidences)[::-1]
    expected = np.cumsum(1 - said) / np.arange(1, len(said) + 1)
    expected = expected[np.searchsorted(-said, -said, "right") - 1]  # equals go together
    sure, bearable = (min(said[expected <= e].tolist(), default=REJECT_ALL) for e in (target, most))
    least = min(sure, max(least, bearable))
    accepted = int(np.count_nonzero(said >= least))
    return {
        "reject_threshold": least,
        "reject_error": float(expected[accepted - 1]) if accepted else 0.0,
        "reject_accepted": accepted / len(said),
        "reject_measured_on": len(said),
    }


def _curve(info: ModelInfo) -> PlattScaling:
    """Return how a model is calibrated, of digits for one that may be one of two."""
    return PlattScaling(info.confidence_slope / info.temperature, info.confidence_intercept)


def _digest_of(examples: Sequence[Example]) -> str:
    """Return what tells examples from others."""
    known = hashlib.sha256()
    for example in examples:
        known.update(example.pixels.tobytes() + repr(example[1:]).encode())
    return known.hexdigest()[:8]


def _digest(path: Path, pile: Pile, options: ReadOptions, config: AdaptConfig, seed: int) -> str:
    """Return what tells one adaptation from another."""
    known = hashlib.sha256(path.read_bytes())
    known.update(repr((options, config, seed)).encode())
    for sample in pile.samples:
        known.update(repr((sample.label, sample.group, sample.pixels.shape)).encode())
        known.update(sample.pixels.tobytes())
    return known.hexdigest()[:16]
