"""Which grey comes of colours, and which paper under transparency."""

import io
import time
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image, ImageDraw
from samples import COLOURS, encoded, farthest

from inkdigit.images import Grey, open_grey

Colour = tuple[int, ...]
WHITE, BLACK, NOTHING = (255, 255, 255), (0, 0, 0), (0, 0, 0, 0)


def seven(
    size: tuple[int, int], paper: Colour, ink: Colour, width: float = 0.05
) -> tuple[Image.Image, npt.NDArray[np.bool_]]:
    """A 7 on paper, and where it is drawn."""
    places = [(0.3, 0.2), (0.7, 0.2), (0.4, 0.8)]
    line = [(x * size[0], y * size[1]) for x, y in places]
    thick = max(1, round(width * min(size)))
    drawn, where = (
        Image.new("RGBA" if len(paper) == 4 else "RGB", size, paper),
        Image.new("1", size),
    )
    ImageDraw.Draw(drawn).line(line, fill=ink, width=thick)
    ImageDraw.Draw(where).line(line, fill=1, width=thick)
    return drawn, np.asarray(where)


def contrast(grey: Grey, where: npt.NDArray[np.bool_]) -> float:
    """How much darker the ink is than the paper."""
    return float(np.median(grey[~where])) - float(np.median(grey[where]))


def as_jpeg(image: Image.Image, quality: int) -> bytes:
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=quality)
    return stream.getvalue()


# Colour


@pytest.mark.parametrize("size", [(60, 50), (120, 100), (1200, 900), (3000, 40)])
@pytest.mark.parametrize(
    ("paper", "ink"),
    [
        ((150, 80, 60), (60, 95, 200)),  # blue pen on red-brown paper, as dark
        ((255, 255, 255), (255, 240, 0)),  # yellow on white
        ((200, 100, 100), (60, 160, 110)),  # green on red
        ((0, 0, 0), (0, 0, 255)),  # blue on black
        ((255, 200, 220), (200, 220, 255)),  # pale blue on pale pink
    ],
)
def test_ink_of_another_colour_stands_out(
    size: tuple[int, int], paper: Colour, ink: Colour
) -> None:
    drawn, where = seven(size, paper, ink)
    assert abs(contrast(np.array(drawn.convert("L")), where)) < 40
    apart = float(np.linalg.norm(np.subtract(paper, ink)))
    # Paper light, ink dark, as far apart as their colours are.
    assert contrast(open_grey(drawn), where) == pytest.approx(min(apart, 255), rel=0.05)
    assert contrast(open_grey(as_jpeg(drawn, 90)), where) > 0.6 * min(apart, 255)


@pytest.mark.parametrize(
    ("paper", "ink"),
    [
        (WHITE, BLACK),
        (WHITE, (30, 40, 160)),  # blue pen
        (WHITE, (200, 30, 30)),  # red pen
        ((250, 240, 200), (90, 90, 100)),  # pencil on cream
        (BLACK, (250, 250, 200)),  # chalk
        ((90, 90, 90), (100, 100, 100)),  # hardly anything
    ],
)
def test_luminance_stays_where_it_shows_the_ink(paper: Colour, ink: Colour) -> None:
    drawn, _ = seven((120, 100), paper, ink)
    assert (open_grey(drawn) == np.array(drawn.convert("L"))).all()


def test_black_ink_survives_a_marker_and_a_bright_thing_beside_it() -> None:
    drawn, where = seven((400, 300), WHITE, BLACK)
    pixels = np.asarray(drawn).copy()
    pixels[40:260, 100:250][~where[40:260, 100:250]] = (255, 240, 0)
    pixels[:, 350:] = (255, 0, 255)
    assert (open_grey(pixels) == np.array(Image.fromarray(pixels).convert("L"))).all()


@pytest.mark.parametrize("quality", [20, 50, 90])
def test_the_noise_of_a_jpeg_is_not_taken_for_colour(quality: int) -> None:
    rng = np.random.default_rng(0)
    for ink in (BLACK, (150, 150, 150), (225, 225, 225), (235, 235, 235)):
        drawn, _ = seven((300, 200), (235, 235, 235), ink)
        noisy = (np.asarray(drawn) + rng.normal(0, 6, (200, 300, 3))).clip(0, 255)
        content = as_jpeg(Image.fromarray(noisy.astype(np.uint8)), quality)
        plain = np.array(Image.open(io.BytesIO(content)).convert("L"))
        assert (open_grey(content) == plain).all()


def test_shade_over_coloured_paper_does_not_hide_coloured_ink() -> None:
    drawn, where = seven((400, 300), (150, 80, 60), (60, 95, 200))
    shade = np.linspace(0.5, 1, 400)[None, :, None]
    shaded = np.rint(np.asarray(drawn) * shade).astype(np.uint8)
    grey = open_grey(shaded).astype(int)
    for part in (slice(120, 200), slice(200, 280)):
        assert contrast(grey[:, part].astype(np.uint8), where[:, part]) > 40


@pytest.mark.parametrize("size", [(1, 1), (2, 2), (1, 50), (50, 1), (3, 3), (30_000, 20)])
def test_any_size_of_coloured_picture_opens(size: tuple[int, int]) -> None:
    assert open_grey(Image.new("RGB", size, (150, 80, 60))).shape == size[::-1]
    noise = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), np.uint8)
    assert open_grey(noise).shape == size[::-1]


@pytest.mark.parametrize(("size", "times"), [((120, 100), 150), ((1200, 900), 30)])
def test_finding_the_colours_is_cheap(size: tuple[int, int], times: float) -> None:
    """Against Pillow's own work on the same picture, both in time of the processor."""
    drawn, _ = seven(size, (150, 80, 60), (60, 95, 200))
    assert seconds(lambda: open_grey(drawn)) < times * seconds(lambda: drawn.convert("L"))


# Transparency


def opaque(image: Image.Image) -> npt.NDArray[np.uint8]:
    return np.asarray(image.convert("RGBA")).copy()


@pytest.mark.parametrize(
    ("ink", "paper"),
    [(BLACK, 255), ((40, 40, 160), 255), ((200, 30, 30), 255), (WHITE, 0), ((255, 240, 0), 0)],
)
@pytest.mark.parametrize("width", [0.02, 0.1, 0.3])
def test_strokes_on_nothing_lie_on_paper_that_they_stand_out_from(
    ink: Colour, paper: int, width: float
) -> None:
    drawn, where = seven((200, 200), NOTHING, (*ink, 255), width)
    grey = open_grey(drawn)
    assert (grey[~where] == paper).all()
    assert abs(contrast(grey, where)) > 100


@pytest.mark.parametrize(("shade", "paper"), [(0, 255), (255, 0)])
def test_a_shape_that_is_only_in_the_opacity(shade: int, paper: int) -> None:
    opacity = np.zeros((50, 40), np.uint8)
    opacity[10:40, 15:22] = np.arange(30)[:, None] * 5
    pixels = np.dstack([np.full((50, 40, 3), shade, np.uint8), opacity])
    expected = opacity / 255 * shade + (1 - opacity / 255) * paper
    assert np.abs(open_grey(pixels) - expected).max() <= 1


@pytest.mark.parametrize(
    ("paper", "ink"),
    [
        (WHITE, BLACK),
        ((250, 240, 200), (30, 40, 160)),
        ((184, 184, 184), BLACK),
        ((40, 60, 50), WHITE),
        (WHITE, WHITE),  # a blank page
        ((250, 240, 200), (250, 240, 200)),
    ],
)
def test_clear_margins_of_a_page_become_its_paper(paper: Colour, ink: Colour) -> None:
    page, _ = seven((300, 400), paper, ink)
    turned = page.convert("RGBA").rotate(7, expand=True, fillcolor=NOTHING)
    grey = open_grey(turned)
    clear = np.asarray(turned)[..., 3] == 0
    assert clear.any()
    assert np.abs(grey[clear] - np.median(open_grey(page))).max() <= 1


def test_a_label_on_nothing_is_a_page_too() -> None:
    label, where = seven((120, 80), (240, 230, 90), BLACK)
    pixels = np.zeros((300, 300, 4), np.uint8)
    pixels[100:180, 90:210] = opaque(label)
    grey = open_grey(pixels)
    assert abs(float(grey[0, 0]) - float(np.median(grey[100:180, 90:210]))) <= 1
    assert contrast(grey[100:180, 90:210], where) > 150


@pytest.mark.parametrize(("ink", "paper"), [(0, 255), (90, 255), (255, 0), (200, 0)])
def test_ink_on_nothing_is_laid_on_paper_that_it_stands_out_from(ink: int, paper: int) -> None:
    drawn = np.zeros((20, 20, 4), np.uint8)
    drawn[5:15, 8:12] = (ink, ink, ink, 255)
    drawn[4, 8:12] = (ink, ink, ink, 128)
    expected = np.full((20, 20), paper)
    expected[5:15, 8:12] = ink
    expected[4, 8:12] = round(ink * 128 / 255 + paper * 127 / 255)
    for source in (drawn, Image.fromarray(drawn), encoded(Image.fromarray(drawn), "PNG")):
        assert farthest(open_grey(source), expected) <= 1


def test_what_lies_under_full_transparency_does_not_show() -> None:
    hidden = np.dstack([COLOURS, np.zeros(COLOURS.shape[:2], np.uint8)])
    assert farthest(open_grey(hidden), np.full(COLOURS.shape[:2], 255)) == 0


def test_strokes_cut_out_of_a_light_page_show() -> None:
    _, where = seven((100, 100), WHITE, BLACK)
    pixels = np.full((100, 100, 4), 255, np.uint8)
    pixels[where, 3] = 0
    assert contrast(open_grey(pixels), where) == 255


def test_wholly_clear_is_blank_and_wholly_opaque_is_itself() -> None:
    drawn, _ = seven((100, 100), WHITE, BLACK)
    pixels = opaque(drawn)
    assert (open_grey(pixels) == open_grey(drawn)).all()
    pixels[..., 3] = 0
    assert (open_grey(pixels) == 255).all()


def test_a_faint_veil_over_all_keeps_what_is_under_it() -> None:
    drawn, where = seven((100, 100), (230, 230, 230), (20, 20, 20))
    for opacity in (90, 200, 254):
        pixels = opaque(drawn)
        pixels[..., 3] = opacity
        assert contrast(open_grey(pixels), where) == pytest.approx(210 * opacity / 255, abs=2)


def test_coloured_ink_on_clear_margins_of_coloured_paper() -> None:
    page, where = seven((300, 200), (150, 80, 60), (60, 95, 200))
    pixels = np.zeros((240, 340, 4), np.uint8)
    pixels[20:220, 20:320] = opaque(page)
    grey = open_grey(pixels)
    assert contrast(grey[20:220, 20:320], where) > 100
    assert abs(float(grey[0, 0]) - float(np.median(grey))) <= 1


def seconds(action: Callable[[], object]) -> float:
    took = []
    for _ in range(7):
        start = time.thread_time()
        action()
        took.append(time.thread_time() - start)
    return min(took)
