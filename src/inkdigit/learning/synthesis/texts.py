"""What stands in a line.

A text is as it is written: a space is a wide gap, a digit of `RAISED` a small one high up, and a
character before `STRUCK` is struck out. What is neither digit nor mark is a letter, and `?` any
other ink.
"""

import re

import numpy as np

from inkdigit.learning.synthesis.pixels import Random
from inkdigit.reading.alphabet import DIGITS, LINE_ALPHABET, MARKS, NOT_A_DIGIT

RAISED = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹", DIGITS, strict=True))
STRUCK = "\N{COMBINING LONG STROKE OVERLAY}"
# What is written in one go: what one stroke goes through with what stands above it, several zeros,
# or a character.
TOKENS = re.compile(f"(?:.{STRUCK})+[{''.join(RAISED)}]*|00+|.")

_LENGTHS = range(1, 15)
_LENGTH_SHARES = np.array((10, 16, 16, 18, 14, 10, 6, 4, 1, 1, 1, 1, 1, 1)) / 100
_SEPARATOR_SHARES = (0.4, 0.2, 0.4)
_PAGE_SHARES = (0.34, 0.24, 0.18, 0.1, 0.08, 0.03, 0.03)
# Amounts begin with small digits (Benford 1938).
_FIRST_SHARES = np.log10(1 + 1 / np.arange(1, 10))
_ENDINGS = (".", ".", ".-", ",-", "-", "-", "=", "=", ".=", "--", "/-", "/-", "#", "?", "-?", ".?")
_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


def as_read(text: str) -> str:
    """Return what a reader is to say of a text: its digits and marks, and `?` for other ink."""
    characters = re.findall(f".{STRUCK}?", text.replace(" ", ""))
    return "".join(c if c in LINE_ALPHABET else NOT_A_DIGIT for c in characters)


def invent_text(rng: Random) -> str:
    """Return what might stand in a field: amounts, years, codes; now and then nothing, or letters.

    `?` stands for ink that is no digit.
    """
    kind = rng.random()
    if kind < 0.02:
        return ""
    if kind < 0.06:
        return NOT_A_DIGIT * int(rng.integers(1, 7))
    if kind < 0.14:
        return _year(rng)
    if kind < 0.2:
        return _in_groups(rng)
    text = some_digits(int(rng.choice(_LENGTHS, p=_LENGTH_SHARES)), rng)
    if kind < 0.28:
        text = _with_separator(text, rng.choice(["-", "/", "."], p=_SEPARATOR_SHARES), rng)
    elif kind < 0.54:
        text = amount(text, rng)
    elif kind < 0.59:
        place = int(rng.integers(len(text) + 1))
        text = text[:place] + NOT_A_DIGIT + text[place:]
    elif kind < 0.64:
        text = corrected(text, rng)
    elif kind < 0.66:
        text = with_raised_end(text, rng)
    elif kind < 0.71:
        text = beside_word(text, rng)
    return _with_sign(text, rng)


def number_text(rng: Random) -> str:
    """Return a number of at least two digits as it stands on a page: amounts, dates, codes."""
    digits = some_digits(int(rng.choice(_LENGTHS[1:8], p=_PAGE_SHARES)), rng)
    kind = rng.random()
    if kind < 0.62:
        return digits
    if kind < 0.65:
        return "." + digits
    if kind < 0.77:
        place = max(0, len(digits) - int(rng.integers(1, 3)))
        return digits[:place] + str(rng.choice([".", ","])) + digits[place:]
    if kind < 0.84:
        return "/".join(str(rng.integers(1, most)) for most in (32, 13, 100)[: rng.integers(2, 4)])
    if kind < 0.9:
        return _with_separator(digits, str(rng.choice(["-", ".", "/"])), rng)
    return _year(rng) if kind < 0.97 else f"{digits} {some_digits(int(rng.integers(2, 4)), rng)}"


def with_raised_end(text: str, rng: Random) -> str:
    """Put one or two raised digits behind a number: cents, or a note's."""
    return text + "".join(rng.choice([*RAISED], int(rng.integers(1, 3))))


def beside_word(text: str, rng: Random) -> str:
    """Put a word before or behind a number."""
    word = "".join(rng.choice([*_LETTERS], int(rng.integers(2, 7))))
    return f"{word} {text}" if rng.random() < 0.5 else f"{text} {word}"


def corrected(text: str, rng: Random) -> str:
    """Strike out some digits or all, with what replaces them behind, above, or nowhere."""
    length = 1 if rng.random() < 0.5 else int(rng.integers(1, len(text) + 1))
    start = int(rng.integers(len(text) - length + 1))
    struck = "".join(digit + STRUCK for digit in text[start : start + length])
    above = "".join(rng.choice([*RAISED], length)) if rng.random() < 0.3 else ""
    whole = length == len(text)
    behind = some_digits(length, rng) if not above and rng.random() < 0.6 else ""
    return text[:start] + struck + above + " " * whole + behind + text[start + length :]


def _in_groups(rng: Random) -> str:
    """Return a long number in groups, as telephone numbers and those of accounts are written."""
    mark = str(rng.choice([" ", " ", " ", " ", *MARKS[:4]]))
    groups = [some_digits(int(n), rng) for n in rng.integers(2, 5, int(rng.integers(2, 5)))]
    return mark.join(groups)


def _with_sign(text: str, rng: Random) -> str:
    """Put a minus or a currency before a number, or a unit behind it, now and then."""
    kind = rng.random()
    if kind < 0.05:
        return "-" + text
    if kind < 0.1:
        return NOT_A_DIGIT + text
    return text + NOT_A_DIGIT if kind < 0.13 else text


def _year(rng: Random) -> str:
    """Return a year of the last four centuries, or any four digits."""
    text = str(rng.integers(1650, 2050)) if rng.random() < 0.5 else some_digits(4, rng)
    return text + str(rng.choice(["", "", "", ".", ","]))


def some_digits(length: int, rng: Random) -> str:
    """Return so many digits, runs of one digit oftener than chance has them."""
    text = "".join(map(str, rng.integers(0, 10, length)))
    if length > 1 and rng.random() < 0.25:  # runs of the same digit, zeros most of all
        run = int(rng.integers(2, length + 1))
        digit = "0" if rng.random() < 0.6 else str(rng.integers(0, 10))
        start = length - run if rng.random() < 0.6 else int(rng.integers(0, length - run + 1))
        text = text[:start] + digit * run + text[start + run :]
    return text


def _with_separator(text: str, mark: str, rng: Random) -> str:
    for _ in range(int(rng.integers(1, 3))):
        place = int(rng.integers(1, len(text))) if len(text) > 1 else 1
        if text[place - 1 : place] != mark:
            text = text[:place] + mark + text[place:]
    return text


def amount(text: str, rng: Random) -> str:
    """Return digits as an amount is written: with marks in groups of three and at its end."""
    text = str(rng.choice(9, p=_FIRST_SHARES) + 1) + text[1:]
    if len(text) > 3 and rng.random() < 0.75:
        text = f"{int(text):,}".replace(",", "." if rng.random() < 0.75 else ",")
    ending = rng.random()
    if ending < 0.12:
        text += ("," if rng.random() < 0.5 else ".") + some_digits(2, rng)
    elif ending < 0.6:
        text += str(rng.choice(_ENDINGS))
    return text
