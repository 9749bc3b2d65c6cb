import base64
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image
from running import Running, running

from benchmarks.form_pages import draw_form, fill
from inkdigit import Reader, read_to
from inkdigit.errors import SettingError
from inkdigit.learning.datasets import Dataset
from inkdigit.serving import schemas
from inkdigit.serving.forms import Forms, load_templates
from inkdigit.serving.settings import Settings


@pytest.fixture(scope="module")
def place(sample: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a template, and beside it two filled forms and a page of another one."""
    folder = tmp_path_factory.mktemp("forms")
    drawn = draw_form(1)
    drawn.save(folder, "claim")
    pages = [Image.fromarray(fill(seed, drawn, sample.test)[0]) for seed in (1, 2)]
    pages[0].save(folder / "one.png")
    pages[0].save(folder / "two.pdf", save_all=True, append_images=pages[1:], resolution=200)
    Image.fromarray(draw_form(6, marks=6).print).save(folder / "other.png")
    return folder


@pytest.fixture(scope="module")
def forms(place: Path) -> Iterator[Running]:
    with running("--forms", str(place)) as started:
        yield started


def ask(forms: Running, file: Path, path: str = "read", **said: str) -> httpx.Response:
    kind = {"read": "file", "read/batch": "files"}[path]
    sent = {kind: (file.name, file.read_bytes())}
    return httpx.post(f"{forms.url}/v1/{path}", files=sent, data=said, timeout=60)


def sent_along(place: Path) -> dict[str, Any]:
    """Return the template with its blank in it."""
    known = json.loads((place / "claim.form.json").read_text("utf-8"))
    blank = base64.b64encode((place / known["pages"][0]["print"]).read_bytes()).decode()
    known["pages"][0]["print"] = f"data:image/png;base64,{blank}"
    return dict(known)


def test_rows_are_those_of_the_command_line(forms: Running, place: Path, tmp_path: Path) -> None:
    """By the name of a template, and by one that is sent along."""
    out = tmp_path / "rows.jsonl"
    read_to(place / "two.pdf", out, form=place / "claim.form.json", on_progress=lambda _: None)
    expected = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    for form in ("claim", json.dumps(sent_along(place))):
        told = ask(forms, place / "two.pdf", form=form).json()
        assert told["source"] == "two.pdf"
        assert len(told["rows"]) == len(expected) == 2 * 17
        for row, known in zip(told["rows"], expected, strict=True):
            confidence = pytest.approx(known["confidence"], abs=1e-3)
            assert row == {**known, "source": "two.pdf", "confidence": confidence}
    (one,) = ask(forms, place / "one.png", "read/batch", form="claim").json()["results"]
    assert one["rows"][0]["id"] == "claim/1/number"


def test_what_makes_no_sense_is_refused_in_a_sentence(forms: Running, place: Path) -> None:
    sent = sent_along(place)
    beside = {**sent, "pages": [{**sent["pages"][0], "print": "claim.form.1.png"}]}
    listed = {**sent["fields"][0], "one_of": "../list.csv"}
    half = {**sent["pages"][0], "width": 1000, "height": 1000}
    for said, what in (
        ({"form": "clam"}, "there is no form 'clam', there are claim"),
        ({"form": "claim", "pattern": r"\d"}, "leave out pattern"),
        ({"form": "claim", "shown": "yes"}, "leave out shown"),
        ({"form": "{"}, "this is no JSON"),
        ({"form": "{}"}, "fields, name, pages is missing"),
        ({"form": json.dumps(beside)}, "'claim.form.1.png' cannot be beside a template"),
        ({"form": json.dumps({**sent, "fields": [listed]})}, "'../list.csv' cannot be beside"),
        (
            {"form": json.dumps({**sent, "pages": [half, half]})},
            "the template's pages have more than 64,000,000 pixels together",
        ),
        ({"form": json.dumps({**sent, "pages": beside["pages"] * 51})}, "more than 50 pages"),
    ):
        told = ask(forms, place / "one.png", **said)
        assert told.status_code == 422, said
        assert what in told.json()["detail"]
    told = ask(forms, place / "other.png", form="claim")
    assert told.status_code == 422
    assert told.json()["detail"].startswith("other.png: it shows no page of the form")
    (failed,) = ask(forms, place / "other.png", "read/batch", form="claim").json()["results"]
    assert failed["status"] == "failed"


def test_a_blank_that_is_sent_along_is_no_larger_than_a_picture(place: Path) -> None:
    small = {**sent_along(place)["pages"][0], "width": 20, "height": 20}
    field = {"name": "a", "page": 1, "box": [1, 1, 10, 10]}
    sent = json.dumps({"name": "a", "pages": [small], "fields": [field]})
    with pytest.raises(SettingError, match=r"the blank of page 1 .* more than 100,000"):
        Forms(Settings(max_pixels=100_000)).reader(sent, Reader.load())


def test_templates_are_checked_before_the_service_starts(place: Path, tmp_path: Path) -> None:
    assert [one.name for one in load_templates(place)] == ["claim"]
    with pytest.raises(SettingError, match="holds no template, such as"):
        load_templates(tmp_path)
    (tmp_path / "a.form.json").write_text("{}", "utf-8")
    with pytest.raises(SettingError, match=re.escape(str(tmp_path / "a.form.json"))):
        load_templates(tmp_path)


def test_the_numbers_of_a_page_are_those_of_the_command_line(
    forms: Running, tmp_path: Path
) -> None:
    page, out = Path("docs/register.jpg"), tmp_path / "rows.jsonl"
    read_to(page, out, find=True, on_progress=lambda _: None)
    expected = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    told = ask(forms, page, find="true").json()
    schemas.Forms.model_validate(told)
    assert [row.keys() for row in told["rows"]] == [row.keys() for row in expected]
    for name in ("text", "box", "angle", "found", "row", "column"):
        assert [row[name] for row in told["rows"]] == [row[name] for row in expected]
    for more in ({"form": "claim"}, {"shown": "true"}, {"single": "true"}):
        refused = ask(forms, page, find="true", **more)
        assert refused.status_code == 422
        assert "leave out" in refused.json()["detail"]
