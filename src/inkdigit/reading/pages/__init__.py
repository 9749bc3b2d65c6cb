"""Handwritten numbers found on a whole page, and read one by one."""
