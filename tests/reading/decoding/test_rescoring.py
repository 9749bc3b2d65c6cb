import numpy as np
import pytest
from every_path import all_texts, drawn, line_of, peaky

from inkdigit.reading.alphabet import DIGITS, LINE_ALPHABET
from inkdigit.reading.decoding import rescoring as module
from inkdigit.reading.decoding.posteriors import Posteriors
from inkdigit.reading.decoding.rescoring import Hypothesis, choose
from inkdigit.reading.options import ReadOptions


def joined(*lines: Posteriors) -> Posteriors:
    return Posteriors(np.concatenate([one.probabilities for one in lines]), lines[0].symbols)


def chosen(*looks: Posteriors, **options: str) -> list[Hypothesis]:
    return choose(looks, ReadOptions(**options))  # type: ignore[arg-type]


def test_the_likeliest_path_of_a_line_with_its_probability() -> None:
    rng = np.random.default_rng(0)
    lines = Posteriors(drawn(rng, 8, 4, "01", DIGITS), DIGITS)
    for frames, found in zip(lines.probabilities, chosen(lines), strict=True):
        texts = all_texts(frames, DIGITS)
        assert found.probability == pytest.approx(texts[found.text])
        if max(texts.values()) > 0.5:
            assert found.text == max(texts, key=texts.__getitem__)


@pytest.mark.parametrize("pattern", [r"[01]{2}", "0|11?", r"\d*"])
def test_under_a_pattern_the_likeliest_that_fits_among_those_that_do(pattern: str) -> None:
    lines = Posteriors(drawn(np.random.default_rng(1), 8, 4, "01", DIGITS), DIGITS)
    asked = ReadOptions(pattern=pattern)
    for frames, found in zip(lines.probabilities, choose([lines], asked), strict=True):
        texts = {t: p for t, p in all_texts(frames, DIGITS).items() if asked.fits(t)}
        assert found.text == max(texts, key=texts.__getitem__)
        assert found.probability == pytest.approx(texts[found.text] / sum(texts.values()))


def test_a_text_counts_by_its_mean_over_the_looks() -> None:
    # The first look proposes 17, the second 11, and both together say 11.
    first = line_of({"1": 0.99}, {}, {"7": 0.6, "1": 0.4})
    second = line_of({"1": 0.99}, {}, {"1": 0.9, "7": 0.1})
    assert chosen(first)[0].text == "17"
    (found,) = chosen(first, second)
    assert found == Hypothesis("11", pytest.approx(0.99 * (0.4 + 0.9) / 2))


def test_a_look_that_helps_says_what_it_is_and_not_how_sure_that_is() -> None:
    first = line_of({"1": 0.99}, {}, {"7": 0.6, "1": 0.4})
    helping = line_of({"1": 0.99}, {}, {"1": 0.9, "7": 0.1})
    (found,) = choose([first], ReadOptions(), [helping])
    assert found == Hypothesis("11", pytest.approx(0.99 * 0.4))
    (fitting,) = choose([first], ReadOptions(pattern=r"\d[17]"), [helping])
    assert fitting == Hypothesis("11", pytest.approx(0.4))


def test_looks_are_at_the_same_lines_and_may_be_of_other_lengths() -> None:
    one, two = line_of({"1": 0.9}, {"2": 0.9}), line_of({"3": 0.8}, {"4": 0.8})
    again = Posteriors(
        np.pad(joined(one, two).probabilities, ((0, 0), (0, 3), (0, 0))), one.symbols
    )
    again.probabilities[:, -3:, -1] = 1
    together = chosen(joined(one, two), again)
    assert together == [*chosen(one), *chosen(two)]
    assert [found.text for found in together] == ["12", "34"]


def test_what_a_check_rules_out_is_taken_from_the_others() -> None:
    line = line_of({"1": 1.0}, {}, {"7": 0.5, "9": 0.3, "8": 0.19, "5": 0.01})
    (found,) = chosen(line, check="luhn")
    # Of 17, 19, 18 and 15 only 18 passes; 17 and 19, tried before, are out.
    assert found == Hypothesis("18", pytest.approx(0.19 / 0.2))


def test_where_nothing_passes_the_likeliest_comes_with_no_probability() -> None:
    sure = line_of({"1": 1.0}, {}, {"7": 1.0})
    assert chosen(sure, check="luhn") == [Hypothesis("17", 0.0)]
    assert chosen(sure, pattern=r"\d{3}") == [Hypothesis("", 0.0)]
    assert chosen(sure, pattern=r"17", check="luhn") == [Hypothesis("17", 0.0)]


def test_no_lines() -> None:
    none = Posteriors.of(np.zeros((0, 5, len(LINE_ALPHABET) + 1)))
    assert chosen(none) == chosen(none, pattern=r"\d") == chosen(none, none, none) == []


def test_many_texts_are_weighed_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = Posteriors.of(peaky(np.random.default_rng(2), 12))
    whole = chosen(lines, check="luhn"), chosen(lines, lines)
    monkeypatch.setattr(module, "_LATTICE_SIZE", 1)
    parts = chosen(lines, check="luhn"), chosen(lines, lines)
    for found, expected in zip(parts, whole, strict=True):
        assert [one.text for one in found] == [one.text for one in expected]
        assert [one.probability for one in found] == pytest.approx(
            [one.probability for one in expected]
        )
