"""A network as few bytes, and back.

Nearly all of a network are the weights of its dense layers. They become whole numbers of
small steps. The error of rounding one weight is compensated by those after it, so that the
layer's outputs hardly change. Vectors stay float32.
"""

from __future__ import annotations

import io
import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from bnlab.plain import Activation, Dense, Layer, Normalization
from evergreen.errors import EvergreenError

STEPS = (2**-13, 2**-15, 2**-17)
"""The step of each dense layer; later ones have the last.

In root mean squares of its weights, if those of its inputs are 1: smaller inputs tolerate a
coarser step. Most of the weights are the first layer's, so that is where a coarse step saves most.
"""

DAMPINGS = (0.01, 0.1, 1.0)
"""Shares of the mean square that may be added for what the sample does not show.

Which of them serves the rarest images best is a matter of luck, so each is tried.
"""

_PLANES = 3

Packed = tuple[list[dict[str, Any]], bytes]
"""A description of each layer, and all numbers one after the other."""


def quantize(kernel: np.ndarray, squares: np.ndarray, damping: float) -> np.ndarray:
    """Round weights to whole numbers so that the layer's outputs change little.

    The weights are rounded input by input. What that changes in the outputs is compensated
    by the weights of the inputs still to come, as far as these correlate with it in the
    sample. Source: Frantar et al. (2023), "GPTQ", arXiv:2210.17323.

    Parameters
    ----------
    kernel : numpy.ndarray
        Shape (inputs, outputs), in steps.
    squares : numpy.ndarray
        Shape (inputs, inputs): products of each two inputs, their means over a sample.
    damping : float
        One of :data:`DAMPINGS`.

    Returns
    -------
    numpy.ndarray
        int64, shape (inputs, outputs).
    """
    squares = squares + damping * np.mean(np.diag(squares)) * np.eye(len(squares))
    share = np.linalg.cholesky(np.linalg.inv(squares)).T
    left = kernel.copy()
    whole = np.empty(kernel.shape, np.int64)
    for place in range(len(left)):
        whole[place] = np.rint(left[place])
        missing = (left[place] - whole[place]) / share[place, place]
        left[place + 1 :] -= np.outer(share[place, place + 1 :], missing)
    return whole


def pack(
    network: Sequence[Layer], squares: Sequence[np.ndarray], damping: float, finer: int
) -> Packed:
    """Return a description of each layer, and all numbers one after the other.

    Parameters
    ----------
    network : sequence of Layer
    squares : sequence of numpy.ndarray
        For each dense layer the mean products of its inputs, see :func:`quantize`.
    damping : float
        One of :data:`DAMPINGS`.
    finer : int
        Divides :data:`STEPS`.
    """
    described: list[dict[str, Any]] = []
    numbers: list[bytes] = []
    of_dense = zip(itertools.chain(STEPS, itertools.repeat(STEPS[-1])), squares, strict=False)
    for layer in network:
        match layer:
            case Dense(kernel, bias):
                step, products = next(of_dense)
                step *= float(np.sqrt(np.mean(kernel**2) / np.mean(np.diag(products)))) / finer
                whole = quantize(kernel.astype(np.float64) / step, products, damping)
                numbers.append(_planes(whole))
                numbers += [] if bias is None else [bias.astype("<f4").tobytes()]
                size = dict(zip(("inputs", "outputs"), kernel.shape, strict=True))
                described.append({"kind": "dense", **size, "step": step, "bias": bias is not None})
            case Normalization():
                *vectors, epsilon = layer
                numbers += [vector.astype("<f4").tobytes() for vector in vectors]
                size = {"width": len(vectors[0])}
                described.append({"kind": "normalization", **size, "epsilon": epsilon})
            case Activation(kind, slope):
                described.append({"kind": kind, "slope": slope})
    return described, b"".join(numbers)


def unpack(described: Sequence[dict[str, Any]], numbers: bytes) -> Iterator[Layer]:
    """Yield the layers that :func:`pack` packed, with their quantized weights."""
    stream = io.BytesIO(numbers)

    def vector(width: int) -> np.ndarray:
        return np.frombuffer(stream.read(4 * width), "<f4")

    for layer in described:
        if layer["kind"] == "dense":
            size = layer["inputs"], layer["outputs"]
            whole = _whole(stream.read(_PLANES * size[0] * size[1]))
            kernel = (layer["step"] * whole).astype(np.float32).reshape(size)
            yield Dense(kernel, vector(size[1]) if layer["bias"] else None)
        elif layer["kind"] == "normalization":
            gamma, beta, mean, variance = (vector(layer["width"]) for _ in range(4))
            yield Normalization(gamma, beta, mean, variance, layer["epsilon"])
        else:
            yield Activation(layer["kind"], layer["slope"])


def _planes(whole: np.ndarray) -> bytes:
    """Put all low bytes first, then all middle ones, then the high ones, which are mostly 0.

    The sign goes into the lowest bit, so that small numbers have zeros above, whatever
    their sign.
    """
    unsigned = np.where(whole < 0, -2 * whole - 1, 2 * whole).ravel()
    if unsigned.max() >= 256**_PLANES:
        raise EvergreenError(
            f"A weight of {unsigned.max() // 2:,} steps does not fit into {_PLANES} bytes: "
            "choose larger STEPS in bnlab/packing.py."
        )
    return unsigned.astype("<u4").view(np.uint8).reshape(-1, 4)[:, :_PLANES].T.tobytes()


def _whole(planes: bytes) -> np.ndarray:
    """Return the numbers that :func:`_planes` split."""
    low, middle, high = np.frombuffer(planes, np.uint8).reshape(_PLANES, -1).astype(np.int64)
    unsigned = low | middle << 8 | high << 16
    return (unsigned >> 1) ^ -(unsigned & 1)
