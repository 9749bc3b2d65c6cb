"""Many pictures to one table, by any engine; what was done is kept whatever happens."""

from collections.abc import Callable, Iterable, Iterator

from inkdigit.bulk.chunks import Chunk, ChunkResult, chunks
from inkdigit.bulk.sources import Picture
from inkdigit.bulk.tables import Table

# From chunks to what they say, in order and lazily.
Engine = Callable[[Iterator[Chunk]], Iterator[ChunkResult]]


def read_many(
    pictures: Iterable[Picture],
    table: Table,
    engine: Engine,
    reached: Callable[[ChunkResult], None] = lambda _: None,
) -> None:
    """Read the pictures behind the table's position into it, and finish it.

    `reached` is told of each chunk that has been added.
    """
    for done in engine(chunks(pictures, table.position)):
        table.append(done)
        reached(done)
    table.finish()
