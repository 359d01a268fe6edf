"""Moving averages measured again are the images' own, and change nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from keras import Sequential, layers, utils

from bnlab import batchnorm, data, networks, studies
from bnlab.recalibration import recalibrate
from bnlab.studies import files, ghosts, measured, recalibrated


@pytest.fixture(scope="module")
def pixels(images: data.FashionMNIST) -> np.ndarray:
    return images.train.pixels[:1_000]


@pytest.fixture
def convolutional() -> Sequential:
    utils.set_random_seed(0)
    return Sequential(
        [
            layers.Input((28, 28, 1)),
            layers.Conv2D(4, 3, strides=2),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.Flatten(),
            layers.Dense(10),
        ]
    )


def of_kind(model: Sequential) -> list[layers.BatchNormalization]:
    return [layer for layer in model.layers if isinstance(layer, layers.BatchNormalization)]


def test_over_all_images_they_are_the_images_own_mean_and_variance(pixels: np.ndarray) -> None:
    model = recalibrate(networks.bn_approach_two(), pixels)
    values = tf.constant(pixels)
    for layer in model.layers:
        if isinstance(layer, layers.BatchNormalization):
            reached = np.asarray(values, np.float64)
            np.testing.assert_allclose(layer.moving_mean, reached.mean(axis=0), atol=1e-4)
            np.testing.assert_allclose(layer.moving_variance, reached.var(axis=0), rtol=1e-2)
        values = layer(values, training=False)


@pytest.mark.parametrize("size", [2, 50])
def test_in_batches_they_are_the_mean_of_what_keras_s_layers_meet_in_training(
    pixels: np.ndarray, size: int
) -> None:
    utils.set_random_seed(0)
    model, theirs = networks.bn_approach_two(), networks.bn_approach_two()
    theirs.set_weights(model.get_weights())
    for layer in of_kind(theirs):
        layer.momentum = 0.0  # keeps the last batch's own
    some = pixels[:100]
    met: list[list[np.ndarray]] = [[] for _ in of_kind(theirs)]
    for start in range(0, len(some), size):
        theirs(some[start : start + size], training=True)
        for found, layer in zip(met, of_kind(theirs), strict=True):
            found.append(np.array([layer.moving_mean, layer.moving_variance]))
    recalibrate(model, some, size)
    for found, layer in zip(met, of_kind(model), strict=True):
        mean, variance = np.mean(found, axis=0)
        np.testing.assert_allclose(layer.moving_mean, mean, atol=1e-4)
        np.testing.assert_allclose(layer.moving_variance, variance, atol=1e-4)


def test_a_channel_has_one_average_over_all_places(
    pixels: np.ndarray, convolutional: Sequential
) -> None:
    recalibrate(convolutional, pixels[..., np.newaxis])
    maps = np.asarray(convolutional.layers[0](pixels[..., np.newaxis]), np.float64)
    _, saved = batchnorm.forward(maps.reshape(-1, 4), np.ones(4), np.zeros(4))
    np.testing.assert_allclose(convolutional.layers[1].moving_mean, saved.mean, atol=1e-4)
    np.testing.assert_allclose(convolutional.layers[1].moving_variance, saved.variance, atol=1e-4)


def test_no_weight_changes(pixels: np.ndarray) -> None:
    model = networks.bn_approach_one()
    before = [np.asarray(weight) for weight in model.trainable_weights]
    recalibrate(model, pixels, 100)
    for weight, value in zip(model.trainable_weights, before, strict=True):
        assert np.array_equal(weight, value)


def test_what_cannot_be_measured_is_refused(pixels: np.ndarray) -> None:
    for size in (0, 1_001):
        with pytest.raises(ValueError, match=rf"at most all 1000, not {size}"):
            recalibrate(networks.bn_approach_one(), pixels, size)
    with pytest.raises(ValueError, match="'baseline' has no batch normalization"):
        recalibrate(networks.baseline(), pixels)


# What is stored.


def test_what_is_stored_was_measured_on_the_study_s_runs() -> None:
    of_study = {result.recipe: result for result in studies.load("batch_sizes").results}
    stored = recalibrated.STORED.load()
    assert [one.recipe for one in stored] == recalibrated.recipes()
    assert {one.recipe.batch_size for one in stored} == {2, 8, 32, 128, 1024}
    for one in stored:
        result = of_study[one.recipe]
        assert one.key == result.key
        for part in measured.PARTS:
            # 10,000 images and more: one in another class on another processor does no harm.
            expected = pytest.approx(result.final(f"{part}_accuracy"), abs=2e-4)
            assert one.accuracy["moving"][part] == expected


@pytest.mark.parametrize("beside", [recalibrated.STORED, ghosts.STORED])
def test_a_stored_file_of_other_code_or_none_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, beside: measured.Measurement
) -> None:
    text = beside.path.read_text("utf-8")
    stored = json.loads(text)
    monkeypatch.setattr(files, "FOLDER", tmp_path)
    renewal = rf"`make study STUDY={beside.study}`, and commit"
    with pytest.raises(studies.StudyError, match=rf"There is no file .* {renewal}"):
        beside.load()
    path = beside.path
    path.parent.mkdir()
    for damaged in (
        text[:-50],
        text.replace('"seed"', '"luck"'),
        text.replace(f'"{beside.fields[0]}"', '"guessed"'),
        "[]",
    ):
        path.write_text(damaged, "utf-8")
        with pytest.raises(studies.StudyError, match=rf"is damaged .* {renewal}"):
            beside.load()
    for old in (stored["about"]["code"], stored["runs"][0]["key"]):
        path.write_text(text.replace(old, "0" * 64), "utf-8")
        with pytest.raises(studies.StudyError, match=rf"made by other code.* {renewal}"):
            beside.load()
