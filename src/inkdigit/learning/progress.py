"""What a person sees while a network trains."""

from typing import Any

from tqdm import tqdm

from inkdigit.learning.backend import keras


class Progress(keras.callbacks.Callback):  # type: ignore[misc]
    """A bar an epoch with loss and accuracy where stderr is a terminal."""

    def __init__(self, epochs: int) -> None:
        super().__init__()
        self._epochs = epochs

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002
        """Start the epoch's bar."""
        self._bar = tqdm(
            total=self.params["steps"],
            desc=f"epoch {epoch + 1}/{self._epochs}",
            unit="batch",
            leave=False,
            disable=None,  # where stderr is no terminal
        )

    def on_train_batch_end(self, batch: int, logs: dict[str, float]) -> None:  # noqa: ARG002
        """Move the bar on."""
        self._bar.set_postfix(
            loss=f"{logs['loss']:.4f}", accuracy=f"{logs['accuracy']:.4f}", refresh=False
        )
        self._bar.update()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002
        """Take the bar away; the finished epoch's line follows it."""
        self._bar.close()


def epoch_line(row: dict[str, float], epochs: int) -> str:
    """Return the one line that a finished epoch leaves."""
    fitted = f"  accuracy {row['accuracy']:.4f}" if "accuracy" in row else ""
    return (
        f"epoch {row['epoch']:.0f}/{epochs}  "
        f"loss {row['loss']:.4f}{fitted}  "
        f"validation loss {row['validation_loss']:.4f}  accuracy {row['validation_accuracy']:.4f}  "
        f"{row['seconds']:.1f} s"
    )
