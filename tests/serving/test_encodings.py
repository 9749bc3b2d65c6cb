import asyncio
import gzip
import zlib
from typing import Any

import numpy as np
import pytest
from drawing import png
from starlette.requests import Request

from inkdigit.serving.encodings import unpacked
from inkdigit.serving.problems import Problem

CONTENT = png("12345") * 20
RAW = zlib.compressobj(wbits=-15)
PACKED = {
    "gzip": gzip.compress(CONTENT),
    "x-gzip": gzip.compress(CONTENT),
    " GZip , identity": gzip.compress(CONTENT[:99]) + gzip.compress(CONTENT[99:]),
    "deflate": zlib.compress(CONTENT),
    "Deflate": RAW.compress(CONTENT) + RAW.flush(),  # without the header, as some send it
    "identity": CONTENT,
    "": CONTENT,
}


def body_of(coding: str, sent: bytes, piece: int = 1000, limit: int = 10**7) -> list[bytes]:
    pieces = [sent[i : i + piece] for i in range(0, len(sent), piece)] or [b""]

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": pieces.pop(0), "more_body": bool(pieces)}

    async def read() -> list[bytes]:
        scope = {"type": "http", "headers": [(b"content-encoding", coding.encode())]}
        return [chunk async for chunk in unpacked(Request(scope, receive), limit)]

    return asyncio.run(read())


@pytest.mark.parametrize("piece", [1, 100, 10**6])
@pytest.mark.parametrize("coding", PACKED)
def test_a_body_is_unpacked_in_any_pieces(coding: str, piece: int) -> None:
    assert b"".join(body_of(coding, PACKED[coding], piece)) == CONTENT


@pytest.mark.parametrize("coding", ["gzip", "deflate", "Deflate"])
def test_what_is_cut_short_or_damaged_is_422(coding: str) -> None:
    whole = PACKED[coding]
    for sent in (whole[:-1], whole[: len(whole) // 2], whole[:40] + b"\xff" * 40 + whole[80:]):
        with pytest.raises(Problem, match="damaged or cut short") as caught:
            body_of(coding, sent)
        assert caught.value.status == 422


@pytest.mark.parametrize("coding", ["br", "zstd", "gzip, deflate", "gzip, gzip", "nothing"])
def test_other_codings_are_415_and_named(coding: str) -> None:
    with pytest.raises(Problem, match=coding) as caught:
        body_of(coding, b"x")
    assert caught.value.status == 415
    assert caught.value.headers["Accept-Encoding"] == "gzip, deflate"


@pytest.mark.parametrize("wbits", [-15, 15])
def test_any_size_near_a_piece_is_whole(wbits: int) -> None:
    for more in (*range(-2, 3), *range(10, 300, 29)):
        content, packer = bytes(2**20 + more), zlib.compressobj(wbits=wbits)
        packed = packer.compress(content) + packer.flush()
        assert b"".join(body_of("deflate", packed, 10**6)) == content


def test_packed_bytes_are_counted_and_members_give_something() -> None:
    with pytest.raises(Problem) as caught:
        body_of("gzip", gzip.compress(np.random.default_rng(0).bytes(5000)), limit=4000)
    assert caught.value.status == 413
    assert body_of("gzip", gzip.compress(b"")) == []
    assert body_of("gzip", gzip.compress(b"") * 3 + gzip.compress(b"a") + bytes(99)) == [b"a"]
    with pytest.raises(Problem, match="damaged"):
        body_of("gzip", gzip.compress(b"") * 99)


def test_a_bomb_comes_in_pieces() -> None:
    bomb = gzip.compress(bytes(50_000_000))
    pieces = body_of("gzip", bomb, piece=10**6)
    assert sum(map(len, pieces)) == 50_000_000
    assert max(map(len, pieces)) <= 2**20
