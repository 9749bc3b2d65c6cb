"""From scans and photographs of sheets, in any order and turn, to a class's folder of digits."""

from base64 import b64encode
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from inkdigit.classroom.collection import APART, CLASS, Collection
from inkdigit.classroom.sheet import TEMPLATE, pupil_of
from inkdigit.documents.forms import FormReader, Scan
from inkdigit.documents.registration import Registration
from inkdigit.documents.template import Field
from inkdigit.documents.writing import Writing
from inkdigit.errors import ImageError, InkdigitError, RunError, SettingError
from inkdigit.images import Grey, as_png
from inkdigit.images.folder import pictures_in
from inkdigit.reading.options import ReadOptions
from inkdigit.reading.reader import Reader, Result
from inkdigit.reading.result import Reading

# What a box looks like; `read` goes with the digit that it was misread as, and is kept.
EMPTY, CROSSED_OUT, READ = "empty", "crossed out", "read "
# What is no digit with this probability was crossed out; less ink than this share of a box is none.
_SURELY, _INK = 0.9, 0.015
_SINGLE = ReadOptions(single=True, rotate=0)


@dataclass(eq=False)
class Box:
    """A box of a sheet: where its picture goes in its pupil's folder, and what was written in it.

    `looks` says why a person is to look at it; nothing where it looks like its digit.
    """

    file: str
    picture: Grey
    looks: str = ""

    @property
    def is_kept(self) -> bool:
        """Whether a digit stands there, be it misread."""
        return not self.looks or self.looks.startswith(READ)


@dataclass(frozen=True, eq=False)
class Sheet:
    """A pupil's sheet, numbered from 1, and the scan that shows it."""

    scan: str
    class_: str
    name: str
    number: int
    boxes: Sequence[Box]


def collect(
    scans: str | Path, out: str | Path, *, tell: Callable[[str], object] = lambda _: None
) -> Path:
    """Keep the digits of all sheets that the pictures and PDFs in a folder show.

    A box becomes `OUT/NAME/DIGIT/NUMBER.png`. One that is there already stays, so a sheet may be
    photographed again. What is crossed out, and scans that are no sheet of the class, come into
    `OUT/__apart`. Returns a page that shows what a person is to look at.

    Raises `DataError` for a folder without pictures, `RunError` for sheets of several classes in
    a folder that is of none yet, and `OutputError` where something can't be written: the same again
    then goes on from there. Pages that were not collected are an `ImageError` in the end.
    """
    if Path(scans).resolve() == Path(out).resolve():
        raise SettingError(f"{out} holds the scans: choose another folder for the digits")
    pictures = pictures_in(Path(scans))
    collection, forms = Collection(Path(out)), FormReader(Reader.load(), [TEMPLATE])
    sheets, refused = list[Sheet](), list[tuple[str, str]]()
    for path in sorted(Path(scans).rglob("*")):
        scan = path.relative_to(scans).as_posix()
        if path.is_file() and not path.name.startswith(".") and scan not in pictures:
            refused.append((scan, "it is no picture that can be read"))
    for scan, source in pictures.items():
        for _, found in forms.found([Scan(scan, source)], _SINGLE):
            try:
                if isinstance(found, InkdigitError):
                    raise found
                sheets.append(read_sheet(scan, found, forms.reader))
            except InkdigitError as error:
                refused.append((scan, str(error).removeprefix(f"{scan}: ")))
    class_ = _class_of(sheets, collection)
    for sheet in sheets:
        if sheet.class_ == class_:
            tell(f"{sheet.scan}: {sheet.name}, sheet {sheet.number}: {_keep(sheet, collection)}")
        else:
            refused.append((sheet.scan, f"it is of the class {sheet.class_}, not of {class_}"))
    for scan, why in refused:
        tell(f"{scan}: not collected, {why}")
        content = Path(scans, scan).read_bytes()
        collection.keep(collection.folder / APART / scan, content)
    of_class = [sheet for sheet in sheets if sheet.class_ == class_]
    page = _contact_sheet(of_class, refused, collection.folder)
    if refused:
        raise ImageError(f"pages not collected: {len(refused)} ({page} shows which)")
    return page


def read_sheet(scan: str, found: Registration, reader: Reader) -> Sheet:
    """Return what a registered sheet holds; `ImageError` where its code can't be read."""
    class_, name, number = pupil_of(found)
    rows = [field for field in found.blank.fields if field.kind == "comb"]
    boxes = [box for row in rows for box in _boxes(found, row, number)]
    written = [box for box in boxes if not box.looks]
    results = reader.results([box.picture for box in written], _SINGLE)
    for box, result in zip(written, results, strict=True):
        box.looks = _looks(result, box.file[0])
    return Sheet(scan, class_, name, number, boxes)


def _boxes(found: Registration, row: Field, sheet: int) -> Iterator[Box]:
    """Yield the boxes of a row; `looks` says of some why there is nothing to be read."""
    around = Writing.of(found, row.box)
    inside, first = around.inside(row.box), (sheet - 1) * len(row.cell_boxes) + 1
    cells = zip(row.cell_boxes, inside.cells(row.cell_boxes), strict=True)
    for number, (box, cell) in enumerate(cells, start=first):
        looks = found.doubt_at(box)
        if cell.is_empty:
            looks = looks or (CROSSED_OUT if around.share(box) > _INK else EMPTY)
        yield Box(f"{row.name[1:]}/{number}.png", cell.picture(), looks)


def _looks(result: Result, digit: str) -> str:
    shares = result.characters[0].alternatives if isinstance(result, Reading) else ()
    if sum(one.confidence for one in shares) <= 1 - _SURELY:
        return CROSSED_OUT
    return "" if shares[0].value == digit else READ + shares[0].value


def _class_of(sheets: Sequence[Sheet], collection: Collection) -> str:
    """Return the class that a folder is of, which it becomes with its first sheets."""
    path, classes = collection.folder / CLASS, sorted({sheet.class_ for sheet in sheets})
    if len(classes) > 1 and not path.exists():
        raise RunError(f"the sheets are of classes {', '.join(classes)}: part their scans")
    if classes:
        collection.keep(path, classes[0].encode())
    return path.read_text("utf-8") if classes else ""


def _keep(sheet: Sheet, collection: Collection) -> str:
    """Keep the digits of a sheet, and return what came of it."""
    person, apart = collection.person(sheet.name), collection.folder / APART / sheet.name
    digits = [box for box in sheet.boxes if box.is_kept]
    new = sum(collection.keep(person / box.file, as_png(box.picture)) for box in digits)
    for box in [box for box in sheet.boxes if box.looks == CROSSED_OUT]:
        collection.keep(apart / box.file, as_png(box.picture))
    if not new:
        return (
            "it was collected before; for more digits print with --sheets 2"
            if digits
            else "it is empty"
        )
    left_out = Counter(box.looks for box in sheet.boxes if not box.is_kept)
    return ", ".join([f"{new} digits", *(f"{times} {why}" for why, times in left_out.items())])


def _contact_sheet(sheets: list[Sheet], refused: list[tuple[str, str]], folder: Path) -> Path:
    """Write a page of what a person is to look at, beside those of former times."""
    # It loads what trains networks, which takes seconds.
    from inkdigit.learning.evaluation.report import write_page

    written = [sheet for sheet in sheets if any(box.looks != EMPTY for box in sheet.boxes)]
    shown = [(sheet, box) for sheet in written for box in sheet.boxes if box.looks]
    tiles = [
        (box.looks, f"{sheet.name}/{box.file}", b64encode(as_png(box.picture)).decode())
        for sheet, box in shown
    ]
    pages = (folder / f"contact-sheet-{number}.html" for number in count(1))
    path = next(page for page in pages if not page.exists())
    context = {"sheets": sheets, "tiles": tiles, "refused": refused}
    return write_page(path, "contact-sheet.html.j2", [], context)
