import asyncio

from inkdigit.serving.metrics import exposition
from inkdigit.serving.service import Service
from inkdigit.serving.settings import Settings


def test_the_queue_is_told_by_every_worker_whichever_is_asked() -> None:
    async def check() -> None:
        service = Service(Settings())
        with service.places.share(2):
            assert b"inkdigit_queue 2.0" in exposition()
        assert b"inkdigit_queue 0.0" in exposition()
        service.batcher.close()

    asyncio.run(check())
