"""What a benchmark ran on."""

import os
import platform
from importlib.metadata import version
from pathlib import Path

PACKAGES = ("inkdigit", "onnxruntime", "numpy", "opencv-python-headless", "pillow")


def processor() -> str:
    """Return the processor's name, where the system tells it."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def use_cores(count: int) -> int:
    """Keep this process and those that it starts to so many cores; return how many it has."""
    if not hasattr(os, "sched_setaffinity"):
        return os.cpu_count() or 1
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:count])
    return len(os.sched_getaffinity(0))


def versions() -> str:
    """Return the versions of Python and of what reading depends on."""
    told = [f"{package} {version(package)}" for package in PACKAGES]
    return f"python {platform.python_version()} {' '.join(told)}"
