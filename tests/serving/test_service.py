"""The service without HTTP: what cannot be seen from outside."""

import asyncio
import threading
from typing import Any

import pytest
from drawing import png

from inkdigit.reading import Reader
from inkdigit.reading.options import Options
from inkdigit.serving.metrics import exposition
from inkdigit.serving.service import Service
from inkdigit.serving.settings import Settings
from inkdigit.serving.uploads import Upload


def test_the_threads_that_read_look_too(monkeypatch: pytest.MonkeyPatch) -> None:
    threads, look = [], Reader.look

    def watched(*arguments: Any, **options: Any) -> Any:
        threads.append(threading.current_thread().name)
        return look(*arguments, **options)

    async def check() -> None:
        service = Service(Settings.of())
        await service.warm()
        answer = await service.read(Upload("a.png", png("5")), Options(), look=True)
        assert answer["look"]
        service.close()

    monkeypatch.setattr(Reader, "look", watched)
    asyncio.run(check())
    assert [name.rpartition("_")[0] for name in threads] == ["reading"]


def test_the_queue_is_told_by_every_worker_whichever_is_asked() -> None:
    async def check() -> None:
        service = Service(Settings.of())
        with service.batcher.places(2):
            assert b"inkdigit_queue 2.0" in exposition()
        assert b"inkdigit_queue 0.0" in exposition()
        service.close()

    asyncio.run(check())
