"""`inkdigit review` and `inkdigit audit` from Python."""

import gc
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from inkdigit.bulk.progress import say
from inkdigit.bulk.rows import Record
from inkdigit.bulk.writers import Output
from inkdigit.errors import SourceError, needing
from inkdigit.files import as_path
from inkdigit.review.audit import Audit, sample_size
from inkdigit.review.fields import Field, Strata, doubtful, sample
from inkdigit.review.forms import Forms
from inkdigit.review.journal import Journal
from inkdigit.review.pictures import Pictures
from inkdigit.review.pile import Pile


def review(
    table: str | Path | Iterable[Record],
    *,
    blind: bool = False,
    forms: Sequence[Path] = (),
    **where: Any,
) -> Journal:
    """Serve the page on which people settle a table's doubtful rows; return the journal at Ctrl-C.

    The table may be rows, as `apply` takes them: they are written to a temporary folder that stays,
    as the `path` of the journal is in it. With `blind` nobody sees what was read until two
    disagree. The least sure rows come first. Where `forms` names templates, all fields of a form
    come together, and the page says which rules of its template are broken by what is keyed.

    `pictures`
        the folder that the pictures lie in now, where they were moved.
    `port`, `open`
        the page's port on this machine, a free one by default; open it in the browser.
    `tell`
        is called with the page's address, which is a secret, in a sentence; else it is printed.

    Raises `SourceError` for what is no table, for one that has no such rows and for pictures that
    have gone, `SettingError` for forms that it does not hold, and `RunError` where another process
    has the table or its journal is another table's.
    """
    with Journal(_written(table)).held() as journal:
        fields = doubtful(journal.table, journal.is_open)
        known = Forms(journal, forms)
        _serve(journal, known.together(fields), known, lambda: "", blind=blind, **where)
    return journal


def audit(
    table: str | Path, *, wrong_at_most: float = 0.005, by: Strata = None, **where: Any
) -> Audit:
    """Serve the page on which accepted rows are checked, and return what was found at Ctrl-C.

    So many are drawn that, if none is wrong, at most the share `wrong_at_most` of all is, with 95 %
    confidence. `by` spreads them over the fields of a form, or over the confidence, in proportion,
    and says what was found of each. Where they have been checked, nothing is served. The rest is
    as in `review`.
    """
    with Journal(Path(table)).held() as journal:
        fields, accepted = sample(journal.table, sample_size(wrong_at_most), journal.digest, by)

        def found() -> Audit:
            return Audit.of(fields, journal, accepted, by)

        if not (fields and found().is_done):
            _serve(journal, fields, Forms(journal, ()), lambda: str(found()), blind=True, **where)
        return found()


def _written(table: str | Path | Iterable[Record]) -> Path:
    """Return where a table lies; rows are written, as a journal lies beside its table."""
    if isinstance(table, str) or not isinstance(table, Iterable):
        return as_path(table, "a table")
    path = Path(mkdtemp(prefix="inkdigit-review-"), "rows.jsonl")
    Output(path, "jsonl").write(table, several=True)
    return path


def _serve(  # noqa: PLR0913
    journal: Journal,
    fields: Sequence[Field],
    forms: Forms,
    found: Callable[[], str],
    *,
    blind: bool,
    pictures: Path | None = None,
    port: int = 0,
    open: bool = False,
    tell: Callable[[str], None] = say,
) -> None:
    """Serve the page of some fields until Ctrl-C; `found` says what is known by them."""
    with needing("serve"):
        from inkdigit.review.app import PAGE, create_api
        from inkdigit.serving.local import serve_locally

    if not fields:
        raise SourceError(f"{journal.table} has no rows to look at")
    opened = Pictures(journal.table, pictures)
    opened.check(fields[0])
    if journal.is_cut:
        tell(f"{journal.path} ends in half a line, which was not answered: it is dropped")
    pile = Pile(fields, journal, blind=blind)
    # Else a full collection goes through all fields, and a picture waits for it.
    gc.freeze()
    api = create_api(pile, opened, forms, found)
    serve_locally(api, PAGE, tell, port=port, open=open)
