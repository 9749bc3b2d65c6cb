import numpy as np
import pytest

from inkdigit.learning.synthesis import paper
from inkdigit.learning.synthesis.paper import Backgrounds, photograph


@pytest.fixture(scope="module")
def papers() -> Backgrounds:
    return Backgrounds(np.random.default_rng(0))


def test_paper_keeps_the_shape_and_shows_the_ink(
    papers: Backgrounds, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paper, "photograph", lambda grey, _: (grey * 255).clip(0, 255))
    ink = np.zeros((60, 240), np.uint8)
    ink[20:40, 40:200] = 255
    told_apart = 0
    for seed in range(60):
        picture = papers.put(ink, np.random.default_rng(seed))
        assert picture.shape == ink.shape
        assert ink[0].max() == 0  # what was given is not written into
        inside, outside = picture[22:38, 42:198], picture[44:56, 42:198]
        told_apart += abs(np.median(inside) - np.median(outside)) > 20
    assert told_apart > 50


def test_a_photograph_keeps_the_proportions() -> None:
    grey = np.linspace(0, 1, 80 * 320, dtype=np.float32).reshape(80, 320)
    sizes = set()
    for seed in range(40):
        picture = photograph(grey, np.random.default_rng(seed))
        assert picture.dtype == np.uint8
        height, width = picture.shape
        assert width / 320 == pytest.approx(height / 80, abs=0.02)
        assert picture[-8:].mean() > picture[:8].mean() + 100  # light stays light
        sizes.add(picture.shape)
    assert len(sizes) > 5
    assert max(sizes) == (80, 320)


@pytest.mark.parametrize(("paper", "ink"), [(0.6, 0.2), (0.1, 0.5), (0.45, 0.1)])
def test_some_scanners_leave_black_and_white_alone(paper: float, ink: float) -> None:
    grey = np.full((60, 200), paper, np.float32)
    grey[20:40, 50:54] = grey[20:40, 146:150] = ink
    bilevel = [
        picture
        for picture in (photograph(grey, np.random.default_rng(seed)) for seed in range(200))
        if {*np.unique(picture).tolist()} == {0, 255}
    ]
    assert 5 < len(bilevel) < 30
    for picture in bilevel:
        darker = picture == (0 if ink < paper else 255)
        first, between, last = (
            darker[:, round(start * darker.shape[1]) : round(end * darker.shape[1])].mean()
            for start, end in ((0.25, 0.27), (0.3, 0.7), (0.73, 0.75))
        )
        assert min(first, last) > 0.15 + between


def test_some_rules_are_dotted() -> None:
    dashes = []
    for seed in range(300):
        darkness = np.zeros((60, 240), np.float32)
        paper._rule(darkness, 1.0, np.random.default_rng(seed))
        across = darkness[:, 8:-8].max(axis=0) > 0
        if across.any():
            dashes.append(int(np.count_nonzero(np.diff(across.astype(int)) == 1)))
    assert 100 < len(dashes) < 240
    assert 0.1 < np.mean(np.array(dashes) > 10) < 0.35


def test_papers_are_the_same_for_the_same_seed(papers: Backgrounds) -> None:
    again = Backgrounds(np.random.default_rng(0))
    ink = np.full((40, 90), 120, np.uint8)
    for seed in range(5):
        one, other = (p.put(ink, np.random.default_rng(seed)) for p in (papers, again))
        assert np.array_equal(one, other)
