"""The first images of Fashion-MNIST as a data set of its own: as good to train on, and sooner."""

from __future__ import annotations

import gzip
import hashlib
import struct
from pathlib import Path

import numpy as np
import pytest

from bnlab import data

VALID = 1_024
TRAIN = 6_000
TEST = 1_000


def write(folder: Path, images: data.FashionMNIST) -> dict[str, tuple[str, tuple[int, ...]]]:
    """Write four files as the originals are, and return what :data:`bnlab.data.FILES` says then."""
    train, valid, test = (
        data.Images(part.pixels[:size], part.labels[:size])
        for part, size in zip(images, (TRAIN, VALID, TEST), strict=True)
    )
    arrays = (
        np.concatenate([valid.pixels, train.pixels]) * 255,
        np.concatenate([valid.labels, train.labels]),
        test.pixels * 255,
        test.labels,
    )
    files = {}
    for name, array in zip(data.FILES, arrays, strict=True):
        header = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape)
        content = header + np.rint(array).astype(np.uint8).tobytes()
        (folder / name).write_bytes(gzip.compress(content, 1))
        files[name] = (hashlib.sha256(content).hexdigest(), array.shape)
    return files


def use(
    folder: Path, files: dict[str, tuple[str, tuple[int, ...]]], patch: pytest.MonkeyPatch
) -> None:
    """Let the package read them: what a teacher with other images edits."""
    patch.setenv(data.FOLDER_VARIABLE, str(folder))
    patch.setattr(data, "FILES", files)
    patch.setattr(data, "VALID_SIZE", VALID)
