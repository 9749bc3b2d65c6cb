"""What the API answers; always the JSON that `inkdigit read` writes."""

import base64
import gzip
import io
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from drawing import as_file, document, drawn, png
from PIL import Image
from running import Running, problem, running

from inkdigit.cli import main
from inkdigit.reading import Reader
from inkdigit.reading.options import ReadOptions
from inkdigit.reading.result import FIELDS
from inkdigit.serving.operations import PAGE
from inkdigit.serving.request_options import schemas

NUMBERS = ["40719", "12", "7", "3305", "98"]


@pytest.fixture
def rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Any:
    """What the command line writes of a file."""
    monkeypatch.chdir(tmp_path)

    def read(name: str, content: bytes, *flags: str) -> list[dict[str, Any]]:
        Path(name).write_bytes(content)
        main(["read", name, "--format", "jsonl", "-q", *flags])
        rows = map(json.loads, capsys.readouterr().out.splitlines())
        # What a manifest says is nothing that a request could say.
        return [{name: row[name] for name in FIELDS} for row in rows]

    return read


def assert_alike(ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    """Hold two readings together; in batches, floats may differ in their last places."""
    assert json.dumps(rounded(ours)) == json.dumps(rounded(theirs))


def rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 3)
    if isinstance(value, dict):
        return {name: rounded(inner) for name, inner in value.items()}
    return [rounded(inner) for inner in value] if isinstance(value, list) else value


def test_the_answer_is_what_the_command_line_writes(service: Running, rows: Any) -> None:
    for number in NUMBERS:
        (expected,) = rows("a.png", png(number))
        assert service.read(png(number)).json() == expected
    (expected,) = rows("a.png", png("123"), "--pattern", r"\d{2}", "--min-confidence", "1")
    assert service.read(png("123"), pattern=r"\d{2}", min_confidence=1).json() == expected
    (expected,) = rows("a.png", png("4"), "--single")
    assert service.read(png("4"), single=True).json() == expected
    (expected,) = rows("a.png", png("12345"), "--check", "luhn", "--decimal", "comma")
    assert service.read(png("12345"), check="luhn", decimal="comma").json() == expected


def test_a_document_gives_its_pages(service: Running, rows: Any) -> None:
    for name, kind in (("a.tif", "TIFF"), ("a.pdf", "PDF")):
        content = document(["12", "345", ""], kind)
        answer = service.read(content, name=name).json()
        assert list(answer) == ["source", "pages"]
        assert answer["source"] == name
        assert answer["pages"] == rows(name, content)
        (expected,) = rows(name, content, "--page", "2")
        assert service.read(content, name=name, page=2).json() == expected
    single = document(["12"], "TIFF")
    assert service.read(single, name="a.tif").json() == rows("a.tif", single)[0]


def test_a_batch_gives_a_result_or_an_error_each_in_order(service: Running, rows: Any) -> None:
    pages, broken = document(["12", "34"]), png("1")[:60]
    files = [("a.png", png("50")), ("b.png", broken), ("c.tif", pages), ("d.png", png("6"))]
    results = service.read_batch(*files).json()["results"]
    expected = [rows(name, content) for name, content in files]
    assert_alike(results[0], expected[0][0])
    assert results[1]["status"] == "failed"
    assert results[1]["error"].startswith("the picture is broken")
    assert [page["text"] for page in results[2]["pages"]] == ["12", "34"]
    assert_alike(results[3], expected[3][0])


def test_who_asks_at_once_gets_what_each_would_alone(service: Running) -> None:
    pictures = [png(number) for number in NUMBERS] * 8
    alone = [service.read(picture).json() for picture in pictures[: len(NUMBERS)]] * 8
    with ThreadPoolExecutor(20) as pool:
        together = list(pool.map(lambda picture: service.read(picture).json(), pictures))
    for ours, theirs in zip(together, alone, strict=True):
        assert_alike(ours, theirs)
    assert service.figure("inkdigit_batch_pictures_sum") > service.figure(
        "inkdigit_batch_pictures_count"
    )


def test_what_the_network_was_shown_comes_along(service: Running) -> None:
    for single, shape in ((True, (28, 28)), (False, (32,))):
        answer = service.read(png("5"), single=single, shown=True).json()
        with Image.open(io.BytesIO(base64.b64decode(answer["shown"]))) as picture:
            shown = np.asarray(picture)
        assert shown.shape[: len(shape)] == shape
        assert np.array_equal(shown, Reader.load().preprocess(png("5"), single=single))
    pages = service.read(document(["12", "345"]), shown=True).json()["pages"]
    assert pages[0]["shown"] != pages[1]["shown"]


def test_every_option_of_the_reader_is_an_option_of_the_query(service: Running) -> None:
    described = service.get("/openapi.json").json()["paths"]["/v1/read"]["post"]["parameters"]
    options = {parameter["name"]: parameter["description"] for parameter in described}
    known = {field.name: field.metadata["help"] for field in fields(ReadOptions)}
    del known["max_pixels"]  # the service's own
    assert options.pop("shown")
    assert options.pop("form")
    assert options.pop("find")
    assert options == known


def asked(service: Running, path: str, where: str, said: dict[str, Any]) -> httpx.Response:
    """Ask for a picture of two pages, with options in the query, the form or the JSON."""
    url, content = f"{service.url}/v1/{path}", document(["38", "7"])
    member = "file" if path == "read" else "files"
    if where == "json":
        encoded = base64.b64encode(content).decode()
        sent = {member: encoded if path == "read" else [{"file": encoded, "name": "a.tif"}]}
        if path == "read":
            sent["name"] = "a.tif"
        return httpx.post(url, json=sent | said, timeout=60)
    text = {name: str(value) for name, value in said.items()}
    beside = {"params": text} if where == "query" else {"data": text}
    return httpx.post(url, files=[(member, ("a.tif", content))], timeout=60, **beside)


# A value of each option that changes the answer.
# What is said of whole pages and forms.
OF_PAGES = {"form", "find", "pattern_column", "total_column"}
SAID: dict[str, Any] = {
    "pattern": r"\d\d", "check": "luhn", "single": True, "decimal": "comma", "min_confidence": 1,
    "page": 2, "rotate": 180, "shown": True,
}  # fmt: skip


@pytest.mark.parametrize("path", ["read", "read/batch"])
def test_an_option_gives_the_same_answer_wherever_it_stands(service: Running, path: str) -> None:
    assert SAID.keys() == schemas().keys() - OF_PAGES
    plain = asked(service, path, "query", {}).json()
    for name, value in SAID.items():
        answers = [
            asked(service, path, where, {name: value}) for where in ("query", "form", "json")
        ]
        assert [answer.status_code for answer in answers] == [200] * 3, answers[-1].text
        first, *others = (answer.json() for answer in answers)
        for other in others:
            assert_alike(other, first)
        if name != "decimal":  # there is no mark in the picture
            assert rounded(first) != rounded(plain), name


@pytest.mark.parametrize("path", ["read", "read/batch"])
@pytest.mark.parametrize("where", ["query", "form", "json"])
def test_what_makes_no_sense_is_refused_wherever_it_stands(
    service: Running, path: str, where: str
) -> None:
    for said, sentence in (
        ({"singel": "true"}, "did you mean single?"),
        ({"max_pixels": 9}, "there is no option 'max_pixels'"),
        ({"single": "maybe"}, "single is true or false"),
        ({"min_confidence": 2}, "between 0 and 1"),
        ({"page": 0}, "between 1 and 10,000"),
        ({"decimal": "maybe"}, "decimal is dot or comma"),
        ({"rotate": 45}, "rotate"),
        ({"pattern": "("}, "pattern"),
        ({"single": True, "pattern": r"\d\d"}, "exactly one digit"),
    ):
        assert sentence in problem(asked(service, path, where, said), 422)


def test_query_and_body_may_not_contradict_each_other(service: Running) -> None:
    files = {"file": png("12")}
    url = f"{service.url}/v1/read?page=1"
    assert httpx.post(url, files=files, data={"page": "1"}).status_code == 200
    twice = httpx.post(url, files=files, data={"page": "2"})
    assert problem(twice, 422) == "page is asked for twice: 1 and 2"
    twice = httpx.post(f"{url}&page=3", files=files)
    assert problem(twice, 422) == "page is asked for twice: 1 and 3"


def test_a_picture_as_text_is_no_option(service: Running) -> None:
    sent = httpx.post(f"{service.url}/v1/read", files={"x": ("", "y")}, data={"file": "abc"})
    assert "holds text: send the picture as a file" in problem(sent, 422)


def test_several_files_in_json(service: Running, narrow: Running) -> None:
    encoded = [base64.b64encode(png(number)).decode() for number in NUMBERS]
    url = f"{service.url}/v1/read/batch"
    answer = httpx.post(url, json={"files": encoded}, timeout=60).json()
    assert [result["text"] for result in answer["results"]] == [
        service.read(png(number)).json()["text"] for number in NUMBERS
    ]
    several = httpx.post(f"{service.url}/v1/read", json={"files": encoded[:2]})
    assert "/v1/read/batch" in problem(several, 422)
    assert httpx.post(f"{service.url}/v1/read", json={"files": encoded[:1]}).status_code == 200
    many = httpx.post(f"{narrow.url}/v1/read/batch", json={"files": encoded})
    assert "more than 3 files" in problem(many, 413)


def test_several_files_are_refused_as_their_path_takes_them() -> None:
    with running("--max-files", "1", "--queue", "1") as single:
        two = [("files", png("1")), ("files", png("2"))]
        for path, status, sentence in (
            ("read", 422, "there are several files: send one, or several to /v1/read/batch"),
            ("read/batch", 413, "the batch has more than 1 file: split it"),
        ):
            sent = httpx.post(f"{single.url}/v1/{path}", files=two)
            assert problem(sent, status) == sentence


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "gzip, identity"])
def test_a_packed_body_is_refused_and_its_coding_named(service: Running, coding: str) -> None:
    headers = {"Content-Type": "image/png", "Content-Encoding": coding}
    packed = gzip.compress(png("407"))
    refused = httpx.post(f"{service.url}/v1/read", content=packed, headers=headers)
    assert f"'{coding}' is not taken: send the body as it is" in problem(refused, 415)
    assert refused.headers["accept-encoding"] == "identity"
    headers["Content-Encoding"] = "Identity"
    answer = httpx.post(f"{service.url}/v1/read", content=png("407"), headers=headers).json()
    assert answer["text"] == service.read(png("407")).json()["text"]


def test_exif_turns_the_picture(service: Running) -> None:
    exif = Image.Exif()
    exif[274] = 6
    turned = as_file(drawn("314").rotate(90, expand=True), "JPEG", exif=exif)
    assert service.read(turned).json()["text"] == service.read(png("314")).json()["text"]


def test_marks_are_read_as_they_stand_there(service: Running) -> None:
    example = (PAGE / "example.png").read_bytes()
    answer = service.read(example).json()
    assert (answer["text"], answer["digits"], answer["number"]) == ("87.32", "8732", "87.32")
    assert "".join(one["value"] for one in answer["characters"]) == "87.32"


def test_a_blank_picture_is_an_empty_reading(service: Running) -> None:
    answer = service.read(png("")).json()
    assert (answer["text"], answer["status"], answer["characters"]) == ("", "accepted", [])


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ({"pattern": r"\d{5"}, "expected {n}"),
        ({"check": "lunh"}, "did you mean luhn"),
        ({"min_confidence": "2"}, "between 0 and 1, received 2.0"),
        ({"min_confidence": "much"}, "min_confidence is a number, received 'much'"),
        ({"page": "0"}, "the page must be between 1 and 10,000"),
        ({"page": "7"}, "there is no page 7"),
        ({"single": "true", "pattern": r"\d\d"}, "exactly one digit"),
        ({"decimal": "maybe"}, "decimal is dot or comma, received 'maybe'"),
        ({"max_pixels": "9"}, "there is no option 'max_pixels'"),
        ({"pattern_column": r"1=\d"}, "pattern_column and total_column are of pages: add find"),
        ({"total_column": "1", "form": "a"}, "what to read: leave out total_column"),
        ({"patern": r"\d"}, "there is no option 'patern': did you mean pattern?"),
    ],
)
def test_options_without_sense_are_422(
    service: Running, query: dict[str, str], sentence: str
) -> None:
    assert sentence in problem(service.read(png("1"), **query), 422)


def test_what_is_no_picture_is_422_and_says_so(service: Running) -> None:
    assert "not a picture" in problem(service.read(b"something I had"), 422)
    assert "is empty" in problem(service.read(b""), 422)
    assert "is broken" in problem(service.read(png("123")[:200]), 422)
    url = f"{service.url}/v1/read"
    kind = {"Content-Type": "image/png"}
    assert "is empty" in problem(httpx.post(url, content=b"", headers=kind), 422)
    nothing = httpx.post(url, files={}, data={"a": "b"})
    assert problem(nothing, 415).startswith("the content type 'application/x-www-form")
    for body in (
        '{"file": 3}',
        '{"files": [3]}',
        '{"files": {}}',
        '{"files": {"file": ""}}',
        '{"files": []}',
        '{"file": "", "file": ""}',
        "[]",
        '{"name": "x"}',
    ):
        sent = httpx.post(url, content=body, headers={"Content-Type": "application/json"})
        assert "not as expected" in problem(sent, 422)
    for body in ("{", "[" * 100_000, "\xff", '{"file": "a"'):
        sent = httpx.post(url, content=body, headers={"Content-Type": "application/json"})
        assert "the body is no JSON" in problem(sent, 422)
    kind = {"Content-Type": "application/json"}
    for body, told in (
        ('{"file": "a!"}', "the base64 of file 1 holds '!'"),
        (
            '{"files": [{"file": "aGk=", "name": "a"}, {"file": "a!", "name": "b"}]}',
            "of 'b' (file 2)",
        ),
    ):
        assert told in problem(httpx.post(f"{url}/batch", content=body, headers=kind), 422)
    as_file = httpx.post(url, files=[("file", png("1")), ("pattern", b"x")])
    assert "the field 'pattern' is sent as a file: send it as text" in problem(as_file, 422)
    several = httpx.post(url, files=[("file", png("1")), ("file", png("2"))])
    assert "/v1/read/batch" in problem(several, 422)


def test_other_content_types_are_refused(service: Running) -> None:
    url = f"{service.url}/v1/read"
    sent = httpx.post(url, content=b"x", headers={"Content-Type": "text/plain"})
    assert "'text/plain' is not taken" in problem(sent, 415)
    assert "image/*" in sent.headers["accept-post"]
    assert "''" in problem(httpx.post(url, content=b"x"), 415)


def test_limits_are_said(narrow: Running) -> None:
    assert "larger than 200,000 bytes" in problem(narrow.read(bytes(300_000)), 413)
    assert "more than 1,000,000" in problem(narrow.read(png("1", 900)), 422)
    assert "3 pages, more than 2" in problem(narrow.read(document(["1", "2", "3"])), 422)
    four = narrow.read_batch(*[("a.png", png("1"))] * 4)
    assert "more than 3 files" in problem(four, 413)
    assert narrow.read(document(["1", "2", "3"]), page=3).json()["page"] == 3
    several = narrow.read_batch(("a.tif", document(["1", "2", "3"])), ("b.png", png("4")))
    assert [result["status"] == "failed" for result in several.json()["results"]] == [True, False]


def test_beyond_the_queue_it_is_503_and_everyone_else_is_read(narrow: Running) -> None:
    with ThreadPoolExecutor(40) as pool:
        answers = list(pool.map(lambda _: narrow.read(png("38", 400)), range(80)))
    refused = [answer for answer in answers if answer.status_code != 200]
    for answer in refused:
        assert "the service is busy" in problem(answer, 503)
        assert answer.headers["retry-after"] == "1"
    assert 0 < len(refused) < len(answers)
    texts = {answer.json()["text"] for answer in answers if answer not in refused}
    assert len(texts) == 1
    assert narrow.read(png("38")).status_code == 200


def test_keys_are_asked_for_where_there_are_some() -> None:
    with running(INKDIGIT_API_KEYS="one,zwölf") as service:
        url, content = f"{service.url}/v1/read", png("5")
        for headers in ({}, {"X-API-Key": "three"}, {"Authorization": "Basic one"}):
            sent = httpx.post(url, files={"file": content}, headers=headers)
            assert "the API key is missing or wrong" in problem(sent, 401)
        for accepted in (
            {b"X-API-Key": b"one"},
            {b"X-API-Key": "zwölf".encode()},
            {b"Authorization": "Bearer zwölf".encode()},
            {b"X-API-Key": b"three", b"Authorization": b"Bearer one"},
            {b"X-API-Key": b"one", b"Authorization": b"Bearer three"},
        ):
            answer = httpx.post(url, files={"file": content}, headers=accepted)
            assert answer.status_code == 200
        assert service.get("/health").status_code == 200
