"""What a line network tells apart."""

DIGITS = "0123456789"
# Ink that belongs to an amount, a date or a code, and is no digit.
MARKS = ".,-/="
# Any other ink: a letter, a sign, a scribble.
NOT_A_DIGIT = "?"
LINE_ALPHABET = DIGITS + MARKS + NOT_A_DIGIT
SINGLE_ALPHABET = DIGITS + NOT_A_DIGIT


def only_digits(text: str) -> str:
    """Return the digits of a text, in their order.

    >>> only_digits("-1.234,50")
    '123450'
    """
    return "".join(character for character in text if character in DIGITS)
