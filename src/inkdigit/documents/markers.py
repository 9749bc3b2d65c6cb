"""Marks that are printed for the machine: ArUco markers, and a QR code that says which copy it is.

Markers (Garrido-Jurado et al. 2014) may stand anywhere on a blank: their corners propose where its
page lies in a scan, as other features do. The QR code (ISO/IEC 18004) differs from copy to copy, so
it stands where the blank is white.
"""

import cv2
import numpy as np
import numpy.typing as npt

from inkdigit.images import Grey

# Of 50 markers, each of 4×4 modules within a black border.
DICTIONARY, _COUNT = cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_4X4_50), 50
_SCHEME = "inkdigit/"


def code_of(form: str, page: int, copy: str = "") -> str:
    """Return what the QR code of a form says: form, page from 1, and any text that names the copy.

    >>> code_of("claim", 1, "7b/Anna/2")
    'inkdigit/claim/1/7b/Anna/2'
    """
    return f"{_SCHEME}{form}/{page}/{copy}"


def code_picture(code: str) -> Grey:
    """Return a code, a pixel for each module, black on white with white around it."""
    return np.asarray(cv2.QRCodeEncoder.create().encode(code), np.uint8)


def code_in(picture: Grey) -> str:
    """Return the code of a form that a picture shows, alone but for the paper around it."""
    # No detector, and no size, is the best for every blur.
    for times in (1, 2):
        size = cv2.resize(picture, None, fx=times, fy=times, interpolation=cv2.INTER_CUBIC)
        for detector in (cv2.QRCodeDetector(), cv2.QRCodeDetectorAruco()):
            code = str(detector.detectAndDecode(size)[0])
            if code.startswith(_SCHEME):
                return code
    return ""


def marker_corners(picture: Grey) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float32]]:
    """Return the corners `(n, 2)` of markers in a picture, and a descriptor `(n, 200)` of each.

    A descriptor is as far from each other one, so that only the same corner is like it.
    """
    found, numbers, _ = cv2.aruco.ArucoDetector(DICTIONARY).detectMarkers(picture)
    corners = np.reshape(found, (-1, 2)).astype(np.float64)
    first = 4 * np.reshape([] if numbers is None else numbers, (-1, 1)).astype(int)
    return corners, np.eye(4 * _COUNT, dtype=np.float32)[(first + np.arange(4)).ravel()]
