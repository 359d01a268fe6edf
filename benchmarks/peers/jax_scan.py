"""JAX by hand: an epoch is one compiled ``lax.scan`` over batches of data on the device."""

from __future__ import annotations

import functools
import time
from typing import Any

import jax
import numpy as np
from jax import lax, nn
from jax import numpy as jnp

from benchmarks.peers import report
from bnlab import arithmetic, data

Arrays = Any  # a tree of arrays

MOMENTUM, EPSILON = 0.99, 1e-3


def initial(network: str, key: jax.Array) -> tuple[Arrays, Arrays]:
    """Return the weights, and the moving mean and variance of each BN layer."""
    keys = jax.random.split(key, len(arithmetic.WIDTHS) - 1)
    *hidden, last = zip(keys, arithmetic.WIDTHS[:-1], arithmetic.WIDTHS[1:], strict=True)
    initializer = (
        nn.initializers.he_normal() if network == "baseline" else nn.initializers.glorot_uniform()
    )
    dense = [
        {"kernel": initializer(key, (inputs, outputs)), "bias": jnp.zeros(outputs)}
        for key, inputs, outputs in hidden
    ]
    if network == "bn_approach_two":
        dense = [{"kernel": layer["kernel"]} for layer in dense]
    key, inputs, outputs = last
    kernel = nn.initializers.glorot_uniform()(key, (inputs, outputs))
    dense.append({"kernel": kernel, "bias": jnp.zeros(outputs)})
    normalized = () if network == "baseline" else arithmetic.WIDTHS[:-1]
    affine = [{"gamma": jnp.ones(width), "beta": jnp.zeros(width)} for width in normalized]
    moving = [(jnp.zeros(width), jnp.ones(width)) for width in normalized]
    return {"dense": dense, "affine": affine}, moving


def forward(
    network: str, weights: Arrays, moving: Arrays, x: jax.Array, *, training: bool
) -> tuple[jax.Array, Arrays]:
    """Return the logits, and the moving statistics after this batch."""
    after = []

    def normalize(x: jax.Array) -> jax.Array:
        if network == "baseline":
            return x
        affine, mean, variance = weights["affine"][len(after)], *moving[len(after)]
        if training:
            batch = x.mean(axis=0), x.var(axis=0)
            after.append(
                tuple(
                    MOMENTUM * old + (1 - MOMENTUM) * new
                    for old, new in zip((mean, variance), batch, strict=True)
                )
            )
            mean, variance = batch
        else:
            after.append((mean, variance))
        return affine["gamma"] * (x - mean) * lax.rsqrt(variance + EPSILON) + affine["beta"]

    x = normalize(x)
    *hidden, last = weights["dense"]
    for layer in hidden:
        x = x @ layer["kernel"]
        if network == "bn_approach_two":
            x = nn.relu(normalize(x))
        elif network == "bn_approach_one":
            x = normalize(nn.relu(x + layer["bias"]))
        else:
            x = nn.leaky_relu(x + layer["bias"], 0.3)
    return x @ last["kernel"] + last["bias"], after


def totals(logits: jax.Array, labels: jax.Array) -> jax.Array:
    """Return the sum of the losses and the number of right answers."""
    losses = -jnp.take_along_axis(nn.log_softmax(logits), labels[:, None], axis=1)
    return jnp.stack([losses.sum(), (logits.argmax(axis=1) == labels).sum().astype(jnp.float32)])


@functools.partial(jax.jit, static_argnames="network")
def epoch(
    network: str, weights: Arrays, moving: Arrays, train: Arrays, valid: Arrays, order: jax.Array
) -> tuple[Arrays, Arrays, jax.Array]:
    pixels, labels = train

    def batch_loss(weights: Arrays, moving: Arrays, indices: jax.Array) -> tuple[jax.Array, Arrays]:
        logits, moving = forward(network, weights, moving, pixels[indices], training=True)
        sums = totals(logits, labels[indices])
        return sums[0] / len(indices), (moving, sums)

    def step(carry: Arrays, indices: jax.Array) -> tuple[Arrays, jax.Array]:
        weights, moving = carry
        gradients, (moving, sums) = jax.grad(batch_loss, has_aux=True)(weights, moving, indices)
        weights = jax.tree.map(lambda w, g: w - report.LEARNING_RATE * g, weights, gradients)
        return (weights, moving), sums

    full = len(order) // report.BATCH_SIZE * report.BATCH_SIZE
    carry, sums = lax.scan(step, (weights, moving), order[:full].reshape(-1, report.BATCH_SIZE))
    sums = sums.sum(axis=0)
    if full < len(order):
        carry, more = step(carry, order[full:])
        sums = sums + more
    weights, moving = carry
    logits, _ = forward(network, weights, moving, valid[0], training=False)
    measured = [sums / len(labels), totals(logits, valid[1]) / len(valid[1])]
    return weights, moving, jnp.concatenate(measured)


def train(network: str, images: data.FashionMNIST, epochs: int) -> report.Trained:
    weights, moving = initial(network, jax.random.key(report.SEED))
    random = np.random.default_rng(report.SEED)
    on_device = [
        (jnp.asarray(part.pixels.reshape(-1, 784)), jnp.asarray(part.labels, jnp.int32))
        for part in (images.train, images.valid)
    ]
    history, seconds = [], []
    for _ in range(epochs):
        started = time.perf_counter()
        order = jnp.asarray(random.permutation(len(images.train.labels)))
        weights, moving, measured = epoch(network, weights, moving, *on_device, order)
        history.append([float(value) for value in measured])
        seconds.append(time.perf_counter() - started)
    parameters = sum(array.size for array in jax.tree.leaves((weights, moving)))
    return report.Trained(history, seconds, parameters)


def main() -> None:
    chosen = report.parser().parse_args()
    images = data.load()
    trained = {
        name: train(name, images, chosen.epochs)
        for name in ("baseline", "bn_approach_one", "bn_approach_two")
    }
    report.finish(trained, "jax", "numpy")


if __name__ == "__main__":
    main()
