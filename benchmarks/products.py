"""The matrix products that an epoch cannot do without, and how fast a library does them.

A dense layer multiplies three times a step: its inputs by its weights, its inputs by the
gradients of its outputs (for the weights' gradient), and these by its weights (for the
gradient that is passed on). The last is needed only where something below is trained, so
in the first layer only if the pixels are normalized by a layer with gamma and beta.

Run as ``python -m benchmarks.products LIBRARY [--cores N]`` it prints seconds as JSON.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from bnlab import arithmetic, catalogue

if TYPE_CHECKING:
    import numpy as np

BATCH_SIZE = 32
STEPS = 55_000 / BATCH_SIZE  # the ragged last batch counts as the part of a batch that it is
VALID_SIZE = 5_000


# Does a product so many times, and returns the last result.
Repeat = Callable[[int], "np.ndarray"]


class Product(NamedTuple):
    """A matrix product: (rows, inner) by (inner, columns), either factor maybe transposed."""

    rows: int
    inner: int
    columns: int
    transposed: str

    @property
    def multiply_adds(self) -> int:
        return self.rows * self.inner * self.columns


def of_epoch(network: str) -> list[tuple[Product, float]]:
    """List the products of one epoch, validation included, and how often each is done."""
    normalized = catalogue.find(network).normalization != "none"
    products = []
    for layer, (inputs, outputs) in enumerate(itertools.pairwise(arithmetic.WIDTHS)):
        products += [
            (Product(BATCH_SIZE, inputs, outputs, "neither"), STEPS),
            (Product(inputs, BATCH_SIZE, outputs, "first"), STEPS),
            (Product(VALID_SIZE, inputs, outputs, "neither"), 1.0),
        ]
        if layer or normalized:
            products.append((Product(BATCH_SIZE, outputs, inputs, "second"), STEPS))
    return products


def different() -> list[Product]:
    """List each product of any network once."""
    return list(
        dict.fromkeys(product for name in catalogue.NOTEBOOK for product, _ in of_epoch(name))
    )


def factors(product: Product) -> tuple[np.ndarray, np.ndarray]:
    """Draw the two factors as they lie in memory: transposed is what is to be transposed."""
    import numpy as np

    random = np.random.default_rng(0)
    first, second = (product.rows, product.inner), (product.inner, product.columns)
    first = first[::-1] if product.transposed == "first" else first
    second = second[::-1] if product.transposed == "second" else second
    return tuple(random.standard_normal(shape, np.float32) for shape in (first, second))


# In a compiled loop the first factor changes its sign from turn to turn: else the product
# would be done only once.


def with_numpy(product: Product) -> Repeat:
    import numpy as np

    first, second = factors(product)
    first = first.T if product.transposed == "first" else first
    second = second.T if product.transposed == "second" else second
    result = np.empty((product.rows, product.columns), np.float32)

    def repeat(times: int) -> np.ndarray:
        for _ in range(times):
            np.matmul(first, second, out=result)
        return result

    return repeat


def with_torch(product: Product) -> Repeat:
    import torch

    first, second = map(torch.tensor, factors(product))
    first = first.T if product.transposed == "first" else first
    second = second.T if product.transposed == "second" else second
    result = torch.empty(product.rows, product.columns)

    def repeat(times: int) -> np.ndarray:
        for _ in range(times):
            torch.mm(first, second, out=result)
        return result.numpy()

    return repeat


def with_jax(product: Product) -> Repeat:
    import jax
    import numpy as np
    from jax import lax
    from jax import numpy as jnp

    first, second = map(jnp.asarray, factors(product))
    several = jnp.stack([first, -first])
    contracted = (int(product.transposed != "first"), int(product.transposed == "second"))

    @jax.jit
    def loop(several: jax.Array, second: jax.Array, times: int) -> jax.Array:
        def turn(number: int, _: jax.Array) -> jax.Array:
            dimensions = (contracted[:1], contracted[1:]), ((), ())
            return lax.dot_general(several[number % 2], second, dimensions)

        return lax.fori_loop(0, times, turn, jnp.zeros((product.rows, product.columns)))

    return lambda times: np.asarray(loop(several, second, times))


def with_tensorflow(product: Product) -> Repeat:
    from bnlab import quiet  # noqa: F401, I001

    import tensorflow as tf

    first, second = map(tf.constant, factors(product))
    several = tf.stack([first, -first])

    @tf.function(jit_compile=True, autograph=False)
    def loop(several: tf.Tensor, second: tf.Tensor, times: tf.Tensor) -> tf.Tensor:
        def turn(number: tf.Tensor, _: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            return number + 1, tf.matmul(
                several[number % 2],
                second,
                transpose_a=product.transposed == "first",
                transpose_b=product.transposed == "second",
            )

        start = tf.constant(0), tf.zeros((product.rows, product.columns))
        return tf.while_loop(lambda number, _: number < times, turn, start)[1]

    return lambda times: loop(several, second, tf.constant(times)).numpy()


LIBRARIES: dict[str, Callable[[Product], Repeat]] = {
    "numpy": with_numpy,
    "tensorflow": with_tensorflow,
    "jax": with_jax,
    "torch": with_torch,
}
"""How to do a product, by library; TensorFlow as our trainer uses it, compiled by XLA."""


def seconds(repeat: Repeat, times: int, attempts: int = 5) -> float:
    """Return the seconds of one product: the least of several attempts."""
    repeat(times)  # compiles
    measured = []
    for _ in range(attempts):
        started = time.perf_counter()
        repeat(times)
        measured.append(time.perf_counter() - started)
    return min(measured) / times


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("library", choices=LIBRARIES)
    parser.add_argument("--cores", type=int, default=os.cpu_count())
    chosen = parser.parse_args()
    # A library makes as many threads as it may use cores, so it must be told before it loads.
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: chosen.cores])
    each = {
        product: seconds(
            LIBRARIES[chosen.library](product), 3 if product.rows == VALID_SIZE else 200
        )
        for product in different()
    }
    epochs = {
        name: sum(times * each[product] for product, times in of_epoch(name))
        for name in catalogue.NOTEBOOK
    }
    print(json.dumps(epochs))


if __name__ == "__main__":
    main()
