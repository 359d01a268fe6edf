"""A network as few bytes, and back.

Nearly all of a network are the weights of its dense layers. They become whole numbers of 16
bits, in steps of their own for each unit. Vectors stay float32.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from bnlab.plain import Activation, Dense, Layer, Normalization

LARGEST = np.iinfo(np.int16).max
"""The whole number that a unit's largest weight becomes."""

Packed = tuple[list[dict[str, Any]], bytes]
"""A description of each layer, and all numbers one after the other."""


def quantize(kernel: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Round weights to whole numbers of steps.

    Parameters
    ----------
    kernel : numpy.ndarray
        float32, shape (inputs, outputs), finite.

    Returns
    -------
    whole : numpy.ndarray
        int16, shape (inputs, outputs).
    steps : numpy.ndarray
        float32, shape (outputs,): one step of each unit's weights.
    """
    steps = np.abs(kernel).max(axis=0).astype(np.float32) / np.float32(LARGEST)
    steps[steps == 0] = 1  # of a unit without any weight
    return np.rint(kernel / steps).astype(np.int16), steps


def pack(network: Sequence[Layer]) -> Packed:
    """Return a description of each layer, and all numbers one after the other."""
    described: list[dict[str, Any]] = []
    numbers: list[bytes] = []
    for layer in network:
        match layer:
            case Dense(kernel, bias):
                whole, steps = quantize(kernel)
                numbers += [whole.astype("<i2").tobytes(), steps.astype("<f4").tobytes()]
                numbers += [] if bias is None else [bias.astype("<f4").tobytes()]
                size = dict(zip(("inputs", "outputs"), kernel.shape, strict=True))
                described.append({"kind": "dense", **size, "bias": bias is not None})
            case Normalization():
                *vectors, epsilon = layer
                numbers += [vector.astype("<f4").tobytes() for vector in vectors]
                size = {"width": len(vectors[0])}
                described.append({"kind": "normalization", **size, "epsilon": epsilon})
            case Activation(kind, slope):
                described.append({"kind": kind, "slope": slope})
    return described, b"".join(numbers)


def unpack(described: Sequence[dict[str, Any]], numbers: bytes) -> Iterator[Layer]:
    """Yield the layers that :func:`pack` packed, with their rounded weights."""
    stream = io.BytesIO(numbers)

    def vector(width: int) -> np.ndarray:
        return np.frombuffer(stream.read(4 * width), "<f4")

    for layer in described:
        if layer["kind"] == "dense":
            size = layer["inputs"], layer["outputs"]
            whole = np.frombuffer(stream.read(2 * size[0] * size[1]), "<i2").reshape(size)
            kernel = whole * vector(size[1])
            yield Dense(kernel, vector(size[1]) if layer["bias"] else None)
        elif layer["kind"] == "normalization":
            gamma, beta, mean, variance = (vector(layer["width"]) for _ in range(4))
            yield Normalization(gamma, beta, mean, variance, layer["epsilon"])
        else:
            yield Activation(layer["kind"], layer["slope"])
