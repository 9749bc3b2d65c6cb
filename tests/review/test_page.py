"""The page in a real browser, and a person who follows a script."""

import json
import re
import resource
from pathlib import Path

import pytest
from browsing import NEEDS_CHROMIUM, assert_accessible, visiting
from drawing import document
from piles import CLAIM, form_table, row, table_of
from playwright.sync_api import Browser, Page, expect
from reviewing import reviewing

from inkdigit.bulk.writers import Output
from inkdigit.review.app import PAGE
from inkdigit.review.journal import Journal

pytestmark = NEEDS_CHROMIUM
# Seven fields, the least sure first.
TEXTS = ["17", "20", "35", "46", "52", "68", "79"]
READ = [(text, "review", 0.5 + 0.05 * place) for place, text in enumerate(TEXTS)]


@pytest.fixture
def table(tmp_path: Path) -> Path:
    return table_of(tmp_path / "results.csv", READ, pictures=True)


# Whether another field is shown than the one of this picture, or none.
NEXT = """before => document.getElementById("source").textContent !== before
  || !document.getElementById("end").hidden"""


def begin(page: Page, who: str = "anna") -> Page:
    page.get_by_label("Your name").fill(who)
    page.keyboard.press("Enter")
    return page


def expect_field(page: Page, text: str) -> None:
    expect(page.get_by_label("What stands there?")).to_have_value(text)
    expect(page.locator("#crop img")).to_be_visible()


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def said(table: Path) -> list[tuple[int, str | None]]:
    return [(one.row, one.new) for one in Journal(table).decisions]


def test_every_key_does_what_it_says(browser: Browser, table: Path) -> None:
    with reviewing(table) as review, visiting(browser) as visit:
        page = begin(visit(review.url))
        # Right; the second guess; the least sure digit, then all of it anew; and three words.
        answers = [["Enter"], ["Tab"], ["8", "Enter"], ["Home", *"123", "Enter"]]
        answers += [["/"], ["-"], ["?"]]
        for text, keys in zip(TEXTS, answers, strict=True):
            expect_field(page, text)
            press(page, *keys)
        expect(page.get_by_role("heading", name="All fields are settled")).to_be_visible()
        assert said(table) == list(enumerate(["17", "21", "38", "123", "/", "-", "?"], start=1))
        press(page, "Backspace")
        expect_field(page, "79")
        press(page, "Backspace")
        expect_field(page, "68")
        press(page, "Enter")
        expect_field(page, "79")
        assert said(table)[-3:] == [(7, None), (6, None), (6, "68")]
        expect(page.locator("#figures")).to_contain_text("6 of 7")
        expect(page.locator("#figures")).to_contain_text("keys a field")


def test_a_text_is_mended_like_any_other(browser: Browser, table: Path) -> None:
    with reviewing(table) as review, visiting(browser) as visit:
        page = begin(visit(review.url, errors=(422,)))
        expect_field(page, "17")
        press(page, "ArrowLeft", "4", "5", "6", "Backspace", "9", "x", "Enter")
        expect_field(page, "20")
        press(page, "7", "Escape")
        expect_field(page, "20")
        press(page, "5", ".", "-", "Enter")
        expect_field(page, "35")
        press(page, "Delete", "Delete", "Home", "Delete", "Enter")
        expect(page.get_by_role("alert")).to_contain_text("Type digits and marks")
        press(page, "Escape", "Enter")
        expect_field(page, "46")
    assert said(table) == [(1, "459"), (2, "25.-"), (3, "35")]


def test_a_number_that_is_typed_whole_takes_the_place_of_what_was_read(
    browser: Browser, tmp_path: Path
) -> None:
    """Though its first key stands at the least sure digit, the last one here."""
    table = table_of(tmp_path / "results.csv", [("1234", "review", 0.5)] * 3, pictures=True)
    with reviewing(table) as review, visiting(browser) as visit:
        page = begin(visit(review.url))
        expect_field(page, "1234")
        press(page, *"5678", "Enter")
        expect(page.locator("#source")).to_have_text("2.png")
        press(page, *"45", "Enter")
        expect(page.locator("#source")).to_have_text("3.png")
        press(page, "End", *"5678", "Enter")
    assert said(table) == [(1, "5678"), (2, "12345"), (3, "12345678")]


def test_the_picture_is_zoomed_turned_and_lightened(browser: Browser, table: Path) -> None:
    with reviewing(table) as review, visiting(browser) as visit:
        page = begin(visit(review.url))
        expect_field(page, "17")
        picture = page.locator("#crop img")
        press(page, "z", "t", "b")
        looks = "({style}) => [style.transform, style.filter]"
        assert picture.evaluate(looks) == ["rotate(90deg) scale(2)", "brightness(1.5)"]
        page.get_by_role("button", name="Turn").click()
        assert picture.evaluate(looks) == ["rotate(180deg) scale(2)", "brightness(1.5)"]
        press(page, "Enter")
        expect_field(page, "20")
        expect(page.locator("#crop img")).to_have_css("transform", "none")


def test_a_box_is_shown_large_and_its_page_small(browser: Browser, tmp_path: Path) -> None:
    (tmp_path / "scan.tif").write_bytes(document(["12", "3456"], "TIFF", 200))
    boxed = row(1, "34", "review", 0.6, (60, 60, 400, 280)) | {"source": "scan.tif", "page": 2}
    table = tmp_path / "results.jsonl"
    Output(table, "jsonl").write([boxed], several=True)
    with reviewing(table) as review, visiting(browser) as visit:
        page = begin(visit(review.url))
        expect_field(page, "34")
        expect(page.get_by_text("scan.tif, page 2")).to_be_visible()
        around = page.get_by_alt_text("The page, with a frame around this field")
        expect(around).to_be_visible()
        expect(page.locator("#crop img")).to_have_js_property("naturalWidth", 400)
        large, small = page.locator("#crop").bounding_box(), around.bounding_box()
        assert large
        assert small
        assert large["width"] > 1.5 * small["width"]


def test_a_picture_that_has_gone_gets_its_sentence(browser: Browser, table: Path) -> None:
    with reviewing(table) as review, visiting(browser) as visit:
        (table.parent / "2.png").unlink()
        page = begin(visit(review.url, errors=(422,)))
        expect_field(page, "17")
        press(page, "Enter")
        expect(page.get_by_text("2.png cannot be opened: No such file")).to_be_visible()
        press(page, "?")
        expect_field(page, "35")


def test_two_persons_share_a_pile_and_see_no_field_twice(browser: Browser, tmp_path: Path) -> None:
    read = [(str(number), "review", 0.5) for number in range(10, 70)]
    table = table_of(tmp_path / "results.csv", read, pictures=True)
    with reviewing(table) as review, visiting(browser) as visit:
        pages = [begin(visit(review.url), who) for who in ("anna", "ben")]
        busy = [*pages]
        while busy:
            for page in [*busy]:
                before = page.locator("#source").text_content()
                press(page, "Enter")
                page.wait_for_function(NEXT, arg=before)
                if page.locator("#end").is_visible():
                    busy.remove(page)
        for page in pages:
            page.get_by_role("button", name="Look for more").click()
            expect(page.get_by_role("heading", name="All fields are settled")).to_be_visible()
    decisions = Journal(table).decisions
    assert sorted(one.row for one in decisions) == list(range(1, 61))
    assert {one.who for one in decisions} == {"anna", "ben"}


def test_a_second_keying_hides_what_was_read(browser: Browser, table: Path) -> None:
    with reviewing(table, "--blind") as review, visiting(browser) as visit:
        page = begin(visit(review.url))
        for text in ["17", "21", *TEXTS[2:]]:
            expect(page.get_by_text("What was read is hidden")).to_be_visible()
            expect(page.get_by_label("What stands there?")).to_have_value("")
            expect(page.get_by_role("button", name="Tab")).to_be_hidden()
            before = page.locator("#source").text_content()
            press(page, *text, "Enter")
            expect(page.locator("#source")).not_to_have_text(str(before))
        # One was keyed otherwise: now both are shown.
        expect_field(page, "20")
        expect(page.locator("#reason")).to_have_text("It was keyed as 21.")
        press(page, "Enter")
        expect(page.get_by_role("heading", name="All fields are settled")).to_be_visible()


def test_an_audit_ends_with_a_sentence(browser: Browser, tmp_path: Path) -> None:
    read = [(text, "accepted", 0.99) for text in TEXTS]
    table = table_of(tmp_path / "results.csv", read, pictures=True)
    with (
        reviewing(table, "--wrong-at-most", "50%", verb="audit") as audit,
        visiting(browser) as visit,
    ):
        page = begin(visit(audit.url))
        for number in range(5):
            expect(page.locator("#figures")).to_contain_text(f"{number} of 5")
            source = str(page.locator("#source").text_content())
            text = TEXTS[int(source.removesuffix(".png")) - 1]
            press(page, *text, "Enter")
        expect(
            page.get_by_text("0 of 5 accepted rows that were keyed blind are wrong")
        ).to_be_visible()
        printed = audit.stop()
    assert "With 95 % confidence at most 45.07% are." in printed


def test_the_odd_ones_out_of_a_grid_come_one_by_one(browser: Browser, tmp_path: Path) -> None:
    read = [(text, "review", 0.5 + at / 100) for at, text in enumerate("77477479")]
    table = table_of(tmp_path / "results.csv", read, pictures=True)
    with reviewing(table) as review, visiting(browser) as visit:
        page = begin(visit(review.url))
        expect_field(page, "7")
        press(page, "g")
        tiles = page.get_by_role("group", name="All of these").get_by_role("button")
        expect(tiles).to_have_count(5)
        expect(page.get_by_role("button", name="1 of 5, 1.png")).to_be_focused()
        expect(page.locator("#spoken")).to_contain_text("5 pictures that were read as 7")
        press(page, "ArrowRight", "Space", "End", "Space", "Home", "Space", "Space")
        assert page.locator("[aria-pressed=true]").count() == 2
        press(page, "Enter")
        # Rows 2 and 7 by themselves, then the next that were read alike, and the rest.
        expect(page.locator("#source")).to_have_text("2.png")
        press(page, "1", "Enter")
        expect(page.locator("#source")).to_have_text("7.png")
        press(page, "Enter")
        expect(page.get_by_role("heading", name="All of these were read as 4.")).to_be_visible()
        tiles.nth(1).click()
        page.get_by_role("button", name="The others are right").click()
        expect(page.locator("#source")).to_have_text("6.png")
        press(page, "Backspace")
        expect(page.locator("#source")).to_have_text("3.png")
        press(page, "Enter")
        expect(page.locator("#source")).to_have_text("6.png")
        press(page, "9", "Enter")
        expect(page.locator("#source")).to_have_text("8.png")
        press(page, "Enter")
        expect(page.get_by_role("heading", name="All fields are settled")).to_be_visible()
    assert said(table) == [
        *((row, "7") for row in (1, 4, 5)), (2, "1"), (7, "7"),
        (3, "4"), (3, None), (3, "4"), (6, "9"), (8, "9"),
    ]  # fmt: skip


def test_a_grid_that_fills_the_disk_stays_and_says_why(browser: Browser, tmp_path: Path) -> None:
    table = table_of(tmp_path / "results.csv", [("7", "review", 0.5)] * 8, pictures=True)
    with reviewing(table) as review, visiting(browser) as visit:
        page, pid = begin(visit(review.url, errors=(507,))), review.process.pid
        expect_field(page, "7")
        press(page, "g")
        tiles = page.get_by_role("group", name="All of these").get_by_role("button")
        expect(tiles).to_have_count(8)
        _, most = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (500, most))
        press(page, "Enter")
        expect(page.get_by_role("alert")).to_contain_text("cannot be written: File too large")
        expect(tiles).to_have_count(8)
        assert said(table) == []
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (most, most))
        press(page, "Enter")
        expect(page.get_by_role("heading", name="All fields are settled")).to_be_visible()
    assert said(table) == [(row, "7") for row in range(1, 9)]


def test_the_fields_of_a_form_stand_together_and_its_rules_are_live(
    browser: Browser, tmp_path: Path
) -> None:
    table = form_table(tmp_path / "claims.jsonl", {"q1": "10", "q2": "95", "total": "15"})
    template = tmp_path / "claim.form.json"
    template.write_text(json.dumps(CLAIM))
    with reviewing(table, "--form", str(template)) as review, visiting(browser) as visit:
        page = begin(visit(review.url))
        rules, form = page.locator("#rules"), page.get_by_role("table", name="All fields")
        expect_field(page, "95")
        expect(form.get_by_role("row")).to_have_text(["q110", "q295", "total15"])
        expect(form.locator("[aria-current]")).to_have_text("q295")
        expect(rules).to_have_text("total = q1 + q2: differs by 90")
        press(page, "Home", "5", "Delete")
        expect(rules).to_have_text("")
        press(page, "6")
        expect(rules).to_have_text("total = q1 + q2: differs by 51")
        press(page, "Escape")
        expect(rules).to_have_text("total = q1 + q2: differs by 90")
        press(page, "Home", "5", "Delete", "Enter")
        expect_field(page, "15")
        expect(form.get_by_role("row")).to_have_text(["q110", "q25", "total15"])
        expect(rules).to_have_text("")
        assert_accessible(page)
        assert said(table) == [(2, "5")]
        # A total that differs may stand there: it is asked about, once.
        press(page, "Home", "9", "Enter")
        expect(page.get_by_role("alert")).to_have_text(
            "total = q1 + q2: differs by 80. If it stands there so, confirm it again."
        )
        assert said(table) == [(2, "5")]
        press(page, "Enter")
        expect(page.get_by_role("heading", name="All fields are settled")).to_be_visible()
    assert said(table) == [(2, "5"), (3, "95")]


def test_what_is_asked_about_may_be_typed_anew(browser: Browser, tmp_path: Path) -> None:
    table = form_table(tmp_path / "claims.jsonl", {"q1": "10", "q2": "95", "total": "665"})
    template = tmp_path / "claim.form.json"
    template.write_text(json.dumps(CLAIM))
    with reviewing(table, "--form", str(template)) as review, visiting(browser) as visit:
        page = begin(visit(review.url))
        number, alert = page.get_by_label("What stands there?"), page.get_by_role("alert")
        expect_field(page, "95")
        press(page, "Enter")
        expect_field(page, "665")
        press(page, *"765", "Enter")
        expect(alert).to_contain_text("differs by 660. If it stands there so, confirm it again.")
        press(page, *"765")
        expect(number).to_have_value("765")
        press(page, "Enter")
        expect(page.get_by_role("heading", name="All fields are settled")).to_be_visible()
        assert said(table) == [(2, "95"), (3, "765")]
        # What is added to it on purpose is added.
        press(page, "Backspace")
        expect_field(page, "665")
        press(page, *"765", "Enter")
        expect(alert).to_contain_text("confirm it again")
        press(page, "End", "7")
        expect(number).to_have_value("7657")


@pytest.mark.parametrize("blind", [False, True])
def test_why_there_is_no_grid_is_said(browser: Browser, tmp_path: Path, blind: bool) -> None:
    read = [("7", "review", 0.5), ("4", "review", 0.6), ("4", "review", 0.7)]
    table = table_of(tmp_path / "results.csv", read, pictures=True)
    with reviewing(table, *["--blind"] * blind) as review, visiting(browser) as visit:
        page = begin(visit(review.url))
        expect(page.locator("#source")).to_have_text("1.png")
        press(page, "g")
        why = "What was read is hidden" if blind else "No other field was read like this one"
        expect(page.get_by_role("alert")).to_contain_text(why)
        press(page, *(["7"] * blind), "Enter")
        if not blind:
            expect(page.get_by_role("heading", name="All of these were read as 4.")).to_be_visible()
        else:
            expect(page.locator("#source")).to_have_text("2.png")


def test_a_review_that_has_ended_is_said_and_nothing_is_lost(browser: Browser, table: Path) -> None:
    with reviewing(table) as review, visiting(browser) as visit:
        page = begin(visit(review.url, errors=("ERR_CONNECTION",)))
        expect_field(page, "17")
        press(page, "Enter")
        expect_field(page, "20")
        review.stop()
        press(page, "Enter")
        expect(page.get_by_role("alert")).to_contain_text("What you decided is on the disk")
    assert said(table) == [(1, "17")]


def test_a_thumb_reviews_on_a_phone(browser: Browser, table: Path) -> None:
    with reviewing(table) as review, visiting(browser) as visit:
        phone = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
        page = begin(visit(review.url, color_scheme="dark", **phone))
        for text, name in zip(
            TEXTS, ["Right", "21", "Crossed out", "Blank", "Unreadable"], strict=False
        ):
            expect_field(page, text)
            page.get_by_role("button", name=name, exact=True).tap()
        expect_field(page, "68")
        page.get_by_role("button", name="Back").tap()
        expect_field(page, "52")
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        brand, figures = (page.locator(part).bounding_box() for part in (".brand", "#figures"))
        assert brand
        assert figures
        beside = figures["x"] - brand["x"] - brand["width"]
        assert max(beside, figures["y"] - brand["y"] - brand["height"]) >= 4
    assert said(table) == [(1, "17"), (2, "21"), (3, "/"), (4, "-"), (5, "?"), (5, None)]


def test_what_is_shown_is_spoken_and_has_a_name(browser: Browser, table: Path) -> None:
    with reviewing(table) as review, visiting(browser) as visit:
        page = begin(visit(review.url))
        expect(page.locator("#spoken")).to_have_text(
            "Read as 1 7. Confidence 0.5 is below 0.9. Second guess 1 1."
        )
        for found in page.locator("button:visible, input:visible, img:visible").all():
            name = found.evaluate(
                "node => (node.labels?.[0]?.textContent || node.ariaLabel || node.alt"
                " || node.textContent || node.parentNode.textContent).trim()"
            )
            assert name
        # Shift and Tab leave the field, whose Tab is a key of its own.
        page.keyboard.press("Shift+Tab")
        assert page.evaluate("document.activeElement.tagName") == "BUTTON"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(browser: Browser, tmp_path: Path, scheme: str) -> None:
    read = [(text, "review", 0.5) for text in ("7", "7", "4")]
    table = table_of(tmp_path / "results.csv", read, pictures=True)

    with reviewing(table) as review, visiting(browser) as visit:
        page = visit(review.url, color_scheme=scheme)
        assert_accessible(page)
        begin(page)
        expect_field(page, "7")
        assert_accessible(page)
        press(page, "g")
        expect(page.locator("#grid")).to_be_visible()
        press(page, "Space")
        assert_accessible(page)
        press(page, "Enter")
        expect(page.locator("#work")).to_be_visible()
        press(page, "Enter")
        expect_field(page, "4")
        press(page, "Enter")
        expect(page.locator("#end")).to_be_visible()
        assert_accessible(page)


def test_the_page_is_small_plain_and_its_own() -> None:
    for file in PAGE.iterdir():
        text = file.read_text("utf-8")
        assert len(text) < 20_000
        assert not re.search(r"https?:|[\"'(]//|style=|<script(?![^>]*src=)| on\w+=\"", text), file
