"""Probes say what training would do, and leave the network as it was."""

from __future__ import annotations

from collections.abc import Iterator

import keras
import numpy as np
import pytest
from keras import layers

from bnlab import batchnorm, catalogue, data, networks, probes, runs, training

Course = dict[str, list[runs.Run]]
RATE = 1e-3
every_network = pytest.mark.parametrize("network", catalogue.NETWORKS)


@pytest.fixture(scope="module")
def batch(images: data.FashionMNIST) -> tuple[np.ndarray, np.ndarray]:
    return images.train.pixels[:32], images.train.labels[:32]


@pytest.fixture
def float64() -> Iterator[None]:
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float64")
    yield
    keras.config.set_dtype_policy(before)


@every_network
@pytest.mark.usefixtures("float64")
def test_the_gradient_agrees_with_finite_differences_in_every_layer(
    network: str, batch: tuple[np.ndarray, np.ndarray]
) -> None:
    keras.utils.set_random_seed(1)
    model = getattr(networks, network)()
    found = probes.gradient(model, *batch)
    random = np.random.default_rng(1)
    step = 1e-7
    for layer in model.layers:
        if not layer.trainable_variables:
            continue
        start = [np.asarray(variable).copy() for variable in layer.trainable_variables]
        way = [random.normal(size=value.shape) for value in start]
        losses = []
        for sign in (1, -1):
            for variable, value, direction in zip(
                layer.trainable_variables, start, way, strict=True
            ):
                variable.assign(value + sign * step * direction)
            losses.append(probes.gradient(model, *batch).loss)
        for variable, value in zip(layer.trainable_variables, start, strict=True):
            variable.assign(value)
        slope = (losses[0] - losses[1]) / (2 * step)
        expected = found.by_layer[layer.name] @ np.concatenate([np.ravel(part) for part in way])
        # What is 0 by the network's form has no relative error.
        assert slope == pytest.approx(expected, rel=1e-4, abs=1e-6)


@every_network
def test_a_step_along_the_gradient_ends_where_a_step_of_training_does(
    network: str, course: Course, batch: tuple[np.ndarray, np.ndarray]
) -> None:
    model = course[network][0].model()
    before = probes.gradient(model, *batch)
    way = probes.along_gradient(model, *batch, [RATE, 10 * RATE])
    assert way.loss == pytest.approx(before.loss, rel=1e-6)
    assert way.norm == pytest.approx(before.norm, rel=1e-5)

    model.compile(loss="sparse_categorical_crossentropy", optimizer=keras.optimizers.SGD(RATE))
    model.train_on_batch(*batch)
    after = probes.gradient(model, *batch)
    assert way.losses[0] == pytest.approx(after.loss, rel=1e-5)
    assert way.losses[0] < way.loss
    first, last = (np.concatenate([*found.by_layer.values()]) for found in (before, after))
    assert way.distances[0] == pytest.approx(np.linalg.norm(last - first), rel=1e-2)
    cosine = first @ last / np.linalg.norm(first) / np.linalg.norm(last)
    assert way.cosines[0] == pytest.approx(cosine, abs=1e-4)


@every_network
def test_a_step_of_next_to_nothing_changes_neither_loss_nor_gradient(
    network: str, course: Course, batch: tuple[np.ndarray, np.ndarray]
) -> None:
    way = probes.along_gradient(course[network][0].model(), *batch, [1e-9])
    assert way.losses[0] == pytest.approx(way.loss, rel=1e-6)
    assert way.distances[0] < 1e-3 * way.norm
    assert way.cosines[0] == pytest.approx(1, abs=1e-5)


@every_network
def test_probes_leave_the_network_as_it_was(
    network: str, course: Course, batch: tuple[np.ndarray, np.ndarray]
) -> None:
    model = course[network][0].model()
    before = model.get_weights()
    probes.activations(model, batch[0])
    probes.gradient(model, *batch)
    probes.along_gradient(model, *batch, [0.1])
    probes.covariate_shift(model, *batch, 0.1)
    assert all(map(np.array_equal, before, model.get_weights()))


@every_network
def test_probes_see_a_network_that_has_been_changed(
    network: str, course: Course, batch: tuple[np.ndarray, np.ndarray]
) -> None:
    model = course[network][0].model()
    probes.gradient(model, *batch)
    model.set_weights(course[network][1].model().get_weights())
    other = course[network][1].model()
    assert probes.gradient(model, *batch).loss == probes.gradient(other, *batch).loss


@every_network
def test_activations_are_those_of_training_mode(
    network: str, course: Course, batch: tuple[np.ndarray, np.ndarray]
) -> None:
    model = course[network][0].model()
    values = batch[0].astype(np.float32)
    found = probes.activations(model, values)
    assert list(found) == [layer.name for layer in model.layers]
    for layer in model.layers:
        if isinstance(layer, layers.BatchNormalization):
            gamma, beta = np.asarray(layer.gamma), np.asarray(layer.beta)
            values, _ = batchnorm.forward(values.astype(np.float64), gamma, beta)
        else:
            values = np.asarray(layer(values))
        np.testing.assert_allclose(found[layer.name], values, rtol=1e-3, atol=1e-4)


@every_network
def test_the_shift_is_the_change_by_an_update_of_the_layers_in_front(
    network: str, course: Course, batch: tuple[np.ndarray, np.ndarray]
) -> None:
    model = course[network][0].model()
    rate = 0.05
    found = probes.covariate_shift(model, *batch, rate)
    before = probes.gradient(model, *batch)
    assert list(found) == list(before.by_layer)
    for layer in model.layers:
        if not layer.trainable_variables:
            continue
        own = before.by_layer[layer.name]
        moved = probes.gradient(model, *batch).by_layer[layer.name]
        shift = found[layer.name]
        assert shift.norm == pytest.approx(np.linalg.norm(own), rel=1e-5)
        assert shift.difference == pytest.approx(np.linalg.norm(moved - own), rel=1e-2, abs=1e-5)
        cosine = moved @ own / np.linalg.norm(moved) / np.linalg.norm(own)
        assert shift.cosine == pytest.approx(cosine, abs=1e-3)
        # From here on this layer is in front as well.
        parts = np.split(own, np.cumsum([np.size(v) for v in layer.trainable_variables])[:-1])
        for variable, part in zip(layer.trainable_variables, parts, strict=True):
            variable.assign_sub(rate * part.reshape(variable.shape))


@every_network
def test_there_is_no_shift_where_nothing_in_front_changes(
    network: str, course: Course, batch: tuple[np.ndarray, np.ndarray]
) -> None:
    model = course[network][0].model()
    assert next(iter(probes.covariate_shift(model, *batch, 0.1).values())).difference == 0
    still = probes.covariate_shift(model, *batch, 0.0)
    assert [shift.difference for shift in still.values()] == [0] * len(still)
    assert all(shift.norm > 0 for shift in list(still.values())[1:])


def test_a_gradient_is_perpendicular_to_weights_whose_length_does_not_matter(
    course: Course, batch: tuple[np.ndarray, np.ndarray]
) -> None:
    """Each unit of a kernel in front of batch normalization; not those of the output layer."""
    model = course["bn_approach_two"][0].model()
    found = probes.gradient(model, *batch).by_layer
    dense = [layer for layer in model.layers if isinstance(layer, layers.Dense)]
    along = []
    for layer in dense:
        kernel = np.asarray(layer.kernel)
        gradient = found[layer.name][: kernel.size].reshape(kernel.shape)
        along.append(abs((kernel * gradient).sum()) / np.linalg.norm(kernel * gradient))
    assert max(along[:2]) < 0.05 < along[2]


def test_the_smoothness_is_the_largest_change_by_length_of_way() -> None:
    steps = np.array([0.1, 0.2])
    way = probes.Along(steps, 1.0, 2.0, np.array([0.9, 0.8]), np.array([1.0, 4.0]), np.ones(2))
    assert way.smoothness == pytest.approx(10)


@pytest.mark.parametrize("steps", [[], [0.1, 0], [-0.1]])
def test_steps_that_lead_nowhere_are_refused(
    steps: list[float], batch: tuple[np.ndarray, np.ndarray]
) -> None:
    with pytest.raises(ValueError, match="above 0"):
        probes.along_gradient(training.compile(networks.baseline()), *batch, steps)
