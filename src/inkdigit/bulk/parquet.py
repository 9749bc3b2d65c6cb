"""Parquet, through pyarrow (extra `parquet`): the same columns, nested where they are lists."""

from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from inkdigit.bulk.rows import Record
from inkdigit.errors import MissingExtraError

if TYPE_CHECKING:
    import pyarrow as pa

# Rows that are held at a time.
_GROUP = 10_000


def need_pyarrow() -> None:
    """Raise `MissingExtraError` where pyarrow is not installed."""
    try:
        import pyarrow  # noqa: F401
    except ImportError:
        raise MissingExtraError("parquet", "pyarrow") from None


def write_parquet(records: Iterable[Record], path: Path) -> None:
    """Write a Parquet file, a group of rows after the other."""
    from pyarrow.parquet import ParquetWriter

    records = iter(records)
    with ParquetWriter(path, schema(), compression="zstd") as writer:
        while some := list(islice(records, _GROUP)):
            writer.write_table(table(some))


def table(records: list[Record]) -> "pa.Table":
    """Return rows as an Arrow table; a name that is no text is written with escapes."""
    import pyarrow as pa

    return pa.Table.from_pylist([_as_text(record) for record in records], schema())


def schema() -> "pa.Schema":
    """Return the columns and their types."""
    import pyarrow as pa

    text, real, box = pa.string(), pa.float64(), pa.list_(pa.int32())
    alternative = pa.struct({"value": text, "confidence": real})
    seen = {"confidence": real, "box": box}
    digit = pa.struct({"value": text, **seen, "alternatives": pa.list_(alternative)})
    mark = pa.struct({"value": text, "position": pa.int32(), **seen})
    columns = {
        "source": text, "page": pa.int32(), "text": text, "confidence": real, "status": text,
        "reason": text, "digits": pa.list_(digit), "marks": pa.list_(mark), "unconstrained": text,
        "error": text, "model": text, "id": text, "box": box,
    }  # fmt: skip
    return pa.schema(columns)


def _as_text(record: Record) -> Record:
    names = {name: record[name] for name in ("source", "error", "id") if record[name]}
    return record | {
        name: value.encode("utf-8", "backslashreplace").decode() for name, value in names.items()
    }
