"""From what a line network says to text: exact CTC decoding (Graves et al. 2006), in numpy alone.

posteriors   what the network says, frame by frame
rescoring    the likeliest text by several views, under a pattern if there is one
search       the likeliest texts under a pattern, by one view
masses       how much probability lies ahead of each beginning of a text
lattice      the probability of given texts
characters   where the characters of a text lie, and what else each might be
marks        the marks on a line, which the digits' decoding passes over
"""
