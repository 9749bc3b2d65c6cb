"""Bulk: from names of pictures through chunks to one table, for one picture and for millions.

The rooms along that way:

    api                                   `read_to`: what `inkdigit read` does, from top to bottom
    sources, folders, manifest, storage   what is to be read, listed lazily
    chunks, rows                          pictures → chunks → rows
    pool, cluster                         the engines: processes here, Ray elsewhere
    tables, parts, stores                 what is done, safe from kills, on a disk or in a bucket
    writers                               rows → a file
    progress                              what a person sees
"""
