import cv2
import numpy as np
import pytest

from inkdigit.documents.markers import DICTIONARY, code_in, code_of, code_picture, marker_corners


def page(*markers: tuple[int, int, int]) -> np.ndarray:
    """A white page with markers, each by number, left and top, 60 pixels wide."""
    paper = np.full((400, 600), 255, np.uint8)
    for number, left, top in markers:
        paper[top : top + 60, left : left + 60] = cv2.aruco.generateImageMarker(
            DICTIONARY, number, 60
        )
    return paper


@pytest.mark.parametrize("copy", ["7b/Anna/1", "", "Zoë/Ольга/李", "a" * 60])
@pytest.mark.parametrize("turn", range(4))
def test_a_code_is_read_in_any_turn(copy: str, turn: int) -> None:
    code = code_of("claim", 12, copy)
    large = cv2.resize(code_picture(code), None, fx=4, fy=4, interpolation=cv2.INTER_NEAREST)
    seen = np.rot90(cv2.GaussianBlur(np.pad(large, 20, constant_values=255), (0, 0), 1), turn)
    assert code_in(np.ascontiguousarray(seen)) == code


@pytest.mark.parametrize("text", ["x", "https://a.example", "inkdigits/claim/1/a"])
def test_what_is_no_code_of_a_form(text: str) -> None:
    coded = code_picture(text)
    assert code_in(cv2.resize(coded, None, fx=4, fy=4, interpolation=cv2.INTER_NEAREST)) == ""


def test_corners_are_known_by_marker_and_corner() -> None:
    places = {3: (40, 50), 49: (300, 200)}
    corners, descriptors = marker_corners(page(*((n, *at) for n, at in places.items())))
    assert descriptors.shape == (8, 200)
    assert (descriptors @ descriptors.T == np.eye(8)).all()
    square = np.array([[0, 0], [59, 0], [59, 59], [0, 59]])
    for corner, descriptor in zip(corners, descriptors, strict=True):
        number, which = divmod(int(descriptor.argmax()), 4)
        assert np.abs(corner - (square[which] + places[number])).max() < 1.5


def test_a_page_without_markers_has_none() -> None:
    corners, descriptors = marker_corners(page())
    assert corners.shape == (0, 2)
    assert descriptors.shape == (0, 200)
