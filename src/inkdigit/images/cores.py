"""How many cores work on one picture."""

import cv2


def use_one_core() -> None:
    """Keep OpenCV to one core in this process, for where each core has a process of its own.

    Pictures of a line are small: sharing one among cores costs more than it gains.
    """
    cv2.setNumThreads(1)
