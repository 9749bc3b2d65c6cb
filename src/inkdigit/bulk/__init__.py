"""Bulk: from names of pictures through chunks to one table, for one picture and for millions.

The rooms along that way:

    api                                   `read_to`: what `inkdigit read` does, from top to bottom
    sources, folders, manifest, storage   what is to be read, listed lazily
    rows, chunks, cluster                 pictures → rows, by processes here or by Ray elsewhere
    parts, stores                         what is done, safe from kills, on a disk or in a bucket
    writers                               rows → a file
    progress                              what a person sees
"""
