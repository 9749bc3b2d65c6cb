"""The page in a real browser."""

import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from browsing import NEEDS_CHROMIUM, visiting
from playwright.sync_api import Browser, Locator, Page, expect
from reviewing import serving_page

from inkdigit.documents.template import Template
from inkdigit.editor.app import PAGE

pytestmark = NEEDS_CHROMIUM
LAPTOP = {"viewport": {"width": 1280, "height": 720}}


def field(page: Page, name: str) -> Locator:
    return page.get_by_role("button", name=re.compile(f"^{name},"))


def saved(path: Path) -> dict[str, Any]:
    known = json.loads(path.read_text("utf-8"))
    return {one["name"]: one for one in known["fields"]} | {"rules": known["rules"]}


def save(page: Page) -> None:
    page.keyboard.press("Control+s")
    expect(page.locator("#state")).to_have_text("Saved")


def place(page: Page, x: float, y: float) -> tuple[float, float]:
    """Return where a point of the form, in mm, is on the screen."""
    box = page.locator("#sheet").bounding_box()
    assert box
    return box["x"] + x * box["width"] / 148, box["y"] + y * box["width"] / 148


def drag(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    page.mouse.move(*place(page, *start))
    page.mouse.down()
    page.mouse.move(*place(page, *end), steps=4)
    page.mouse.up()


def test_a_field_is_drawn_named_and_saved(browser: Browser, path: Path) -> None:
    with serving_page("form", "edit", str(path)) as editor, visiting(browser) as visit:
        page = visit(editor.url, **LAPTOP)
        expect(page.locator(".found")).to_have_count(1)  # the only box without a field
        page.mouse.click(*place(page, 70, 65))
        expect(page.locator(".found")).to_have_count(0)
        page.keyboard.type("meals")
        page.keyboard.press("Enter")
        rules = page.get_by_label("Rules, one a line")
        rules.fill("total = travel + meals + lodging\n")
        page.get_by_label("Required").check()
        page.get_by_label("Check", exact=True).fill("luhn")
        expect(page.locator("#state")).to_have_text("Not saved yet")
        save(page)
        found = saved(path)
        assert found["meals"] == {
            "name": "meals", "page": 1, "box": found["meals"]["box"], "kind": "comb", "cells": 4,
            "gap": found["meals"]["gap"], "required": True, "check": "luhn",
        }  # fmt: skip
        assert found["meals"]["box"] == pytest.approx([62, 62, 24, 7], abs=0.5)
        assert found["rules"] == ["total = travel + meals + lodging"]
        Template.load(path)


def test_fields_are_drawn_moved_and_resized(browser: Browser, path: Path) -> None:
    with serving_page("form", "edit", str(path)) as editor, visiting(browser) as visit:
        page = visit(editor.url, **LAPTOP)
        # Roughly drawn, its edges are those of the box that was found.
        drag(page, (61.6, 61.7), (86.4, 69.4))
        save(page)
        assert saved(path)["f7"]["box"] == pytest.approx([62.23, 62.23, 23.62, 6.6], abs=0.1)
        assert saved(path)["f7"]["cells"] == 4
        drag(page, (110, 20), (130, 27))
        drag(page, (120, 24), (115, 30))  # as a whole
        drag(page, (125, 33), (127.5, 35))  # its corner
        save(page)
        assert saved(path)["f8"]["box"] == pytest.approx([105, 26, 22.5, 9], abs=0.3)
        page.get_by_label("Kind").select_option("ink")
        page.get_by_label("Left").fill("104.5")
        page.get_by_label("Left").blur()
        save(page)
        assert saved(path)["f8"]["kind"] == "ink"
        assert saved(path)["f8"]["box"][0] == 104.5


def test_all_of_it_goes_by_the_keyboard(browser: Browser, path: Path) -> None:
    before = saved(path)
    with serving_page("form", "edit", str(path)) as editor, visiting(browser) as visit:
        page = visit(editor.url, **LAPTOP)
        field(page, "travel").focus()
        page.keyboard.press("Tab")
        expect(field(page, "lodging")).to_have_attribute("aria-pressed", "true")
        for key in ("ArrowRight", "ArrowDown", "Shift+ArrowRight"):
            page.keyboard.press(key)
        page.keyboard.press("n")
        page.keyboard.type("meals")
        page.keyboard.press("Enter")
        save(page)
        found = saved(path)
        left, top, width, height = before["lodging"]["box"]
        assert found["lodging"]["box"] == [left + 0.5, top + 0.5, width + 0.5, height]
        assert found["meals"]["cells"] == 4
        page.locator("body").click(position={"x": 2, "y": 2})
        field(page, "meals").focus()
        page.keyboard.press("Delete")
        expect(field(page, "meals")).to_have_count(0)
        for _ in range(6):
            page.keyboard.press("Control+z")
        expect(page.get_by_role("button", name="Undo")).to_be_disabled()
        save(page)
        assert saved(path) == before
        page.keyboard.press("Control+y")
        save(page)
        assert saved(path)["lodging"]["box"] == [left + 0.5, top, width, height]


def test_what_is_wrong_is_told_and_not_saved(browser: Browser, path: Path) -> None:
    before = path.read_bytes()
    with serving_page("form", "edit", str(path)) as editor, visiting(browser) as visit:
        page = visit(editor.url, errors=(422,), **LAPTOP)
        field(page, "travel").click()
        page.get_by_label("Name").fill("total")
        page.get_by_label("Name").press("Enter")
        expect(page.get_by_role("alert")).to_contain_text("There are two fields total")
        page.keyboard.press("Control+s")
        expect(page.locator("#state")).to_have_text("Not saved yet")
        assert path.read_bytes() == before
        page.get_by_label("Name").fill("journey")
        page.get_by_label("Name").press("Enter")
        expect(page.get_by_role("alert")).to_be_hidden()
        save(page)
        assert "journey" in saved(path)


def test_changes_made_outside_are_not_lost(browser: Browser, path: Path) -> None:
    with serving_page("form", "edit", str(path)) as editor, visiting(browser) as visit:
        page = visit(editor.url, errors=(409,), **LAPTOP)
        field(page, "travel").click()
        page.keyboard.press("Delete")
        theirs = path.read_text("utf-8").replace("lodging", "hotel")
        path.write_text(theirs, "utf-8")
        page.keyboard.press("Control+s")
        expect(page.get_by_role("alert")).to_contain_text("was changed by another program")
        assert path.read_text("utf-8") == theirs
        page.get_by_role("button", name="Open it anew").click()
        expect(field(page, "hotel")).to_be_visible()
        expect(field(page, "travel")).to_be_visible()
        field(page, "hotel").click()
        page.keyboard.press("Delete")
        path.write_text(f"{theirs}\n", "utf-8")
        page.keyboard.press("Control+s")
        page.get_by_role("button", name="Save over it").click()
        expect(page.locator("#state")).to_have_text("Saved")
        assert "hotel" not in saved(path)


def test_what_a_field_is_called_in_rules_goes_along(browser: Browser, path: Path) -> None:
    with serving_page("form", "edit", str(path)) as editor, visiting(browser) as visit:
        page = visit(editor.url, **LAPTOP)
        rules = page.get_by_label("Rules, one a line")
        rules.fill("total = travel + lodging")
        rules.blur()
        for old, new in (
            ("travel", "total"), ("travel", "Übers.Land"), ("Übers.Land", "journey.by_rail"),
            ("lodging", "sum"),
        ):  # fmt: skip
            field(page, old).click()
            page.get_by_label("Name").fill(new)
            page.get_by_label("Name").press("Enter")
            if new == "total":  # is another field's: of which one do rules tell?
                expect(rules).to_have_value("total = travel + lodging")
                page.keyboard.press("Control+z")
        expect(rules).to_have_value("total = journey.by_rail + sum")
        save(page)
        assert saved(path)["rules"] == ["total = journey.by_rail + sum"]


def test_changes_go_along_to_an_editor_that_is_started_again(browser: Browser, path: Path) -> None:
    with visiting(browser) as visit:
        with serving_page("form", "edit", str(path)) as editor:
            old = visit(editor.url, errors=("ERR_CONNECTION_REFUSED",), **LAPTOP)
            old.context.grant_permissions(["clipboard-read", "clipboard-write"])
            field(old, "travel").click()
            old.get_by_label("Name").fill("journey")
            old.get_by_label("Name").press("Enter")
        old.keyboard.press("Control+s")
        expect(old.get_by_role("alert")).to_contain_text("press Ctrl C here and Ctrl V")
        old.keyboard.press("Control+c")
        with serving_page("form", "edit", str(path)) as editor:
            new = old.context.new_page()
            new.goto(editor.url)
            expect(field(new, "travel")).to_be_visible()
            new.keyboard.press("Control+v")
            expect(field(new, "journey")).to_be_visible()
            save(new)
            assert "journey" in saved(path)
            new.evaluate("navigator.clipboard.writeText('{\"pages\": []}')")
            new.keyboard.press("Control+v")
            expect(new.get_by_role("alert")).to_contain_text("is no template of this blank")
            expect(new.locator("#state")).to_have_text("Saved")


def test_it_works_on_small_and_dark_screens(browser: Browser, path: Path) -> None:
    with serving_page("form", "edit", str(path)) as editor, visiting(browser) as visit:
        for width in (600, 1024):
            page = visit(editor.url, viewport={"width": width, "height": 700}, color_scheme="dark")
            expect(field(page, "total")).to_be_visible()
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            before = page.locator("#sheet").bounding_box()
            page.get_by_role("button", name="Larger").click()
            after = page.locator("#sheet").bounding_box()
            assert before
            assert after
            assert after["width"] == pytest.approx(1.25 * before["width"], abs=1)
            field(page, "total").click()
            expect(page.get_by_label("Name")).to_have_value("total")


def test_only_who_knows_the_address_is_answered(path: Path) -> None:
    with serving_page("form", "edit", str(path)) as editor:
        home, _, token = editor.url.rpartition("/")
        assert home.startswith("http://127.0.0.1:")
        for place in ("/", "/template", f"/{token[:-1]}/template"):
            assert httpx.get(home + place).status_code == 404
        told = httpx.get(f"{editor.url}/template")
        assert "default-src 'none'" in told.headers["content-security-policy"]
        assert httpx.get(f"{editor.url}/blank/2").json()["detail"] == "there is no page 2 of 1"
        told = httpx.post(f"{editor.url}/save", json={"template": [], "digest": None})
        assert told.json()["detail"].startswith("this is an object with a name, pages and fields")


def test_the_page_is_small_plain_and_its_own() -> None:
    for file in PAGE.iterdir():
        text = file.read_text("utf-8")
        assert len(text) < 20_000
        assert not re.search(r"https?:|[\"'(]//|style=|<script(?![^>]*src=)| on\w+=\"", text), file
