"""From what a line network says to text: exact CTC decoding (Graves et al. 2006), in numpy alone.

`Posteriors` holds the probabilities, frame by frame; `choose` finds the likeliest text by several
views, under a pattern if there is one; `locate` says where the characters of a text lie and what
else each might be; `find_marks` lists the marks on a line.
"""

from inkdigit.reading.decoding.characters import Characters, locate
from inkdigit.reading.decoding.marks import SeenMark, find_marks, unseen_marks
from inkdigit.reading.decoding.posteriors import Posteriors
from inkdigit.reading.decoding.rescoring import Hypothesis, choose

__all__ = [
    "Characters",
    "Hypothesis",
    "Posteriors",
    "SeenMark",
    "choose",
    "find_marks",
    "locate",
    "unseen_marks",
]
