import os
import resource
import signal
import socket
from pathlib import Path
from shutil import rmtree
from threading import Thread

import httpx
import pytest
from piles import READ, row, table_of
from reviewing import reviewing

from inkdigit.errors import SettingError
from inkdigit.images import open_grey
from inkdigit.review import apply, review
from inkdigit.review.journal import Journal
from inkdigit.serving.middleware import SECURITY_HEADERS


@pytest.fixture
def table(tmp_path: Path) -> Path:
    return table_of(tmp_path / "results.csv", READ, pictures=True)


def test_only_who_knows_the_address_is_answered(table: Path) -> None:
    with reviewing(table) as review:
        home, _, token = review.url.rpartition("/")
        assert len(token) > 40
        for path in ("/", "/take", "/page/style.css", "/wrong/picture/1", f"/{token[:-1]}/"):
            assert httpx.get(home + path).status_code in {404, 405}
        answer = httpx.get(f"{review.url}/")
        assert answer.status_code == 200
        for name, value in SECURITY_HEADERS:
            if name != b"cache-control":
                assert answer.headers[name.decode()] == value.decode()
        # This machine alone.
        port = int(home.rpartition(":")[2])
        with socket.socket() as other:
            other.settimeout(5)
            assert home == f"http://127.0.0.1:{port}"
            assert other.connect_ex(("127.0.0.2", port))


def test_pictures_are_those_that_were_read(table: Path) -> None:
    with reviewing(table) as review:
        fields = review.post("take", who="anna").json()["fields"]
        assert [one["name"] for one in fields] == ["3.png", "1.png"]
        for one in fields:
            answer = httpx.get(f"{review.url}/picture/{one['row']}")
            assert answer.headers["content-type"] == "image/png"
            expected = open_grey(table.parent / one["name"])
            assert (open_grey(answer.content) == expected).all()
        (table.parent / "3.png").unlink()
        gone = httpx.get(f"{review.url}/picture/3")
        assert gone.status_code == 422
        assert "3.png cannot be opened: No such file" in gone.json()["detail"]


def test_requests_do_not_fill_the_terminal(table: Path) -> None:
    with reviewing(table) as review:
        review.post("take", who="anna")
        review.process.terminate()
        assert review.process.communicate(timeout=60)[1] == ""


def test_a_kill_loses_nothing_that_was_answered(table: Path) -> None:
    with reviewing(table) as review:
        review.post("take", who="anna")
        answer = review.post("decide", who="anna", said={3: "36"}, ms=812)
        told = answer.json()
        assert (told["total"], told["left"], told["told"]) == (2, 1, "")
        assert [one["row"] for one in told["fields"]] == [1]
        review.process.kill()
        review.process.wait()
    (decision,) = Journal(table).decisions
    assert (decision.who, decision.old, decision.new, decision.ms) == ("anna", "35", "36", 812)
    with reviewing(table) as review:
        assert review.post("back", who="anna").json()["fields"][0]["row"] == 3


def test_rows_are_reviewed_in_python_too() -> None:
    rows = [row(1, "17", "review", 0.8) | {"source": "docs/amount.png"}]

    def settle(told: str) -> None:
        url = told.split()[4].rstrip("/")
        httpx.post(f"{url}/take", json={"who": "anna"}, timeout=60)
        httpx.post(f"{url}/decide", json={"who": "anna", "said": {"1": "11"}}, timeout=60)
        os.kill(os.getpid(), signal.SIGINT)

    journal = review(rows, tell=lambda told: Thread(target=settle, args=[told]).start())
    assert [one["text"] for one in apply(rows, journal)] == ["11"]
    assert Journal(journal.table).decisions == journal.decisions
    rmtree(journal.path.parent)
    with pytest.raises(SettingError, match="a table is the name of a file or folder, received 5"):
        review(5)


def test_of_a_batch_that_fills_the_disk_nothing_is_said(tmp_path: Path) -> None:
    """The process may write so much, and half of a batch is more: what it wrote of it goes."""
    table = table_of(tmp_path / "results.csv", [("7", "review", 0.5)] * 8, pictures=True)
    with reviewing(table) as review:
        review.post("take", who="anna", alike=True)
        assert review.post("decide", who="anna", said={1: "7"}, alike=True).status_code == 200
        path = Journal(table).path
        before, rest = path.read_bytes(), dict.fromkeys(range(2, 9), "7")
        _, most = resource.prlimit(review.process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(review.process.pid, resource.RLIMIT_FSIZE, (len(before) + 500, most))
        refused = review.post("decide", who="anna", said=rest, alike=True)
        assert refused.status_code == 507
        assert f"{path} cannot be written: File too large" in refused.json()["detail"]
        assert path.read_bytes() == before
        # All are still hers, and said once there is room.
        resource.prlimit(review.process.pid, resource.RLIMIT_FSIZE, (most, most))
        told = review.post("decide", who="anna", said=rest, alike=True).json()
        assert (told["left"], told["fields"]) == (0, [])
    assert [one.row for one in Journal(table).decisions] == list(range(1, 9))


@pytest.mark.parametrize(
    ("path", "asked", "status"),
    [
        ("decide", {"who": "anna", "said": {3: "x"}, "ms": 1}, 422),
        ("decide", {"who": "ben", "said": {3: "3"}, "ms": 1}, 409),
        ("decide", {"who": "anna", "said": {2: "3"}, "ms": 1}, 409),
        ("decide", {"who": "anna", "said": {3: "3", 2: "3"}, "ms": 1}, 409),
        ("decide", {"who": "anna", "said": dict.fromkeys(range(100), "3"), "ms": 1}, 422),
        ("form", {"who": "anna", "said": {3: "3"}}, 200),
        ("take", {"who": ""}, 422),
        ("back", {"who": "ben"}, 409),
        ("take", {}, 422),
    ],
)
def test_what_makes_no_sense_is_refused(
    table: Path, path: str, asked: dict[str, object], status: int
) -> None:
    with reviewing(table) as review:
        review.post("take", who="anna")
        assert review.post(path, **asked).status_code == status
        assert httpx.get(f"{review.url}/picture/2").status_code == 422
    assert not Journal(table).decisions
