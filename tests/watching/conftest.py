"""What these tests share."""

from browsing import browser

__all__ = ["browser"]
