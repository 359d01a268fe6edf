"""Fashion-MNIST from the four original files, split as the notebook splits it.

The files ship inside the package (MIT licence, see ``fashion_mnist/LICENSE``), so
nothing is downloaded. They hold the very arrays ``keras.datasets.fashion_mnist``
returns.
"""

from __future__ import annotations

import functools
import gzip
import hashlib
import math
import os
import zlib
from pathlib import Path
from typing import NamedTuple

import numpy as np

from evergreen.errors import EvergreenError

CLASSES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)
"""The garment that each label stands for, in the order of the labels 0 to 9."""

VALID_SIZE = 5_000
"""The FIRST this many of the 60,000 training images are the validation set."""

FOLDER_VARIABLE = "BNLAB_DATA"
"""Environment variable: a folder with the same four files, used instead of the package's."""

SOURCE = "https://github.com/zalandoresearch/fashion-mnist"

# SHA-256 of what each file unpacks to (gzip headers differ between mirrors), and the
# shape of the array in it.
FILES: dict[str, tuple[str, tuple[int, ...]]] = {
    "train-images-idx3-ubyte.gz": (
        "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
        (60_000, 28, 28),
    ),
    "train-labels-idx1-ubyte.gz": (
        "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
        (60_000,),
    ),
    "t10k-images-idx3-ubyte.gz": (
        "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
        (10_000, 28, 28),
    ),
    "t10k-labels-idx1-ubyte.gz": (
        "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
        (10_000,),
    ),
}


class DataError(EvergreenError):
    """A data file is missing, short or damaged. The message says how to get it back."""


class Images(NamedTuple):
    """Images with their labels.

    Attributes
    ----------
    pixels : numpy.ndarray
        float32, shape (n, 28, 28), 0 (background) to 1.
    labels : numpy.ndarray
        int64, shape (n,), positions in :data:`CLASSES`.
    """

    pixels: np.ndarray
    labels: np.ndarray


class FashionMNIST(NamedTuple):
    """The three parts of the data.

    Attributes
    ----------
    train, valid, test : Images
        55,000, 5,000 and 10,000 images.
    """

    train: Images
    valid: Images
    test: Images


def folder() -> Path:
    """Return the folder that the files are read from."""
    chosen = os.environ.get(FOLDER_VARIABLE)
    return Path(chosen).expanduser() if chosen else Path(__file__).parent / "fashion_mnist"


def digest() -> str:
    """Return one SHA-256, in hexadecimal, for what the four files unpack to."""
    lines = "".join(f"{sha256}  {name}\n" for name, (sha256, _) in sorted(FILES.items()))
    return hashlib.sha256(lines.encode()).hexdigest()


def _header(shape: tuple[int, ...]) -> int:
    # The magic number and one size for each axis, 32 bits each.
    return 4 * (1 + len(shape))


def _size(shape: tuple[int, ...]) -> int:
    return _header(shape) + math.prod(shape)


def _expected(name: str) -> str:
    sha256, shape = FILES[name]
    advice = (
        f"unset {FOLDER_VARIABLE} to use the copy inside the package"
        if os.environ.get(FOLDER_VARIABLE)
        else "restore it with `git checkout -- src/bnlab/fashion_mnist`"
    )
    return (
        f"Expected is a gzip file that unpacks to {_size(shape):,} bytes with the SHA-256 "
        f"{sha256}. Get it from {SOURCE}/tree/master/data/fashion, or {advice}."
    )


def _read(path: Path) -> np.ndarray:
    """Read one IDX file of unsigned bytes (format: http://yann.lecun.com/exdb/mnist/)."""
    sha256, shape = FILES[path.name]
    try:
        compressed = path.read_bytes()
    except OSError as error:
        raise DataError(
            f"The data file {path} cannot be read ({error.strerror}). {_expected(path.name)}"
        ) from error
    try:
        unpacked = gzip.decompress(compressed)
    except (EOFError, OSError, zlib.error) as error:
        raise DataError(
            f"The data file {path} ({len(compressed):,} bytes) cannot be unpacked ({error}). "
            f"{_expected(path.name)}"
        ) from error
    found = hashlib.sha256(unpacked).hexdigest()
    if found != sha256:
        raise DataError(
            f"The data file {path} unpacks to {len(unpacked):,} bytes with the SHA-256 {found}. "
            f"{_expected(path.name)} If it is of another data set on purpose, say so in FILES of "
            "src/bnlab/data.py."
        )
    return np.frombuffer(unpacked, np.uint8, offset=_header(shape)).reshape(shape)


def load() -> FashionMNIST:
    """Load the data, scaled and split as in the notebook.

    Pixels are divided by 255. Of the 60,000 training images the first 5,000 are the
    validation set, the remaining 55,000 the training set; the 10,000 test images are
    the test set. The arrays are read-only and shared between calls.

    Returns
    -------
    FashionMNIST
        Pixels float32 in [0, 1], labels int64.

    Raises
    ------
    DataError
        If a file is missing, short or damaged.
    """
    return _shared(folder())


@functools.lru_cache(maxsize=1)
def _shared(where: Path) -> FashionMNIST:
    return read(where)


def pixel_moments() -> tuple[np.ndarray, ...]:
    """Return mean and variance of each pixel over the 55,000 training images.

    Returns
    -------
    mean, variance : numpy.ndarray
        float32, shape (784,), of pixels in [0, 1]. The variance is the mean squared deviation.

    Raises
    ------
    DataError
        If a file is missing, short or damaged.
    """
    pixels = _read(folder() / next(iter(FILES)))[VALID_SIZE:]
    grey = pixels.reshape(len(pixels), -1)
    # Sums of whole numbers are exact.
    mean = grey.sum(axis=0, dtype=np.int64) / len(grey)
    of_squares = np.einsum("ij,ij->j", grey, grey, dtype=np.int64) / len(grey)
    moments = (mean / 255, (of_squares - mean**2) / 255**2)
    return tuple(moment.astype(np.float32) for moment in moments)


def read(where: Path) -> FashionMNIST:
    """Read the data from a folder, like :func:`load`, for the caller alone.

    Raises
    ------
    DataError
        If a file is missing, short or damaged.
    """
    images, labels, test_images, test_labels = (_read(where / name) for name in FILES)

    def scaled(pixels: np.ndarray, labels: np.ndarray) -> Images:
        part = Images(np.divide(pixels, 255, dtype=np.float32), labels.astype(np.int64))
        for array in part:
            array.flags.writeable = False
        return part

    return FashionMNIST(
        train=scaled(images[VALID_SIZE:], labels[VALID_SIZE:]),
        valid=scaled(images[:VALID_SIZE], labels[:VALID_SIZE]),
        test=scaled(test_images, test_labels),
    )
