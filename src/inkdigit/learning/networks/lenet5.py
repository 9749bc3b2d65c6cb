"""LeNet-5, the network that read cheques in the 1990s, trained here from scratch."""

from inkdigit.learning.backend import Layers, layers


def lenet5() -> Layers:
    """Return LeNet-5, untrained: 61,706 parameters.

    LeCun, Bottou, Bengio and Haffner 1998, "Gradient-based learning applied to document
    recognition", section II.B.

    As in the paper: the sizes of C1, C3, C5 and F6, 2×2 averaging between, tanh, and 28×28 digits
    in a 32×32 field (by padding). Today's habit instead: every map of C3 sees every map of S2 (the
    paper left some connections out), averaging has no weights of its own, tanh is not scaled, and a
    softmax with cross-entropy and Adam stands where the paper had radial basis functions and
    stochastic Levenberg-Marquardt.
    """
    return [
        layers.Conv2D(6, 5, padding="same", activation="tanh", name="C1"),
        layers.AveragePooling2D(2, name="S2"),
        layers.Conv2D(16, 5, activation="tanh", name="C3"),
        layers.AveragePooling2D(2, name="S4"),
        layers.Conv2D(120, 5, activation="tanh", name="C5"),
        layers.Flatten(),
        layers.Dense(84, activation="tanh", name="F6"),
        layers.Dense(10, activation="softmax", name="digits"),
    ]
