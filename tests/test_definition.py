"""A network that a lesson defines: the course's has the course's runs, another one is trained."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers
from support.contents import FILES

from bnlab import catalogue, data, definition, networks, runs, training
from evergreen import claims

Build = Callable[[], keras.Sequential]
# The lesson of each network has its name.
DEFINED = [name for name in catalogue.NETWORKS if f"lessons/{name}" in FILES]


def defined(name: str) -> dict[str, Any]:
    """Run those cells of a lesson that define a function for a network, and return the names."""
    text = FILES[f"lessons/{name}"].read_text("utf-8")
    cells = re.findall(r"^```\{code-cell\}.*?\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    names: dict[str, Any] = {"keras": keras, "layers": layers}
    for cell in cells:
        if re.search(rf"^def ({name}|compiled)\(\)", cell, re.MULTILINE):
            exec(cell, names)
    return names


def another(units: int = 20, dropout: float = 0.0) -> keras.Sequential:
    hidden = [layers.Dense(units, activation="relu"), layers.BatchNormalization()]
    more = [layers.Dropout(dropout)] if dropout else []
    answer = layers.Dense(10, activation="softmax")
    return keras.Sequential([layers.Input((28, 28)), layers.Flatten(), *hidden, *more, answer])


@pytest.mark.parametrize("name", DEFINED)
def test_a_lesson_defines_the_network_that_the_course_has_trained(
    name: str, course: dict[str, list[runs.Run]]
) -> None:
    names = defined(name)
    for build in [names[name], *([names["compiled"]] if "compiled" in names else [])]:
        assert definition.run(build) == course[name][0]
        assert definition.run_seeds(build) == course[name]


def changed(place: int, **options: object) -> keras.Sequential:
    """Return the baseline with other options of the layer at a place."""
    found = networks.baseline().layers
    configs = [layer.get_config() | (options if layer is found[place] else {}) for layer in found]
    keras.utils.set_random_seed(0)  # as if none had been drawn for these
    copies = [type(layer).from_config(config) for layer, config in zip(found, configs, strict=True)]
    return keras.Sequential([layers.Input((28, 28)), *copies], name="baseline")


def wider() -> keras.Sequential:
    return changed(1, units=301)


def with_another_slope() -> keras.Sequential:
    return changed(2, negative_slope=0.2)


def with_larger_weights() -> keras.Sequential:
    model = networks.baseline()
    model.layers[1].kernel.assign(2 * model.layers[1].kernel)
    return model


def with_adam() -> keras.Sequential:
    return training.compile(networks.baseline(), optimizer=keras.optimizers.Adam)


def at_another_rate() -> keras.Sequential:
    return training.compile(networks.baseline(), learning_rate=0.01)


@pytest.mark.parametrize(
    "change", [wider, with_another_slope, with_larger_weights, with_adam, at_another_rate]
)
def test_whatever_is_changed_makes_another_network(change: Build) -> None:
    def compiled(build: Build) -> Build:
        return lambda: model if (model := build()).compiled else training.compile(model)

    assert definition.same(compiled(lambda: changed(1)), compiled(networks.baseline))
    assert not definition.same(compiled(change), compiled(networks.baseline))


def test_a_build_refuses_another_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(claims.BUILD, "1")
    with pytest.raises(definition.DefinitionError, match="'baseline' than the course trains"):
        definition.run(wider)


@pytest.mark.parametrize(("dropout", "seeds"), [(0.0, [1, 2, 1]), (0.5, [1])])
def test_another_network_is_trained_and_says_so(
    dropout: float,
    seeds: list[int],
    images: data.FashionMNIST,
    capsys: pytest.CaptureFixture[str],
) -> None:
    trained = definition.run_seeds(lambda: another(dropout=dropout), seeds, epochs=1)
    assert capsys.readouterr().out.count("is trained here") == len(seeds)
    for run, seed in zip(trained, seeds, strict=True):
        assert [len(values) for values in run.history.values()] == [1] * 4
        assert (run.history == trained[0].history) == (seed == seeds[0])
        assert run.final("val_accuracy") > 0.5
        predicted = run.model().predict(images.test.pixels, batch_size=1000, verbose=0)
        np.testing.assert_allclose(predicted, run.test_probabilities, atol=1e-6)
        right = np.mean(run.test_predictions == images.test.labels)
        assert run.test_accuracy == pytest.approx(right)
        assert {path.name for path in run.events.iterdir()} == {"train", "validation"}
