import cv2
import numpy as np
import numpy.typing as npt
import pytest
from scripted import SURE, Grey, ScriptedLine, bars

from inkdigit.errors import SettingError
from inkdigit.reading import LineModel, ReadOptions, tta
from inkdigit.reading.alphabet import LINE_ALPHABET
from inkdigit.reading.model_file import COLUMNS_PER_FRAME, FALLBACK
from inkdigit.reading.preprocessing.line import LINE_HEIGHT, extract_line
from inkdigit.reading.reader import LINE_MODEL
from inkdigit.reading.tta import (
    PADDED_TO,
    VIEWS_ALONE,
    VIEWS_WITH_FALLBACK,
    classify_views,
    deslanted,
    evened,
    pad,
    run_batched,
    view_lines,
    widened,
)

Floats = npt.NDArray[np.float32]
CLASSES = len(LINE_ALPHABET) + 1


class Counting:
    """A network whose frames tell the ink in them; it notes the batches that it was shown."""

    def __init__(self) -> None:
        self.shown: list[Grey] = []

    def __call__(self, images: npt.NDArray[np.uint8]) -> Floats:
        self.shown.append(images)
        count, height, width = images.shape
        ink = images.reshape(count, height, width // COLUMNS_PER_FRAME, COLUMNS_PER_FRAME)
        output = np.zeros((count, width // COLUMNS_PER_FRAME, CLASSES), np.float32)
        output[:, :, 0] = ink.mean(axis=(1, 3)) / 255
        output[:, :, -1] = 1 - output[:, :, 0]
        return output


def noise(*widths: int) -> list[Grey]:
    rng = np.random.default_rng(0)
    return [rng.integers(0, 256, (LINE_HEIGHT, width), np.uint8) for width in widths]


def stroke(slant: float, width: int = 160) -> Grey:
    """A stroke 4 pixels wide from top to bottom that leans to the right."""
    pixels = np.zeros((LINE_HEIGHT, width), np.uint8)
    for y in range(2, LINE_HEIGHT - 2):
        left = round(width / 2 - slant * (y - LINE_HEIGHT / 2))
        pixels[y, left : left + 4] = 255
    return pixels


def ink_width(pixels: Grey) -> int:
    return int(np.ptp(np.flatnonzero((pixels > 127).any(axis=0)))) + 1


# Batches


def test_images_are_padded_with_paper_to_the_right() -> None:
    images = noise(3, 17, 8)
    padded = pad(images, 8)
    assert (padded.shape, padded.dtype) == ((3, LINE_HEIGHT, 24), np.uint8)
    for row, image in zip(padded, images, strict=True):
        assert (row[:, : image.shape[1]] == image).all()
        assert not row[:, image.shape[1] :].any()
    assert pad(noise(16), 8).shape[2] == 16


@pytest.mark.parametrize("most", [16_384, 64, 1])
def test_a_batch_says_what_each_line_would_alone(
    most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tta, "_MOST_COLUMNS", most)
    images = noise(40, 16, 41, 33, 39, 200, 17, 16, 40)
    network = Counting()
    together = run_batched(network, images)
    assert together.shape == (9, 100, CLASSES)
    # Only those of one width, rounded up, share a batch.
    widths = sorted(-(-image.shape[1] // PADDED_TO) * PADDED_TO for image in images)
    shown = [batch.shape[2] for batch in network.shown for _ in batch]
    assert sorted(shown) == widths
    assert all(batch.shape[2] * len(batch) <= max(most, batch.shape[2]) for batch in network.shown)
    for image, found in zip(images, together, strict=True):
        alone = run_batched(Counting(), [image])[0]
        assert (found[: len(alone)] == alone).all()
        assert (found[len(alone) :] == np.eye(CLASSES)[-1]).all()


def test_the_network_in_the_package_says_the_same_in_a_batch_and_alone() -> None:
    network = LineModel.load(LINE_MODEL).frames
    images = noise(40, 64, 33, 90, 40)
    together = run_batched(network, images)
    for image, found in zip(images, together, strict=True):
        alone = run_batched(network, [image])[0]
        assert found[: len(alone)] == pytest.approx(alone, abs=1e-5)


# Views


@pytest.mark.parametrize("slant", [-0.3, -0.2, 0.0, 0.1, 0.2, 0.4, 0.6, 0.8])
def test_a_known_slant_is_taken_out(slant: float) -> None:
    pixels = stroke(slant)
    found = deslanted(pixels)
    assert found.dtype == np.uint8
    assert found.shape[0] == LINE_HEIGHT
    assert ink_width(found) <= 4 + 0.1 * LINE_HEIGHT
    assert ink_width(found) <= ink_width(pixels)
    # No ink is lost, however near the end it stood.
    assert float(found.sum()) == pytest.approx(float(pixels.sum()), rel=0.05)


def test_what_stands_upright_stays_so() -> None:
    pixels = np.hstack([stroke(0.0, 40), stroke(0.0, 40)])
    found = deslanted(pixels)
    columns = np.flatnonzero(found.any(axis=0))
    assert (found[:, columns[0] : columns[-1] + 1] == pixels[:, 20:64]).all()


def test_a_line_is_made_wider() -> None:
    pixels = stroke(0.0)
    assert widened(pixels).shape == (LINE_HEIGHT, 192)
    assert widened(pixels, 0.5).shape == (LINE_HEIGHT, 80)
    assert widened(pixels, 0.01).shape == (LINE_HEIGHT, LINE_HEIGHT // 2)
    assert ink_width(widened(pixels, 2)) == pytest.approx(8, abs=1)


def degrees(digit: Grey) -> float:
    """How far a bar is turned from the upright, to the right."""
    moments = cv2.moments(digit)
    spread = moments["mu02"] - moments["mu20"]
    return float(np.degrees(0.5 * np.arctan2(-2 * moments["mu11"], spread)))


def test_digits_are_classified_by_the_mean_of_their_views() -> None:
    digits = np.zeros((2, 28, 28), np.uint8)
    digits[:, 4:24, 12:16] = 255
    digits[1, 4:24, 15] = 0
    answers = np.random.default_rng(0).dirichlet(np.ones(11), (3, 2)).astype(np.float32)
    shown: list[Grey] = []

    def network(images: npt.NDArray[np.uint8]) -> Floats:
        shown.append(images)
        return answers[len(shown) - 1]

    found = classify_views(network, digits)
    assert found.dtype == np.float32
    assert found == pytest.approx(answers.mean(axis=0))
    assert (shown[0] == digits).all()
    for view, expected in zip(shown, (0, 8, -8), strict=True):
        assert (view.shape, view.dtype) == (digits.shape, np.uint8)
        assert [degrees(digit) for digit in view] == pytest.approx([expected] * 2, abs=0.5)


def test_digits_of_any_height_and_level_are_made_even() -> None:
    line = np.zeros((LINE_HEIGHT, 140), np.uint8)
    cv2.line(line, (20, 1), (24, 30), 255, 3)
    cv2.line(line, (70, 20), (72, 30), 255, 2)
    cv2.line(line, (120, 1), (121, 12), 255, 2)
    even = evened(line)
    labels, _, stats, _ = cv2.connectedComponentsWithStats(np.asarray(even > 127, np.uint8))
    assert labels == 4
    assert even.shape[1] > line.shape[1]
    tops, heights = stats[1:, cv2.CC_STAT_TOP], stats[1:, cv2.CC_STAT_HEIGHT]
    assert np.ptp(tops) <= 4
    assert heights.min() >= 0.8 * LINE_HEIGHT
    blank = np.zeros((LINE_HEIGHT, 40), np.uint8)
    assert np.array_equal(evened(blank), blank)


# Which lines are looked at again


def line_of(count: int) -> Grey:
    found = extract_line(bars(count))
    assert found is not None
    return found.pixels


def test_what_one_view_is_sure_of_is_not_looked_at_again() -> None:
    sure = ScriptedLine("1", "2")
    views = view_lines(sure.frames, [line_of(2)] * 3)
    assert views.doubt == []
    assert views.looks == []
    assert views.fallback is None
    assert [found.text for found in views.unconstrained] == ["12"] * 3
    assert [found.text for found in views.choose(ReadOptions(pattern=r"1\d"))] == ["12"] * 3


def test_lines_in_doubt_are_looked_at_in_every_view_and_the_others_in_one() -> None:
    # Lines of three bars are as wide again as those of two.
    narrow, wide = line_of(2), line_of(3)
    doubtful, certain = ScriptedLine("1", {"2": 0.6, "7": 0.4}), ScriptedLine("3", "4", "5")

    def network(images: npt.NDArray[np.uint8]) -> Floats:
        return (certain if images.shape[2] > 1.15 * widest else doubtful).frames(images)

    widest = max(view(narrow).shape[1] for view in VIEWS_ALONE)
    very_wide = widened(wide, 2)
    views = view_lines(network, [narrow, very_wide, narrow])
    assert views.doubt == [0, 2]
    assert len(views.first) == 3
    assert [len(look) for look in views.looks] == [2] * (1 + len(VIEWS_ALONE))
    assert [len(look) for look in views.helping] == [2]
    assert view_lines(network, [narrow, very_wide], helped=False).helping == []
    assert views.fallback is None
    assert [found.text for found in views.unconstrained] == ["12", "345", "12"]
    assert [found.text for found in views.choose(ReadOptions(pattern=r"1[37]|\d{3}"))] == [
        "17", "345", "17",
    ]  # fmt: skip


def test_the_fallback_looks_at_lines_in_doubt_only_and_as_they_are() -> None:
    first = ScriptedLine("1", {"2": 0.6, "7": 0.4})
    second = ScriptedLine("1", "7")
    shown: list[Grey] = []

    def fallback(images: npt.NDArray[np.uint8]) -> Floats:
        shown.append(images)
        return second.frames(images)

    line = line_of(2)
    views = view_lines(first.frames, [line, line], {FALLBACK: fallback})
    assert views.doubt == [0, 1]
    assert len(views.looks) == 1 + len(VIEWS_WITH_FALLBACK) + 1
    assert views.fallback is views.looks[-1]
    assert len(views.fallback) == 2
    (batch,) = shown
    assert (batch[:, :, : line.shape[1]] == line).all()
    looks = 1 + len(VIEWS_WITH_FALLBACK)
    for found in views.unconstrained:
        assert found.text == "17"
        assert found.probability == pytest.approx(SURE * (looks * 0.4 + SURE) / (looks + 1))
    assert view_lines(second.frames, [line], {FALLBACK: fallback}).doubt == []
    assert len(shown) == 1


def test_all_further_networks_look_at_lines_in_doubt() -> None:
    adapted, before = ScriptedLine("1", {"7": 0.9, "2": 0.1}).frames, ScriptedLine("1", "2").frames
    others = {FALLBACK: adapted, "witness_first": before, "witness_fallback": before}
    views = view_lines(adapted, [line_of(2)], others)
    assert len(views.looks) == 1 + len(VIEWS_WITH_FALLBACK) + len(others)
    assert views.fallback is views.looks[1 + len(VIEWS_WITH_FALLBACK)]
    (found,) = views.unconstrained
    # Three looks of the adapted networks, and two of those of before.
    assert found.text == "17"
    assert found.probability == pytest.approx(0.6 * 0.9, abs=0.002)


def test_a_pattern_that_takes_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("inkdigit.reading.decoding.search._LARGEST_TABLE", 100)
    views = view_lines(ScriptedLine("1").frames, [line_of(1)])
    with pytest.raises(SettingError, match="too many for a line this long"):
        views.choose(ReadOptions(pattern=r"\d{9}"))
