import httpx
from drawing import document, png
from running import Running

from inkdigit.reading.result import COLUMNS, FIELDS, PAGE_COLUMNS
from inkdigit.serving import schemas


def test_the_answer_has_the_documented_fields(service: Running) -> None:
    for content in (png("42"), png("")):
        answer = service.read(content).json()
        assert tuple(answer) == FIELDS
        schemas.Reading.model_validate(answer)
    assert tuple(schemas.Reading.model_fields) == (*FIELDS, "shown")
    shown = service.read(png("42"), shown=True).json()
    assert tuple(shown) == (*FIELDS, "shown")


def test_what_a_batch_gives_is_described_too(service: Running) -> None:
    files = (("a.tif", document(["1", "2"])), ("b.png", b"nothing"))
    schemas.Batch.model_validate(service.read_batch(*files).json())


def test_rows_of_forms_and_pages_have_the_documented_columns() -> None:
    assert {*schemas.FieldReading.model_fields} == {*COLUMNS, "shown"}
    assert {*schemas.NumberReading.model_fields} == {*PAGE_COLUMNS, "shown"}


def test_a_refusal_is_described(service: Running) -> None:
    refusal = httpx.post(f"{service.url}/v1/read").json()
    assert set(refusal) == set(schemas.ProblemDetails.model_fields)
    schemas.ProblemDetails.model_validate(refusal)
