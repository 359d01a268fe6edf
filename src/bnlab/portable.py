"""The trained networks as small files, for a reader's browser to compute with."""

from __future__ import annotations

import functools
import itertools
import json
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bnlab import catalogue, data, packing, plain, recipes, runs
from bnlab.plain import Layer
from evergreen import sources
from evergreen.store import Store

CONTENTS = "networks.json"
"""The file that describes the others: what networks there are, their layers, the garments."""

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
    """Return the files of a folder that :func:`exported` returned."""
    galleries = json.loads((folder / CONTENTS).read_text("utf-8"))["galleries"]
    return [*first_files(folder), *(folder / part["file"] for part in galleries)]


def first_files(folder: Path) -> list[Path]:
    """Return those of a folder's files that a browser loads to begin with."""
    contents = json.loads((folder / CONTENTS).read_text("utf-8"))
    named = [*contents["networks"], contents["garments"]]
    return [folder / CONTENTS, *(folder / part["file"] for part in named)]


def read(folder: Path) -> dict[str, list[Layer]]:
    """Return the networks of a folder by name, with the weights that a browser gets."""
    contents = json.loads((folder / CONTENTS).read_text("utf-8"))
    return {
        network["name"]: list(
            packing.unpack(
                network["layers"], zlib.decompress((folder / network["file"]).read_bytes())
            )
        )
        for network in contents["networks"]
    }


def size(folder: Path) -> int:
    """Return how many bytes a browser loads of a folder to begin with."""
    return sum(file.stat().st_size for file in first_files(folder))


def garments(course: Sequence[runs.Run]) -> dict[int, str]:
    """Choose test images for a reader to try, at most three of each class.

    The first that all networks recognize, the first that they disagree on, and the first
    that all take for the same wrong garment.

    Returns
    -------
    dict of int to str
        Positions among the test images, class by class: ``"recognized"``, ``"disputed"``
        or ``"mistaken"``.
    """
    labels = data.load().test.labels
    predictions = np.stack([run.test_predictions for run in course])
    agreed = (predictions == predictions[0]).all(axis=0)
    right = predictions[0] == labels
    kinds = {"recognized": agreed & right, "disputed": ~agreed, "mistaken": agreed & ~right}
    return {
        int(place): kind
        for label in range(len(data.CLASSES))
        for kind, of_kind in kinds.items()
        for place in np.flatnonzero(of_kind & (labels == label))[:1]
    }


def disagreement(course: Sequence[runs.Run]) -> np.ndarray:
    """Return how far apart the networks' probabilities for each test image are.

    Returns
    -------
    numpy.ndarray
        Shape (10,000,), 0 to 1: the largest total variation distance between two networks, half
        the sum of the absolute differences of their ten probabilities.
    """
    pairs = itertools.combinations([run.test_probabilities for run in course], 2)
    distances = [np.abs(one - other).sum(axis=1) / 2 for one, other in pairs]
    return np.max(distances, axis=0) if distances else np.zeros(len(course[0].test_predictions))


def galleries(course: Sequence[runs.Run]) -> dict[int | None, np.ndarray]:
    """Arrange the test images for a reader to look through.

    Returns
    -------
    dict
        Positions among the test images, those first on which the networks are furthest apart: by
        class, and, with None, of all that get different answers.
    """
    labels = data.load().test.labels
    predictions = np.stack([run.test_predictions for run in course])
    furthest = np.argsort(-disagreement(course), kind="stable")
    disputed = (predictions != predictions[0]).any(axis=0)
    arranged: dict[int | None, np.ndarray] = {None: furthest[disputed[furthest]]}
    for label in range(len(data.CLASSES)):
        arranged[label] = furthest[labels[furthest] == label]
    return arranged


def _export(course: Sequence[runs.Run], folder: Path) -> None:
    networks = []
    for run in course:
        described, numbers = packing.pack(plain.layers(run.model()))
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
        "galleries": [
            {
                **_written(folder / f"gallery-{place}.bin", _gallery(course, positions)),
                "label": label,
                "count": len(positions),
            }
            for place, (label, positions) in enumerate(galleries(course).items())
        ],
    }
    (folder / CONTENTS).write_text(json.dumps(contents), "utf-8")


def _gallery(course: Sequence[runs.Run], positions: np.ndarray) -> bytes:
    """Return all images' numbers (16 bits), labels, each network's answers, and pixels."""
    test = data.load().test
    answers = [run.test_predictions[positions].astype(np.uint8) for run in course]
    pixels = (255 * test.pixels[positions]).round().astype(np.uint8)
    labels = test.labels[positions].astype(np.uint8)
    columns = [positions.astype("<u2"), labels, *answers, pixels]
    return b"".join(column.tobytes() for column in columns)


def _written(file: Path, content: bytes) -> dict[str, Any]:
    """Write a compressed file; return its name, its size, and a version for its address."""
    compressed = zlib.compress(content, 9)
    file.write_bytes(compressed)
    version = sources.digest(compressed)[:10]
    return {"file": file.name, "bytes": len(compressed), "version": version}
