"""The three networks are the notebook's, in today's Keras."""

from __future__ import annotations

import inspect

import keras
import numpy as np
import pytest

from bnlab import data, networks
from bnlab.catalogue import NETWORKS, NOTEBOOK

DENSE_RELU = ("Dense", "relu", "GlorotUniform", True)
DENSE_PLAIN = ("Dense", "linear", "GlorotUniform", False)
DENSE_HE = ("Dense", "linear", "HeNormal", True)
DENSE_SOFTMAX = ("Dense", "softmax", "GlorotUniform", True)
NORMALIZATION = ("BatchNormalization", 0.99, 1e-3)
LEAKY_RELU = ("LeakyReLU", 0.3)
RELU = ("Activation", "relu")
FLATTEN = ("Flatten",)
LAYERS = {
    "baseline": [FLATTEN, DENSE_HE, LEAKY_RELU, DENSE_HE, LEAKY_RELU, DENSE_SOFTMAX],
    "bn_approach_one": [
        FLATTEN,
        NORMALIZATION,
        DENSE_RELU,
        NORMALIZATION,
        DENSE_RELU,
        NORMALIZATION,
        DENSE_SOFTMAX,
    ],
    "bn_approach_two": [
        FLATTEN,
        NORMALIZATION,
        DENSE_PLAIN,
        NORMALIZATION,
        RELU,
        DENSE_PLAIN,
        NORMALIZATION,
        RELU,
        DENSE_SOFTMAX,
    ],
}


def described(layer: keras.Layer) -> tuple[object, ...]:
    """Say what the notebook's table says about a layer."""
    config = layer.get_config()
    kind = type(layer).__name__
    details = {
        "Dense": lambda: (
            config["activation"],
            config["kernel_initializer"]["class_name"],
            config["use_bias"],
        ),
        "BatchNormalization": lambda: (config["momentum"], config["epsilon"]),
        "LeakyReLU": lambda: (config["negative_slope"],),
        "Activation": lambda: (config["activation"],),
        "Flatten": lambda: (),
    }
    return kind, *details[kind]()


@pytest.fixture(params=NOTEBOOK)
def model(request: pytest.FixtureRequest) -> keras.Sequential:
    keras.utils.set_random_seed(42)
    return getattr(networks, request.param)()


def test_the_layers_stand_in_the_notebook_s_order_with_its_settings(
    model: keras.Sequential,
) -> None:
    assert [described(layer) for layer in model.layers] == LAYERS[model.name]


def test_the_widths_are_the_notebook_s(model: keras.Sequential) -> None:
    dense = [layer for layer in model.layers if isinstance(layer, keras.layers.Dense)]
    assert [layer.units for layer in dense] == [300, 100, 10]
    assert model.input_shape == (None, 28, 28)
    assert model.output_shape == (None, 10)


def test_the_model_is_plain_and_not_compiled(model: keras.Sequential) -> None:
    assert type(model) is keras.Sequential
    assert not model.compiled


def test_its_outputs_are_probabilities(model: keras.Sequential, images: data.FashionMNIST) -> None:
    probabilities = model(images.test.pixels[:100]).numpy()
    assert (probabilities > 0).all()
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-6)


def test_normalization_starts_as_the_identity_but_for_epsilon() -> None:
    for network in ("bn_approach_one", "bn_approach_two"):
        for layer in getattr(networks, network)().layers:
            if isinstance(layer, keras.layers.BatchNormalization):
                gamma, beta, mean, variance = (v.numpy() for v in layer.variables)
                assert (gamma == 1).all()
                assert (beta == 0).all()
                assert (mean == 0).all()
                assert (variance == 1).all()


def test_the_first_normalization_s_variables_are_those_the_notebook_prints() -> None:
    layer = networks.bn_approach_one().layers[1]
    assert [(variable.name, variable.trainable) for variable in layer.variables] == [
        ("gamma", True),
        ("beta", True),
        ("moving_mean", False),
        ("moving_variance", False),
    ]


def test_the_catalogue_names_exactly_the_functions_that_build_a_network() -> None:
    builders = [
        name
        for name, function in inspect.getmembers(networks, inspect.isfunction)
        if function.__module__ == networks.__name__ and not inspect.signature(function).parameters
    ]
    assert sorted(NETWORKS) == builders
    assert [getattr(networks, name)().name for name in NETWORKS] == list(NETWORKS)


def test_the_summary_shows_the_totals_in_64_columns(
    model: keras.Sequential, capsys: pytest.CaptureFixture[str]
) -> None:
    text = networks.summary(model)
    lines = text.splitlines()
    trained = sum(int(keras.ops.size(weight)) for weight in model.trainable_weights)
    assert f"Total params: {model.count_params():,} " in text
    assert f" Trainable params: {trained:,} " in text
    assert f"Non-trainable params: {model.count_params() - trained:,} " in text
    assert lines[0].strip()
    assert lines[-1].strip()
    assert text == text.strip()
    assert max(map(len, lines)) <= 64
    assert capsys.readouterr() == ("", "")
