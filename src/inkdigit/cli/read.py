"""`inkdigit read`: the numbers in pictures, one or a million."""

import argparse
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from itertools import chain, islice
from typing import cast

from inkdigit.bulk.chunks import ReadJob, chunks
from inkdigit.bulk.folders import FileFilter
from inkdigit.bulk.manifest import check_manifest, read_manifest
from inkdigit.bulk.many import Engine, read_many
from inkdigit.bulk.progress import Progress, complaint, summary
from inkdigit.bulk.rows import Record, read_rows
from inkdigit.bulk.sources import Picture, count_pictures, is_many, pictures
from inkdigit.bulk.tables import Table, choose_target, finished, open_table
from inkdigit.bulk.tally import Tally
from inkdigit.bulk.uris import without_secrets
from inkdigit.bulk.writers import Output
from inkdigit.cli.options import Verbs, add_quiet_flag, tell
from inkdigit.cli.read_flags import (
    add_engine_flags,
    add_output_flags,
    add_reading_flags,
    add_source_flags,
)
from inkdigit.errors import InkdigitError, SettingError, SourceError
from inkdigit.reading.options import Options, Rules

READ_OPTIONS = Options.__optional_keys__
# A record, and the exit code of its failure, 0 where it is read.
Read = tuple[Record, int]


def add_parser(verbs: Verbs) -> None:
    """Add the verb to the command line."""
    parser = verbs.add_parser(
        "read",
        help="read the numbers in pictures",
        description="Read the handwritten number in each picture: a row for each picture, and for "
        "each page of a TIFF or PDF. Nothing is sent anywhere.",
    )
    parser.add_argument(
        "images",
        nargs="*",
        metavar="IMAGE",
        help="a picture, a PDF, a folder, s3://BUCKET/PATH, or - for standard input",
    )
    add_source_flags(parser)
    add_reading_flags(parser)
    add_output_flags(parser)
    add_engine_flags(parser)
    add_quiet_flag(parser)
    parser.set_defaults(run=run)


@dataclass(frozen=True)
class _Source:
    """Where the pictures come from, how to count them, and whether there is only one."""

    pictures: Callable[[], Iterator[Picture]]
    count: Callable[[], int]
    names: Sequence[str] = ()

    @property
    def few(self) -> bool:
        """Whether each picture is named, so that there are not enough to share out."""
        return bool(self.names) and not any(map(is_many, self.names))

    @property
    def one(self) -> bool:
        """Whether there is one picture, or one document."""
        return self.few and len(self.names) == 1


def run(options: argparse.Namespace) -> None:
    """Read, write the rows, and fail in the end if any picture could not be read."""
    # All that can be wrong with the arguments is said before a model is loaded.
    given = {name: value for name, value in vars(options).items() if name in READ_OPTIONS}
    work = ReadJob(options.model, cast("Options", given))
    how = {"overwrite": options.overwrite, "resume": options.resume}
    target = choose_target(options.out, options.format, **how)
    Rules.of(work.options)
    engine = _engine(options, work)
    source = _source(options, work.options)
    if options.resume and (tally := finished(target, work)) is not None:
        tell(options, f"{without_secrets(options.out)} is finished: there is nothing left to read")
        _fail_with(tally)
        return
    if isinstance(target, Output) and (source.one or not target.is_file):
        alone = source.few and options.engine == "local"
        _write(options, target, source, _reads(work, source, None if alone else engine))
        return
    with closing(open_table(target, work.asked(), **how)) as table:
        _fill(options, source, table, engine)


def _engine(options: argparse.Namespace, work: ReadJob) -> Engine:
    if options.jobs is not None and options.jobs < 1:
        raise SettingError(f"there must be at least 1 job, received {options.jobs}")
    if options.engine == "local":
        if options.address:
            raise SettingError("--address names a cluster: add --engine ray")
        from inkdigit.bulk.pool import read_locally

        return partial(read_locally, work=work, jobs=options.jobs)
    from inkdigit.bulk.cluster import need_ray, read_on_ray

    need_ray()
    return partial(read_on_ray, work=work, address=options.address, jobs=options.jobs)


def _source(options: argparse.Namespace, asked: Options) -> _Source:
    manifest, names = options.manifest, options.images
    if manifest and names:
        raise SettingError("either pictures or a --manifest can be read, received both")
    if manifest:
        count = check_manifest(manifest, asked)
        return _Source(partial(read_manifest, manifest, asked), lambda: count)
    if not names:
        raise SettingError("there is nothing to read: name a picture, a folder or a --manifest")
    many = any(map(is_many, names))
    if (options.recursive or options.include) and not many:
        raise SettingError("--include and --recursive choose among the files of a folder: name one")
    wanted = FileFilter(tuple(options.include), options.recursive)
    found = pictures(names, wanted)
    if many:
        head = list(islice(found, 2))
        if len(head) == 1 and isinstance(head[0].source, SourceError):
            raise head[0].source
        found = chain(head, found)
    return _Source(lambda: found, partial(count_pictures, names, wanted), names)


def _fill(options: argparse.Namespace, source: _Source, table: Table, engine: Engine) -> None:
    """Read many pictures into a table, and tell what there is to tell."""
    before = table.position.pictures
    progress = Progress(source.count, before, table.tally, quiet=options.quiet)
    try:
        read_many(source.pictures(), table, engine, progress.reached)
    except (InkdigitError, KeyboardInterrupt):
        if done := table.position.pictures:
            tell(options, f"{done:,} pictures are done: the same with --resume goes on")
        raise
    finally:
        progress.close()
    done = table.position.pictures
    for line in summary(done, done - before, progress.seconds, table.tally):
        tell(options, line)
    tell(options, f"wrote {without_secrets(options.out)}")
    _fail_with(table.tally)


def _fail_with(tally: Tally) -> None:
    """Fail where any picture of a table did."""
    if tally.codes:
        raise _SomeUnreadError(tally.rows, tally.codes)


def _reads(work: ReadJob, source: _Source, engine: Engine | None) -> Iterator[Read]:
    """Yield what the pictures say, read by this process where there is no engine."""
    if engine is None:
        for row in read_rows(work.reader(), source.pictures(), **work.options):
            yield row.to_dict(), row.code
    else:
        work.check()
        for done in engine(chunks(source.pictures())):
            yield from zip(done.records, done.codes, strict=True)


def _write(
    options: argparse.Namespace, output: Output, source: _Source, reads: Iterator[Read]
) -> None:
    """Write what is read as it comes."""
    head = list(islice(reads, 2))
    if source.one and len(head) == 1:
        _write_one(options, output, *head[0])
    else:
        _write_several(options, output, chain(head, reads))


def _write_one(options: argparse.Namespace, output: Output, record: Record, code: int) -> None:
    as_text = output.format == "text"
    if not (code and as_text):
        output.write([record], several=False)
    if code:
        raise _UnreadError(record["error"], code)
    if as_text and record["status"] != "accepted":
        tell(options, f"{record['status']}: {record['reason']}")


def _write_several(options: argparse.Namespace, output: Output, reads: Iterator[Read]) -> None:
    count, codes = 0, Counter[int]()

    def watched() -> Iterator[Record]:
        nonlocal count
        for record, code in reads:
            count += 1
            if code:
                codes[code] += 1
                tell(options, complaint(record))
            yield record

    output.write(watched(), several=True)
    if codes:
        raise _SomeUnreadError(count, codes)


class _UnreadError(InkdigitError):
    """The one picture failed, in whatever process it was read."""

    def __init__(self, sentence: str, code: int) -> None:
        super().__init__(sentence)
        self.exit_code = code  # type: ignore[misc]


class _SomeUnreadError(InkdigitError):
    """Some of several pictures failed: the exit code is theirs where they failed alike."""

    def __init__(self, count: int, codes: Counter[int]) -> None:
        super().__init__(f"{codes.total():,} of {count:,} pictures could not be read")
        if len(codes) == 1:
            (self.exit_code,) = codes  # type: ignore[misc]
