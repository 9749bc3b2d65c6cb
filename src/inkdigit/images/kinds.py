"""What kind of file some bytes are, told by their beginning alone."""

# Where a PDF says that it is one; some carry other bytes ahead of it.
_PDF_WITHIN = 1024
_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


def may_have_pages(head: bytes) -> bool:
    """Return whether a file that begins so is of a kind that holds pages: TIFF or PDF."""
    return head.startswith(_TIFF) or b"%PDF-" in head[:_PDF_WITHIN]
