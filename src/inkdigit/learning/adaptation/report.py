"""What came of adapting, as sentences and as one page."""

import base64
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from inkdigit.images import as_png
from inkdigit.learning.adaptation.adapt import Outcome, Share
from inkdigit.learning.datasets.folder import first_few
from inkdigit.learning.evaluation.figures import errors_by_labels, write_figure
from inkdigit.learning.evaluation.report import write_page

# So many pictures that changed are shown.
_SHOWN = 24


def sentences(outcome: Outcome) -> list[str]:
    """Return what a person should know of an adaptation, a sentence each."""
    pile = outcome.pile
    told = []
    if pile.left_out:
        told.append(f"pictures left out ({len(pile.left_out)}): {first_few(pile.left_out)}")
    if pile.labelled:
        right = outcome.right
        chance = "" if right.is_real else "; so small a difference may be chance"
        told.append(
            f"of labelled pictures {right.before} were read right before, and {right.after} by "
            f"networks that learned from the others: {right.won} more, and {right.lost} no "
            f"longer{chance} (95 % intervals)"
        )
    else:
        told.append(
            "without a label it cannot be known whether more is read right: the networks learned "
            "what they were sure of, and were calibrated on drawn pictures"
        )
    told.append(_accepted(outcome))
    every = list(outcome.drawn.values())
    of, before, after = (
        sum(counts)
        for counts in zip(
            *((e.after.of, e.before.count, e.after.count) for e in every), strict=True
        )
    )
    told.append(
        f"of drawn numbers by other hands {Share(after, of)} are read right, before "
        f"{Share(before, of)}"
    )
    if worse := [kind for kind, e in outcome.drawn.items() if e.is_real and e.lost > e.won]:
        told.append(f"by other hands it reads worse than before: numbers of {_listed(worse)}")
    if pile.doubted:
        listed = [pile.samples[number].name for number in pile.doubted]
        told.append(
            f"labels that may be wrong ({len(listed)}): {first_few(listed)}; they were not learned "
            "from, and while they stand less is accepted: correct them and run it again"
        )
    return told


def _accepted(outcome: Outcome) -> str:
    """Return what would be accepted, and how much of it may be wrong."""
    accepted, wrong = outcome.accepted, f"{100 * outcome.info.reject_error:.2f} %"
    if not accepted:
        return "none is read surely enough to be accepted: more labels would help"
    expected = (
        f"of drawn pictures as sure {wrong} are to be expected wrong: labels are too few to tell "
        "it of these"
    )
    if outcome.calibrated_on_pile:
        known = {*outcome.pile.labelled}
        odd = len(outcome.wrong(accepted, outcome.after))
        expected = (
            f"of those {wrong} are to be expected wrong, and of the "
            f"{len(known.intersection(accepted)):,} with a label {odd} are read otherwise"
        )
    return (
        f"by confidence {len(accepted):,} of {len(outcome.pile):,} would be accepted, before "
        f"{len(outcome.accepted_before):,}, at {outcome.info.reject_threshold:.4f} or more; "
        f"{expected}"
    )


def _listed(names: list[str]) -> str:
    return ", ".join(names[:-1]) + " and " * (len(names) > 1) + names[-1]


def write_report(outcome: Outcome, page: Path) -> Path:
    """Write the page about an adaptation, with its pictures inside, and return it."""
    changed = outcome.changed
    better = [n for n in changed if outcome.pile.is_right(n, outcome.after[n])]
    worse = sorted({*changed} - {*better})
    context = {
        "outcome": outcome,
        "sentences": sentences(outcome),
        "groups": [
            ("Read right now, and wrong before", _rows(outcome, better[:_SHOWN])),
            ("Read wrong now, and right before", _rows(outcome, worse[:_SHOWN])),
            (
                "Labels that may be wrong, and were not learned from",
                _rows(outcome, outcome.pile.doubted),
            ),
            ("What to label next: of these least is known", _rows(outcome, outcome.to_label)),
        ],
    }
    with TemporaryDirectory() as folder:
        pictures = []
        if outcome.curve:
            pictures.append(Path(folder, "curve.png"))
            write_figure(errors_by_labels(outcome.curve), pictures[0])
        return write_page(page, "adaptation.html.j2", pictures, context)


def _rows(outcome: Outcome, numbers: Sequence[int]) -> list[dict[str, Any]]:
    samples = [(number, outcome.pile.samples[number]) for number in numbers]
    return [
        {
            "name": sample.name,
            "picture": base64.b64encode(as_png(255 - sample.pixels)).decode(),
            "label": sample.label,
            "before": outcome.before[number],
            "after": outcome.after[number],
            "confidence": float(outcome.confidences[number]),
        }
        for number, sample in samples
    ]
