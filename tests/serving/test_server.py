"""The process: how it starts, ends, and shares its work."""

import resource
import signal
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest
from drawing import png
from running import LONG, Running, occupy, running, until

from inkdigit.cli import main


def test_it_listens_to_this_machine_alone(service: Running) -> None:
    assert service.url.startswith("http://127.0.0.1:")


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_lets_what_was_begun_be_finished(sign: signal.Signals) -> None:
    with running() as service, ThreadPoolExecutor(1) as pool:
        answer = pool.submit(service.read, LONG, name="a.tif")
        until(lambda: service.figure("inkdigit_queue") == 1)
        service.process.send_signal(sign)
        assert len(answer.result().json()["pages"]) == 30
        assert service.process.wait(60) == (0 if sign == signal.SIGTERM else 130)
        with pytest.raises(httpx.ConnectError):
            service.get("/health")
    assert "Traceback" not in "".join(service.lines)


def test_a_client_that_hangs_up_frees_its_place() -> None:
    with running("--queue", "2", "--max-files", "2") as service:
        clients = occupy(service, 2)
        assert service.read(png("1")).status_code == 503
        for client in clients:
            client.close()
        until(lambda: service.figure("inkdigit_queue") == 0)
        # Nobody went on reading for them: what was begun is known, but for a page of each.
        begun = service.figure("inkdigit_batch_pictures_sum")
        assert 0 <= begun - service.figure("inkdigit_readings_total") <= 2
        assert service.read(png("1")).status_code == 200
        assert service.figure("inkdigit_batch_pictures_sum") == begun + 1


def test_it_bears_more_connections_than_a_process_may_usually_have() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
    try:
        with running() as service, ExitStack() as clients:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
            for _ in range(400):
                address = ("127.0.0.1", service.port)
                clients.enter_context(socket.create_connection(address)).sendall(b"GET")
            assert service.read(png("1")).json()["text"] == "1"
        assert "Traceback" not in "".join(service.lines)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_workers_share_the_port_and_the_figures() -> None:
    with running("--workers", "2") as service:
        with ThreadPoolExecutor(8) as pool:
            texts = list(pool.map(lambda _: service.read(png("56")).json()["text"], range(30)))
        assert set(texts) == {"56"}
        assert service.figure("inkdigit_readings_total") == 30
        service.process.terminate()
        assert service.process.wait(60) == 0
    assert "Traceback" not in "".join(service.lines)


def test_workers_end_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    with running("--workers", "2", TMPDIR=str(tmp_path)) as service:
        service.process.kill()
        until(lambda: refused(service.port), 20)


def refused(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except ConnectionRefusedError:
        return True
    return False


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["--port", "99999"], 2, "--port: input should be less than or equal to 65535"),
        (["--host", "999.1.1.1"], 2, "999.1.1.1 cannot be listened at on port 8000"),
        (["--queue", "3"], 2, "no room for the 32 files of one batch"),
        (["--model", "nothing.onnx"], 6, "nothing.onnx"),
        (["--model", __file__], 6, "test_server.py"),
    ],
)
def test_what_cannot_be_served_is_one_sentence(
    arguments: list[str], code: int, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["serve", *arguments]) == code
    printed = capsys.readouterr()
    assert printed.out == ""
    assert len(printed.err.splitlines()) == 1
    assert sentence in printed.err


def test_a_port_that_is_taken_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert main(["serve", "--port", str(taken.getsockname()[1])]) == 2
    assert "Address already in use: choose another --host or --port" in capsys.readouterr().err


def test_a_model_of_ones_own_is_served(tmp_path: Path) -> None:
    from inkdigit.reading.reader import SINGLE_MODEL

    with running("--model", str(SINGLE_MODEL)) as service:
        assert service.read(png("7"), single=True).json()["text"] == "7"
        refused = service.read(png("7"))
        assert refused.status_code == 422
        assert "reads one digit" in refused.json()["detail"]


def test_it_imports_no_training_library() -> None:
    code = "import sys, inkdigit.serving.server; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True
    )
    modules = {name.partition(".")[0] for name in done.stdout.split()}
    assert not modules & {"tensorflow", "keras", "matplotlib", "scipy", "pandas", "jax"}
