import asyncio
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pandas as pd
import pytest

import inkdigit

ROOT = Path(__file__).parents[2]
MODULES = ("http_load", "serving")


@pytest.fixture(scope="module")
def scripts(script: Callable[[str], ModuleType]) -> dict[str, ModuleType]:
    return {name: script(name) for name in MODULES}


def test_a_real_service_is_asked_and_judged(scripts: dict[str, ModuleType]) -> None:
    load, serving = scripts["http_load"], scripts["serving"]
    content = (ROOT / "docs" / "amount.png").read_bytes()
    text = inkdigit.Reader.load().read(content).text
    right = load.Question(load.post("/v1/read", content, "image/png"), text)
    wrong = load.Question(load.post("/v1/read", content, "image/png"), "0")
    refused = load.Question(load.post("/v1/read", b"nothing", "image/png"), None)
    with serving.service() as started:
        answers = asyncio.run(load.closed_loop(started.port, [right, refused], 2, 0.5))
        assert {(answer.status, answer.right) for answer in answers} == {(200, True), (422, True)}
        answers = asyncio.run(load.open_loop(started.port, [right, wrong], lambda _: 20, 0.3))
        assert [answer.right for answer in answers].count(False) == 3
        assert started.requests("422") > 0
        assert started.held() > 10


def test_a_connection_that_is_lost_is_no_right_answer(scripts: dict[str, ModuleType]) -> None:
    load = scripts["http_load"]

    async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async def check() -> None:
        server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        question = load.Question(load.post("/v1/read", b"", "image/png"), "1")
        answers = await load.open_loop(port, [question], lambda _: 20, 0.2)
        assert [(answer.status, answer.right) for answer in answers] == [(0, False)] * 4
        server.close()

    asyncio.run(check())


def test_recovery_counts_until_the_last_rough_slice(scripts: dict[str, ModuleType]) -> None:
    answer = scripts["http_load"].Answer
    calm = [answer(moment / 10, 0.01, 200, True) for moment in range(100)]
    recovery = scripts["serving"].recovery
    assert recovery(calm, 2, 5) == 0
    assert recovery([*calm, answer(5.1, 0.01, 503, True)], 2, 5) == 0.5
    slow = [answer(6.2, 1.0, 200, True)] * 9
    assert recovery([*calm, *slow], 2, 5) == 1.5


def test_parts_that_were_not_measured_keep_their_figures(
    scripts: dict[str, ModuleType], tmp_path: Path
) -> None:
    path = tmp_path / "serving.csv"
    before = pd.DataFrame({"part": ["speed", "steady"], "value": [1, 2]})
    before.to_csv(path, index=False)
    table = scripts["serving"].with_others(
        pd.DataFrame({"part": ["speed"], "value": [3]}), path, scripts["serving"].PARTS
    )
    assert table["value"].tolist() == [3, 2]
