import pytest

from inkdigit.errors import SettingError
from inkdigit.learning.networks import NETWORKS, READERS, build_network, check_network, count_macs

# Counted by hand from the layers, not by the code under test.
PARAMETERS = {
    "lenet5": (25 + 1) * 6 + (25 * 6 + 1) * 16 + (25 * 16 + 1) * 120 + 121 * 84 + 85 * 10,
    "classic": (9 + 1) * 32 + (9 * 32 + 1) * 64 + (1600 + 1) * 128 + 129 * 10,
    "modern": 25 * 32 + 4 * 32 + 9 * 32 * 64 + 4 * 64 + 9 * 64 * 64 + 4 * 64 + (576 + 1) * 10,
    "fast": (25 + 1) * 16 + 9 * 16 * 32 + 4 * 32 + 800 * 128 + 4 * 128 + (128 + 1) * 10,
    "small-8k": 25 * 16 + 3 * 9 * 16 * 16 + 4 * 4 * 16 + (16 + 1) * 10,
    "small-25k": 25 * 20 + 9 * (20 * 24 + 24 * 32 + 32 * 40) + 4 * 116 + (40 + 1) * 10,
    "small-100k": 25 * 32 + 9 * (32 * 48 + 48 * 64 + 64 * 80) + 4 * 224 + (80 + 1) * 10,
    "best": 25 * 48 + 9 * (48 * 64 + 64 * 96 + 96 * 128) + 4 * 336 + (128 + 1) * 10,
}
MACS = {
    "lenet5": 784 * 25 * 6 + 100 * 150 * 16 + 400 * 120 + 120 * 84 + 84 * 10,
    "classic": 676 * 9 * 32 + 121 * 288 * 64 + 1600 * 128 + 1280,
    "modern": 144 * 25 * 32 + 100 * 288 * 64 + 9 * 576 * 64 + 5760,
    "fast": 144 * 25 * 16 + 100 * 144 * 32 + 800 * 128 + 1280,
    "small-8k": 196 * 25 * 16 + (144 + 36 + 16) * 9 * 16 * 16 + 160,
    "small-25k": 196 * 25 * 20 + 9 * (144 * 20 * 24 + 36 * 24 * 32 + 16 * 32 * 40) + 400,
    "small-100k": 196 * 25 * 32 + 9 * (144 * 32 * 48 + 36 * 48 * 64 + 16 * 64 * 80) + 800,
    "best": 196 * 25 * 48 + 9 * (144 * 48 * 64 + 36 * 64 * 96 + 16 * 96 * 128) + 1280,
}


@pytest.mark.parametrize("name", NETWORKS)
def test_shapes_and_sizes(name: str) -> None:
    model = build_network(name)
    assert model.input_shape == (None, 28, 28, 1)
    assert model.output_shape == (None, 10)
    assert model.name == name
    assert model.count_params() == PARAMETERS[name]
    assert count_macs(model) == MACS[name]


def test_modern_is_smaller_than_classic_and_has_no_dense_hidden_layer() -> None:
    model = build_network("modern")
    assert model.count_params() < build_network("classic").count_params()
    assert [layer.name for layer in model.layers if "dense" in type(layer).__name__.lower()] == [
        "digits"
    ]


def test_docstrings_tell_the_true_number_of_parameters() -> None:
    for name, builder in NETWORKS.items():
        documented = getattr(builder, "func", builder).__doc__ or ""
        assert f"{PARAMETERS[name]:,}" in documented, name


def test_an_unknown_network_is_named_with_the_known_ones() -> None:
    with pytest.raises(SettingError, match=r"'lenet6': did you mean lenet5\?"):
        build_network("lenet6")
    with pytest.raises(SettingError, match="'vgg': choose from lenet5, classic, modern"):
        build_network("vgg")


def test_the_networks_that_read_have_the_sizes_of_their_layers() -> None:
    """Counted by hand: kernels, biases and, of normalised layers, four numbers a channel."""
    line, single = (build_network(name) for name in ("line", "single"))
    plain = [(16, 32), (32, 32), (32, 64), (64, 64)]
    assert line.count_params() == (
        (25 + 1) * 16 + sum((9 * a + 1) * b for a, b in plain)
        + 9 * 64 * 96 + 4 * 96 + 4 * 96 * 128 + 4 * 128
        + 3 * (5 * 128 * 128 + 4 * 128) + (128 + 1) * 2 * 17
    )  # fmt: skip
    # Of a square of 32: maps of 16, 8 by 8 (with 4 rows from the second pooling on), 1 by 8.
    assert count_macs(line) == (
        256 * 25 * 16 + 256 * 9 * (16 * 32 + 32 * 32) + 64 * 9 * (32 * 64 + 64 * 64)
        + 32 * 9 * 64 * 96 + 8 * (4 * 96 * 128 + 3 * 5 * 128 * 128 + 128 * 2 * 17)
    )  # fmt: skip
    assert single.count_params() == (
        25 * 32 + 4 * 32 + 9 * 32 * 64 + 4 * 64 + 9 * 64 * 96 + 4 * 96 + 9 * 96 * 128 + 4 * 128
        + (49 * 128 + 1) * 11
    )  # fmt: skip
    assert count_macs(single) == (
        196 * 25 * 32 + 196 * 9 * 32 * 64 + 49 * 9 * 64 * 96 + 49 * 9 * 96 * 128 + 49 * 128 * 11
    )


def test_a_network_that_reads_is_not_trained_on_labelled_digits_alone() -> None:
    for name in READERS:
        check_network(name)
        assert build_network(name).name == name
        with pytest.raises(SettingError, match=f"{name} learns from drawn handwriting"):
            check_network(name, NETWORKS)
    with pytest.raises(SettingError, match=r"choose from lenet5, .*, fast, .*, line, single"):
        check_network("vgg")
