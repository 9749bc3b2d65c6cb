"""What these tests share."""

from browsing import browser
from servers import bucket, s3_port

__all__ = ["browser", "bucket", "s3_port"]
