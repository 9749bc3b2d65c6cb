"""Digits as a hand strokes them, in a box 1 high: lists of points for each stroke."""

import math

Point = tuple[float, float]


def _arc(centre: Point, radii: Point, start: float, end: float, count: int = 16) -> list[Point]:
    """Return points of an ellipse between two angles in degrees, 0 to the right, 90 down."""
    angles = [math.radians(start + (end - start) * i / (count - 1)) for i in range(count)]
    (x, y), (across, down) = centre, radii
    return [(x + across * math.cos(a), y + down * math.sin(a)) for a in angles]


STROKES: dict[str, list[list[Point]]] = {
    "0": [_arc((0.3, 0.5), (0.3, 0.5), -90, 280)],
    "1": [[(0.1, 0.25), (0.3, 0.0), (0.3, 0.5), (0.3, 1.0)]],
    "2": [[*_arc((0.3, 0.28), (0.28, 0.28), 190, 400), (0.05, 1.0), (0.35, 0.97), (0.62, 1.0)]],
    "3": [_arc((0.28, 0.25), (0.26, 0.25), 200, 450) + _arc((0.28, 0.75), (0.3, 0.25), -90, 160)],
    "4": [[(0.4, 0.0), (0.2, 0.35), (0.0, 0.65), (0.35, 0.65), (0.65, 0.65)],
          [(0.45, 0.35), (0.45, 0.7), (0.45, 1.0)]],
    "5": [[(0.12, 0.05), (0.1, 0.42), *_arc((0.27, 0.68), (0.31, 0.32), 230, 510)],
          [(0.12, 0.04), (0.35, 0.03), (0.58, 0.02)]],
    "6": [[(0.5, 0.0), (0.25, 0.2), (0.05, 0.55), *_arc((0.3, 0.72), (0.27, 0.28), 190, 540)]],
    "7": [[(0.0, 0.04), (0.3, 0.04), (0.6, 0.02), (0.42, 0.4), (0.22, 1.0)]],
    "8": [_arc((0.3, 0.25), (0.23, 0.25), -60, -270) + _arc((0.3, 0.75), (0.29, 0.25), -90, 270)
          + _arc((0.3, 0.25), (0.23, 0.25), 90, -60)],
    "9": [[*_arc((0.3, 0.28), (0.26, 0.28), -10, -370), (0.56, 0.3), (0.5, 0.65), (0.4, 1.0)]],
}  # fmt: skip


def strokes_of(text: str, left: float, top: float, size: float) -> list[list[Point]]:
    """Return the strokes of a number that stands at `(left, top)` and is `size` pixels high."""
    return [
        [(left + size * (x + 0.85 * place), top + size * y) for x, y in stroke]
        for place, digit in enumerate(text)
        for stroke in STROKES[digit]
    ]
