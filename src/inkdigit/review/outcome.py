"""What comes of a review: the table made anew, labels, an audit trail; and nothing any more."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from inkdigit.bulk.form_rows import rows_of_forms
from inkdigit.bulk.readers import characters_of, files_of, read_table
from inkdigit.bulk.rows import Record
from inkdigit.bulk.writers import Output
from inkdigit.errors import DataError, OutputError, SettingError, SourceError
from inkdigit.files import SCRATCH, is_taken, writing
from inkdigit.images import as_png
from inkdigit.reading.alphabet import only_digits
from inkdigit.reading.number import meanings
from inkdigit.reading.result import FAILED
from inkdigit.review.fields import Field, doubtful, numbered
from inkdigit.review.forms import Forms
from inkdigit.review.journal import CROSSED_OUT, UNREADABLE, WORDS, Journal
from inkdigit.review.pictures import Pictures


def apply(rows: Iterable[Record], journal: Journal) -> Iterator[Record]:
    """Yield the rows of a table with what people decided in them, in order.

    Three columns come behind the others: `read_as`, the text that was read, `decided_by` and
    `decided_at`; they are `None` where nothing is decided. What a person confirmed, mended or found
    blank is `accepted`; what is crossed out or unreadable is `rejected`, and the reason says so.
    """
    for number, row in enumerate(rows, start=1):
        decided: Record = {"read_as": None, "decided_by": None, "decided_at": None}
        if answer := journal.answer(number):
            keyed, looks = str(answer.new), journal.looks(number)
            decided = {
                **_as_row(keyed),
                "characters": row.get("characters") if keyed == answer.old else [],
                "read_as": row["text"],
                "decided_by": ", ".join({look.who: "" for look in looks if look.new == keyed}),
                "decided_at": answer.when,
            }
        made = row | decided
        yield made | {"characters": characters_of(made)}


def _as_row(keyed: str) -> Record:
    """Return what a row says where this was keyed."""
    text, is_rejected = "" if keyed in WORDS else keyed, keyed in {CROSSED_OUT, UNREADABLE}
    found = meanings(text)
    return {
        "text": text,
        "status": "rejected" if is_rejected else "accepted",
        "reason": WORDS[keyed] if is_rejected else "",
        "digits": only_digits(text),
        "number": f"{found.pop():f}" if len(found) == 1 else None,
    }


def export(table: Path, out: Path, *, forms: Sequence[Path] = (), overwrite: bool = False) -> int:
    """Write a table anew with what was decided, and return how many rows were.

    Where `forms` names the templates of its forms, CSV and Excel have a row for each form, without
    who decided what: `write_trail` has that. What people let stand against a form is the reason,
    with their names. Raises as `Journal` and `Forms` do, `SettingError` where the table has forms
    of no template that is named, `OutputError` where something lies at `out` already, and
    `DataError` where people are to decide something, and nobody has.
    """
    if out.exists() and out.samefile(table):
        raise SettingError(f"{out} is the table that was read, which stays: choose another name")
    output, journal = Output.choose(str(out), None, overwrite=overwrite), _decided(table)
    rows = apply(read_table(table), journal)
    if forms:
        known = Forms(journal, forms)
        output = replace(output, shape=partial(rows_of_forms, fields=_columns(known)))
        rows = _remarked(rows, known)
    output.write(rows, several=True)
    return len({one.row for one in journal.decisions if journal.answer(one.row)})


def _remarked(rows: Iterable[Record], forms: Forms) -> Iterator[Record]:
    """Yield decided rows; the reason of what is accepted says what is odd about it by its form."""
    for number, row in enumerate(rows, start=1):
        odd = row["status"] == "accepted" and forms.remark(number)
        yield row | {"reason": f"decided by {row['decided_by']}: {odd}"} if odd else row


def _columns(forms: Forms) -> tuple[str, ...]:
    """Return the columns of a table with a row for each form; none may be left out of it."""
    if forms.others:
        names = ", ".join(sorted(forms.others))
        raise SettingError(f"the table has forms of {names} as well: name their templates too")
    return forms.names


def _decided(table: Path) -> Journal:
    """Return the journal of a table; `DataError` where all that is doubtful waits for a person."""
    journal = Journal(table)
    if not journal.decisions and doubtful(table):
        raise DataError(f"nobody has decided anything of {table} yet: nothing was written")
    return journal


def write_labels(table: Path, folder: Path, pictures: Path | None = None) -> int:
    """Write a folder of the pictures whose text people settled, and return how many there are.

    `labels.csv` in it has the columns `file`, `text` and `source`, as `inkdigit adapt` takes them.
    What a form has ticked, or written in or not, is no text. The folder appears whole. Raises
    `OutputError` where it is there already, `ImageError` where a picture has gone, and `DataError`
    where nobody has settled a text.
    """
    if is_taken(folder):
        raise OutputError(f"{folder} is there already: choose another folder for the labels")
    journal, labels = Journal(table), list[Record]()
    opened = Pictures(journal.table, pictures)
    with writing(folder), TemporaryDirectory(dir=folder.parent, prefix=SCRATCH) as scratch:
        made = Path(scratch, folder.name)
        made.mkdir()
        for number, row in numbered(table):
            answer = journal.answer(number)
            if answer and answer.new not in WORDS and not _is_tick(row, str(answer.new)):
                name = f"{number:07}.png"
                labels.append({"file": name, "text": answer.new, "source": row["source"]})
                (made / name).write_bytes(as_png(opened.crop(Field.of(number, row))))
        if not labels:
            raise DataError(f"nobody has settled a text of {table} yet: there are no labels")
        Output(made / "labels.csv", "csv").write(labels, several=True)
        made.replace(folder)
    return len(labels)


def _is_tick(row: Record, keyed: str) -> bool:
    """Return whether a row of a form may be a box that is ticked or not: 0 or 1, without digits."""
    is_field = (row.get("id") or "").count("/") > 1
    return is_field and not characters_of(row) and (row["text"] or keyed) in {"0", "1"}


def write_trail(table: Path, out: Path, *, overwrite: bool = False) -> int:
    """Write all that was said as a CSV, also what was taken back; return how many lines it has.

    Raises as `export` does.
    """
    output = Output.choose(str(out), "csv", overwrite=overwrite)
    decisions = _decided(table).decisions
    output.write(map(asdict, decisions), several=True)
    return len(decisions)


def forget(table: Path, pictures: Path | None = None, *, sure: bool = False) -> tuple[int, int]:
    """Delete the pictures that a table names, the table and its journal; return how many pictures.

    And how many rows stay: those that failed, as nobody has seen what they hold. The table then has
    these alone, and their files stay too, with all that is in them.

    Nothing is deleted where a row still waits for a person or no picture is to go (`DataError`),
    where one is in a bucket, or in two places (`SettingError`), where none is where it was
    (`SourceError`), or unless this is `sure` (`SettingError`). What was deleted before an
    `OutputError` is gone.
    """
    with Journal(table).held() as journal:
        if waiting := sum(not journal.answer(one.row) for one in doubtful(table, journal.is_open)):
            raise DataError(f"{waiting:,} rows of {table} wait for a person: nothing was deleted")
        rows, opened = list(read_table(table)), Pictures(journal.table, pictures)
        failed = [row for row in rows if row["status"] == FAILED]
        spared = {row["source"] for row in failed}
        stay = {Path(opened.place(source)).resolve() for source in spared}
        sources = (one for one in dict.fromkeys(row["source"] for row in rows) if one not in spared)
        places = [one for one in map(opened.only_place, sources) if one.resolve() not in stay]
        if not places:
            why = f"{len(failed):,} rows of {table} were never read, and it names no other pictures"
            raise DataError(f"{why}: nothing was deleted")
        there = [place for place in places if place.exists()]
        if not there:
            raise SourceError(f"{places[0]} is not there: say with --pictures where it lies now")
        if not sure:
            gone = f" ({len(places) - len(there):,} more are not there)" * (there != places)
            what = f"{len(there):,} pictures{gone}, {there[0].absolute()} the first, {table}"
            left = f", but for {len(failed):,} rows that were never read and their files"
            what += f" and its journal for good{left * bool(failed)}"
            raise SettingError(f"this deletes {what}: add --yes")
        files = files_of(table)
        _delete(*there)
        if failed:
            Output.choose(str(files.pop(0)), None, overwrite=True).write(failed, several=True)
        _delete(*files, journal.path)
    return len(there), len(failed)


def _delete(*files: Path) -> None:
    for file in files:
        with writing(file):
            file.unlink(missing_ok=True)
