"""The page in a real browser, beside a real training."""

from pathlib import Path

import pytest
from browsing import NEEDS_CHROMIUM, assert_accessible, visiting
from playwright.sync_api import Browser, expect
from reviewing import serving_page

from inkdigit.learning.models.run import Run
from inkdigit.watching.app import PAGE

pytestmark = NEEDS_CHROMIUM
TRAIN = ("train", "--watch", "--data", "sample", "--network", "lenet5", "--epochs", "3")

# Milliseconds for a whole training on a machine that does something else.
PATIENCE = 400_000


@pytest.mark.slow
def test_a_training_is_watched_paused_changed_and_repeated(
    browser: Browser, tmp_path: Path
) -> None:
    """Everything once, with the keyboard: a whole training takes its time."""
    folder = tmp_path / "<i>run"
    command = *TRAIN, "--augmentation", "shift", "--out", str(folder)
    with serving_page(*command, warnings="default") as training, visiting(browser) as visit:
        page = visit(training.url)
        where = page.locator("#where")
        expect(where).to_contain_text("Epoch 1 of 3")
        page.get_by_role("button", name="Pause").press("Enter")
        expect(where).to_contain_text("Paused.")
        expect(page.get_by_role("heading", name="<i>run learns")).to_be_visible()
        expect(page.locator(".ten figcaption")).to_have_count(10)
        expect(page.locator(".moving text")).to_have_count(200)
        assert_accessible(page)
        page.get_by_role("button", name="One step").press("Enter")
        page.get_by_label("Digits a step").fill("100")
        page.get_by_label("Digits a step").press("Enter")
        expect(page.locator("#asked")).to_contain_text("batch size 100")
        page.get_by_label("Experiment").select_option("no augmentation")
        page.get_by_role("button", name="Start it after this one").press("Enter")
        expect(page.locator("#waiting")).to_contain_text("no-augmentation")
        page.get_by_role("button", name="Go on").press("Enter")
        page.reload()  # who closes the page does no harm
        rows = page.locator("#table tbody tr")
        expect(rows).to_have_count(2, timeout=PATIENCE)
        expect(where).to_contain_text("Done.", timeout=PATIENCE)
        for name in ("Pause", "From the next epoch on"):
            expect(page.get_by_role("button", name=name)).to_be_disabled()
        expect(rows.nth(0)).to_contain_text("batch size 100")
        expect(rows.nth(1).locator("td").nth(3)).to_contain_text("%")
        page.set_viewport_size({"width": 360, "height": 700})
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        page.emulate_media(color_scheme="dark", reduced_motion="reduce")
        assert_accessible(page)
        assert "batch size 100" in training.stop()
        expect(page.locator("#problem")).to_contain_text("no longer served")
    assert [one["batch_size"] for one in Run.open(folder).changes] == [100]
    assert Run.open(f"{folder}-no-augmentation").finished


def test_nothing_of_the_page_is_fetched_from_elsewhere() -> None:
    for file in PAGE.iterdir():
        assert "//" not in file.read_text("utf-8").replace("// ", "")
