"""train_mnist_fast's last recipe for `python -m benchmarks fast`, with any Python with PyTorch.

    python fast_torch.py SEED DIGITS

From https://github.com/tuomaso/train_mnist_fast, step 8, by its description: one epoch in the order
of the data set, batches of 256, Adam with betas (0.7, 0.9), one cycle up to 0.01. Prints a line of
JSON as `fast_once.py` does.
"""

import json
import platform
import sys
import time

import numpy as np
import torch
from torch import nn

EPOCHS, BATCH, RATE = 1, 256, 0.01


def network() -> nn.Module:
    """Return conv 5×5×24, pool, conv 3×3×32, pool, dense 256, dense 10, ReLU between."""
    convolutions = [nn.Conv2d(1, 24, 5), nn.MaxPool2d(2), nn.ReLU()]
    convolutions += [nn.Conv2d(24, 32, 3), nn.MaxPool2d(2), nn.ReLU()]
    return nn.Sequential(
        *convolutions, nn.Flatten(), nn.Linear(800, 256), nn.ReLU(), nn.Linear(256, 10)
    )


def train(images: torch.Tensor, labels: torch.Tensor) -> nn.Module:
    """Return the network after its one epoch."""
    model = network()
    optimizer = torch.optim.Adam(model.parameters(), RATE, betas=(0.7, 0.9))
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, RATE, total_steps=EPOCHS * -(-len(images) // BATCH), cycle_momentum=False
    )
    for pixels, digits in zip(images.split(BATCH), labels.split(BATCH), strict=True):
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(pixels), digits).backward()
        optimizer.step()
        schedule.step()
    return model


def normalised(images: np.ndarray) -> torch.Tensor:
    """Return `uint8 (n, 28, 28)` as `float32 (n, 1, 28, 28)`, less MNIST's mean, by its spread."""
    return (torch.from_numpy(images).unsqueeze(1).float() / 255 - 0.1307) / 0.3081


def main() -> None:
    """Train once, and say how long it took and how well it reads."""
    torch.manual_seed(int(sys.argv[1]))
    with np.load(sys.argv[2]) as arrays:
        labels = {half: torch.from_numpy(arrays[f"{half}_labels"]) for half in ("train", "test")}
        images = {half: normalised(arrays[f"{half}_images"]) for half in ("train", "test")}
    cpu, start = time.process_time(), time.perf_counter()
    model = train(images["train"], labels["train"])
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    with torch.no_grad():
        right = model.eval()(images["test"]).argmax(1) == labels["test"]
    versions = f"python {platform.python_version()} torch {torch.__version__}"
    described = {"seconds": seconds, "cpu_seconds": cpu, "versions": versions}
    details = {"epochs": EPOCHS, "digits": len(images["train"])}
    print(json.dumps({**described, **details, "test_accuracy": right.float().mean().item()}))


if __name__ == "__main__":
    main()
