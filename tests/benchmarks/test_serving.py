import asyncio
from pathlib import Path

import inkdigit
from benchmarks import serving
from benchmarks.http_load import Answer, Question, closed_loop, is_right, open_loop, post

AMOUNT = Path(__file__).parents[2] / "docs" / "amount.png"


def test_a_real_service_is_asked_and_judged() -> None:
    content = AMOUNT.read_bytes()
    digits = inkdigit.Reader.load().read(content).digits
    right, wrong = (Question(post("/v1/read", content, "image/png"), t) for t in (digits, "0"))
    refused = Question(post("/v1/read", b"nothing", "image/png"), None)
    with serving.service() as started:
        answers = asyncio.run(closed_loop(started.port, [right, refused], 2, 0.5))
        assert {(answer.status, answer.right) for answer in answers} == {(200, True), (422, True)}
        answers = asyncio.run(open_loop(started.port, [right, wrong], lambda _: 20, 0.3))
        assert [answer.right for answer in answers].count(False) == 3
        assert started.requests("422") > 0
        assert started.held() > 10


def test_only_a_clean_refusal_is_right() -> None:
    clean = b"content-type: application/problem+json\r\nRetry-After: 1\r\n"
    told = {"status": 503, "detail": "busy"}
    assert is_right(503, clean, told, "12")
    assert not is_right(503, b"content-type: application/problem+json\r\n", told, "12")
    assert not is_right(503, clean, {"status": 503, "detail": ""}, "12")
    assert is_right(422, clean, {"status": 422, "detail": "no picture"}, None)
    assert not is_right(422, clean, {"status": 422, "detail": "no picture"}, "12")
    assert not is_right(200, b"", {"digits": "1"}, None)


def test_a_connection_that_is_lost_is_no_right_answer() -> None:
    async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async def check() -> None:
        server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        question = Question(post("/v1/read", b"", "image/png"), "1")
        answers = await open_loop(port, [question], lambda _: 20, 0.2)
        assert [(answer.status, answer.right) for answer in answers] == [(0, False)] * 4
        server.close()

    asyncio.run(check())


def test_recovery_counts_until_the_last_rough_slice() -> None:
    calm = [Answer(moment / 10, 0.01, 200, True) for moment in range(100)]
    assert serving.recovery(calm, 2, 5) == 0
    assert serving.recovery([*calm, Answer(5.1, 0.01, 503, True)], 2, 5) == 0.5
    slow = [Answer(6.2, 1.0, 200, True)] * 9
    assert serving.recovery([*calm, *slow], 2, 5) == 1.5
