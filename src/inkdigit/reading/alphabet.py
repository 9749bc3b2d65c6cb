"""What networks tell apart, and what a line network takes and gives."""

DIGITS = "0123456789"
# Ink that belongs to an amount, a date or a code, and is no digit.
MARKS = ".,-/="
# Any other ink: a letter, a sign, a scribble.
NOT_A_DIGIT = "?"
LINE_ALPHABET = DIGITS + MARKS + NOT_A_DIGIT
SINGLE_ALPHABET = DIGITS + NOT_A_DIGIT
MARK_NAMES = {".": "dot", ",": "comma", "-": "dash", "/": "slash", "=": "equals sign"}


def only_digits(text: str) -> str:
    """Return the digits of a text.

    >>> only_digits("1.250.-")
    '1250'
    """
    return "".join(character for character in text if character in DIGITS)
