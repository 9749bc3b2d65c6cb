"""A real browser: Debian's Chromium, without a window, driven by Playwright."""

import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium")
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
NEEDS_CHROMIUM = pytest.mark.skipif(
    not CHROMIUM, reason="there is no chromium: apt-get install chromium, or name it with CHROMIUM"
)
Open = Callable[..., Page]
expect.set_options(timeout=60_000)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield chromium
        chromium.close()


@contextmanager
def visiting(browser: Browser) -> Iterator[Open]:
    """Opens pages; afterwards they have asked nobody else and complained of nothing.

    They are to be closed before what they are of ends.
    """
    seen: list[str] = []
    contexts = []

    def open_page(url: str, path: str = "/", errors: tuple[object, ...] = (), **how: Any) -> Page:
        context = browser.new_context(**how)
        contexts.append(context)
        page = context.new_page()
        # Chromium itself logs answers that are refusals, and those that never came.
        expected = re.compile("|".join([*map(str, errors)]) or "$^")

        def note(kind: str, text: str) -> None:
            if kind in {"error", "warning"} and not expected.search(text):
                seen.append(f"{kind}: {text}")

        page.on("console", lambda message: note(message.type, message.text))
        page.on("pageerror", lambda error: seen.append(f"page error: {error}"))
        page.on("request", lambda asked: _check_home(asked.url, url, seen))
        page.goto(url + path)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not seen


def assert_accessible(page: Page) -> None:
    """Axe finds nothing serious on the page."""
    found = Axe().run(page).response["violations"]
    assert [one["id"] for one in found if one["impact"] in {"serious", "critical"}] == []


def _check_home(asked: str, url: str, seen: list[str]) -> None:
    if not asked.startswith((f"{url}/", "blob:", "data:")):
        seen.append(f"asked elsewhere: {asked}")
