"""A class draws on its phones: over HTTP, and on the page in a real browser."""

import hashlib
import io
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from zipfile import ZipFile

import httpx
import pytest
from browsing import NEEDS_CHROMIUM, visiting
from drawing import png
from playwright.sync_api import Browser, Page, expect
from running import Running, problem, running
from strokes import strokes_of

from inkdigit.errors import SettingError
from inkdigit.images import open_grey
from inkdigit.serving.settings import Settings


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("collected") / "class"


@pytest.fixture(scope="module")
def room(folder: Path) -> Iterator[Running]:
    with running("--collect", str(folder)) as started:
        yield started


def ask(room: Running, path: str, name: str, token: str, content: bytes = b"") -> httpx.Response:
    query = {"name": name, "token": token, "digit": "7"}
    head = {"content-type": "image/png"}
    return httpx.post(f"{room.url}/class/{path}", params=query, content=content, headers=head)


def test_thirty_phones_draw_at_once(room: Running, folder: Path) -> None:
    """Each drawing is there, under its name; of two phones with a name one is refused."""
    content = png("7")
    phones = [(f"Pupil {number % 29}", f"{number:016x}") for number in range(30)]

    def draw(phone: tuple[str, str]) -> list[int]:
        return [ask(room, "draw", *phone, content).status_code for _ in range(4)]

    with ThreadPoolExecutor(30) as pool:
        answers = list(pool.map(draw, phones))
    assert Counter(map(tuple, answers)) == {(200,) * 4: 29, (409,) * 4: 1}
    paths = list(folder.glob("Pupil */7/phone-*.png"))
    assert Counter(path.parts[-3] for path in paths) == {f"Pupil {n}": 4 for n in range(29)}
    assert all((open_grey(path) == open_grey(content)).all() for path in paths)
    for number in range(29):
        (phone,) = {path.name[6:22] for path in paths if path.parts[-3] == f"Pupil {number}"}
        tokens = [token.encode() for name, token in phones if name == f"Pupil {number}"]
        assert phone in [hashlib.sha256(token).hexdigest()[:16] for token in tokens]


def test_what_is_mine_is_downloaded_and_deleted(room: Running, folder: Path) -> None:
    mine, other, content = "a" * 16, "b" * 16, png("7")
    state = ask(room, "draw", "Zoë", mine, content).json()
    assert state["mine"] == {"7": 1}
    query = {"name": "Zoë", "token": mine}
    archive = httpx.get(f"{room.url}/class/mine.zip", params=query)
    (name,) = ZipFile(io.BytesIO(archive.content)).namelist()
    assert name.startswith("Zoë/7/phone-")
    refused = "another phone draws as Zoë: add a letter of your surname"
    assert problem(ask(room, "forget", "Zoë", other), 409) == refused
    assert httpx.get(f"{room.url}/class/mine.zip", params=query | {"token": other}).is_error
    assert ask(room, "forget", "Zoë", mine).json()["mine"] == {}
    assert not list(folder.glob("Zoë/*/*"))


def test_bad_input_is_one_sentence(room: Running, folder: Path) -> None:
    before, token = sorted(folder.rglob("*")), "c" * 16
    content = png("7")
    assert "a name holds no '/'" in problem(ask(room, "draw", "../a", token, content), 422)
    assert "a name has a letter" in problem(ask(room, "join", " ", token), 422)
    assert "no digit on it" in problem(ask(room, "draw", "Ben", token, png("")), 422)
    assert "not a picture" in problem(ask(room, "draw", "Ben", token, b"x"), 422)
    token_told = problem(ask(room, "draw", "Ben", "../" * 5, content), 422)
    assert token_told == "token cannot be '../../../../../'"
    assert problem(httpx.post(f"{room.url}/class/join"), 422) == "name is missing"
    query = {"name": "Ben", "token": token, "digit": "7"}
    two = [("file", content), ("file", content)]
    several = httpx.post(f"{room.url}/class/draw", params=query, files=two)
    assert problem(several, 422) == "there are several files: send one"
    assert sorted(folder.rglob("*")) == before


def test_what_phones_ask_does_not_fill_the_terminal(room: Running) -> None:
    assert ask(room, "join", "Carl", "d" * 16).status_code == 200
    assert room.figure("inkdigit_requests_total") > 0
    assert room.logged() == []


def test_nothing_is_kept_without_being_asked_to(service: Running) -> None:
    assert ask(service, "join", "Anna", "a" * 16).status_code == 404
    assert "Pictures are read and forgotten" in service.get("/").text


def test_pupils_have_no_key() -> None:
    with pytest.raises(SettingError, match="--collect is for pupils, who have no key"):
        Settings(collect=Path("class"), api_keys=("key",))


def write(page: Page) -> str:
    """Write the digit that is asked for, and return it."""
    expect(page.locator("#pad")).to_be_visible()
    digit, box = page.locator("#digit").inner_text(), page.locator("#pad").bounding_box()
    assert box
    for stroke in strokes_of(digit, box["x"] + 100, box["y"] + 40, 160):
        page.mouse.move(*stroke[0])
        page.mouse.down()
        for point in stroke[1:]:
            page.mouse.move(*point)
        page.mouse.up()
    return digit


PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


@NEEDS_CHROMIUM
def test_a_pupil_draws_on_the_page(browser: Browser, room: Running, folder: Path) -> None:
    with visiting(browser) as visit:
        page = visit(room.url, **PHONE)
        expect(page.get_by_text("What you send here is kept")).to_be_visible()
        page.get_by_label("Your name").fill("Mia")
        page.get_by_role("button", name="Start").click()
        digits = []
        for count in range(1, 4):
            expect(page.locator("#keep")).to_be_disabled()
            digits.append(write(page))
            page.get_by_role("button", name="Keep").click()
            expect(page.locator("#figures")).to_contain_text(f"{count} by you")
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        page.reload()  # the phone is known again
        expect(page.locator("#who")).to_have_text("Mia")
        expect(page.locator("#figures")).to_contain_text("3 by you")
        kept = [path.parent.name for path in folder.glob("Mia/*/*.png")]
        assert sorted(kept) == sorted(digits)
        photograph = {"name": "a.png", "mimeType": "image/png", "buffer": png("5")}
        page.locator("#file").set_input_files([photograph])
        expect(page.locator("#figures")).to_contain_text("4 by you")
        page.on("dialog", lambda dialog: dialog.accept())
        page.get_by_role("button", name="Delete mine").click()
        expect(page.locator("#figures")).to_contain_text("0 by you")
    assert not list(folder.glob("Mia/*/*.png"))


@NEEDS_CHROMIUM
def test_a_name_that_is_taken_is_told_and_a_drawing_outlives_the_service(
    browser: Browser, tmp_path: Path
) -> None:
    with visiting(browser) as visit:
        with running("--collect", str(tmp_path)) as started:
            ask(started, "draw", "Anna", "a" * 16, png("7"))
            page = visit(started.url, errors=(409, "ERR_CONNECTION_REFUSED"))
            page.get_by_label("Your name").fill("anna")
            page.get_by_role("button", name="Start").click()
            expect(page.get_by_role("alert")).to_contain_text("Another phone draws as anna")
            page.get_by_label("Your name").fill("Anna B")
            page.get_by_role("button", name="Start").click()
            write(page)
        page.get_by_role("button", name="Keep").click()
        expect(page.get_by_role("alert")).to_contain_text("Your drawing is still here")
        expect(page.locator("#keep")).to_be_enabled()
        assert page.evaluate("localStorage.getItem('name')") == "Anna B"
