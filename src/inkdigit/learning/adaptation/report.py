"""What came of adapting, as sentences and as one page."""

import base64
from pathlib import Path
from typing import Any

from inkdigit.images import as_png
from inkdigit.learning.adaptation.adapt import Outcome, Share
from inkdigit.learning.datasets.folder import first_few
from inkdigit.learning.evaluation.report import write_page

# So many pictures of a kind are shown.
_SHOWN = 24


def sentences(outcome: Outcome) -> list[str]:
    """Return what a person should know of an adaptation, a sentence each."""
    pile, info = outcome.pile, outcome.info
    told = []
    if pile.left_out:
        told.append(f"pictures left out ({len(pile.left_out)}): {first_few(pile.left_out)}")
    if pile.labelled:
        before, after = (outcome.right(each) for each in (outcome.before, outcome.after))
        told.append(
            f"of {before.of} labelled pictures {before.count} were read right before, and "
            f"{after.count} by networks that learned from the others ({_interval(after)}, 95 % "
            "interval)"
        )
    else:
        told.append(
            "without a label it cannot be known whether more is read right: the networks learned "
            "what they were sure of, and were calibrated on drawn pictures"
        )
    accepted, wrong = outcome.accepted, f"{100 * info.reject_error:.2f} % are to be expected wrong"
    expected = f"of drawn pictures as sure {wrong}: labels are too few to tell it of these"
    if outcome.calibrated_on_pile:
        known = [number for number in accepted if pile.samples[number].label is not None]
        odd = sum(not pile.is_right(number, outcome.after[number]) for number in known)
        expected = (
            f"of those {wrong}, and of the {len(known)} with a label {odd} are read otherwise"
        )
    told.append(
        f"{len(accepted)} of {len(pile)} would be accepted, at a confidence of "
        f"{info.reject_threshold:.4f} or more; {expected}"
        if accepted
        else "none is read surely enough to be accepted: more labels would help"
    )
    told.append(
        f"of {outcome.drawn_after.of} drawn pictures by other hands {outcome.drawn_after.count} "
        f"are read right, before {outcome.drawn_before.count}"
    )
    if outcome.suspects:
        listed = [pile.samples[number].name for number in outcome.suspects]
        told.append(f"labels that may be wrong ({len(listed)}): {first_few(listed)}")
    return told


def write_report(outcome: Outcome, page: Path) -> Path:
    """Write the page about an adaptation, with its pictures inside, and return it."""
    changed = outcome.changed
    better = [n for n in changed if outcome.pile.is_right(n, outcome.after[n])]
    context = {
        "outcome": outcome,
        "sentences": sentences(outcome),
        "curve": [(labels, share, _interval(share)) for labels, share in outcome.curve.items()],
        "groups": [
            ("Read right now, and wrong before", _rows(outcome, better)),
            ("Read wrong now, and right before", _rows(outcome, sorted({*changed} - {*better}))),
            ("Labels that may be wrong", _rows(outcome, outcome.suspects)),
            ("What to label next: of these least is known", _rows(outcome, outcome.to_label)),
        ],
    }
    return write_page(page, "adaptation.html.j2", [], context)


def _rows(outcome: Outcome, numbers: list[int]) -> list[dict[str, Any]]:
    samples = [(number, outcome.pile.samples[number]) for number in numbers[:_SHOWN]]
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


def _interval(share: Share) -> str:
    low, high = share.interval
    return f"{100 * low:.1f} to {100 * high:.1f} %"
