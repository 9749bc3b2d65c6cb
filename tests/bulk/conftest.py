"""What these tests share."""

from servers import bucket, s3_port

__all__ = ["bucket", "s3_port"]
