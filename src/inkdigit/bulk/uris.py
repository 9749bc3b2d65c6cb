"""Names of buckets and other stores, and how they are shown."""

import re

_URI = re.compile(r"[a-z][a-z0-9+.-]+://", re.I)
# Up to the @ before a bucket, also where a / in a password was not escaped; not an @ of a path.
_CREDENTIALS = re.compile(r"(?<=://)([^/@]*|[^/@]*:(?!\d+/)[^@]*)@")


def is_uri(name: str) -> bool:
    """Return whether a name is one of a bucket or another store, such as `s3://bucket/scans`."""
    return bool(_URI.match(name))


def without_secrets(name: str) -> str:
    """Return a name as it is shown: of a URI without its query and credentials."""
    return _CREDENTIALS.sub("", name.partition("?")[0], count=1) if is_uri(name) else name
