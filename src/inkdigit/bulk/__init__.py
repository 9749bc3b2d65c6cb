r"""Bulk: from sources through chunks of work to one table, for one picture and for millions.

The rooms along that way:

    sources, folders, manifest, storage   what is to be read, listed lazily
    rows, boxes                           pictures → rows
    work                                  the chunk, which every engine takes and gives back
    local, cluster                        the engines: processes here, Ray elsewhere
    many, tables, journal, parts          what is done, safe from kills
    writers, parquet                      rows → a file
    progress, tally, plain                what a person sees

From Python:

    target = choose_target("results.csv", None, resume=True)
    work = Work(model=None, options={"pattern": r"\d{5}"})
    with closing(open_table(target, work.asked(), resume=True)) as table:
        read_many(pictures(["scans/"]), table, partial(read_locally, work=work))
"""
