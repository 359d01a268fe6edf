"""A stored run is what its code, data and libraries give; what fails is not recorded."""

from __future__ import annotations

import json
import re
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np
import psutil
import pytest
from package import SOURCE, copy_package, output, python, start
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.util import tensor_util
from website import replace

from bnlab import data, networks, notebook, recipes, runs
from bnlab.catalogue import NETWORKS
from bnlab.recipes import Recipe

Course = dict[str, list[runs.Run]]


@pytest.fixture(params=NETWORKS)
def run(request: pytest.FixtureRequest, course: Course) -> runs.Run:
    """A network's run with the notebook's seed."""
    return course[request.param][0]


# What is recorded.


@pytest.mark.parametrize("metric", ["accuracy", "val_accuracy"])
@pytest.mark.parametrize("network", notebook.LOGS)
def test_every_printed_epoch_is_within_one_and_a_half_points_of_the_notebook(
    course: Course, network: str, metric: str
) -> None:
    ours, printed = course[network][0].history[metric], notebook.LOGS[network][metric]
    assert len(printed) == 8
    for epoch, (here, there) in enumerate(zip(ours, printed, strict=False), start=1):
        assert abs(here - there) < 0.015, f"epoch {epoch}"


@pytest.mark.parametrize("metric", ["loss", "val_loss"])
@pytest.mark.parametrize("network", notebook.LOGS)
def test_every_printed_loss_is_near_the_notebook_s(
    course: Course, network: str, metric: str
) -> None:
    ours, printed = course[network][0].history[metric], notebook.LOGS[network][metric]
    np.testing.assert_allclose(ours[: len(printed)], printed, rtol=0.06)


def test_the_runs_are_the_course_s_in_the_order_of_the_seeds(course: Course) -> None:
    for network, of_network in course.items():
        assert [run.recipe for run in of_network] == [
            Recipe(network, seed) for seed in recipes.SEEDS
        ]
        assert len({run.key for run in of_network}) == len(recipes.SEEDS)


def test_the_seeds_differ_in_their_results(course: Course) -> None:
    for of_network in course.values():
        assert len({run.history["loss"] for run in of_network}) == len(recipes.SEEDS)


def test_the_history_has_each_metric_for_each_epoch(run: runs.Run) -> None:
    assert tuple(run.history) == ("loss", "accuracy", "val_loss", "val_accuracy")
    for metric, values in run.history.items():
        assert len(values) == run.recipe.epochs
        assert run.final(metric) == values[-1]
    assert run.final("test_accuracy") == run.test_accuracy
    with pytest.raises(ValueError, match=r"no metric 'f1'\. Choose one of loss, accuracy,"):
        run.final("f1")


def test_the_recorded_probabilities_give_the_recorded_test_accuracy_and_loss(
    run: runs.Run, images: data.FashionMNIST
) -> None:
    labels = images.test.labels
    assert run.test_probabilities.shape == (10_000, 10)
    assert run.test_probabilities.dtype == np.float32
    assert (run.test_predictions == labels).mean() == run.test_accuracy
    of_true_class = run.test_probabilities[np.arange(len(labels)), labels]
    assert -np.log(of_true_class).mean() == pytest.approx(run.test_loss, abs=1e-5)


def test_the_saved_model_repeats_what_was_recorded(
    run: runs.Run, images: data.FashionMNIST
) -> None:
    model = run.model()
    probabilities = model.predict(images.test.pixels, batch_size=500, verbose=0)
    np.testing.assert_allclose(probabilities, run.test_probabilities, atol=1e-5)
    assert (probabilities.argmax(axis=1) == images.test.labels).mean() == run.test_accuracy
    loss, accuracy = model.evaluate(*images.valid, verbose=0)
    assert loss == pytest.approx(run.final("val_loss"), abs=1e-5)
    assert accuracy == pytest.approx(run.final("val_accuracy"), abs=1e-6)
    loss, accuracy = model.evaluate(*images.train, batch_size=500, verbose=0)
    assert loss == pytest.approx(run.train_loss, abs=1e-5)
    assert accuracy == pytest.approx(run.train_accuracy, abs=1e-6)


def test_the_saved_model_is_the_course_s_network_compiled_as_it_was_trained(
    run: runs.Run,
) -> None:
    model, fresh = run.model(), getattr(networks, run.recipe.network)()
    assert model.compiled
    assert float(model.optimizer.learning_rate) == pytest.approx(run.recipe.learning_rate)
    assert [type(layer) for layer in model.layers] == [type(layer) for layer in fresh.layers]


def test_the_event_logs_hold_the_history_as_keras_s_callback_writes_it(run: runs.Run) -> None:
    for part, prefix in (("train", ""), ("validation", "val_")):
        events = EventAccumulator(str(run.events / part)).Reload()
        for metric in ("loss", "accuracy"):
            logged = events.Tensors(f"epoch_{metric}")
            assert [event.step for event in logged] == list(range(run.recipe.epochs))
            values = [tensor_util.make_ndarray(event.tensor_proto).item() for event in logged]
            assert values == list(map(np.float32, run.history[prefix + metric]))


def test_the_event_logs_hold_a_histogram_of_every_variable(run: runs.Run) -> None:
    events = EventAccumulator(str(run.events / "train")).Reload()
    keras.backend.clear_session()  # as in a new process, layers are numbered from 0
    expected = {f"{variable.path}/histogram" for variable in run.model().variables}
    assert {tag for tag in events.Tags()["tensors"] if tag.endswith("histogram")} == expected


def test_the_log_has_the_form_of_fit_without_its_times(run: runs.Run) -> None:
    lines, epochs = run.log().splitlines(), run.recipe.epochs
    assert lines[::2] == [f"Epoch {epoch}/{epochs}" for epoch in range(1, epochs + 1)]
    number = r"(\d\.\d{4})"
    form = rf"1719/1719 - loss: {number} - accuracy: {number} - val_loss: {number}"
    form += rf" - val_accuracy: {number}"
    for epoch, line in enumerate(lines[1::2]):
        match = re.fullmatch(form, line)
        assert match, line
        values = [history[epoch] for history in run.history.values()]
        np.testing.assert_allclose([float(text) for text in match.groups()], values, atol=5.1e-5)


def test_the_provenance_says_when_where_and_how_long(run: runs.Run) -> None:
    provenance = run.provenance
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", provenance["finished"])
    assert provenance["versions"]["keras"] == keras.__version__
    assert len(provenance["epoch_seconds"]) == run.recipe.epochs
    assert 0 < sum(provenance["epoch_seconds"]) < provenance["seconds"]
    assert re.search(r", \d+ cores$", provenance["processor"])


def test_the_spread_is_the_mean_and_the_sample_standard_deviation(course: Course) -> None:
    spread = runs.spread(course["baseline"], "test_accuracy")
    values = [run.test_accuracy for run in course["baseline"]]
    mean = sum(values) / len(values)
    assert spread.values == tuple(values)
    assert spread.mean == pytest.approx(mean)
    assert spread.sd == pytest.approx(statistics.stdev(values))
    assert spread.sd > 0
    with pytest.raises(ValueError, match="at least two runs, not 1"):
        runs.spread(course["baseline"][:1], "test_accuracy")


# What the key depends on.

KEYS = """
import json
from bnlab import catalogue, recipes, runs

print(json.dumps({name: runs.key(recipes.Recipe(name)) for name in catalogue.NETWORKS}))
"""


def keys(*paths: Path) -> dict[str, str]:
    """Return the key of each network's run, for the package found in some folders."""
    return json.loads(python(KEYS, *paths))


@pytest.fixture(scope="module")
def usual() -> dict[str, str]:
    """The key of each network's run, as the package is."""
    return dict(zip(NETWORKS, runs.keys(map(Recipe, NETWORKS)), strict=True))


class Edit(NamedTuple):
    """A text of a module, and another in its place."""

    module: str
    old: str
    new: str


Changed = Callable[..., set[str]]


@pytest.fixture
def changed_keys(source: Path, usual: dict[str, str]) -> Changed:
    """Edits a copy of the package, and names the networks whose runs are then others."""

    def changed(*edits: Edit) -> set[str]:
        for edit in edits:
            replace(source / "bnlab" / f"{edit.module}.py", edit.old, edit.new)
        after = keys(source)
        return {network for network in NETWORKS if usual[network] != after[network]}

    return changed


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A copy of the package that may be changed."""
    return copy_package(tmp_path)


@pytest.mark.parametrize(
    "other",
    [
        Recipe("bn_approach_one"),
        Recipe("baseline", seed=1),
        Recipe("baseline", epochs=9),
        Recipe("baseline", batch_size=64),
        Recipe("baseline", learning_rate=1e-2),
        Recipe("baseline", activation="relu"),
        Recipe("baseline", initializer="glorot_uniform"),
        Recipe("baseline", initial_scale=2),
        Recipe("bn_approach_two", layer_norm=True),
        Recipe("bn_approach_one", normalizes="hidden"),
        Recipe("baseline", standardized=True),
        Recipe("baseline", hidden_layers=2),
        Recipe("baseline", weight_decay=0.1),
        Recipe("baseline", reshuffle=False),
    ],
)
def test_each_field_of_the_recipe_changes_the_key(other: Recipe) -> None:
    assert runs.key(Recipe("baseline")) == runs.key(Recipe("baseline"))
    assert runs.key(other) != runs.key(Recipe("baseline"))


def test_the_key_does_not_depend_on_where_the_package_lies(
    source: Path, usual: dict[str, str]
) -> None:
    assert keys(source) == usual


@pytest.mark.parametrize(
    ("module", "old", "new"),
    [
        ("training/graphs", "learning_rate * gradient", "2 * learning_rate * gradient"),
        ("training/trainer", "THREADS = 1", "THREADS = 2"),
        ("training/building", 'metrics=["accuracy"]', 'metrics=["mse"]'),
        ("training/events", "step=number - 1", "step=number"),
        ("data", "VALID_SIZE = 5_000", "VALID_SIZE = 6_000"),
        ("data", "np.divide(pixels, 255", "np.divide(pixels, 256"),
        ("data", "0402a96d", "1402a96d"),
        ("environment", '"TF_ENABLE_ONEDNN_OPTS": "1"', '"TF_ENABLE_ONEDNN_OPTS": "0"'),
        (
            "training/on_pixels",
            "tf.linalg.matvec(kernel, sums)",
            "2 * tf.linalg.matvec(kernel, sums)",
        ),
        ("training/orders", "np.random.PCG64(recipe.seed)", "np.random.PCG64(1 + recipe.seed)"),
        ("runs/record", "trained.model.save_weights", "trained.model.save"),
        ("networks", "from keras import layers", "import keras.layers as layers"),
    ],
)
def test_a_change_of_what_every_run_depends_on_changes_every_key(
    changed_keys: Changed, module: str, old: str, new: str
) -> None:
    assert changed_keys(Edit(module, old, new)) == set(NETWORKS)


def test_a_constant_in_a_module_that_a_network_imports_changes_its_key(source: Path) -> None:
    slopes = source / "bnlab" / "slopes.py"
    slopes.write_text("SLOPE = 0.3\n", "utf-8")
    network = source / "bnlab" / "networks.py"
    replace(network, "import keras\n", "import keras\nfrom bnlab import slopes\n")
    replace(network, "negative_slope=0.3", "negative_slope=slopes.SLOPE")
    before = keys(source)
    replace(slopes, "0.3", "0.2")
    assert before.items() - keys(source).items() == {("baseline", before["baseline"])}


@pytest.mark.parametrize(
    ("old", "new", "network"),
    [
        ("negative_slope=0.3", "negative_slope=0.2", "baseline"),
        ("layers.Dense(300, activation", "layers.Dense(200, activation", "bn_approach_one"),
        ("layers.Dense(300, use_bias", "layers.Dense(200, use_bias", "bn_approach_two"),
    ],
)
def test_editing_one_network_changes_its_own_key_alone(
    changed_keys: Changed, old: str, new: str, network: str
) -> None:
    assert changed_keys(Edit("networks", old, new)) == {network}


NEUTRAL = [
    Edit("networks", "no batch normalization.", "without batch normalization."),
    Edit("networks", "        [\n            layers.Input", "        [  # ours\n layers.Input"),
    Edit("networks", "line_length=64", "line_length=65"),
    Edit("training/trainer", '"""Train one network', '"""Train a single network'),
    Edit("training/trainer", '"""Threads that train', '"""The threads that train'),
    Edit("training/fast", "Epochs and batch size are whole", "Epochs and batches are whole"),
    Edit("training/coverage", "trains with no loss weights", "has no loss weights"),
    Edit("training/coverage", "if model.run_eagerly", "if model.built and model.run_eagerly"),
    Edit("training/structure", 'case "ReLU"', 'case "PReLU"'),
    Edit("training/variants", "recipe.initial_scale * layer", "2 * recipe.initial_scale * layer"),
    Edit("data", '"""The garment that', '"""The piece of clothing that'),
    Edit("data", "cannot be unpacked", "does not unpack"),
    Edit("runs/record", "# NumPy writes to memory first:", "# NumPy writes to its memory first:"),
    Edit("runs/worker", '"finished": datetime', '"ended": datetime'),
    Edit("runs/host", "cores", "processors"),
    Edit("runs/pool", "(each needs about 1.3 GiB)", "(each needs much)"),
    Edit("runs/pool", "timeout=0.5", "timeout=0.6"),
    Edit("recipes", '"batches of {}"', '"{} at once"'),
    Edit("recipes", '    "hidden_layers",\n)', '    "hidden_layers",\n    "batch_size",\n)'),
    Edit("catalogue", '"#5d6673"', '"#5d6674"'),
    Edit("catalogue", 'title="Baseline"', 'title="The baseline"'),
    Edit("figures/style", "SIZE = (6.4, 4.0)", "SIZE = (6.4, 4.1)"),
]
"""What changes no number, each in a place of its own."""


def test_what_changes_no_number_changes_no_key(changed_keys: Changed) -> None:
    # All at once, since each alone would change a key for good.
    assert changed_keys(*NEUTRAL) == set()


def test_a_network_s_own_optimizer_changes_its_key_alone(changed_keys: Changed) -> None:
    changed = changed_keys(Edit("catalogue", 'hatch="///",', 'hatch="///", optimizer="Adam",'))
    assert changed == {"bn_approach_one"}


def test_a_change_of_the_variations_changes_the_keys_of_varied_recipes(source: Path) -> None:
    code = KEYS.replace("Recipe(name)", "Recipe(name, initial_scale=2)")
    before = python(code, source)
    replace(
        source / "bnlab/training/variants.py",
        "if recipe.layer_norm else",
        "if recipe.layer_norm is True else",
    )
    assert json.loads(before).items().isdisjoint(json.loads(python(code, source)).items())


def test_a_new_field_of_the_recipe_changes_no_key(changed_keys: Changed) -> None:
    listed, field = '    "layer_norm": False,', "    layer_norm: bool = False"
    changed = changed_keys(
        Edit("runs/keys", listed, f'{listed}\n    "momentum": 0.0,'),
        Edit("recipes", field, f"{field}\n    momentum: float = 0.0"),
    )
    assert changed == set()


def test_other_defaults_change_no_key_of_a_recipe_that_says_what_it_wants(
    source: Path, usual: dict[str, str]
) -> None:
    said = KEYS.replace("Recipe(name)", "Recipe(name, epochs=10)")
    before = python(said, source)
    replace(source / "bnlab" / "recipes.py", "epochs: int = ", "epochs: int = 1 + ")
    assert python(said, source) == before
    assert usual.items().isdisjoint(keys(source).items())


@pytest.mark.parametrize("library", runs.LIBRARIES)
def test_another_version_of_a_library_changes_every_key(
    usual: dict[str, str], tmp_path: Path, library: str
) -> None:
    site = tmp_path / "site"
    installed = site / f"{library}-99.0.dist-info"
    installed.mkdir(parents=True)
    (installed / "METADATA").write_text(f"Name: {library}\nVersion: 99.0\n", "utf-8")
    assert usual.items().isdisjoint(keys(SOURCE, site).items())


# What a process needs.

# Linux hands ru_maxrss on from the process that starts another one; VmHWM is the process's own.
PEAK = """
import re
from pathlib import Path

from bnlab import catalogue, training
from bnlab.recipes import Recipe

training.use_one_thread()
for name in catalogue.NETWORKS:
    training.train(Recipe(name, epochs=1, batch_size=1024))
print(re.search(r"VmHWM:\\s*(\\d+) kB", Path("/proc/self/status").read_text("utf-8"))[1])
"""


@pytest.mark.skipif(sys.platform != "linux", reason="Only Linux tells it this way.")
def test_a_process_that_trains_every_network_needs_less_than_1_3_gib() -> None:
    assert int(python(PEAK)) * 1024 < 1.3 * 2**30


LONG = """
from bnlab import runs
from bnlab.recipes import Recipe

runs.load_all([Recipe("baseline", seed, epochs=1_000) for seed in (1, 2)])
"""


def test_training_processes_end_with_the_one_that_started_them(tmp_path: Path) -> None:
    parent = start(LONG, EVERGREEN_STORE=tmp_path)
    drafts = []
    while not drafts:  # until one trains
        assert parent.poll() is None
        time.sleep(0.1)
        drafts = list((tmp_path / "runs").glob(".*/events/train/*"))
    children = psutil.Process(parent.pid).children(recursive=True)
    parent.kill()
    parent.communicate()
    _, alive = psutil.wait_procs(children, timeout=60)
    assert len(children) >= 2
    assert alive == []


# What is not recorded.

FAILING = """
import os
import signal

def train(recipe, on_epoch=None):
    if recipe.seed == 13:
        raise ArithmeticError("bad luck")
    if recipe.seed == 14:
        os.kill(os.getpid(), signal.SIGKILL)
    return luckier(recipe, on_epoch)
"""
LOAD = """
import json
from bnlab import networks, runs
from bnlab.recipes import Recipe

networks.baseline()  # so TensorFlow has computed in this process

def caught(*seeds):
    try:
        runs.load_all([Recipe("baseline", seed, 1, 1024) for seed in seeds])
    except runs.TrainingError as error:
        return str(error), type(error.__cause__).__name__

def found():
    there = runs.find_all([Recipe("baseline", seed, 1, 1024) for seed in (1, 13, 14)])
    return [recipe.seed for recipe, run in there.items() if run]

print(json.dumps([caught(1, 13), found(), caught(1, 14), found()]))
"""


@pytest.fixture(scope="module")
def failed(tmp_path_factory: pytest.TempPathFactory) -> list:
    """What came of runs of which one raises and one dies, on a machine with a single core."""
    folder = tmp_path_factory.mktemp("failing")
    source = copy_package(folder)
    training = source / "bnlab" / "training" / "trainer.py"
    replace(training, "def train(\n", "def luckier(\n")
    training.write_text(training.read_text("utf-8") + FAILING, "utf-8")
    printed = python(LOAD, source, EVERGREEN_STORE=folder / "store", LOKY_MAX_CPU_COUNT="1")
    return json.loads(printed)


def test_a_run_that_raises_is_named_and_not_recorded(failed: list) -> None:
    (message, cause), found, *_ = failed
    assert message.startswith(
        "The run Baseline, batches of 1024, seed 13 failed and is not recorded"
    )
    assert "ArithmeticError: bad luck" in message
    assert cause == "ArithmeticError"
    assert 13 not in found


def test_a_run_whose_process_dies_is_not_recorded(failed: list) -> None:
    *_, (message, cause), found = failed
    assert message.startswith("A training process died")
    assert "Its run is not recorded; finished runs are kept." in message
    assert cause == "TerminatedWorkerError"
    assert 14 not in found


def test_finished_runs_are_kept_whatever_becomes_of_others(failed: list) -> None:
    _, after_the_error, _, after_the_death = failed
    assert after_the_error == after_the_death == [1]


FULL = """
from bnlab import runs
from bnlab.recipes import Recipe
from evergreen.store import Store, StoreError

try:
    runs.load_all([Recipe("baseline", epochs=1, batch_size=1024)])
except StoreError as error:
    print(error)
print([path.name for path in Store("runs").folder.iterdir() if path.suffix != ".lock"])
"""


@pytest.fixture
def small_disk(tmp_path: Path) -> list[str]:
    """A command that gives another a disk of its own, which a run's last array overfills."""
    mount = 'mount -t tmpfs -o size=1300k tmpfs "$0" && exec "$@"'
    prefix = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", mount, str(tmp_path)]
    if shutil.which("unshare") is None or subprocess.run([*prefix, "true"]).returncode != 0:
        pytest.skip("This system does not let a test mount a disk of its own.")
    return prefix


def test_a_run_that_fills_the_disk_is_explained_and_not_recorded(
    small_disk: list[str], tmp_path: Path
) -> None:
    printed = output(start(FULL, prefix=small_disk, EVERGREEN_STORE=tmp_path))
    message, entries = printed.splitlines()
    assert message.startswith(f"The disk of {tmp_path / 'runs'} is full. Free some space")
    assert entries == "[]"
