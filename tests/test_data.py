"""The data are Fashion-MNIST, whole, split as in the notebook, or an error that helps."""

from __future__ import annotations

import gzip
import hashlib
import io
import math
import shutil
import struct
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from package import PACKAGE, copy_package, python, start

from bnlab import data, recipes, runs, studies
from bnlab.site import prepare

FILES = PACKAGE / "fashion_mnist"
SIZES = {"train": 55_000, "valid": 5_000, "test": 10_000}


def read(kind: str, axes: int) -> np.ndarray:
    """Read an IDX file as its description says, apart from the package."""
    with gzip.open(FILES / f"{kind}-idx{axes}-ubyte.gz") as file:
        zeros, unsigned_byte, dimensions = struct.unpack(">HBB", file.read(4))
        assert (zeros, unsigned_byte, dimensions) == (0, 8, axes)
        shape = struct.unpack(f">{axes}I", file.read(4 * axes))
        return np.frombuffer(file.read(), np.uint8).reshape(shape)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A reader's own folder with the four files."""
    for name in data.FILES:
        (tmp_path / name).symlink_to(FILES / name)
    monkeypatch.setenv("BNLAB_DATA", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("name", SIZES)
def test_each_part_has_its_size_and_its_types(images: data.FashionMNIST, name: str) -> None:
    part = getattr(images, name)
    assert part.pixels.shape == (SIZES[name], 28, 28)
    assert part.labels.shape == (SIZES[name],)
    assert part.pixels.dtype == np.float32
    assert part.labels.dtype == np.int64


@pytest.mark.parametrize("name", SIZES)
def test_pixels_reach_from_zero_to_one_and_labels_from_zero_to_nine(
    images: data.FashionMNIST, name: str
) -> None:
    part = getattr(images, name)
    assert (part.pixels.min(), part.pixels.max()) == (0, 1)
    assert set(part.labels.tolist()) == set(range(len(data.CLASSES))) == set(range(10))


def test_each_class_has_7000_images(images: data.FashionMNIST) -> None:
    counts = np.bincount(np.concatenate([part.labels for part in images]))
    assert counts.tolist() == [7_000] * 10


def test_the_first_5000_of_the_training_file_are_the_validation_images_in_their_order(
    images: data.FashionMNIST,
) -> None:
    pixels, labels = read("train-images", 3), read("train-labels", 1)
    assert np.array_equal(images.valid.labels, labels[:5_000])
    assert np.array_equal(images.train.labels, labels[5_000:])
    assert np.array_equal(np.rint(images.valid.pixels * 255), pixels[:5_000])
    assert np.array_equal(np.rint(images.train.pixels * 255), pixels[5_000:])


def test_the_test_images_are_those_of_the_test_file(images: data.FashionMNIST) -> None:
    assert np.array_equal(images.test.labels, read("t10k-labels", 1))
    assert np.array_equal(images.test.pixels, read("t10k-images", 3) / np.float32(255))


def test_a_reader_cannot_change_the_arrays_that_all_share(images: data.FashionMNIST) -> None:
    assert data.load() is data.load()
    for part in images:
        for array in part:
            with pytest.raises(ValueError, match="read-only"):
                array[0] = 1


def test_keras_returns_the_same_arrays_from_the_same_files(tmp_path: Path) -> None:
    cache = tmp_path / "datasets" / "fashion-mnist"
    cache.mkdir(parents=True)
    for name in data.FILES:
        shutil.copy(FILES / name, cache)
    code = """
import sys

def refuse_network(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "urllib.Request"):
        raise RuntimeError(f"{event} {arguments}")

sys.addaudithook(refuse_network)
import numpy as np
from bnlab import data, quiet
import keras

(pixels, labels), (test_pixels, test_labels) = keras.datasets.fashion_mnist.load_data()
train, valid, test = data.load()
for ours, theirs in (
    (np.concatenate([valid.pixels, train.pixels]), pixels / np.float32(255)),
    (np.concatenate([valid.labels, train.labels]), labels),
    (test.pixels, test_pixels / np.float32(255)),
    (test.labels, test_labels),
):
    print(np.array_equal(ours, theirs))
"""
    assert python(code, KERAS_HOME=tmp_path).split() == ["True"] * 4


def flip_a_byte(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    replace_file(path, bytes(content))


def change_a_pixel(path: Path) -> None:
    content = bytearray(gzip.decompress(path.read_bytes()))
    content[-1] ^= 1
    replace_file(path, gzip.compress(bytes(content), 1))


def truncate(path: Path) -> None:
    content = path.read_bytes()
    replace_file(path, content[: len(content) // 2])


def empty(path: Path) -> None:
    replace_file(path, b"")


def make_a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def replace_file(path: Path, content: bytes) -> None:
    path.unlink()
    path.write_bytes(content)


@pytest.mark.parametrize(
    "damage", [flip_a_byte, change_a_pixel, truncate, empty, Path.unlink, make_a_folder]
)
@pytest.mark.parametrize("name", data.FILES)
def test_a_damaged_file_is_named_with_what_was_expected_and_how_to_get_it_back(
    folder: Path, name: str, damage: Callable[[Path], None]
) -> None:
    damage(folder / name)
    with pytest.raises(data.DataError) as raised:
        data.load()
    message = str(raised.value)
    sha256, shape = data.FILES[name]
    header = 4 * (1 + len(shape))
    assert f"The data file {folder / name}" in message
    assert f"{header + math.prod(shape):,} bytes with the SHA-256 {sha256}" in message
    assert "https://github.com/zalandoresearch/fashion-mnist" in message
    assert "unset BNLAB_DATA" in message


def test_one_file_in_another_s_place_is_noticed(folder: Path) -> None:
    labels = folder / "t10k-labels-idx1-ubyte.gz"
    replace_file(labels, (FILES / "train-labels-idx1-ubyte.gz").read_bytes())
    with pytest.raises(data.DataError, match=r"t10k-labels.* unpacks to 60,008 bytes"):
        data.load()


def test_a_folder_that_cannot_be_read_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "file"
    file.touch()
    for missing in (tmp_path / "nowhere", file):
        monkeypatch.setenv("BNLAB_DATA", str(missing))
        with pytest.raises(data.DataError, match=f"{missing}.* cannot be read .*unset BNLAB_DATA"):
            data.load()


def test_a_damaged_copy_inside_the_package_is_restored_by_git(tmp_path: Path) -> None:
    source = copy_package(tmp_path)
    labels = source / "bnlab" / "fashion_mnist" / "t10k-labels-idx1-ubyte.gz"
    truncate(labels)
    process = start("from bnlab import data; data.load()", source, BNLAB_DATA="")
    _, errors = process.communicate()
    assert process.returncode == 1
    assert f"DataError: The data file {labels}" in errors
    assert "git checkout -- src/bnlab/fashion_mnist" in errors


def test_the_same_files_packed_elsewhere_are_welcome(
    folder: Path, images: data.FashionMNIST
) -> None:
    for name in data.FILES:
        packed = io.BytesIO()
        with gzip.GzipFile(f"mirror-{name}", "wb", 1, packed, mtime=1) as file:
            file.write(gzip.decompress((FILES / name).read_bytes()))
        assert packed.getvalue() != (FILES / name).read_bytes()
        replace_file(folder / name, packed.getvalue())
    assert data.folder() == folder
    for own, shipped in zip(data.load(), images, strict=True):
        assert np.array_equal(own.pixels, shipped.pixels)
        assert np.array_equal(own.labels, shipped.labels)


# Another data set of the same form


class Lessons(dict[str, str]):
    """Lessons of a build, and why some are left out."""

    def leave_out(self, name: str, why: str) -> None:
        """Note it."""
        self[name] = why


@pytest.fixture
def other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, np.ndarray]:
    """Four files as a teacher has them of other images, and the head of the module edited."""
    random = np.random.default_rng(0)
    shapes = [(70, 28, 28), (70,), (30, 28, 28), (30,)]
    arrays, files = {}, {}
    for name, shape in zip(data.FILES, shapes, strict=True):
        top = 256 if len(shape) == 3 else 10
        arrays[name] = random.integers(0, top, shape, np.uint8)
        header = struct.pack(f">HBB{len(shape)}I", 0, 8, len(shape), *shape)
        content = header + arrays[name].tobytes()
        (tmp_path / name).write_bytes(gzip.compress(content))
        files[name] = (hashlib.sha256(content).hexdigest(), shape)
    monkeypatch.setenv("BNLAB_DATA", str(tmp_path))
    monkeypatch.setattr(data, "FILES", files)
    monkeypatch.setattr(data, "VALID_SIZE", 20)
    return arrays


def test_other_images_of_the_same_form_are_read_as_the_module_says(
    other: dict[str, np.ndarray],
) -> None:
    pixels, labels, test_pixels, _ = other.values()
    found = data.load()
    assert [len(part.labels) for part in found] == [50, 20, 30]
    assert np.array_equal(found.valid.labels, labels[:20])
    assert np.array_equal(found.train.pixels, pixels[20:] / np.float32(255))
    assert np.array_equal(found.test.pixels, test_pixels / np.float32(255))
    mean, variance = data.pixel_moments()
    grey = pixels[20:].reshape(50, -1) / 255
    np.testing.assert_allclose(mean, grey.mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(variance, grey.var(axis=0), rtol=1e-5)


def test_other_images_have_other_runs_and_studies_of_the_first_step_aside(
    request: pytest.FixtureRequest,
) -> None:
    keys = runs.keys(recipes.course())
    assert not studies.of_other_data()
    request.getfixturevalue("other")
    assert studies.of_other_data()
    assert set(keys).isdisjoint(runs.keys(recipes.course()))
    lessons = Lessons()
    assert prepare.stored_studies(lessons, {"lessons/one", "lessons/two"}) == []
    assert list(lessons) == ["lessons/one", "lessons/two"]
    assert all("Fashion-MNIST" in why and "make study" in why for why in lessons.values())


def test_a_cell_about_fashion_mnist_says_so_where_the_data_are_others(
    request: pytest.FixtureRequest,
) -> None:
    config = SimpleNamespace(evergreen_aside={})
    prepare.set_aside(None, config)
    assert config.evergreen_aside == {}
    request.getfixturevalue("other")
    prepare.set_aside(None, config)
    assert "learned from other data" in config.evergreen_aside["fashion-mnist"]
