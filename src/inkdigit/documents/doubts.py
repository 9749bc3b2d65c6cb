"""Whether a field lies where its box is: by the print around it, its own, and what stands beside.

Another edition of a form may differ in nothing but the number of a comb's cells, or where they are.
"""

from collections.abc import Iterator

import cv2
import numpy as np

from inkdigit.documents.registration import Registration
from inkdigit.documents.template import PER_MM, BoxMm, Field
from inkdigit.documents.writing import FAINT, SOLID, Writing, contrast_of, edges, inks
from inkdigit.reading.preprocessing.paper import BLANK_CONTRAST

# In mm: the rules of a cell lie so near to its edges, and are found so near to where they are.
_NEAR, _ASTRAY = 0.6, 0.5
# A side has a rule if that is as long as this share of it, and it is lost if this share of it is.
_LONG, _LOST = 0.5, 0.5
# How far around a check box marks may be meant for it, in mm.
_AROUND = 2.0
# More ink than this share of a place is writing.
_WRITTEN = 0.015


def doubt_of(field: Field, found: Registration) -> str:
    """Return why a field may lie elsewhere on a scan; nothing where it is sure."""
    if doubt := found.doubt_at(field.box):
        return doubt
    if _lacks_rules(field, found):
        return "its own print is not where the blank has it"
    left, top, width, height = field.box
    step = (width + field.gap) / (field.cells or 1)
    ends = (left - step, top, step, height), (left + width, top, step, height)
    if field.kind == "comb" and any(_is_written(found, end) for end in ends):
        return "another cell or writing stands beside its cells"
    return ""


def is_marked_beside(box: BoxMm, found: Registration) -> bool:
    """Return whether a mark stands close around a check box, and in no other field."""
    left, top, width, height = box
    around = left - _AROUND, top - _AROUND, width + 2 * _AROUND, height + 2 * _AROUND
    return _is_written(found, around, box)


def _is_written(found: Registration, place: BoxMm, own: BoxMm | None = None) -> bool:
    """Return whether ink that the blank lacks stands in a place, and reaches into no other box."""
    others = [one.box for one in found.blank.fields if one.box != own]
    return Writing.of(found, place).apart(others).share(place) > _WRITTEN


def _lacks_rules(field: Field, found: Registration) -> bool:
    """Return whether a cell of a field lacks a side that the blank has."""
    left, top, width, height = field.box
    around = left - _NEAR, top - _NEAR, width + 2 * _NEAR, height + 2 * _NEAR
    seen, printed, (x, y) = inks(found, around)
    astray = np.ones((2 * round(_ASTRAY * PER_MM) + 1,) * 2, np.uint8)
    # As dark as writing has to be; on a blurred photograph rules are fainter still.
    least = max(BLANK_CONTRAST, FAINT * 255 * contrast_of(seen, printed))
    rules, lost = printed > 255 * SOLID, cv2.dilate(seen, astray) < least
    for side in _sides(field):
        left, top, right, bottom = np.subtract(edges(side), (x, y, x, y)).clip(0)
        there, gone = rules[top:bottom, left:right], lost[top:bottom, left:right]
        if there.sum() >= _LONG * max(there.shape) and gone[there].mean() > _LOST:
            return True
    return False


def _sides(field: Field) -> Iterator[BoxMm]:
    """Yield the strips along the four sides of each cell."""
    for left, top, width, height in field.cell_boxes:
        for x in (left, left + width):
            yield x - _NEAR, top, 2 * _NEAR, height
        for y in (top, top + height):
            yield left, y - _NEAR, width, 2 * _NEAR
