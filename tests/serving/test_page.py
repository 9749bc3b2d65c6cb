"""The page in a real browser."""

import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browsing import NEEDS_CHROMIUM, Open, assert_accessible, visiting
from drawing import as_file, document, drawn, png
from playwright.sync_api import Browser, Page, expect
from running import Running, running, until
from strokes import strokes_of

import inkdigit
from inkdigit.images import as_png
from inkdigit.serving.operations import PAGE

ROOT = Path(__file__).parents[2]


@pytest.fixture
def visit(browser: Browser, service: Running) -> Iterator[Open]:
    """Opens the page; afterwards it has asked nobody else and complained of nothing."""
    with visiting(browser) as open_page:

        def visit(url: str = service.url, path: str = "/", **options: Any) -> Page:
            return open_page(url, path, **options)

        yield visit


def write(page: Page, text: str, size: float = 110, left: float = 40, top: float = 60) -> None:
    """Write with the mouse."""
    box = page.locator("#pad").bounding_box()
    assert box
    for stroke in strokes_of(text, box["x"] + left, box["y"] + top, size):
        page.mouse.move(*stroke[0])
        page.mouse.down()
        for point in stroke[1:]:
            page.mouse.move(*point)
        page.mouse.up()


def expect_number(page: Page, text: str) -> None:
    expect(page.locator("#characters [role=radio]")).to_have_text([*text])


def upload(page: Page, content: bytes, name: str = "a.png", kind: str = "image/png") -> None:
    page.locator("#file").set_input_files({"name": name, "mimeType": kind, "buffer": content})


pytestmark = NEEDS_CHROMIUM


def test_after_an_error_the_reading_before_it_is_not_spoken(visit: Open) -> None:
    page = visit(errors=(422,))
    write(page, "407")
    expect(page.locator("#spoken")).to_contain_text("Reads 4 0 7.")
    page.locator("#pattern").fill("(")
    expect(page.locator("#notice")).to_be_visible()
    expect(page.locator("#spoken")).to_be_empty()
    page.locator("#pattern").fill("")
    expect(page.locator("#spoken")).to_contain_text("Reads 4 0 7.")
    expect(page.locator("#notice")).to_be_hidden()


def test_what_is_written_with_the_mouse_is_read(visit: Open) -> None:
    page = visit()
    expect(page.get_by_text("Nothing is written yet")).to_be_visible()
    write(page, "407")
    expect_number(page, "407")
    expect(page.locator("#boxes .box")).to_have_count(3)
    expect(page.locator("#bars li")).to_have_count(10)
    expect(page.locator("#input")).to_have_attribute("src", re.compile("^data:image/png;base64,"))
    expect(page.locator("#spoken")).to_contain_text("Reads 4 0 7.")
    write(page, "2", left=340)
    expect_number(page, "4072")
    page.locator("#characters [role=radio]").nth(3).click()
    expect(page.locator("#bars li.top")).to_contain_text("2")
    expect(page.locator("#boxes .box").nth(3)).to_have_class(re.compile("chosen"))
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#bars li.top")).to_contain_text("7")


def test_boxes_lie_over_the_ink(visit: Open) -> None:
    page = visit()
    write(page, "38", size=120, left=200, top=70)
    expect_number(page, "38")
    pad = page.locator("#pad").bounding_box()
    first = page.locator("#boxes .box").first.bounding_box()
    assert pad
    assert first
    assert abs(first["x"] - pad["x"] - 200) < 25
    assert abs(first["y"] - pad["y"] - 70) < 25
    assert abs(first["height"] - 120) < 40


def test_undo_clear_and_pen_width(visit: Open) -> None:
    page = visit()
    expect(page.get_by_role("button", name="Undo")).to_be_disabled()
    write(page, "17")
    expect_number(page, "17")
    page.get_by_role("button", name="Undo").click()
    expect_number(page, "1")
    page.keyboard.press("Control+z")
    expect(page.get_by_text("Nothing is written yet")).to_be_visible()
    page.get_by_label("Pen width").fill("20")
    write(page, "3")
    expect_number(page, "3")
    thick = page.locator("#boxes .box").first.bounding_box()
    page.get_by_role("button", name="Clear").click()
    expect(page.get_by_text("Nothing is written yet")).to_be_visible()
    expect(page.locator("#boxes .box")).to_have_count(0)
    assert thick
    assert thick["width"] > 60


def test_the_keyboard_writes_too(visit: Open) -> None:
    page = visit()
    page.locator("#pad").focus()
    down = ["ArrowDown", "ArrowDown", "ArrowLeft"]
    for key in ["Space", *["ArrowRight"] * 7, *down * 6, "Space"]:
        page.keyboard.press(key)
    expect_number(page, "7")
    page.keyboard.press("Delete")
    expect(page.get_by_text("Nothing is written yet")).to_be_visible()


def test_a_finger_writes_on_a_phone(visit: Open) -> None:
    page = visit(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    expect(page.get_by_role("button", name="Photograph")).to_be_visible()
    box = page.locator("#pad").bounding_box()
    assert box
    touch = page.context.new_cdp_session(page)
    for stroke in strokes_of("35", box["x"] + 60, box["y"] + 60, 100):
        for number, (x, y) in enumerate(stroke):
            kind = "touchMove" if number else "touchStart"
            points = {"type": kind, "touchPoints": [{"x": x, "y": y}]}
            touch.send("Input.dispatchTouchEvent", points)
        touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    expect_number(page, "35")
    assert page.evaluate("window.scrollY") == 0
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_dark_ink_is_light_and_read_alike(visit: Open) -> None:
    page = visit(color_scheme="dark")
    write(page, "62")
    expect_number(page, "62")
    ink = page.evaluate(
        "Math.max(...document.getElementById('pad').getContext('2d')"
        ".getImageData(0, 0, 400, 300).data.filter((_, i) => i % 4 === 0))"
    )
    assert ink > 200


def test_a_picture_is_read_and_the_rules_change_it(visit: Open) -> None:
    page = visit(errors=(422,))
    page.get_by_role("button", name="Show me an example").click()
    expect_number(page, "87.32")
    expect(page.locator("#status")).to_have_text("Accepted")
    page.get_by_role("button", name="Postcode").click()
    expect(page.get_by_label("Pattern")).to_have_value(r"\d{5}")
    expect(page.locator("#status")).not_to_have_text("Accepted")
    page.get_by_label("Pattern").fill(r"\d{5")
    expect(page.get_by_role("alert")).to_contain_text("expected {n}")
    page.get_by_role("button", name="Any number").click()
    expect_number(page, "87.32")
    expect(page.get_by_role("alert")).to_be_hidden()


def test_a_mark_is_a_character_like_the_others(visit: Open) -> None:
    page = visit()
    page.get_by_role("button", name="Show me an example").click()
    expect_number(page, "87.32")
    expect(page.locator("#boxes .box")).to_have_count(5)
    page.locator("#characters [role=radio]").nth(2).click()
    expect(page.locator("#bars li")).to_have_count(11)
    expect(page.locator("#bars li.top")).to_contain_text(".")
    expect(page.locator("#boxes .box").nth(2)).to_have_class(re.compile("chosen"))
    # The digit network is not asked about it.
    expect(page.locator("#input")).to_be_hidden()
    page.locator("#characters [role=radio]").nth(1).click()
    expect(page.locator("#input")).to_be_visible()
    expect(page.locator("#bars li")).to_have_count(10)


def test_boxes_lie_right_on_a_turned_photograph(visit: Open) -> None:
    exif = drawn("").getexif()
    exif[274] = 6
    page = visit()
    upload(page, as_file(drawn("314", 200).rotate(90, expand=True), "JPEG", exif=exif), "a.jpg")
    expect_number(page, "314")
    boxes = [box.bounding_box() for box in page.locator("#boxes .box").all()]
    lefts = [box["x"] for box in boxes if box]
    assert lefts == sorted(lefts)
    assert max(box["y"] for box in boxes if box) - min(box["y"] for box in boxes if box) < 30


@pytest.mark.parametrize("kind", ["PDF", "TIFF"])
def test_a_document_shows_its_pages(visit: Open, kind: str) -> None:
    page = visit()
    upload(page, document(["12", "345", ""], kind, 120), f"a.{kind.lower()}", "application/pdf")
    expect(page.get_by_role("heading", name="3 pages")).to_be_visible()
    expect_number(page, "12")
    page.get_by_role("button", name="Page 2").click()
    expect_number(page, "345")
    page.get_by_role("button", name="Page 3").click()
    expect(page.get_by_text("There is no ink here")).to_be_visible()
    page.get_by_role("button", name="Clear").click()
    write(page, "9")
    expect_number(page, "9")


def test_pictures_are_dropped_and_pasted(visit: Open) -> None:
    page = visit()
    for event, text in (("drop", "56"), ("paste", "83")):
        page.evaluate(
            """([event, bytes]) => {
                const transfer = new DataTransfer();
                transfer.items.add(new File([new Uint8Array(bytes)], "a.png", {type: "image/png"}));
                const data = {dataTransfer: transfer, clipboardData: transfer, bubbles: true};
                const kind = event === "drop" ? DragEvent : ClipboardEvent;
                document.body.dispatchEvent(new kind(event, data));
            }""",
            [event, list(png(text))],
        )
        expect_number(page, text)


def test_what_is_read_can_be_copied(visit: Open) -> None:
    page = visit(permissions=["clipboard-read", "clipboard-write"])
    content = png("40719")
    upload(page, content)
    expect_number(page, "40719")
    page.get_by_role("button", name="Copy text").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == "40719"
    page.get_by_role("button", name="Copy JSON").click()
    reading = inkdigit.Reader.load().read(content).to_dict()
    copied = page.evaluate("navigator.clipboard.readText().then(JSON.parse)")
    assert {name: copied[name] for name in reading} == {
        **reading, "characters": copied["characters"], "confidence": copied["confidence"]
    }  # fmt: skip


def test_what_is_no_picture_gets_a_sentence(visit: Open) -> None:
    page = visit(errors=(422,))
    upload(page, b"something I had", "notes.png")
    expect(page.get_by_role("alert")).to_contain_text("is not a picture that can be read")
    upload(page, png("7"))
    expect_number(page, "7")
    expect(page.get_by_role("alert")).to_be_hidden()


def test_a_busy_service_is_asked_again(visit: Open) -> None:
    with running("--queue", "1", "--max-files", "1", "--max-pages", "1000") as service:
        page = visit(service.url, errors=(503,))
        long = document(["38", "47"] * 500)
        head = (
            f"POST /v1/read HTTP/1.1\r\nHost: x\r\nContent-Type: image/tiff\r\n"
            f"Content-Length: {len(long)}\r\n\r\n"
        )
        with socket.create_connection(("127.0.0.1", service.port)) as client:
            client.sendall(head.encode() + long)
            until(lambda: service.figure("inkdigit_queue") == 1)
            write(page, "25")
            expect(page.get_by_role("alert")).to_contain_text("The service is busy")
        expect_number(page, "25")
        expect(page.get_by_role("alert")).to_be_hidden()


def test_a_service_that_is_gone_is_said(visit: Open) -> None:
    with running() as service:
        page = visit(service.url, errors=("ERR_CONNECTION",))
        service.process.terminate()
        service.process.wait(60)
        write(page, "4")
        expect(page.get_by_role("alert")).to_contain_text("cannot be reached")
        expect(page.get_by_role("button", name="Try again")).to_be_visible()


def test_a_key_is_asked_for(browser: Browser) -> None:
    with running(INKDIGIT_API_KEYS="open-sésame-芝麻") as service, visiting(browser) as visit:
        page = visit(service.url, errors=(401,))
        write(page, "6")
        expect(page.get_by_role("alert")).to_contain_text("asks for a key")
        page.get_by_label("API key").fill("open-sésame-芝麻")
        page.get_by_role("button", name="Use it").click()
        expect_number(page, "6")
        expect(page.get_by_role("alert")).to_be_hidden()


def test_the_documents_of_the_api_are_shown(visit: Open) -> None:
    page = visit(path="/docs")
    expect(page.get_by_text("Read several files")).to_be_visible()
    page.get_by_text("Read one picture or document").click()
    expect(page.get_by_text("what the number looks like").first).to_be_visible()


def test_everything_to_press_has_a_name(visit: Open) -> None:
    page = visit()
    for found in page.locator("button:visible, input:visible, a:visible, canvas").all():
        name = found.evaluate(
            "node => (node.labels?.[0]?.textContent || node.ariaLabel || node.textContent).trim()"
        )
        assert name, found.evaluate("node => node.outerHTML")
    assert page.locator("html").get_attribute("lang") == "en"


def test_the_page_is_small_plain_and_its_own() -> None:
    files = [*PAGE.iterdir()]
    assert sum(file.stat().st_size for file in files) < 60_000
    for file in files:
        if file.suffix in {".html", ".js", ".css", ".svg"}:
            text = file.read_text("utf-8").replace("http://www.w3.org/2000/svg", "")
            assert not re.search(r"https?:|[\"'(]//", text), file
            assert "style=" not in text
            assert not re.search(r"<script(?![^>]*src=)| on\w+=", text)


def test_the_numbers_of_a_whole_page_are_shown_and_mended(visit: Open) -> None:
    page = visit(viewport={"width": 1200, "height": 900})
    page.get_by_role("button", name="A whole page").click()
    upload(page, Path("docs/register.jpg").read_bytes(), "register.jpg", "image/jpeg")
    cells = page.locator("#table td button")
    expect(page.locator("#found")).to_have_text(re.compile(r"^\d+ handwritten numbers$"))
    assert cells.count() == page.locator("#boxes .number").count() > 30
    assert_accessible(page)
    first = page.locator("#table button[aria-pressed=true]")
    expect(first).not_to_have_class("accepted")
    # A box on the picture is the number in the table, and a number typed takes its place.
    page.locator("#boxes .number").nth(5).click()
    expect(first).to_have_text(page.locator("#mended").input_value())
    page.locator("#mended").fill("4711")
    page.locator("#mended").press("Enter")
    expect(page.get_by_role("button", name="4711, Mended")).to_be_visible()
    context = page.context
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy table").click()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert "4711" in re.split(r"[\t\n]", copied)
    assert copied.count("\n") > 5
    page.set_viewport_size({"width": 390, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert_accessible(page)


def answering(page: Page, *rows: dict[str, Any]) -> None:
    """Let the service answer with these rows from now on, and ask for a whole page."""
    page.unroute_all()
    page.route("**/v1/read*", lambda route: route.fulfill(json={"source": "a", "rows": [*rows]}))
    if not page.locator("#find").is_checked():
        page.get_by_role("button", name="A whole page").click()


def found(text: str, at: int = 1, status: str = "review", **more: Any) -> dict[str, Any]:
    """Return the row of a number."""
    known = {"page": 1, "row": 1, "column": at, "box": [60 * at, 40, 50, 50], "text": text}
    known |= {"status": status, "confidence": 0.5, "reason": "it is faint", "error": None}
    return known | {"unconstrained": None, "characters": []} | more


LOST = {"id": None, "box": None, "status": "failed", "error": "the picture is broken"}


def test_a_mend_is_spoken_shown_and_kept_for_its_picture(visit: Open) -> None:
    page = visit()
    answering(page, found("17"), found("20", 2, "accepted"), found("35", 3))
    upload(page, png("12"))
    expect(page.locator("#about")).to_have_text("For review, 50.0 % sure. It is faint.")
    page.locator("#mended").fill("12")
    page.locator("#mended").press("Enter")
    spoken = page.locator("#spoken")
    expect(spoken).to_have_text("12 is kept. Next: 35, For review, 50.0 % sure. It is faint.")
    for wrong in ("", "  ", "<b>x", "1 a", ".", "--"):
        page.locator("#mended").fill(wrong)
        page.locator("#mended").press("Enter")
        expect(page.locator("#about")).to_have_text(re.compile("^Type digits and marks"))
        expect(page.locator("#mended")).to_have_value(wrong)
        expect(page.locator("#table td")).to_have_text(["12", "20", "35"])
        page.locator("#table td").nth(2).click()
    page.locator("#mended").fill("-")
    page.locator("#mended").press("Enter")
    expect(spoken).to_have_text("Nothing is kept. None is left in doubt.")
    expect(page.get_by_role("button", name="Nothing, Mended")).to_have_text("–")
    # With other rules the same picture keeps its mends, and another one has none.
    answering(page, found("17"), found("22", 2), found("35", 3))
    page.get_by_label("Pattern").fill(r"\d\d")
    expect(page.locator("#mended")).to_have_value("22")
    expect(page.locator("#table td")).to_have_text(["12", "22", "–"])
    upload(page, png("13"))
    expect(page.locator("#table td")).to_have_text(["17", "22", "35"])


def test_a_page_that_failed_hides_none_that_were_read(visit: Open) -> None:
    page = visit()
    answering(page, found("17"), found("20", 2), found("35") | LOST | {"page": 2})
    upload(page, png("12"))
    expect(page.locator("#found")).to_have_text("2 handwritten numbers")
    expect(page.locator("#without")).to_have_text("Page 2: The picture is broken.")
    # A picture of several pages may show any of them.
    expect(page.get_by_text("Page 1", exact=True)).to_be_visible()
    expect(page.locator("#picture")).to_be_visible()
    expect(page.locator("#boxes .number")).to_have_count(0)
    nothing = found("", status="rejected", id=None, box=None, reason="no number was found")
    answering(page, nothing)
    upload(page, png("13"))
    expect(page.locator("#found")).to_have_text("No handwritten numbers")
    expect(page.locator("#without")).to_have_text("No number was found.")
    expect(page.locator("#spoken")).to_have_text("No handwritten numbers. No number was found.")
    expect(page.locator("#about")).to_be_empty()


def test_numbers_of_one_cell_stand_side_by_side_and_empty_rows_stay(visit: Open) -> None:
    page = visit()
    answering(page, found("15", box=[10, 9, 9, 9]), found("23"), found("4", 2, row=3))
    upload(page, png("12"))
    expect(page.locator("#table td")).to_have_text(["1523", "", "", "", "", "4"])
    expect(page.locator("#table td").first.locator("button")).to_have_text(["15", "23"])
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy table").click()
    assert page.evaluate("navigator.clipboard.readText()") == "15 23\t\n\t\n\t4"


def test_why_a_page_has_no_numbers_is_shown(visit: Open) -> None:
    page = visit()
    page.get_by_role("button", name="A whole page").click()
    upload(page, as_png(np.zeros((300, 200), np.uint8)))
    expect(page.locator("#without")).to_have_text("Nothing could be seen: the paper is black.")


def test_one_writes_where_a_number_was_found(visit: Open) -> None:
    page = visit()
    answering(page, found("1", box=[30, 30, 300, 200]))
    write(page, "1")
    box = page.locator("#boxes .number")
    expect(box).to_be_visible()
    place = box.bounding_box()
    assert place
    at = [place["x"] + place["width"] / 2, place["y"] + place["height"] / 2]
    under = "([x, y]) => document.elementFromPoint(x, y).id"
    assert page.evaluate(under, at) == "pad"
    upload(page, png("12"))
    expect(page.locator("#picture")).to_be_visible()
    page.locator("#boxes .number").click()
    expect(page.locator("#mended")).to_be_focused()


def test_a_whole_page_without_numbers_says_so(visit: Open) -> None:
    page = visit()
    page.get_by_role("button", name="A whole page").click()
    upload(page, png(""))
    expect(page.locator("#found")).to_have_text("No handwritten numbers")
    expect(page.locator("#mend")).to_be_hidden()
    page.get_by_role("button", name="Any number").click()
    expect(page.get_by_text("There is no ink here")).to_be_visible()
    expect(page.locator("#numbers")).to_be_hidden()
