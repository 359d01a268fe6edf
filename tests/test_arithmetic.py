"""The parameter counts are the notebook's, and Keras's."""

from __future__ import annotations

import dataclasses

import keras
import pytest
from package import python

from bnlab import arithmetic, networks
from bnlab.catalogue import NETWORKS, NOTEBOOK, Network

HIDDEN_ONLY = dataclasses.replace(
    NETWORKS["bn_approach_two"],
    name="hidden_only",
    hidden=(300, 100, 100),
    normalizes_inputs=False,
    bias=True,
)
"""One layer deeper than the notebook's, and with no normalization of the pixels."""

# The notebook's summaries, layer by layer: (kind and width, parameters).
COUNTS = {
    "baseline": [("Dense 300", 235_500), ("Dense 100", 30_100), ("Dense 10", 1_010)],
    "bn_approach_one": [
        ("BN 784", 3_136),
        ("Dense 300", 235_500),
        ("BN 300", 1_200),
        ("Dense 100", 30_100),
        ("BN 100", 400),
        ("Dense 10", 1_010),
    ],
    "bn_approach_two": [
        ("BN 784", 3_136),
        ("Dense 300", 235_200),
        ("BN 300", 1_200),
        ("Dense 100", 30_000),
        ("BN 100", 400),
        ("Dense 10", 1_010),
    ],
}
# Total, trainable, non-trainable.
TOTALS = {
    "baseline": (266_610, 266_610, 0),
    "bn_approach_one": (271_346, 268_978, 2_368),
    "bn_approach_two": (270_946, 268_578, 2_368),
}


def keras_counts(model: keras.Sequential) -> list[tuple[int, int, int]]:
    """Count each layer that has parameters: total, trainable, non-trainable."""

    def size(variables: list[keras.Variable]) -> int:
        return sum(int(keras.ops.size(variable)) for variable in variables)

    return [
        (layer.count_params(), size(layer.trainable_weights), size(layer.non_trainable_weights))
        for layer in model.layers
        if layer.weights
    ]


def our_counts(layers: list[arithmetic.Layer]) -> list[tuple[int, int, int]]:
    return [(layer.total, layer.trainable, layer.non_trainable) for layer in layers]


@pytest.mark.parametrize("network", NOTEBOOK)
def test_each_layer_has_the_notebook_s_count(network: str) -> None:
    layers = arithmetic.count(network)
    assert [(layer.name, layer.total) for layer in layers] == COUNTS[network]


@pytest.mark.parametrize("network", NOTEBOOK)
def test_the_totals_are_the_notebook_s(network: str) -> None:
    total = arithmetic.totals(arithmetic.count(network))
    assert (total.total, total.trainable, total.non_trainable) == TOTALS[network]
    assert total.name == "Total"


@pytest.mark.parametrize("network", NETWORKS)
def test_keras_counts_the_same_in_every_layer(network: str) -> None:
    model = getattr(networks, network)()
    assert our_counts(arithmetic.count(network)) == keras_counts(model)


def test_the_notebook_s_sums_follow() -> None:
    baseline, one = (
        arithmetic.totals(arithmetic.count(network)) for network in ("baseline", "bn_approach_one")
    )
    normalizations = [arithmetic.batch_normalization(width) for width in (784, 300, 100)]
    assert [layer.total for layer in normalizations] == [3136, 1200, 400]
    four_vectors = sum(layer.total for layer in normalizations)
    assert four_vectors == 4736
    assert one.total == baseline.total + four_vectors
    assert one.non_trainable == four_vectors // 2 == 2368
    assert one.trainable == baseline.trainable + four_vectors // 2


def test_the_vectors_are_keras_s_and_gamma_and_beta_are_the_trained_ones() -> None:
    layer = networks.bn_approach_one().layers[1]
    assert [variable.name for variable in layer.variables] == list(arithmetic.VECTORS)
    assert [v.name for v in layer.trainable_variables] == list(arithmetic.TRAINED_VECTORS)


@pytest.mark.parametrize("network", NETWORKS)
def test_every_formula_gives_its_count(network: str) -> None:
    layers = arithmetic.count(network)
    for layer in [*layers, arithmetic.totals(layers)]:
        assert eval(layer.formula.replace("·", "*")) == layer.total


def built(network: Network, widths: tuple[int, ...]) -> keras.Sequential:
    """Build what the catalogue says of a network, without the layers that have no parameters."""
    model = keras.Sequential([keras.layers.Input((widths[0],))])
    if network.normalizes_inputs:
        model.add(keras.layers.BatchNormalization())
    for width in widths[1:-1]:
        model.add(keras.layers.Dense(width, use_bias=network.bias))
        if network.normalization != "none":
            model.add(keras.layers.BatchNormalization())
    model.add(keras.layers.Dense(widths[-1]))
    return model


@pytest.mark.parametrize("widths", [(6, 5), (8, 7, 3), (20, 9, 8, 7, 4), (1, 1, 1)])
@pytest.mark.parametrize("network", [*NETWORKS.values(), HIDDEN_ONLY], ids=lambda n: n.name)
def test_other_widths_agree_with_keras_too(network: Network, widths: tuple[int, ...]) -> None:
    assert our_counts(arithmetic.count(network, widths)) == keras_counts(built(network, widths))


def test_a_deeper_network_has_rows_of_its_own_beside_the_others() -> None:
    one = arithmetic.side_by_side(["baseline", "bn_approach_two", HIDDEN_ONLY])
    assert [(name, [layer and layer.total for layer in row]) for name, row in one] == [
        ("BN 784", [None, 3_136, None]),
        ("Dense 300", [235_500, 235_200, 235_500]),
        ("BN 300", [None, 1_200, 1_200]),
        ("Dense 100", [30_100, 30_000, 30_100]),
        ("BN 100", [None, 400, 400]),
        ("Dense 100", [None, None, 10_100]),
        ("BN 100", [None, None, 400]),
        ("Dense 10", [1_010, 1_010, 1_010]),
    ]


def test_a_layer_of_another_width_has_a_row_of_its_own() -> None:
    wider = dataclasses.replace(NETWORKS["baseline"], hidden=(300, 50))
    rows = arithmetic.side_by_side(["baseline", wider])
    assert [name for name, _ in rows] == ["Dense 300", "Dense 100", "Dense 50", "Dense 10"]
    assert [row[0] is None for _, row in rows] == [False, False, True, False]


def test_a_width_below_one_is_refused_with_its_value() -> None:
    for count in (
        lambda: arithmetic.dense(0, 3),
        lambda: arithmetic.dense(3, 0),
        lambda: arithmetic.batch_normalization(0),
        lambda: arithmetic.count("baseline", (784, 0, 10)),
    ):
        with pytest.raises(ValueError, match="whole number from 1, not 0"):
            count()


def test_a_network_without_outputs_is_refused() -> None:
    with pytest.raises(ValueError, match=r"at least inputs and outputs, not the widths \(784,\)"):
        arithmetic.count("baseline", (784,))


def test_an_unknown_network_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"no network 'resnet'.*'baseline', 'bn_approach_one'"):
        arithmetic.count("resnet")


def test_the_arithmetic_knows_neither_keras_nor_tensorflow() -> None:
    code = "import sys, bnlab.arithmetic; print({'keras', 'tensorflow'} & sys.modules.keys())"
    assert python(code).strip() == "set()"
