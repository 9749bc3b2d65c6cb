"""From what a line network says to text: exact CTC decoding (Graves et al. 2006), in numpy alone.

`Posteriors` holds the probabilities, frame by frame; `decode` finds the likeliest text, under a
pattern if there is one, and `choose` weighs what several views propose; `locate` says where the
characters of a text lie and what else each might be; `find_marks` lists the marks on a line.
"""

from inkdigit.reading.decoding.characters import Characters, locate
from inkdigit.reading.decoding.lattice import log_probability
from inkdigit.reading.decoding.marks import SeenMark, find_marks, unseen_marks
from inkdigit.reading.decoding.posteriors import Posteriors
from inkdigit.reading.decoding.rescoring import Hypothesis, choose
from inkdigit.reading.decoding.search import Decoded, decode, likeliest

__all__ = [
    "Characters",
    "Decoded",
    "Hypothesis",
    "Posteriors",
    "SeenMark",
    "choose",
    "decode",
    "find_marks",
    "likeliest",
    "locate",
    "log_probability",
    "unseen_marks",
]
