"""Bulk: from sources through rows to a writer, one path for one picture and for many.

from inkdigit.bulk.rows import read_rows
from inkdigit.bulk.sources import pictures

for row in read_rows(Reader.load(), pictures(["a.png", "scan.pdf"])):
    print(row.to_dict())
"""
