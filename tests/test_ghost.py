"""A ghost batch is normalized as a batch of its own, in a step that is the whole batch's."""

from __future__ import annotations

import numpy as np
import pytest

from bnlab import batchnorm, data, networks, training
from bnlab.ghost import GhostBatchNormalization, with_ghosts

PIXELS = 784


@pytest.fixture(scope="module")
def batch(images: data.FashionMNIST) -> np.ndarray:
    return images.train.pixels[:128].reshape(128, PIXELS)


def test_each_part_is_normalized_by_its_own_mean_and_variance(batch: np.ndarray) -> None:
    layer = GhostBatchNormalization(32)
    found = layer(batch, training=True)
    parts, means = [], []
    for part in batch.astype(np.float64).reshape(4, 32, PIXELS):
        normalized, saved = batchnorm.forward(part, np.ones(PIXELS), np.zeros(PIXELS))
        parts.append(normalized)
        means.append(saved.mean)
    np.testing.assert_allclose(found, np.concatenate(parts), atol=1e-3)
    moved = batchnorm.update_moving_average(np.zeros(PIXELS), np.mean(means, axis=0))
    np.testing.assert_allclose(layer.moving_mean, moved, atol=1e-5)


@pytest.mark.parametrize(("rows", "mode"), [(128, False), (100, True)])
def test_inference_and_an_odd_last_batch_are_those_of_keras_s_layer(
    batch: np.ndarray, rows: int, mode: bool
) -> None:
    ours, theirs = GhostBatchNormalization(32), networks.bn_approach_two().layers[1]
    np.testing.assert_allclose(
        ours(batch[:rows], training=mode), theirs(batch[:rows], training=mode), atol=1e-5
    )


def test_ghosts_as_large_as_the_batch_train_as_no_ghosts_do(images: data.FashionMNIST) -> None:
    small = data.FashionMNIST(
        *(data.Images(part.pixels[:640], part.labels[:640]) for part in images)
    )
    plain = training.compile(networks.bn_approach_two(), 0.1)
    ghost = training.compile(with_ghosts(plain, 128), 0.1)
    parted = training.compile(with_ghosts(plain, 32), 0.1)
    orders = np.stack([np.random.default_rng(0).permutation(640)] * 2)
    of_plain, of_ghost, of_parted = (
        training.fit(model, small, epochs=2, batch_size=128, orders=orders)
        for model in (plain, ghost, parted)
    )
    assert of_ghost[-1].loss == pytest.approx(of_plain[-1].loss, rel=1e-4)
    assert of_parted[-1].loss != pytest.approx(of_plain[-1].loss, rel=1e-3)
