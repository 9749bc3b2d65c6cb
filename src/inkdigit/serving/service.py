"""From a file and its options to the answer, the same JSON as `inkdigit read` writes."""

import asyncio
import logging
from base64 import b64encode
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from importlib.resources import files
from typing import Any

from starlette.requests import Request

from inkdigit.errors import ImageError, InkdigitError, SettingError
from inkdigit.images import as_png, count_pages, may_have_pages
from inkdigit.processes import use_one_core
from inkdigit.reading import Reader
from inkdigit.reading.options import ReadOptions
from inkdigit.reading.reader import Result
from inkdigit.reading.result import COLUMNS, Row
from inkdigit.serving.batching import Batcher, Unavailable
from inkdigit.serving.forms import Forms
from inkdigit.serving.metrics import BATCHES, QUEUE, READINGS
from inkdigit.serving.settings import Settings
from inkdigit.serving.uploads import Memory, Upload

Answer = dict[str, Any]
log = logging.getLogger("inkdigit.serving")


class NotReady(Unavailable):
    """The models are not warm yet."""


class Service:
    """One reader behind one queue."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.memory = Memory(settings.max_held)
        self.batcher = Batcher(settings, self._read_batch, QUEUE.set)
        self.forms = Forms(settings)
        self._reader: Reader | None = None
        self._warm = asyncio.Event()

    @property
    def reader(self) -> Reader:
        """The reader; `NotReady` until its models are warm."""
        if self._reader is None:
            raise NotReady("the models are being loaded: try again in a moment")
        return self._reader

    async def warm(self) -> None:
        """Load the models and read once with each; until then, who asks for a reading waits."""
        try:
            self._reader = await asyncio.to_thread(_warm_reader, self.settings)
        except Exception:
            log.exception("the models could not be loaded")
            raise
        self._warm.set()

    async def read(
        self, upload: Upload, options: ReadOptions, *, shown: bool = False, form: str = ""
    ) -> Answer:
        """Return the reading of a picture, or of a document's pages; errors are raised.

        `shown` adds what the network was shown, as a PNG in base64. Of a `form` the fields are
        read, each as a row. Takes one place in the queue.
        """
        with self.batcher.places():
            await self._warm.wait()
            return await self._read(upload, options, shown, form)

    async def read_all(
        self,
        uploads: Sequence[Upload],
        options: ReadOptions,
        *,
        shown: bool = False,
        form: str = "",
    ) -> list[Answer]:
        """Return an answer for each file, in order; an error is a row with the status `failed`."""

        async def read(upload: Upload) -> Answer:
            try:
                return await self._read(upload, options, shown, form)
            except InkdigitError as error:
                return self._row(upload, options, error)

        with self.batcher.places(len(uploads)):
            await self._warm.wait()
            return await asyncio.gather(*map(read, uploads))

    async def _read(self, upload: Upload, options: ReadOptions, shown: bool, form: str) -> Answer:
        count = await self._count_pages(upload.content, options)
        if form:
            return await self._read_form(upload, options, form)
        if count == 1:
            result = await self.batcher.read(upload.content, options)
            if isinstance(result, InkdigitError):
                raise result
            return await self._answer(upload, options, result, shown)
        open_document = partial(self.reader.page_results, upload.content, options)
        pages = await self.batcher.run(open_document)
        rows = []
        for page in range(1, count + 1):
            # One at a time, so that other requests have their turn in between.
            BATCHES.observe(1)
            result = await self.batcher.run(partial(next, pages))
            rows.append(await self._answer(upload, replace(options, page=page), result, shown))
        return {"source": upload.name, "pages": rows}

    async def _read_form(self, upload: Upload, options: ReadOptions, form: str) -> Answer:
        reader = await self.batcher.run(partial(self.forms.reader, form, self.reader))
        read, rows = reader.read(upload.content, upload.name, options), list[Row]()
        while row := await self.batcher.run(partial(next, read, None)):
            rows.append(row)
        if len(rows) == 1 and rows[0].failure:
            raise rows[0].failure
        answers = [row.to_dict(COLUMNS) for row in rows]
        for answer in answers:
            READINGS.labels(answer["status"]).inc()
        return {"source": upload.name, "rows": answers}

    async def _count_pages(self, content: bytes, options: ReadOptions) -> int:
        if options.page or not may_have_pages(content):
            return 1
        count = await asyncio.to_thread(count_pages, content)
        if count > self.settings.max_pages:
            raise ImageError(
                f"the document has {count:,} pages, more than {self.settings.max_pages:,}: split "
                "it, or choose one (page=1)"
            )
        return count

    async def _answer(
        self, upload: Upload, options: ReadOptions, result: Result, shown: bool
    ) -> Answer:
        row = self._row(upload, options, result)
        if shown and row["error"] is None:
            row["shown"] = await self.batcher.run(partial(self._shown, upload.content, options))
        return row

    def _shown(self, content: bytes, options: ReadOptions) -> str:
        return b64encode(as_png(self.reader.shown(content, options))).decode()

    def _row(self, upload: Upload, options: ReadOptions, result: Result) -> Answer:
        row = Row(upload.name, options.page or 1, result, self.reader.model).to_dict()
        READINGS.labels(row["status"]).inc()
        return row

    def _read_batch(self, sources: Sequence[bytes], options: ReadOptions) -> list[Result]:
        BATCHES.observe(len(sources))
        return self.reader.results(sources, options)


def service_of(request: Request) -> Service:
    """Return the service of the application that a request came to."""
    service: Service = request.app.state.service
    return service


def _warm_reader(settings: Settings) -> Reader:
    use_one_core()  # the other threads and workers have theirs
    reader = Reader.load(settings.model)
    example = (files("inkdigit.serving") / "page" / "example.png").read_bytes()
    for single in (False, True):
        # A model that was given reads either lines or single digits.
        with suppress(SettingError):
            reader.read(example, single=single)
    return reader
