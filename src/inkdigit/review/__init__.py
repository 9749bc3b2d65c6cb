"""Review: people settle what is doubtful in a table, and check what was accepted (extra `serve`).

Learning does not know this room, nor this room learning: labels are handed over as a folder.

    api       `review` and `audit`: the page on this machine
    journal   what people decided, on the disk before it is answered
    fields    the rows that a person is asked about, riskiest first; random samples
    pile      fields shared among people, each in one pair of hands; second looks
    forms     forms in a table: their fields together, and the rules among them
    audit     the exact interval of a share, and when to stop
    outcome   rows and journal → the table made anew, labels, the audit trail, all forgotten
    pictures  a row's picture, opened as it was read
    app       all of that over HTTP, below a secret path
    page/     plain modules and CSS, with the service's style
"""

from inkdigit.review.api import audit, review
from inkdigit.review.audit import Audit
from inkdigit.review.journal import Decision, Journal, table_of
from inkdigit.review.outcome import apply, export, forget, write_labels, write_trail

__all__ = [
    "Audit", "Decision", "Journal", "apply", "audit", "export", "forget", "review",
    "table_of", "write_labels", "write_trail",
]  # fmt: skip
