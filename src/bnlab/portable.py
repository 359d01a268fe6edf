"""The trained networks as small files, for a reader's browser to compute with."""

from __future__ import annotations

import functools
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
    """Return the files of a folder that :func:`exported` returned: what a browser loads."""
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
    }
    (folder / CONTENTS).write_text(json.dumps(contents), "utf-8")


def _written(file: Path, content: bytes) -> dict[str, Any]:
    """Write a compressed file; return its name, its size, and a version for its address."""
    compressed = zlib.compress(content, 9)
    file.write_bytes(compressed)
    version = sources.digest(compressed)[:10]
    return {"file": file.name, "bytes": len(compressed), "version": version}
