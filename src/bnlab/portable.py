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

from bnlab import catalogue, data, plain, recipes, runs
from bnlab.plain import Activation, Dense, Layer, Normalization
from evergreen import sources
from evergreen.store import Store

CONTENTS = "networks.json"
"""The file that describes the others: what networks there are, their layers, the garments."""

STEPS = (2**-13, 2**-15, 2**-17)
"""The step of each dense layer; later ones have the last.

In root mean squares of its weights, if those of its inputs are 1: smaller inputs tolerate a
coarser step. Most of the weights are the first layer's, so that is where a coarse step saves most.
"""

SAMPLE = 5_000
"""The first this many training images tell which inputs of a layer go together."""

DAMPINGS = (0.01, 0.1, 1.0)
"""Shares of the mean square that may stand for what the sample does not show.

Which of them serves the rarest images best is a matter of luck, so each is tried.
"""

_PLANES = 3
_store = Store("portable")


def exported() -> Path:
    """Return a folder with the course's networks and garments, made anew when one changes.

    It holds :data:`CONTENTS` and the files that are named there.
    """
    course = runs.load_all(recipes.Recipe(name) for name in catalogue.NETWORKS)
    code = sources.Codebase(["bnlab"]).digest_of(
        [f"{__name__}:_export"], resolved=["bnlab.runs"], texts=False, refusals=False
    )
    key = sources.digest(code, *(run.key for run in course))
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


def size(folder: Path) -> int:
    """Return how many bytes a browser loads of a folder."""
    return sum(file.stat().st_size for file in files(folder))


def garments(course: Sequence[runs.Run]) -> dict[int, str]:
    """Choose test images for a reader to try, at most three of each class.

    The first that all networks recognise, the first that they disagree on, and the first
    that all take for the same wrong garment.

    Returns
    -------
    dict of int to str
        Positions among the test images, class by class: ``"recognised"``, ``"disputed"``
        or ``"mistaken"``.
    """
    labels = data.load().test.labels
    predictions = np.stack([run.test_predictions for run in course])
    agreed = (predictions == predictions[0]).all(axis=0)
    right = predictions[0] == labels
    kinds = {"recognised": agreed & right, "disputed": ~agreed, "mistaken": agreed & ~right}
    return {
        int(place): kind
        for label in range(len(data.CLASSES))
        for kind, of_kind in kinds.items()
        for place in np.flatnonzero(of_kind & (labels == label))[:1]
    }


def rounded(kernel: np.ndarray, squares: np.ndarray, damping: float) -> np.ndarray:
    """Round weights to whole numbers so that the layer's outputs change little.

    The weights of one input after the other are rounded. What that changes in the outputs
    is made up for by the weights of the inputs still to come, as far as these go along with
    it in the sample. Source: Frantar et al. (2023), "GPTQ", arXiv:2210.17323.

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


def _export(course: Sequence[runs.Run], folder: Path) -> None:
    networks = []
    for run in course:
        described, numbers = _closest(run)
        network = catalogue.find(run.recipe.network)
        names = {"name": network.name, "title": network.title}
        colors = {"color": network.color, "dark_color": network.dark_color}
        file = _written(folder / f"{network.name}.bin", numbers)
        networks.append({**names, **colors, **file, "layers": described})
    test = data.load().test
    chosen = garments(course)
    shown = (255 * test.pixels[list(chosen)]).round().astype(np.uint8)
    images = [
        {"number": place, "label": int(test.labels[place]), "kind": kind}
        for place, kind in chosen.items()
    ]
    contents = {
        "classes": data.CLASSES,
        "networks": networks,
        "garments": {**_written(folder / "garments.bin", shown.tobytes()), "images": images},
    }
    (folder / CONTENTS).write_text(json.dumps(contents), "utf-8")


def _written(file: Path, content: bytes) -> dict[str, Any]:
    """Write a compressed file; return its name, its size, and a version for its address."""
    # Weights repeat single bytes, no sequences: looking for these would cost, not save.
    compressor = zlib.compressobj(9, strategy=zlib.Z_RLE)
    compressed = compressor.compress(content) + compressor.flush()
    file.write_bytes(compressed)
    version = sources.digest(compressed)[:10]
    return {"file": file.name, "bytes": len(compressed), "version": version}


def _closest(run: runs.Run) -> tuple[list[dict[str, Any]], bytes]:
    """Pack a network so that its predictions of the test images stay as close as they can."""
    network = plain.layers(run.model())
    squares = _squares(network)
    test = data.load().test.pixels

    def difference(packed: tuple[list[dict[str, Any]], bytes]) -> float:
        predicted = plain.predict(list(_unpacked(*packed)), test)
        return float(np.abs(predicted - run.test_probabilities).max())

    return min((_packed(network, squares, damping) for damping in DAMPINGS), key=difference)


def _squares(network: Sequence[Layer]) -> list[np.ndarray]:
    """Return for each dense layer the mean products of its inputs, see :func:`rounded`."""
    found = []
    values = data.load().train.pixels[:SAMPLE].reshape(SAMPLE, -1).astype(np.float64)
    for layer in network:
        if isinstance(layer, Dense):
            found.append(values.T @ values / SAMPLE)
        values = plain.outputs(layer, values)
    return found


def _packed(
    network: Sequence[Layer], squares: Sequence[np.ndarray], damping: float
) -> tuple[list[dict[str, Any]], bytes]:
    """Return a description of each layer, and all numbers one after the other."""
    described: list[dict[str, Any]] = []
    numbers: list[bytes] = []
    of_dense = zip(itertools.chain(STEPS, itertools.repeat(STEPS[-1])), squares, strict=False)
    for layer in network:
        match layer:
            case Dense(kernel, bias):
                step, products = next(of_dense)
                step *= float(np.sqrt(np.mean(kernel**2) / np.mean(np.diag(products))))
                whole = rounded(kernel.astype(np.float64) / step, products, damping)
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
