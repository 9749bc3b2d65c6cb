"""Networks adapted to a pile: cross-fitted, calibrated on what they did not learn from, and judged.

What is said of a reader that has learned from a pile is measured on pictures of it that it did not
learn from: it is cut into folds, and each is read by networks that learned from the others (Stone
1974). The weights that are kept are the mean of theirs and of those that learned from all of it
(Wortsman et al. 2022, Model soups): one training errs by chance, and several in other ways.
"""

import hashlib
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

import inkdigit
from inkdigit.files import write_atomically
from inkdigit.learning.adaptation.learners import (
    AdaptConfig,
    Confidences,
    Example,
    Learner,
    Networks,
    mean_weights,
)
from inkdigit.learning.adaptation.pile import Folds, Pile
from inkdigit.learning.evaluation.metrics import REJECT_ALL, wilson
from inkdigit.learning.readers.train import Weights
from inkdigit.learning.synthesis.stream import Line
from inkdigit.reading.alphabet import only_digits
from inkdigit.reading.decoding.rescoring import Hypothesis
from inkdigit.reading.model_file import ModelInfo
from inkdigit.reading.options import ReadOptions

# So much of what is accepted may be wrong, as far as the calibration knows.
TARGET_ERROR = 0.005
# With fewer labels the calibration is fitted on drawn lines.
_ENOUGH = 100
_DRAWN_SEED = 93
# So many drawn lines or digits say what other hands lose.
_DRAWN = 500
# So many pictures are named that it would tell most to label.
TO_LABEL = 50

Tell = Callable[[str], None]


@dataclass(frozen=True, eq=False)
class Readings:
    """What a reader says of each sample of a pile, and how sure it is, calibrated."""

    texts: list[str]
    confidences: Confidences


@dataclass(frozen=True)
class Share:
    """How many of several, with the 95 % interval of the share (Wilson 1927)."""

    count: int
    of: int

    @property
    def interval(self) -> tuple[float, float]:
        """The least and the most that the share may well be."""
        return wilson(self.count, self.of)


@dataclass(frozen=True)
class Outcome:
    """What came of adapting a reader to a pile.

    `before` is what it read, and `after` what networks read that did not learn from the sample.
    `info` is what the new model file says of itself. `drawn_before` and `drawn_after` say how many
    drawn lines are read right, `curve` how many labelled samples are read wrong, by the number of
    labels that were learned from. `networks` are the mean of all that learned from the pile or most
    of it.
    """

    pile: Pile
    before: Readings
    after: Readings
    info: ModelInfo
    drawn_before: Share
    drawn_after: Share
    curve: dict[int, Share]
    networks: Networks = field(repr=False)

    def right(self, readings: Readings) -> Share:
        """Return how many labelled samples are read right."""
        numbers = self.pile.labelled
        return Share(sum(self.is_right(readings, number) for number in numbers), len(numbers))

    def is_right(self, readings: Readings, number: int) -> bool:
        """Return whether the reading of a labelled sample has the digits of its label."""
        return self.pile.is_right(number, readings.texts[number])

    @property
    def is_better(self) -> bool:
        """Whether more is read right than before, as far as labels tell."""
        labelled = bool(self.pile.labelled)
        return not labelled or self.right(self.after).count > self.right(self.before).count

    @property
    def calibrated_on_pile(self) -> bool:
        """Whether there are labels enough to calibrate on, and not on drawn pictures."""
        return len(self.pile.labelled) >= _ENOUGH

    @property
    def accepted(self) -> list[int]:
        """The numbers of the samples that are read surely enough."""
        sure = self.after.confidences >= self.info.reject_threshold
        return np.flatnonzero(sure).tolist()

    @property
    def changed(self) -> list[int]:
        """The numbers of labelled samples that were read right and are not, or the other way."""
        both = (self.before, self.after)
        return [i for i in self.pile.labelled if len({self.is_right(r, i) for r in both}) > 1]

    @property
    def suspects(self) -> list[int]:
        """Labels that are surely read otherwise by what did not learn from them, surest first."""
        sure = set(self.accepted)
        wrong = [i for i in self.pile.labelled if i in sure and not self.is_right(self.after, i)]
        return sorted(wrong, key=lambda i: -float(self.after.confidences[i]))

    @property
    def to_label(self) -> list[int]:
        """The samples without a label of which least is known, fifty at most."""
        unknown = [i for i, one in enumerate(self.pile.samples) if one.label is None]
        return sorted(unknown, key=lambda i: float(self.after.confidences[i]))[:TO_LABEL]


class Adapting:
    """The adaptation of a model file to a pile.

    What is finished is kept in the folder `state`, and not done again.
    """

    def __init__(
        self, learner: Learner, pile: Pile, options: ReadOptions, seed: int, state: Path, tell: Tell
    ) -> None:
        self.learner, self.pile, self.options = learner, pile, options
        self.config, self.info = (config := learner.config), learner.model.info
        self._seed, self._tell = seed, tell
        self._state = state / _digest(learner.model.path, pile, options, config, seed)
        unknown = len(pile.labelled) < len(pile)
        rounds = config.rounds if unknown else 1
        turns = rounds * (config.folds + 1) + (config.folds if pile.labelled else 0)
        self._fits = turns * len(learner.learning)
        self._done, self._seconds = 0, 0.0

    def run(self) -> Outcome:
        """Adapt and calibrate, and return what came of it."""
        folds = self.pile.folds(self.config.folds, self._seed)
        start = self.learner.start
        before = self._readings(self._found(start, range(len(self.pile))), self.info)
        found: dict[int, Hypothesis] = {}
        trained = [self._adapted(list(range(len(self.pile))), "all")]
        for fold in range(self.config.folds):
            trained.append(self._adapted(np.flatnonzero(folds != fold).tolist(), f"without-{fold}"))
            inside = np.flatnonzero(folds == fold).tolist()
            found |= zip(inside, self._found(trained[-1], inside), strict=True)
        unseen = [found[number] for number in range(len(self.pile))]
        curve = self._curve(folds, unseen) if self.pile.labelled else {}
        networks = {name: mean_weights([each[name] for each in trained]) for name in trained[0]}
        drawn = [self.learner.draw([_DRAWN_SEED, number]) for number in range(_DRAWN)]
        right_before, right = (self._share(each, drawn) for each in (start, networks))
        info = replace(
            self.info,
            accuracy=right.count / right.of,
            accuracy_on=f"{right.of} drawn pictures",
            trained_on=f"{self.info.trained_on}, adapted to {len(self.pile)} pictures",
            inkdigit_version=inkdigit.__version__,
            **self._calibration(unseen, networks, drawn),
        )
        after = self._readings(unseen, info)
        return Outcome(self.pile, before, after, info, right_before, right, curve, networks)

    def _adapted(self, numbers: list[int], name: str) -> Networks:
        """Return the networks after they have learned from some of the samples."""
        samples = [self.pile.samples[number] for number in numbers]
        unknown = [i for i in numbers if self.pile.samples[i].label is None]
        alone = not self.pile.as_written
        labelled = [Example(s.pixels, s.label, alone) for s in samples if s.label is not None]
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

    def _sure(self, networks: Networks, numbers: list[int]) -> list[Example]:
        """Return pictures with the digits that networks read on them, where they are sure of it."""
        found = self._found(networks, numbers)
        said = self.learner.confidences(found, self.info)
        return [
            Example(self.pile.samples[number].pixels, one.text, not self.options.pattern)
            for number, one, confidence in zip(numbers, found, said.tolist(), strict=True)
            if confidence >= self.config.sure and self.options.passes(one.text)
        ]

    def _fit(self, weights: Weights, examples: list[Example], name: str) -> Weights:
        """Return weights that have learned from examples, or did so in an earlier run."""
        began = time.monotonic()
        kept, seed = self._state / f"{name}.npz", [self._seed, *name.encode()]
        if kept.exists():
            with np.load(kept, allow_pickle=False) as file:
                fitted: Weights = [file[each] for each in file.files]
        else:
            fitted = self.learner.fit(weights, examples, seed)
            kept.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(kept, lambda path: np.savez(path, *fitted, allow_pickle=False))
        self._done, self._seconds = self._done + 1, self._seconds + time.monotonic() - began
        left = (self._fits - self._done) * self._seconds / self._done / 60
        of = f"training {self._done} of {self._fits}"
        self._tell(f"{of}: learned from {len(examples)} pictures; about {left:.0f} min left")
        return fitted

    def _found(self, networks: Networks, numbers: Iterable[int]) -> list[Hypothesis]:
        images = [self.pile.samples[number].pixels for number in numbers]
        return list(self.learner.read(networks, images, self.options))

    def _readings(self, found: list[Hypothesis], info: ModelInfo) -> Readings:
        return Readings([one.text for one in found], self.learner.confidences(found, info))

    def _curve(self, folds: Folds, unseen: list[Hypothesis]) -> dict[int, Share]:
        """Return how many labelled samples are read wrong, by how many labels were learned from."""
        labelled = np.array([one.label is not None for one in self.pile.samples])
        tries = list[tuple[int, Hypothesis]]()
        for fold in range(self.config.folds):
            learned = np.flatnonzero((folds == fold) & labelled).tolist()
            tried = np.flatnonzero((folds == (fold + 1) % self.config.folds) & labelled).tolist()
            found = self._found(self._adapted(learned, f"only-{fold}"), tried)
            tries += zip(tried, found, strict=True)
        numbers = self.pile.labelled
        few = round(len(numbers) / self.config.folds)
        before = zip(numbers, self._found(self.learner.start, numbers), strict=True)
        after = [(number, unseen[number]) for number in numbers]
        curve = {0: before, few: tries, len(numbers) - few: after}
        return {labels: self._wrong(pairs) for labels, pairs in curve.items()}

    def _wrong(self, found: Iterable[tuple[int, Hypothesis]]) -> Share:
        wrong = [not self.pile.is_right(number, one.text) for number, one in found]
        return Share(sum(wrong), len(wrong))

    def _calibration(
        self, unseen: list[Hypothesis], networks: Networks, drawn: list[Line]
    ) -> dict[str, Any]:
        """Return the calibration as `ModelInfo` has it, by what was not learned from.

        With enough labels the threshold is the least confidence above which few of the pile are to
        be expected wrong, and with fewer it is found on drawn pictures, as after any training.
        """
        numbers = self.pile.labelled
        if len(numbers) < _ENOUGH:
            found = self._read_drawn(networks, drawn)
            return self.learner.calibration(found, [text for _, text in drawn])
        labels = [self.pile.samples[i].label or "" for i in numbers]
        known = self.learner.calibration([unseen[i] for i in numbers], labels)
        confidences = self.learner.confidences(unseen, replace(self.info, **known))
        said = np.sort(confidences)[::-1]
        expected = np.cumsum(1 - said) / np.arange(1, len(said) + 1)
        accepted = int(np.count_nonzero(expected <= TARGET_ERROR))
        return known | {
            "reject_threshold": float(said[accepted - 1]) if accepted else REJECT_ALL,
            "reject_error": float(expected[accepted - 1]) if accepted else 0.0,
            "reject_accepted": accepted / len(said),
            "reject_measured_on": len(said),
        }

    def _read_drawn(self, networks: Networks, drawn: list[Line]) -> Sequence[Hypothesis]:
        return self.learner.read(networks, [pixels for pixels, _ in drawn], ReadOptions())

    def _share(self, networks: Networks, drawn: list[Line]) -> Share:
        """Return how many drawn pictures with digits are read right."""
        some = [line for line in drawn if only_digits(line[1])]
        pairs = zip(self._read_drawn(networks, some), some, strict=True)
        right = sum(one.text == only_digits(text) for one, (_, text) in pairs)
        return Share(right, len(some))

    def write(self, outcome: Outcome, out: Path) -> None:
        """Write the networks that are kept into one model file."""
        images = [sample.pixels for sample in self.pile.samples]
        self.learner.write(outcome.networks, outcome.info, images, out)


def _digest(path: Path, pile: Pile, options: ReadOptions, config: AdaptConfig, seed: int) -> str:
    """Return what tells one adaptation from another."""
    known = hashlib.sha256(path.read_bytes())
    known.update(repr((options, config, seed, pile.as_written)).encode())
    for sample in pile.samples:
        known.update(repr((sample.label, sample.group, sample.pixels.shape)).encode())
        known.update(sample.pixels.tobytes())
    return known.hexdigest()[:16]
