"""`inkdigit read` from Python: from names of pictures to a table, for one and for millions."""

import os
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import chain, islice
from os.path import realpath
from pathlib import Path
from typing import Literal, Unpack

from inkdigit.bulk.chunks import Chunk, Results, chunks, read_locally
from inkdigit.bulk.folders import FileFilter, LeftOut
from inkdigit.bulk.form_rows import rows_of_forms
from inkdigit.bulk.manifest import read_manifest
from inkdigit.bulk.page_tables import rows_of_tables
from inkdigit.bulk.parts import Parts, Table, parts_of_file, parts_of_folder
from inkdigit.bulk.progress import Progress, counted, named, summary
from inkdigit.bulk.rows import ReadJob, Record, Tally
from inkdigit.bulk.sources import STDIN, Picture, count_pictures, is_many, pictures
from inkdigit.bulk.storage import is_uri, without_secrets
from inkdigit.bulk.writers import FOR_PEOPLE, PARQUET, Output, Shape
from inkdigit.documents import STATUS
from inkdigit.errors import InkdigitError, SettingError, SourceError, check_number, error_of, shown
from inkdigit.files import as_path
from inkdigit.reading.options import Options, ReadOptions, with_read_options

# From chunks to what they say, in order and lazily.
_Engine = Callable[[Iterator[Chunk]], Results]
_Tell = Callable[[Progress], object]
_Name = str | os.PathLike[str]


@with_read_options
def read_to(  # noqa: PLR0913  (what the command line takes)
    sources: _Name | Iterable[_Name] = (),
    out: _Name | None = None,
    *,
    manifest: _Name | None = None,
    recursive: bool = False,
    include: str | Sequence[str] = (),
    form: _Name | Iterable[_Name] = (),
    find: bool = False,
    table: bool = False,
    model: _Name | None = None,
    format: str | None = None,
    bom: bool = False,
    overwrite: bool = False,
    resume: bool = False,
    jobs: int | None = None,
    engine: Literal["local", "ray"] = "local",
    address: str | None = None,
    on_progress: _Tell | None = None,
    **options: Unpack[Options],
) -> Tally:
    """Read pictures to a table, a row for each picture and page, and return what was counted.

    What is done is kept whatever happens, and `resume` goes on with it.

    `sources`
        names of pictures, documents, folders or buckets (`s3://bucket/scans/`), or one of them.
    `out`
        a file, whose suffix says the format; a folder for parts of Parquet, `"results/"`,
        `"s3://bucket/results/"` or a `Path` without a suffix; standard output without any.
    `manifest`
        a CSV or Excel workbook that names what to read, in the place of `sources`.
    `recursive`, `include`
        of a folder also the pictures in folders below; only files of such names (`"*.tif"`).
        What is left out of folders is in the tally, as `left_out`.
    `form`
        the template of a form, or several: each picture shows pages of one, and each of its fields
        is a row; of CSV and Excel each form is one, with a column for each field.
    `find`, `table`
        each picture is a page: find the handwritten numbers on it, and read each as a row; of CSV
        and Excel in rows and columns as they stand.
    `model`
        a model file, in the place of those in the package.
    `format`
        `text`, `json`, `jsonl`, `csv`, `parquet` or `xlsx`.
    `bom`
        begin a CSV with a byte-order mark, by which Excel knows that it is UTF-8.
    `overwrite`, `resume`
        replace what is there; go on where the same call was stopped, or begin.
    `jobs`, `engine`, `address`
        how many processes read, by default one a core; `local` or `ray`; the Ray cluster's head.
    `on_progress`
        is told how far it is, as `inkdigit.bulk.progress.Progress`: after each chunk of many
        pictures, after each row where each picture is named.

    The other options are those of `Reader.read`. A picture that cannot be read is a row with its
    error, and is counted; an only picture raises it. Of a file that is finished already nothing is
    counted. Raises `SettingError`, `SourceError`, `OutputError`, `ModelError`, `RunError` and
    `ClusterError` as the command line does.

    Many pictures are read by processes that import the script which calls this: call it below
    `if __name__ == "__main__":` there.

    >>> import tempfile
    >>> folder = tempfile.mkdtemp()
    >>> print(read_to(["docs/amount.png", "docs/amount.png"], f"{folder}/numbers.csv"))
    2 accepted, 0 review, 0 rejected, 0 failed
    """
    tell: _Tell = on_progress or (lambda _: None)
    for name, path in (("out", out), ("manifest", manifest), ("model", model)):
        _check_name(name, path)
    switches = {"recursive": recursive, "bom": bom, "overwrite": overwrite, "resume": resume}
    switches |= {"find": find, "table": table}
    for name, value in switches.items():
        if not isinstance(value, bool):
            raise SettingError(f"{name} is true or false, received {shown(value)}")
    forms = tuple(map(Path, _listed("form", form)))
    job = ReadJob(Path(model) if model else None, ReadOptions.from_mapping(options), forms, find)
    made = Counter[str]()
    how = {"overwrite": overwrite, "resume": resume}
    written = _written(out)
    target = choose_target(written, format, bom=bom, shape=_shape(job, made, table=table), **how)
    output = target.output if isinstance(target, Parts) else target
    if table and not (output and output.format in FOR_PEOPLE):
        raise SettingError("a table has rows and columns in CSV and Excel alone: leave out table")
    read = _engine(engine, job, jobs, address)
    names, places = _listed("sources", sources), _places(written)
    for name in (*names, *([os.fspath(manifest)] if manifest else [])):
        if os.path.isfile(name) and realpath(name) in places:  # noqa: PTH113  (a URI is a name too)
            raise SettingError(f"{name} would be read and written: choose another out")
    files = FileFilter(tuple(_listed("include", include)), recursive, places)
    source = _source(names, manifest, files, job)
    if isinstance(target, Parts) and resume and (tally := target.finished(job)) is not None:
        note = f"{target} is finished: there is nothing left to read"
        tell(Progress(tally=tally, note=note))
        return tally
    if output and source.one:
        target = output
    if isinstance(target, Parts):
        filled = Table(target, job.asked(), **how)
        tally = _fill(filled, str(target), source, read, tell, made)
    else:
        here = source.few and engine == "local"
        reads = _reads(job, source, None if here else read)
        tally = _write(target, reads, tell, made, one=source.one)
    tally.left_out = source.left_out
    if tally.left_out.names:
        tell(Progress(tally=tally, note=str(tally.left_out)))
    return tally


def _shape(job: ReadJob, made: Counter[str], *, table: bool) -> Shape | None:
    """Return what makes the rows of tables for people: a row for each form, or as on their page.

    It counts in `made` what they hold, by name.
    """

    def tables(records: Iterable[Record]) -> Iterator[Record]:
        for row in rows_of_tables(records):
            made["numbers"] += sum(len((row[n] or "").split()) for n in row if n.isdecimal())
            yield row

    if job.find and job.forms:
        raise SettingError("a form says where its numbers stand: leave out find")
    if job.find:
        job.options.check_of_pages()
    if table and not job.find:
        raise SettingError("a table is of the numbers that are found on pages: add find")
    if not job.forms:
        return tables if table else None
    from inkdigit.documents.forms import check_form_options
    from inkdigit.documents.template import Template

    check_form_options(job.options)
    known = (field.name for path in job.forms for field in Template.load(path).fields)
    fields = tuple(dict.fromkeys(known))

    def forms(records: Iterable[Record]) -> Iterator[Record]:
        for row in rows_of_forms(records, fields):
            made["forms"] += row["form"] is not None
            made["fields"] += sum(row[name + STATUS] is not None for name in fields)
            yield row

    return forms


def _check_name(option: str, name: object) -> None:
    if name == "":
        raise SettingError(f"the {option} has an empty name: leave it out, or name it")
    if name is not None:
        as_path(name, option)


def _listed(option: str, given: object) -> list[str]:
    """Return one name or several as a list; pictures themselves are read by `Reader.read`."""
    several = isinstance(given, Iterable) and not isinstance(given, str | os.PathLike)
    names = list(given) if several else [given]  # type: ignore[call-overload]
    for name in names:
        if not isinstance(name, str | os.PathLike):
            raise SettingError(f"{option} takes names of files or folders, received {shown(name)}")
    return list(map(str, names))


def _written(out: _Name | None) -> str | None:
    """Return a name as it is written: a `Path` has lost the slash behind a folder."""
    folder = isinstance(out, Path) and not out.suffix and (out.is_dir() or not out.exists())
    return f"{out}/" if folder else None if out is None else os.fspath(out)


def _places(out: str | None) -> frozenset[str]:
    """Return where the run itself writes: nothing there is a picture."""
    if out is None:
        return frozenset()
    return frozenset({realpath(out), realpath(f"{out}.part"), without_secrets(out).rstrip("/")})


def choose_target(
    out: str | None,
    format_: str | None,
    *,
    bom: bool = False,
    overwrite: bool = False,
    resume: bool = False,
    shape: Shape | None = None,
) -> Output | Parts:
    """Return where rows go: a stream, or parts of a file, or those in a folder, which ends in /.

    Raises as `Output.choose` does, and `OutputError` where an earlier run was stopped that is
    neither to be resumed nor overwritten.
    """
    if overwrite and resume:
        raise SettingError("a table is either overwritten or resumed, received both")
    if out and (is_uri(out) or out.endswith("/")):
        parts = _choose_folder(out, format_, bom=bom)
    else:
        output = Output.choose(out, format_, bom=bom, overwrite=overwrite or resume)
        if shape:  # what it makes is more than a text
            as_csv = output.format if output.format != "text" else "csv"
            output = replace(output, shape=shape, format=as_csv)
        if not output.path:
            if resume:
                raise SettingError("--resume goes on with a table: name it with --out")
            return output
        parts = parts_of_file(output)
    if not (overwrite or resume):
        parts.check_free()
    return parts


def _choose_folder(out: str, format_: str | None, *, bom: bool) -> Parts:
    shown = without_secrets(out)
    if not shown.endswith("/"):
        raise SettingError(
            f"{shown} is no folder: a bucket takes a table in parts, name a folder such as {shown}/"
        )
    if bom or format_ not in {None, PARQUET}:
        raise SettingError("a folder takes parts of Parquet: leave out format and bom")
    return parts_of_folder(out)


def _engine(name: str, job: ReadJob, jobs: int | None, address: str | None) -> _Engine:
    if jobs is not None:
        check_number("jobs", jobs)
    if name == "local" and address:
        raise SettingError("--address names a cluster: add --engine ray")
    if name == "local":
        return partial(read_locally, job=job, jobs=jobs)
    if name != "ray":
        raise SettingError(f"the engine is local or ray, received {name!r}")
    from inkdigit.bulk.cluster import read_on_ray

    return partial(read_on_ray, job=job, address=address, jobs=jobs)


@dataclass(frozen=True)
class _Source:
    """The pictures, how to count them, and whether there are few.

    They are `few` where each is named, so that there are not enough to share out, and `one` if it
    is one picture, or one document. What is `left_out` of folders is known when they have come.
    """

    pictures: Iterator[Picture]
    count: Callable[[], int]
    few: bool = False
    one: bool = False
    left_out: LeftOut = field(default_factory=LeftOut)


def _source(names: list[str], manifest: _Name | None, wanted: FileFilter, job: ReadJob) -> _Source:
    if manifest and names:
        raise SettingError("either pictures or a --manifest can be read, received both")
    if manifest == STDIN:
        raise SettingError("a manifest is read twice: save it as a file first, received -")
    if manifest:
        listed = partial(read_manifest, Path(manifest), job.options, forms=bool(job.forms))
        count = sum(1 for _ in listed())  # what is wrong with it is said before anything is read
        return _Source(listed(), lambda: count)
    if not names:
        raise SettingError("there is nothing to read: name a picture, a folder or a --manifest")
    many = any(map(is_many, names))
    if (wanted.recursive or wanted.include) and not many:
        raise SettingError("--include and --recursive choose among the files of a folder: name one")
    left_out = LeftOut()
    found = pictures(names, replace(wanted, tell=left_out.add))
    if many:
        head = list(islice(found, 2))
        if len(head) == 1 and isinstance(head[0].source, SourceError):
            if left_out.names:
                head[0].source.add_note(str(left_out))
            raise head[0].source
        found = chain(head, found)
    counted = partial(count_pictures, names, wanted)
    return _Source(
        found, counted, few=not many, one=not many and len(names) == 1, left_out=left_out
    )


def _fill(
    table: Table, name: str, source: _Source, read: _Engine, tell: _Tell, made: Mapping[str, int]
) -> Tally:
    """Read many pictures into a table."""
    before, began = table.position.pictures, time.monotonic()
    try:
        with closing(table), closing(read(chunks(source.pictures, table.position))) as results:
            tell(Progress(tally=table.tally, pictures=before, count=source.count))
            for done in results:
                table.append(done)
                tell(Progress(tally=table.tally, pictures=done.end.pictures, rows=done.records))
            table.finish()
    except (InkdigitError, KeyboardInterrupt) as error:
        if kept := table.position.pictures:
            error.add_note(f"{kept:,} pictures are done: the same with --resume goes on")
        raise
    count, seconds = table.position.pictures, time.monotonic() - began
    note = f"{summary(count, count - before, seconds, table.tally, made)}\nwrote {name}"
    tell(Progress(tally=table.tally, pictures=count, note=note))
    return table.tally


# A row, and the exit code of its failure, 0 where it is read.
_Read = tuple[Record, int]


def _reads(job: ReadJob, source: _Source, read: _Engine | None) -> Iterator[_Read]:
    """Yield what the pictures say, read by this process where there is no engine."""
    if read is None:
        for row in job.rows(job.reader(), source.pictures):
            yield row.to_dict(job.columns), row.code
    else:
        job.check()
        for done in read(chunks(source.pictures)):
            yield from zip(done.records, done.codes, strict=True)


def _write(
    output: Output, reads: Iterator[_Read], tell: _Tell, made: Mapping[str, int], *, one: bool
) -> Tally:
    """Write what is read as it comes; `one` is one picture, or one document."""
    head, tally = list(islice(reads, 2)), Tally()

    def records() -> Iterator[Record]:
        for record, code in chain(head, reads):
            tally.count(record, code)
            tell(Progress(tally=tally, rows=[record]))
            yield record

    if one and len(head) == 1 and (head[0][1] or not output.shape):
        _write_one(output, *head[0], tell)
        tally.count(*head[0])
    else:
        output.write(records(), several=True)
        if made and output.path:
            note = f"{counted(named(made), tally)}\nwrote {output.path}"
            tell(Progress(tally=tally, note=note))
    return tally


def _write_one(output: Output, record: Record, code: int, tell: _Tell) -> None:
    """Write the only row; text says neither what failed nor what wants review."""
    as_text = output.format == "text"
    if not (code and as_text):
        output.write([record], several=False)
    if code:
        raise error_of(code, record["error"])
    why = record["reason"] or ("" if record["text"] else "there is nothing on the paper")
    if as_text and why:
        tell(Progress(tally=Tally(), rows=[record], note=f"{record['status']}: {why}"))
