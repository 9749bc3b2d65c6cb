import subprocess
import sys


def test_one_core_is_one_core_in_this_process_alone() -> None:
    code = (
        "import cv2; cv2.setNumThreads(2); from inkdigit.images.cores import use_one_core; "
        "use_one_core(); raise SystemExit(cv2.getNumThreads())"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 1
