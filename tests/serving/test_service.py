"""The service without HTTP: what cannot be seen from outside."""

import asyncio
import threading
from typing import Any

import pytest
from drawing import document, png

from inkdigit.reading import Reader
from inkdigit.reading.options import ReadOptions
from inkdigit.serving.request_options import Asked
from inkdigit.serving.service import NotReady, Service
from inkdigit.serving.settings import Settings
from inkdigit.serving.uploads import Upload


@pytest.mark.parametrize("work", ["shown", "page_results"])
def test_only_the_threads_that_read_work_on_pictures(
    work: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads, unwatched = [], getattr(Reader, work)

    def watched(*arguments: Any) -> Any:
        threads.append(threading.current_thread().name)
        return unwatched(*arguments)

    async def check() -> None:
        service = Service(Settings())
        await service.warming
        upload = Upload("a.tif", document(["5", "6"]))
        answer = await service.read(upload, Asked(ReadOptions(), shown=True))
        assert all(page["shown"] for page in answer["pages"])
        service.batcher.close()

    monkeypatch.setattr(Reader, work, watched)
    asyncio.run(check())
    assert {name.rpartition("_")[0] for name in threads} == {"reading"}


def test_a_reading_waits_for_the_models_and_readiness_does_not() -> None:
    async def check() -> None:
        service = Service(Settings())
        with pytest.raises(NotReady, match="are being loaded"):
            _ = service.reader
        reading = asyncio.create_task(service.read(Upload("a.png", png("5")), Asked(ReadOptions())))
        await asyncio.sleep(0)
        assert service.places.taken == 1
        await service.warming
        assert (await reading)["text"] == "5"
        assert service.reader.model
        service.batcher.close()

    asyncio.run(check())
