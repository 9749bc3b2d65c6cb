"""A reader that learns its user's hands: from labels, from its own sure answers, or from both.

pile     which pictures, what stands in them, and who wrote them
fit      a network learns from a pile and keeps what it knew
adapt    networks cross-fitted on a pile, calibrated, held against the reader of before
report   what came of it, on one page
"""
