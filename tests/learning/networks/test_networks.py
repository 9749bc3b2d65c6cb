import pytest

from inkdigit.errors import SettingError
from inkdigit.learning.networks import NETWORKS, build_network, count_macs

# Counted by hand from the layers, not by the code under test.
PARAMETERS = {
    "lenet5": (25 + 1) * 6 + (25 * 6 + 1) * 16 + (25 * 16 + 1) * 120 + 121 * 84 + 85 * 10,
    "classic": (9 + 1) * 32 + (9 * 32 + 1) * 64 + (1600 + 1) * 128 + 129 * 10,
    "modern": 25 * 32 + 4 * 32 + 9 * 32 * 64 + 4 * 64 + 9 * 64 * 64 + 4 * 64 + (576 + 1) * 10,
}
MACS = {
    "lenet5": 784 * 25 * 6 + 100 * 150 * 16 + 400 * 120 + 120 * 84 + 84 * 10,
    "classic": 676 * 9 * 32 + 121 * 288 * 64 + 1600 * 128 + 1280,
    "modern": 144 * 25 * 32 + 100 * 288 * 64 + 9 * 576 * 64 + 5760,
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
        assert f"{PARAMETERS[name]:,}" in (builder.__doc__ or ""), name


def test_an_unknown_network_is_named_with_the_known_ones() -> None:
    with pytest.raises(SettingError, match="'lenet6': choose from lenet5, classic, modern"):
        build_network("lenet6")
