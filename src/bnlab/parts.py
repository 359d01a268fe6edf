"""The images as small files, for a reader's browser to train on."""

from __future__ import annotations

import json
import zlib
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from bnlab import data
from evergreen import sources
from evergreen.store import Store

CONTENTS = "images.json"
"""The file that describes the others: their names, how many images and bytes each has."""


class Part(NamedTuple):
    """Some images of one part of the data, from one place to before another."""

    of: str
    first: int
    last: int


PARTS = {
    "train-1": Part("train", 0, 5_000),
    "train-2": Part("train", 5_000, 10_000),
    "train-3": Part("train", 10_000, 55_000),
    "valid-1": Part("valid", 0, 1_000),
    "valid-2": Part("valid", 1_000, 5_000),
}
"""What a browser loads at a time; ``images.js`` knows these names."""

_store = Store("parts")


def exported() -> Path:
    """Return a folder with the images as files, made anew when the data change.

    It holds :data:`CONTENTS` and the files that are named there. Each is compressed (zlib), and
    has the labels of its images, one byte each, and then their pixels. ``shown`` has the first
    test image of each class. ``moments`` has the constants that pixels are standardized by, see
    :func:`bnlab.data.pixel_moments`: each pixel's mean and then each pixel's variance, float32.
    """
    code = sources.Codebase(["bnlab"]).digest_of(
        [f"{__name__}:_export", "bnlab.data:pixel_moments"],
        resolved=["bnlab.data"],
        texts=False,
        refusals=False,
    )
    return _store.make(sources.digest(code, data.digest()), _export)


def files(folder: Path) -> list[Path]:
    """Return the files of a folder that :func:`exported` returned."""
    contents = json.loads((folder / CONTENTS).read_text("utf-8"))
    described = [*contents["parts"].values(), contents["moments"]]
    return [folder / CONTENTS, *(folder / part["file"] for part in described)]


def sizes(folder: Path) -> dict[int, int]:
    """Return how many bytes a browser loads to train on so many images."""
    contents = json.loads((folder / CONTENTS).read_text("utf-8"))
    described = contents["parts"]
    needed = {
        5_000: ("train-1", "valid-1"),
        10_000: ("train-1", "train-2", "valid-1", "valid-2"),
        55_000: tuple(PARTS),
    }
    return {
        count: contents["moments"]["bytes"]
        + sum(described[name]["bytes"] for name in (*names, "shown"))
        for count, names in needed.items()
    }


def _export(folder: Path) -> None:
    images = data.load()
    chosen = {
        name: data.Images(*(array[first:last] for array in getattr(images, of)))
        for name, (of, first, last) in PARTS.items()
    }
    labels = images.test.labels
    firsts = [int(np.flatnonzero(labels == label)[0]) for label in range(len(data.CLASSES))]
    chosen["shown"] = data.Images(*(array[firsts] for array in images.test))
    described = {
        name: {**_written(folder / f"{name}.bin", _as_bytes(part)), "count": len(part.labels)}
        for name, part in chosen.items()
    }
    constants = np.concatenate(data.pixel_moments()).astype("<f4").tobytes()
    contents = {"parts": described, "moments": _written(folder / "moments.bin", constants)}
    (folder / CONTENTS).write_text(json.dumps(contents), "utf-8")


def _as_bytes(part: data.Images) -> bytes:
    pixels = (255 * part.pixels).round().astype(np.uint8)
    return part.labels.astype(np.uint8).tobytes() + pixels.tobytes()


def _written(file: Path, content: bytes) -> dict[str, Any]:
    """Write a compressed file; return its name, its size, and a version for its address."""
    compressed = zlib.compress(content)
    file.write_bytes(compressed)
    version = sources.digest(compressed)[:10]
    return {"file": file.name, "bytes": len(compressed), "version": version}
