import numpy as np
import pytest

from inkdigit.learning.synthesis.texts import RAISED, STRUCK, TOKENS, as_read, invent_text
from inkdigit.reading.alphabet import LINE_ALPHABET


def test_texts_are_read_in_the_alphabet_alone_and_all_of_it() -> None:
    rng = np.random.default_rng(0)
    texts = [invent_text(rng) for _ in range(3000)]
    read = [as_read(text) for text in texts]
    assert {character for text in read for character in text} == set(LINE_ALPHABET)
    assert min(map(len, read)) == 0
    assert max(map(len, read)) >= 14
    written = "".join(texts)
    assert STRUCK in written
    assert " " in written
    assert set(RAISED) & set(written)


@pytest.mark.parametrize(
    ("written", "read", "tokens"),
    [
        ("12 345.-", "12345.-", 8),
        (f"1{STRUCK}2{STRUCK} 34", "??34", 4),
        (f"5{STRUCK}³7", "??7", 2),
        ("25²", "25?", 3),
        ("Oslo 2746", "????2746", 9),
        ("1000", "1000", 2),
    ],
)
def test_what_is_to_be_read(written: str, read: str, tokens: int) -> None:
    assert as_read(written) == read
    assert len(TOKENS.findall(written)) == tokens
    assert "".join(TOKENS.findall(written)) == written
