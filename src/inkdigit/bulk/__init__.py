r"""Bulk: from sources through chunks of work to one table, for one picture and for millions.

sources, folders, manifest, storage   what is to be read, listed lazily
rows, boxes                           pictures → rows
work                                  the chunk, which every engine takes and gives back
local, cluster                        the engines: processes here, Ray elsewhere
tables, journal, parts                what is done, safe from kills
writers, parquet                      rows → a file
progress, tally                       what a person sees

source = pictures(["scans/"], Wanted(recursive=True))
work = Work(model=None, options={"pattern": r"\\d{5}"})
output = Output.choose("results.csv", None)
with closing(open_table(output, work.asked(), resume=True)) as table:
    read_many(source, table, partial(read_locally, work=work))
"""
