"""The trained networks as small files, for a reader's browser to compute with.

Nearly all of a network are the weights of its dense layers. They become whole numbers of
small steps, and what the rounding of one weight spoils is made up for by those after it, so
that the layer's outputs hardly notice. Vectors stay float32.
"""

from __future__ import annotations

import functools
import io
import itertools
import json
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bnlab import catalogue, data, plain, runs, sources
from bnlab.plain import Activation, Dense, Layer, Normalization
from bnlab.store import Store

CONTENTS = "networks.json"
"""The file that describes the others: what networks there are, their layers, the garments."""

STEPS = (2**-13, 2**-15, 2**-17)
"""The step of each dense layer, in root mean squares of its weights; later ones have the last.

Most of the weights are the first layer's, so that is where a coarser step saves most.
"""

SAMPLE = 10_000
"""The first this many training images tell which inputs of a layer go together."""

DAMPING = 0.01
"""Share of an input's mean square that stands for what the sample does not show."""

_PLANES = 3
_store = Store("portable")


def exported() -> Path:
    """Return a folder with the course's networks and garments, made anew when one changes.

    It holds :data:`CONTENTS` and the files that are named there.
    """
    course = [runs.load(name) for name in catalogue.NETWORKS]
    modules = (__name__, plain.__name__, catalogue.__name__)
    key = sources.digest(*(run.key for run in course), *map(sources.module_digest, modules))
    return _store.make(key, functools.partial(_export, course))


def files(folder: Path) -> list[Path]:
    """Return the files of a folder that :func:`exported` returned: what a browser loads."""
    contents = json.loads((folder / CONTENTS).read_text("utf-8"))
    named = [*contents["networks"], contents["garments"]]
    return [folder / CONTENTS, *(folder / part["file"] for part in named)]


def read(folder: Path) -> dict[str, list[Layer]]:
    """Return the networks of a folder by name, with the weights that a browser gets."""
    contents = json.loads((folder / CONTENTS).read_text("utf-8"))
    return {
        network["name"]: list(
            _unpacked(network["layers"], zlib.decompress((folder / network["file"]).read_bytes()))
        )
        for network in contents["networks"]
    }


def garments(course: Sequence[runs.Run]) -> list[int]:
    """Choose test images for a reader to try, at most three of each class.

    The first that all networks recognise, the first that they disagree on, and the first
    that all take for the same wrong garment.

    Returns
    -------
    list of int
        Positions among the test images, class by class.
    """
    labels = data.load().test.labels
    predictions = np.stack([run.test_predictions for run in course])
    agreed = (predictions == predictions[0]).all(axis=0)
    right = predictions[0] == labels
    return [
        int(place)
        for label in range(len(data.CLASSES))
        for kind in (agreed & right, ~agreed, agreed & ~right)
        for place in np.flatnonzero(kind & (labels == label))[:1]
    ]


def rounded(kernel: np.ndarray, inputs: np.ndarray) -> np.ndarray:
    """Round weights to whole numbers so that the layer's outputs change little.

    The weights of one input after the other are rounded. What that changes in the outputs
    is made up for by the weights of the inputs still to come, as far as these go along with
    it in the sample. Source: Frantar et al. (2023), "GPTQ", arXiv:2210.17323.

    Parameters
    ----------
    kernel : numpy.ndarray
        Shape (inputs, outputs), in steps.
    inputs : numpy.ndarray
        Shape (images, inputs): a sample of what the layer is given.

    Returns
    -------
    numpy.ndarray
        int64, shape (inputs, outputs).
    """
    squares = inputs.T @ inputs / len(inputs)
    squares += DAMPING * np.mean(np.diag(squares)) * np.eye(len(squares))
    share = np.linalg.cholesky(np.linalg.inv(squares)).T
    left = kernel.copy()
    whole = np.empty(kernel.shape, np.int64)
    for place in range(len(left)):
        whole[place] = np.rint(left[place])
        missing = (left[place] - whole[place]) / share[place, place]
        left[place + 1 :] -= np.outer(share[place, place + 1 :], missing)
    return whole


def _export(course: Sequence[runs.Run], folder: Path) -> None:
    pixels = data.load().train.pixels[:SAMPLE]
    networks = []
    for run in course:
        described, numbers = _packed(plain.layers(run.model()), pixels)
        network = run.network
        names = {"name": network.name, "title": network.title}
        colors = {"color": network.color, "dark_color": network.dark_color}
        file = _written(folder / f"{network.name}.bin", numbers)
        networks.append({**names, **colors, **file, "layers": described})
    test = data.load().test
    chosen = garments(course)
    shown = (255 * test.pixels[chosen]).round().astype(np.uint8)
    images = [{"number": place, "label": int(test.labels[place])} for place in chosen]
    contents = {
        "classes": data.CLASSES,
        "networks": networks,
        "garments": {**_written(folder / "garments.bin", shown.tobytes()), "images": images},
    }
    (folder / CONTENTS).write_text(json.dumps(contents, indent=1), "utf-8")


def _written(file: Path, content: bytes) -> dict[str, str]:
    """Write a compressed file; return its name, and a version for its address."""
    # Weights repeat single bytes, no sequences: looking for these would cost, not save.
    compressor = zlib.compressobj(9, strategy=zlib.Z_RLE)
    compressed = compressor.compress(content) + compressor.flush()
    file.write_bytes(compressed)
    return {"file": file.name, "version": sources.digest(compressed)[:10]}


def _packed(network: Sequence[Layer], pixels: np.ndarray) -> tuple[list[dict[str, Any]], bytes]:
    """Return a description of each layer, and all numbers one after the other."""
    described: list[dict[str, Any]] = []
    numbers: list[bytes] = []
    steps = itertools.chain(STEPS, itertools.repeat(STEPS[-1]))
    values = pixels.reshape(len(pixels), -1).astype(np.float64)
    for layer in network:
        match layer:
            case Dense(kernel, bias):
                weights = kernel.astype(np.float64)
                step = next(steps) * float(np.sqrt(np.mean(weights**2)))
                numbers.append(_planes(rounded(weights / step, values)))
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
        values = plain.outputs(layer, values)
    return described, b"".join(numbers)


def _unpacked(described: Sequence[dict[str, Any]], numbers: bytes) -> Iterator[Layer]:
    """Yield the layers that :func:`_packed` described."""
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
            vectors = [vector(layer["width"]) for _ in range(4)]
            yield Normalization(*vectors, layer["epsilon"])
        else:
            yield Activation(layer["kind"], layer["slope"])


def _planes(whole: np.ndarray) -> bytes:
    """Put all low bytes first, then all middle ones, then the high ones, which are mostly 0.

    The sign goes into the lowest bit, so that small numbers have zeros above, whatever
    their sign.
    """
    unsigned = np.where(whole < 0, -2 * whole - 1, 2 * whole).ravel()
    if unsigned.max() >= 256**_PLANES:
        raise ValueError(
            f"A weight of {unsigned.max() // 2:,} steps does not fit into {_PLANES} bytes: "
            "choose larger STEPS."
        )
    return unsigned.astype("<u4").view(np.uint8).reshape(-1, 4)[:, :_PLANES].T.tobytes()


def _whole(planes: bytes) -> np.ndarray:
    """Return the numbers that :func:`_planes` took apart."""
    low, middle, high = np.frombuffer(planes, np.uint8).reshape(_PLANES, -1).astype(np.int64)
    unsigned = low | middle << 8 | high << 16
    return (unsigned >> 1) ^ -(unsigned & 1)
