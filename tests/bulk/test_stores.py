from pathlib import Path

import pytest
from servers import CREDENTIALS, Bucket, free_port

from inkdigit.bulk.stores import CLAIM, BucketStore, LocalStore, Store, store_of
from inkdigit.errors import OutputError, RunError


@pytest.fixture(params=["disk", "bucket"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A folder that is not there yet, on a disk and in a bucket."""
    if request.param == "disk":
        return f"{tmp_path}/results/"
    bucket: Bucket = request.getfixturevalue("bucket")
    return bucket.uri("results/")


@pytest.fixture
def store(folder: str) -> Store:
    return store_of(folder)


def test_files_are_written_read_listed_and_taken_away(store: Store) -> None:
    assert (store.names(), store.read("a")) == ([], None)
    with store.held():
        store.claim()
        store.write("a", b"1")
        store.write("a", b"2")
        store.write("b", b"3")
        store.delete("b")
    assert (store.names(), store.read("a")) == (["a"], b"2")


def test_a_file_grows(tmp_path: Path) -> None:
    store = LocalStore(str(tmp_path))
    store.write("a", b"1")
    store.append("a", b"23")
    assert store.read("a") == b"123"
    with pytest.raises(OutputError, match="cannot be written: No such file"):
        store.append("b", b"1")


def test_one_process_at_a_time_holds_a_folder(tmp_path: Path) -> None:
    folder = f"{tmp_path}/results/"
    with LocalStore(folder).held():
        with (
            pytest.raises(RunError, match="results/ is being written by another process"),
            LocalStore(folder).held(),
        ):
            pass
        assert [path.name for path in Path(folder).iterdir()] == [".lock"]
    with LocalStore(folder).held():
        pass
    assert list(Path(folder).iterdir()) == []


def test_a_temporary_folder_stays_only_with_something_in_it(tmp_path: Path) -> None:
    store = LocalStore(f"{tmp_path}/a.part", temporary=True)
    with store.held():
        store.write("a", b"1")
    assert store.names() == ["a"]
    with store.held():
        store.delete("a")
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_run_was_writing_is_taken_away(tmp_path: Path) -> None:
    (tmp_path / ".writing-abc").mkdir()
    (tmp_path / ".writing-abc" / "part").write_text("half")
    store = LocalStore(str(tmp_path))
    with store.held():
        assert store.names() == [".lock"]


def test_what_is_no_folder_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "a.part"
    path.write_text("something I had")
    store = LocalStore(str(path), temporary=True)
    with pytest.raises(OutputError, match=r"a\.part cannot be written: "), store.held():
        pass
    with pytest.raises(OutputError, match=r"a\.part cannot be written: Not a directory"):
        store.names()
    assert path.read_text() == "something I had"


def test_in_a_bucket_the_run_that_began_last_writes(bucket: Bucket) -> None:
    first, second = BucketStore(bucket.uri("results/")), BucketStore(bucket.uri("results/"))
    with first.held():
        first.claim()
        first.write("a", b"1")
        with second.held():
            second.claim()
            with pytest.raises(RunError, match="by another run, which began later"):
                first.write("a", b"2")
            second.write("b", b"3")
        assert sorted(first.names()) == ["a", "b"]
    assert CLAIM not in first.names()


def test_a_bucket_that_does_not_answer_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    query = f"endpoint_override=127.0.0.1:{free_port()}&scheme=http&region=us-east-1"
    store = BucketStore(f"s3://bucket/results/?{query}")
    for ask in (store.names, store.claim):
        with pytest.raises(OutputError, match=r"^s3://bucket/results/ cannot be written: "):
            ask()
