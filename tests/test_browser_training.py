"""What the reader's browser trains is what Keras trains, step by step."""

from __future__ import annotations

import base64
import itertools
import json
import subprocess
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from website import ROOT

from bnlab import data

INPUTS, CLASSES, COUNT, SHOWN = 14 * 14, 10, 150, 20
LOOKS = (1, 10, 300)
TOLERANCES = dict(zip(LOOKS, (1e-6, 1e-5, 1e-3), strict=True))
"""Relative to the largest number of a layer, after so many steps."""

RECIPE: dict[str, Any] = {
    "hidden": [20, 13],
    "normalization": "none",
    "pixels": "raw",
    "activation": "relu",
    "initializer": "glorot_uniform",
    "scale": 1,
    "batch": 32,
    "rate": 2**-7,  # Keras keeps it as a float32
    "decay": 0,
    "momentum": 0.99,
    "seed": 42,
    "order": "fresh",
    "epochs": 1000,
}


SLOW = 2**-14
"""A learning rate at which rounding does not decide within 300 steps, see is_delicate."""


def is_delicate(recipe: dict[str, Any]) -> bool:
    """Tell whether rounding soon decides how a network goes on, so that it needs float64.

    It does where a normalization divides by the deviation of very few images, or where many of
    them in a row make what comes back through them larger and larger.
    """
    few = min(recipe["batch"], COUNT % recipe["batch"] or recipe["batch"]) <= 2
    return recipe["normalization"] != "none" and (few or len(recipe["hidden"]) > 2)


def recipe(**changes: Any) -> dict[str, Any]:
    return RECIPE | changes


STRUCTURES = [
    recipe(
        normalization=normalization,
        pixels=pixels,
        activation=activation,
        hidden=hidden,
        rate=2**-7 if len(hidden) <= 2 else SLOW,
    )
    for normalization, pixels, activation, hidden in itertools.product(
        ("none", "after", "before"),
        ("raw", "normalized"),
        ("relu", "leaky_relu"),
        ([24], [20, 13], [12] * 10),
    )
]
"""Every combination of normalization, activation and depth."""

CHOICES = [
    recipe(pixels="standardized", initializer="he_normal", activation="leaky_relu"),
    recipe(pixels="standardized", normalization="before", order="same"),
    recipe(decay=0.0625, normalization="after", pixels="normalized", scale=2),
    recipe(decay=0.5, momentum=0.5, normalization="before", initializer="he_normal"),
    recipe(batch=2, normalization="after", rate=SLOW),
    *(
        recipe(batch=COUNT - rest, normalization="before", pixels="normalized", rate=SLOW)
        for rest in (1, 2)
    ),
    recipe(batch=1024, normalization="after", pixels="normalized", rate=2**-9),
]
"""Whatever else can be chosen, with last batches of one image and of two among them."""


@pytest.fixture(scope="module")
def part(images: data.FashionMNIST) -> data.Images:
    """Every second pixel of some training images, as bytes."""
    pixels = (255 * images.train.pixels[:COUNT, ::2, ::2]).round().astype(np.uint8)
    return data.Images(pixels.reshape(COUNT, INPUTS), images.train.labels[:COUNT])


def in_node(script: str, part: data.Images, **job: Any) -> Any:
    """Run a script that uses the page's own modules."""
    described = {
        "images": base64.b64encode(part.pixels.tobytes()).decode(),
        "labels": part.labels.tolist(),
        "about": {"inputs": part.pixels.shape[1], "classes": CLASSES, "moments": moments()},
        **job,
    }
    command = ["node", ROOT / "tests" / "node" / script]
    done = subprocess.run(
        command, input=json.dumps(described), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def trained(part: data.Images, runs: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Let Node train."""
    return in_node("train.mjs", part, shown=SHOWN, runs=runs)


def job(recipe: dict[str, Any]) -> dict[str, Any]:
    kernels = "twin in float64" if is_delicate(recipe) else "compiled"
    return {"recipe": recipe, "kernels": kernels, "looks": LOOKS}


def moments() -> dict[str, list[float]]:
    """Return the course's constants of the pixels that the part has."""
    pixels = (moment.reshape(28, 28)[::2, ::2].ravel() for moment in data.pixel_moments())
    return {name: of.tolist() for name, of in zip(("mean", "variance"), pixels, strict=True)}


def in_keras(recipe: dict[str, Any], start: Sequence[dict[str, Any]]) -> keras.Sequential:
    """Build the network of a recipe in Keras, with given first weights."""
    slope = {"relu": 0.0, "leaky_relu": 0.3}[recipe["activation"]]
    normalization, momentum = recipe["normalization"], recipe["momentum"]
    kind = {"dtype": "float64" if is_delicate(recipe) else "float32"}
    layers: list[keras.Layer] = [keras.layers.Input((INPUTS,), **kind)]
    if recipe["pixels"] == "standardized":
        layers.append(keras.layers.Normalization(**moments(), **kind))
    if recipe["pixels"] == "normalized":
        layers.append(keras.layers.BatchNormalization(momentum=momentum, **kind))
    for width in recipe["hidden"]:
        layers.append(keras.layers.Dense(width, use_bias=normalization != "before", **kind))
        after = [keras.layers.LeakyReLU(slope, **kind)]
        if normalization != "none":
            after.append(keras.layers.BatchNormalization(momentum=momentum, **kind))
        layers += after if normalization == "after" else after[::-1]
    model = keras.Sequential([*layers, keras.layers.Dense(CLASSES, **kind)])
    with_weights = [layer for layer in model.layers if layer.weights]
    for layer, numbers in zip(with_weights, start, strict=True):
        layer.set_weights(arrays(numbers))
    return model


def arrays(layer: dict[str, Any]) -> list[np.ndarray]:
    """Return a layer's numbers as Keras has them."""
    if layer["kind"] == "normalization":
        return [np.array(layer[name]) for name in ("gamma", "beta", "mean", "variance")]
    kernel = np.reshape(layer["kernel"], (layer["inputs"], layer["outputs"]))
    return [kernel] if layer["bias"] is None else [kernel, np.array(layer["bias"])]


def with_numbers(layers: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return [layer for layer in layers if layer["kind"] != "relu" and not layer.get("fixed")]


def flat(vectors: Sequence[np.ndarray]) -> np.ndarray:
    return np.concatenate([vector.ravel() for vector in vectors])


def apart(ours: np.ndarray, theirs: np.ndarray) -> float:
    """Return the largest difference, as a share of the largest number."""
    return float(np.abs(ours - theirs).max() / np.abs(theirs).max())


def compare(recipe: dict[str, Any], part: data.Images, run: dict[str, Any]) -> None:
    """Train in Keras from the same start by the same batches, and compare what came out."""
    model = in_keras(recipe, with_numbers(run["before"]))
    optimizer = keras.optimizers.SGD(recipe["rate"], weight_decay=recipe["decay"] or None)
    dtype = model.layers[-1].dtype
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, dtype=dtype)
    pixels = tf.constant(np.divide(part.pixels, 255, dtype=np.float32), dtype)
    labels = tf.constant(part.labels)

    def step(batch: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            predicted = model(tf.gather(pixels, batch), training=True)
            of_batch = loss(tf.gather(labels, batch), predicted)
        gradients = tape.gradient(of_batch, model.trainable_variables)
        optimizer.apply(gradients, model.trainable_variables)
        return of_batch

    @tf.function(input_signature=[tf.RaggedTensorSpec([None, None], tf.int32)])
    def steps_of(batches: tf.RaggedTensor) -> tf.Tensor:
        """Take a step for each batch in turn, and return their losses."""
        return tf.map_fn(step, batches, parallel_iterations=1, fn_output_signature=dtype)

    done = 0
    for steps, found in zip(LOOKS, run["after"], strict=True):
        losses = steps_of(tf.ragged.constant(run["batches"][done:steps], tf.int32)).numpy()
        for ours, theirs in zip(run["losses"][done:steps], losses, strict=True):
            assert abs(ours - theirs) <= TOLERANCES[steps] * max(theirs, 1), (recipe, steps)
        done = steps
        layers = [layer for layer in model.layers if layer.weights]
        for layer, numbers in zip(layers, with_numbers(found["parameters"]), strict=True):
            ours, theirs = map(flat, (arrays(numbers), layer.get_weights()))
            far = apart(ours, theirs)
            assert far <= TOLERANCES[steps], (recipe, steps, layer.name, far)
        for name, training in (("logits", False), ("inTraining", True)):
            # The moving averages stay as they are: this is no step.
            shown = pixels[:SHOWN]
            averages = [layer.get_weights() for layer in layers]
            theirs = model(shown, training=training).numpy()
            for layer, kept in zip(layers, averages, strict=True):
                layer.set_weights(kept)
            far = apart(np.array(found[name]), theirs)
            assert far <= 10 * TOLERANCES[steps], (recipe, steps, name, far)


@pytest.mark.parametrize("normalization", ["none", "after", "before"])
def test_a_network_of_any_structure_trains_as_in_keras(
    node: None, part: data.Images, normalization: str
) -> None:
    recipes = [one for one in STRUCTURES if one["normalization"] == normalization]
    runs = trained(part, [job(one) for one in recipes])
    for one, run in zip(recipes, runs, strict=True):
        compare(one, part, run)


def test_whatever_else_is_chosen_trains_as_in_keras(node: None, part: data.Images) -> None:
    runs = trained(part, [job(one) for one in CHOICES])
    for one, run in zip(CHOICES, runs, strict=True):
        compare(one, part, run)


def test_a_step_follows_the_gradient_that_differences_show(node: None, part: data.Images) -> None:
    small = data.Images(part.pixels[:12, 60:90], part.labels[:12])
    recipes = [
        recipe(
            normalization=normalization,
            pixels=pixels,
            activation=activation,
            hidden=[9, 5],
            scale=2,
        )
        for normalization, pixels, activation in itertools.product(
            ("none", "after", "before"), ("raw", "normalized"), ("relu", "leaky_relu")
        )
    ]
    assert max(in_node("gradients.mjs", small, recipes=recipes)) < 1e-6


def test_javascript_computes_the_same_bits_as_the_kernels(node: None, part: data.Images) -> None:
    recipes = [
        recipe(normalization="after", pixels="normalized", batch=7, decay=0.1),
        recipe(normalization="before", pixels="standardized", batch=33, activation="leaky_relu"),
        recipe(initializer="he_normal", batch=2, hidden=[3, 40]),
    ]
    runs = trained(
        part,
        [
            {"recipe": one, "kernels": kernels, "looks": [1, 2, 30]}
            for one in recipes
            for kernels in ("compiled", "twin")
        ],
    )
    for ours, twins in zip(runs[::2], runs[1::2], strict=True):
        assert ours["losses"] == twins["losses"]
        for one, other in zip(ours["after"], twins["after"], strict=True):
            np.testing.assert_allclose(one.pop("gradients"), other.pop("gradients"), rtol=1e-5)
            assert one == other


def test_a_gradient_s_norm_is_that_of_what_a_step_subtracts(node: None, part: data.Images) -> None:
    recipes = [recipe(pixels=pixels, rate=1) for pixels in ("raw", "normalized")]
    jobs = [{"recipe": one, "kernels": "twin in float64", "looks": [1]} for one in recipes]
    for run in trained(part, jobs):
        (after,) = run["after"]
        dense = [
            (np.array(one["kernel"]), np.array(other["kernel"]))
            for one, other in zip(run["before"], after["parameters"], strict=True)
            if one["kind"] == "dense"
        ]
        norms = [np.linalg.norm(one - other) for one, other in dense]
        np.testing.assert_allclose(after["gradients"], norms, rtol=1e-6)


def test_every_batch_size_goes_through_all_images_once_an_epoch(
    node: None, part: data.Images
) -> None:
    sizes = (2, 3, 32, 100, COUNT, 1024)
    recipes = [
        recipe(batch=size, order=order, hidden=[8], epochs=2)
        for size in sizes
        for order in ("fresh", "same")
    ]
    runs = trained(part, [{"recipe": one, "looks": [1000]} for one in recipes])
    for one, run in zip(recipes, runs, strict=True):
        steps = -(-COUNT // one["batch"])
        assert run["step"] == len(run["batches"]) == 2 * steps
        first, second = (
            [place for batch in batches for place in batch]
            for batches in (run["batches"][:steps], run["batches"][steps:])
        )
        assert sorted(first) == sorted(second) == list(range(COUNT))
        assert (first == second) == (one["order"] == "same")


def test_a_diverging_network_is_recognized_and_stops(node: None, part: data.Images) -> None:
    wild = recipe(rate=1000, activation="leaky_relu")
    calm = recipe(epochs=4)
    diverged, kept = trained(part, [{"recipe": one, "looks": [10_000]} for one in (wild, calm)])
    assert diverged["diverged"]
    assert diverged["step"] < 100
    assert np.isfinite([loss for loss in diverged["losses"][:-1] if loss is not None]).all()
    assert diverged["losses"][-1] is None, "JSON has no NaN"
    assert not kept["diverged"]
    assert kept["step"] == 4 * -(-COUNT // 32)
