"""From scans and photographs of sheets, in any order and turn, to a class's folder of digits."""

import base64
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from inkdigit.classroom.collection import APART, Collection
from inkdigit.classroom.sheet import TIMES, code_of, sheet_registrar
from inkdigit.documents.landmarks import fitted
from inkdigit.documents.registration import Registration
from inkdigit.documents.template import Field
from inkdigit.documents.writing import Writing
from inkdigit.errors import InkdigitError, SettingError
from inkdigit.images import Grey, as_png, open_pages
from inkdigit.learning.adaptation.pile import pictures_in
from inkdigit.learning.evaluation.report import write_page
from inkdigit.reading.options import ReadOptions
from inkdigit.reading.reader import Reader, Result
from inkdigit.reading.result import Reading

# What a box looks like; `read` goes with the digit that it was misread as, and is kept.
EMPTY, CROSSED_OUT, READ = "empty", "crossed out", "read "
# What is no digit with this probability was crossed out; less ink than this share of a box is none.
_SURELY, _INK = 0.9, 0.015
_SINGLE = ReadOptions(single=True, rotate=0)
# The long side of a page on the contact sheet, in pixels.
_SIDE = 400
Tell = Callable[[str], object]
# A picture as PNG in base64, where there is one, and what stands below it.
_Tile = tuple[str | None, str]


@dataclass(eq=False)
class Box:
    """A box of a sheet: its digit, its number in the row from 1, and what was written in it.

    `looks` says why a person is to look at it; nothing where it looks like its digit.
    """

    digit: str
    number: int
    picture: Grey
    looks: str = ""

    @property
    def is_kept(self) -> bool:
        """Whether a digit stands there, be it misread."""
        return not self.looks or self.looks.startswith(READ)


@dataclass(frozen=True, eq=False)
class Refused:
    """A page that is not collected, and why; there is none where it can't be opened."""

    scan: str
    why: str
    page: Grey | None = None


@dataclass(frozen=True, eq=False)
class Sheet:
    """A sheet of a pupil, numbered from 1, and the scan that shows it."""

    scan: str
    class_: str
    name: str
    number: int
    boxes: Sequence[Box]


def read_sheet(scan: str, found: Registration, reader: Reader) -> Sheet:
    """Return what a registered sheet holds; `ImageError` where its code can't be read."""
    class_, name, number = code_of(found)
    boxes = [box for field in found.blank.fields for box in _boxes(found, field)]
    written = [box for box in boxes if not box.looks]
    results = reader.results([box.picture for box in written], _SINGLE)
    for box, result in zip(written, results, strict=True):
        box.looks = _looks(result, box.digit)
    return Sheet(scan, class_, name, number, boxes)


def _boxes(found: Registration, field: Field) -> Iterator[Box]:
    """Yield the boxes of a row; `looks` says of those why there is nothing to be read."""
    around = Writing.of(found, field.box)
    inside = around.inside(field.box)
    for number, box in enumerate(field.cell_boxes, start=1):
        cell, doubt = inside.cell(box), found.doubt_at(box)
        nothing = CROSSED_OUT if around.share(box) > _INK else EMPTY
        yield Box(field.name[1:], number, cell.picture(), doubt or nothing * cell.is_empty)


def _looks(result: Result, digit: str) -> str:
    shares = result.characters[0].alternatives if isinstance(result, Reading) else ()
    if sum(one.confidence for one in shares) <= 1 - _SURELY:
        return CROSSED_OUT
    return "" if shares[0].value == digit else READ + shares[0].value


@dataclass(frozen=True, eq=False)
class Collected:
    """What scans held: the sheets of a class, other pages, and the contact sheet about both."""

    sheets: Sequence[Sheet]
    refused: Sequence[Refused]
    page: Path


def collect(
    scans: str | Path, out: str | Path, *, class_: str | None = None, tell: Tell | None = None
) -> Collected:
    """Keep the digits of all sheets that the pictures and PDFs in a folder show.

    A box becomes `OUT/NAME/DIGIT/NUMBER.png`. One that is there already stays, so a sheet may be
    photographed again. What is crossed out, and pages that are no sheet of the class, lie in
    `OUT/__apart`, and `OUT/contact-sheet-1.html` shows what a person is to look at. `class_` is
    needed only to begin a folder from sheets of several classes.

    Raises `DataError` for a folder without pictures, `SettingError` where the class is in doubt,
    and `OutputError` where something can't be written: the same again then goes on from there.
    """
    say, collection = tell or (lambda _: None), Collection(Path(out))
    sheets, refused = _read(Path(scans))
    class_ = _class_of(sheets, collection, class_)
    of_class = [sheet for sheet in sheets if sheet.class_ == class_]
    for sheet in sheets:
        if sheet.class_ != class_:
            why = f"it is a sheet of the class {sheet.class_}, and {out} is of {class_}"
            refused.append(Refused(sheet.scan, why))
    for sheet in of_class:
        say(f"{sheet.scan}: {_kept(sheet, collection)}")
    for one in refused:
        say(f"{one.scan}: not collected, {one.why}")
        if one.page is not None:
            file = one.scan.replace("/", "-").removesuffix(".png") + ".png"
            collection.keep(collection.folder / APART / file, one.page)
    return Collected(of_class, refused, _contact_sheet(of_class, refused, collection.folder))


def _read(folder: Path) -> tuple[list[Sheet], list[Refused]]:
    """Return the sheets that files in a folder show, and their pages that are none."""
    registrar, reader = sheet_registrar(), Reader.load()
    sheets, refused = list[Sheet](), list[Refused]()
    for name, source in pictures_in(folder).items():
        try:
            pages = open_pages(source)
        except InkdigitError as error:
            refused.append(Refused(name, str(error)))
            continue
        for number in range(len(pages)):
            scan, page = name if len(pages) == 1 else f"{name}, page {number + 1}", None
            try:
                page = pages.page(number)
                sheets.append(read_sheet(scan, registrar.register(page), reader))
            except InkdigitError as error:
                refused.append(Refused(scan, str(error), page))
    return sheets, refused


def _class_of(sheets: Sequence[Sheet], collection: Collection, asked: str | None) -> str:
    """Return the class that a folder is of, which it becomes with its first sheets."""
    known = collection.class_
    if known and asked not in {None, known}:
        raise SettingError(f"{collection.folder} is of the class {known}, not of {asked}")
    classes = sorted({sheet.class_ for sheet in sheets})
    if not (known or asked) and len(classes) > 1:
        raise SettingError(
            f"there are sheets of the classes {', '.join(classes)}: name one with --class"
        )
    class_ = known or asked or "".join(classes)
    if class_ != known:
        collection.begin(class_)
    return class_


def _kept(sheet: Sheet, collection: Collection) -> str:
    """Keep the digits of a sheet, and return what came of it."""
    person, new = collection.person(sheet.name), 0
    for box in sheet.boxes:
        file = Path(box.digit, f"{(sheet.number - 1) * TIMES + box.number}.png")
        if box.is_kept:
            new += collection.keep(person / file, box.picture)
        elif box.looks == CROSSED_OUT:
            collection.keep(collection.folder / APART / sheet.name / file, box.picture)
    looks = Counter(box.looks for box in sheet.boxes if not box.is_kept)
    told = ", ".join([f"{new} digits", *(f"{times} {why}" for why, times in looks.items())])
    if not any(box.is_kept for box in sheet.boxes):
        told = "it is empty"
    elif not new:
        told = "it was collected before"
    return f"{sheet.name}, sheet {sheet.number}: {told}"


def _contact_sheet(sheets: Sequence[Sheet], refused: Sequence[Refused], folder: Path) -> Path:
    """Write a page of what a person is to look at, beside those of former times."""
    shown = [(sheet, box) for sheet in sheets for box in sheet.boxes if box.looks]
    groups = defaultdict[str, list[_Tile]](list)
    for sheet, box in sorted(shown, key=lambda one: not one[1].is_kept):
        number = (sheet.number - 1) * TIMES + box.number
        title = "Read as another digit, and kept" if box.is_kept else f"Left out: {box.looks}"
        said = box.looks if box.is_kept else ""
        groups[title].append((_png(box.picture), f"{sheet.name}/{box.digit}/{number} {said}"))
    for one in refused:
        page = None if one.page is None else _png(fitted(one.page, _SIDE))
        groups["Pages that were not collected"].append((page, f"{one.scan}: {one.why}"))
    pages = (folder / f"contact-sheet-{number}.html" for number in count(1))
    path = next(page for page in pages if not page.exists())
    return write_page(path, "contact-sheet.html.j2", [], {"sheets": sheets, "groups": groups})


def _png(picture: Grey) -> str:
    return base64.b64encode(as_png(picture)).decode()
