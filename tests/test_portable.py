"""What a browser gets of a network predicts as the network does, and is small."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import keras
import numpy as np
import pytest
from keras import layers
from package import python

from bnlab import catalogue, data, packing, plain, portable, runs
from evergreen import store

Course = dict[str, list[runs.Run]]


@pytest.mark.parametrize("network", catalogue.NETWORKS)
def test_plain_arrays_predict_as_keras_does(
    course: Course, images: data.FashionMNIST, network: str
) -> None:
    run = course[network][0]
    predicted = plain.predict(plain.layers(run.model()), images.test.pixels)
    assert np.abs(predicted - run.test_probabilities).max() < 1e-5


@pytest.mark.parametrize("network", catalogue.NETWORKS)
def test_plain_arrays_know_training_mode_too(
    course: Course, images: data.FashionMNIST, network: str
) -> None:
    run = course[network][0]
    batch = images.test.pixels[:32]
    expected = run.model()(batch, training=True).numpy()
    predicted = plain.predict(plain.layers(run.model()), batch, training=True)
    assert np.abs(predicted - expected).max() < 1e-5
    batch_matters = np.abs(plain.predict(plain.layers(run.model()), batch) - expected).max() > 0.01
    assert batch_matters == (network != "baseline")


@pytest.mark.parametrize("network", catalogue.NETWORKS)
def test_the_exported_networks_predict_as_keras_does(course: Course, network: str) -> None:
    exported = portable.read(portable.exported())[network]
    predicted = plain.predict(exported, data.load().test.pixels)
    run = course[network][0]
    assert np.abs(predicted - run.test_probabilities).max() < 1e-3
    assert (predicted.argmax(axis=1) == run.test_predictions).sum() >= 9_995


def test_all_networks_are_no_more_than_a_reader_s_phone_loads_in_seconds() -> None:
    assert portable.size(portable.exported()) <= 1.8 * 2**20


@pytest.mark.parametrize("network", catalogue.NETWORKS)
def test_vectors_are_exported_as_keras_saved_them(course: Course, network: str) -> None:
    exported = portable.read(portable.exported())[network]
    for ours, original in zip(exported, plain.layers(course[network][0].model()), strict=True):
        assert type(ours) is type(original)
        if isinstance(original, plain.Normalization):
            for vector, saved in zip(ours, original, strict=True):
                np.testing.assert_array_equal(vector, saved)
        if isinstance(original, plain.Dense) and original.bias is not None:
            np.testing.assert_array_equal(ours.bias, original.bias)


def test_a_weight_is_rounded_by_half_a_step_of_its_unit_at_most() -> None:
    kernel = np.random.default_rng(42).normal(size=(50, 4)).astype(np.float32)
    kernel *= np.float32([1e-6, 1, 1e6, 0])
    whole, steps = packing.quantize(kernel)
    assert whole.dtype == np.int16
    assert (np.abs(whole * steps - kernel) <= 0.5001 * steps).all()
    assert list(np.abs(whole).max(axis=0)) == [32_767, 32_767, 32_767, 0]


@pytest.mark.parametrize(
    ("build", "named"),
    [
        (lambda: layers.GaussianNoise(0.1), "layer GaussianNoise"),
        (lambda: layers.Activation("gelu"), "activation gelu"),
        (lambda: layers.Dense(3, activation="tanh"), "activation tanh"),
    ],
)
def test_what_only_keras_can_compute_is_named_with_what_to_do(
    build: Callable[[], layers.Layer], named: str
) -> None:
    model = keras.Sequential([layers.Input((4,)), build()])
    with pytest.raises(plain.UnknownLayerError, match=rf"The {named} .*prediction\.js"):
        plain.layers(model)


def test_dropout_changes_no_prediction() -> None:
    model = keras.Sequential([layers.Input((4,)), layers.Dense(3), layers.Dropout(0.5)])
    assert [type(layer).__name__ for layer in plain.layers(model)] == ["Dense"]


def test_an_export_is_the_same_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = portable.files(portable.exported())
    galleries = 1 + len(data.CLASSES)
    assert len({path.name for path in files}) == 2 + len(catalogue.NETWORKS) + galleries
    (tmp_path / "runs").symlink_to(store.root() / "runs")
    monkeypatch.setenv(store.FOLDER_VARIABLE, str(tmp_path))
    again = portable.files(portable.exported())
    assert tmp_path in again[0].parents
    assert [path.read_bytes() for path in again] == [path.read_bytes() for path in files]


def test_the_galleries_hold_every_test_image_once_and_those_disputed_once_more(
    course: Course,
) -> None:
    course_runs = [course[network][0] for network in catalogue.NETWORKS]
    labels = data.load().test.labels
    galleries = portable.galleries(course_runs)
    disputed = galleries.pop(None)
    assert sorted(np.concatenate(list(galleries.values()))) == list(range(len(labels)))
    assert all((labels[places] == label).all() for label, places in galleries.items())
    answers = np.stack([run.test_predictions for run in course_runs])
    assert sorted(disputed) == np.flatnonzero(np.ptp(answers, axis=0)).tolist()
    for places in (disputed, *galleries.values()):
        assert (np.diff(portable.disagreement(course_runs)[places]) <= 0).all()


def test_networks_that_share_no_answer_are_as_far_apart_as_can_be(course: Course) -> None:
    (run,) = course["baseline"][:1]
    assert (portable.disagreement([run, run]) == 0).all()
    sure = np.eye(10, dtype=np.float32)[run.test_predictions]
    one, other = (SimpleNamespace(test_probabilities=np.roll(sure, by, 1)) for by in (0, 1))
    assert (portable.disagreement([one, other]) == 1).all()


def test_the_garments_are_the_first_of_their_kind(course: Course) -> None:
    course_runs = [course[network][0] for network in catalogue.NETWORKS]
    labels = data.load().test.labels
    chosen = portable.garments(course_runs)
    assert {int(labels[place]) for place in chosen} == set(range(10))

    def kind(place: int) -> str | None:
        answers = {int(run.test_predictions[place]) for run in course_runs}
        if len(answers) > 1:
            return "disputed"
        return "recognized" if answers == {int(labels[place])} else "mistaken"

    assert chosen == {place: kind(place) for place in chosen}
    assert len({(int(labels[place]), kind(place)) for place in chosen}) == len(chosen)
    for place in chosen:
        earlier = np.flatnonzero(labels[:place] == labels[place])
        assert kind(place) not in {kind(other) for other in earlier}


def test_an_export_knows_neither_keras_nor_tensorflow() -> None:
    code = "import sys, bnlab.portable; print({'keras', 'tensorflow'} & sys.modules.keys())"
    assert python(code).strip() == "set()"
