"""From a file and its options to the answer, the same JSON as `inkdigit read` writes."""

import asyncio
from base64 import b64encode
from collections.abc import Iterator, Sequence
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
from inkdigit.reading.result import COLUMNS, PAGE_COLUMNS, Row
from inkdigit.serving.batching import Batcher
from inkdigit.serving.forms import Forms
from inkdigit.serving.metrics import BATCHES, QUEUE, READINGS
from inkdigit.serving.quota import Quota, Unavailable
from inkdigit.serving.request_options import Asked
from inkdigit.serving.settings import Settings
from inkdigit.serving.uploads import Upload

Answer = dict[str, Any]


class NotReady(Unavailable):
    """The models are not warm yet."""


class Service:
    """One reader behind one queue."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.places = Quota(settings.queue, "the service is busy: try again in a moment", QUEUE.set)
        self.memory = Quota(
            settings.max_held, "the service is busy with other pictures: try again in a moment"
        )
        self.batcher = Batcher(settings, self._read_batch)
        self.forms = Forms(settings)
        # Until it is done, who asks for a reading waits.
        self.warming = asyncio.create_task(asyncio.to_thread(_warm_reader, settings))

    @property
    def reader(self) -> Reader:
        """The reader; `NotReady` until its models are warm."""
        if not self.warming.done():
            raise NotReady("the models are being loaded: try again in a moment")
        return self.warming.result()

    async def read(self, upload: Upload, asked: Asked) -> Answer:
        """Return what is asked of a file; errors are raised. Takes one place in the queue."""
        with self.places.share(1):
            await asyncio.shield(self.warming)
            return await self._read(upload, asked)

    async def read_all(self, uploads: Sequence[Upload], asked: Asked) -> Answer:
        """Return a result for each file, in order; an error is a row with the status `failed`."""

        async def read(upload: Upload) -> Answer:
            try:
                return await self._read(upload, asked)
            except InkdigitError as error:
                return self._row(upload, asked.options, error)

        with self.places.share(len(uploads)):
            await asyncio.shield(self.warming)
            return {"results": await asyncio.gather(*map(read, uploads))}

    async def _read(self, upload: Upload, asked: Asked) -> Answer:
        options = asked.options
        count = await self._count_pages(upload.content, options)
        if asked.form:
            reader = await self.batcher.run(partial(self.forms.reader, asked.form, self.reader))
            return await self._rows(upload, reader.read(upload.content, upload.name, options))
        if asked.find:
            numbers = self.reader.number_rows(upload.content, upload.name, options)
            return await self._rows(upload, numbers, PAGE_COLUMNS)
        if count == 1:
            result = await self.batcher.read(upload.content, options)
            if isinstance(result, InkdigitError):
                raise result
            return await self._answer(upload, asked, result)
        open_document = partial(self.reader.page_results, upload.content, options)
        pages = await self.batcher.run(open_document)
        rows = []
        for page in range(1, count + 1):
            # One at a time, so that other requests have their turn in between.
            BATCHES.observe(1)
            result = await self.batcher.run(partial(next, pages))
            of_page = replace(asked, options=replace(options, page=page))
            rows.append(await self._answer(upload, of_page, result))
        return {"source": upload.name, "pages": rows}

    async def _rows(
        self, upload: Upload, read: Iterator[Row], columns: tuple[str, ...] = COLUMNS
    ) -> Answer:
        rows = list[Row]()
        while row := await self.batcher.run(partial(next, read, None)):
            rows.append(row)
        if len(rows) == 1 and rows[0].failure:
            raise rows[0].failure
        answers = [row.to_dict(columns) for row in rows]
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

    async def _answer(self, upload: Upload, asked: Asked, result: Result) -> Answer:
        row = self._row(upload, asked.options, result)
        if asked.shown and row["error"] is None:
            shown = partial(self._shown, upload.content, asked.options)
            row["shown"] = await self.batcher.run(shown)
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
    """Load the models and read once with each."""
    use_one_core()  # the other threads and workers have theirs
    reader = Reader.load(settings.model)
    example = (files("inkdigit.serving") / "page" / "example.png").read_bytes()
    for single in (False, True):
        # A model that was given reads either lines or single digits.
        with suppress(SettingError):
            reader.read(example, single=single)
    return reader
