"""Our trainer does what Keras's ``fit`` does with the same seed, or refuses."""

from __future__ import annotations

import hashlib
import inspect
import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers
from package import python
from support import few

from bnlab import data, networks, training
from bnlab.catalogue import NETWORKS
from bnlab.recipes import Recipe
from bnlab.training import on_pixels

SGD = keras.optimizers.SGD
EPOCHS = 2
LOSS_TOLERANCE = 1e-4
ACCURACY_TOLERANCE = 1e-3
SMALL_LEARNING_RATE = 0.05


class Pair(NamedTuple):
    """The same network, trained by us and by Keras."""

    ours: keras.Sequential
    our_history: list[training.Epoch]
    theirs: keras.Sequential
    their_history: list[training.Epoch]


def history(fitted: keras.callbacks.History) -> list[training.Epoch]:
    """Bring what Keras's ``fit`` returns into our form."""
    columns = (fitted.history[name] for name in training.Epoch._fields)
    return [training.Epoch(*epoch) for epoch in zip(*columns, strict=True)]


def keras_fit(
    model: keras.Sequential, images: data.FashionMNIST, epochs: int, batch_size: int = 32
) -> list[training.Epoch]:
    return history(
        model.fit(
            images.train.pixels,
            images.train.labels,
            validation_data=tuple(images.valid),
            epochs=epochs,
            batch_size=batch_size,
            verbose=0,
        )
    )


def both(
    build: Callable[[], keras.Sequential],
    images: data.FashionMNIST,
    *,
    epochs: int,
    batch_size: int = 32,
) -> Pair:
    """Train what a function builds and compiles twice from the same seed."""
    keras.utils.set_random_seed(42)
    ours = build()
    our_history = training.fit(ours, images, epochs=epochs, batch_size=batch_size)
    keras.utils.set_random_seed(42)
    theirs = build()
    return Pair(ours, our_history, theirs, keras_fit(theirs, images, epochs, batch_size))


def assert_same_history(ours: list[training.Epoch], theirs: list[training.Epoch]) -> None:
    assert len(ours) == len(theirs)
    for our_epoch, their_epoch in zip(ours, theirs, strict=True):
        for name, our_value, their_value in zip(
            training.Epoch._fields, our_epoch, their_epoch, strict=True
        ):
            tolerance = ACCURACY_TOLERANCE if "accuracy" in name else LOSS_TOLERANCE
            assert our_value == pytest.approx(their_value, abs=tolerance), name


def assert_same_weights(ours: keras.Sequential, theirs: keras.Sequential) -> None:
    for our_variable, their_variable in zip(ours.variables, theirs.variables, strict=True):
        np.testing.assert_allclose(
            our_variable.numpy(),
            their_variable.numpy(),
            rtol=1e-3,
            atol=1e-4,
            err_msg=our_variable.path,
        )


def initial(model: keras.Sequential) -> list[np.ndarray]:
    """Return the weights that a network of the course started from."""
    keras.utils.set_random_seed(42)
    return getattr(networks, model.name)().get_weights()


@pytest.fixture(scope="module", params=NETWORKS)
def pair(request: pytest.FixtureRequest, images: data.FashionMNIST) -> Pair:
    """A network of the course, trained on all images."""
    build = getattr(networks, request.param)
    return both(lambda: training.compile(build()), images, epochs=EPOCHS)


@pytest.fixture(scope="module")
def small(images: data.FashionMNIST) -> data.FashionMNIST:
    """The first images of each part; 1,000 to train on, which is no multiple of 32."""
    sizes = (1_000, 500, 100)
    return data.FashionMNIST(
        *(
            data.Images(part.pixels[:size], part.labels[:size])
            for part, size in zip(images, sizes, strict=True)
        )
    )


def small_network(*more: layers.Layer, **options: Any) -> keras.Sequential:
    """Build a small network, with more hidden layers, or with options for its dense one."""
    return keras.Sequential(
        [
            layers.Input((28, 28)),
            layers.Flatten(),
            layers.Dense(20, activation="relu", **options),
            *more,
            layers.Dense(10, activation="softmax"),
        ]
    )


def compiled(model: keras.Sequential, **options: Any) -> keras.Sequential:
    """Compile as the course does, with options of ``compile`` besides."""
    model.compile(
        **{
            "loss": "sparse_categorical_crossentropy",
            "optimizer": keras.optimizers.SGD(SMALL_LEARNING_RATE),
            "metrics": ["accuracy"],
        }
        | options
    )
    return model


VARIED = {
    "pixels alone": {"normalizes": "inputs"},
    "hidden alone, standardized": {"normalizes": "hidden", "standardized": True},
    "nothing": {"normalizes": "none"},
    "all of it, standardized": {"standardized": True},
    "three hidden layers": {"hidden_layers": 3},
    "weight decay": {"weight_decay": 0.01},
    "layer normalization": {"layer_norm": True},
}
"""What recipes vary, by its name, for both of the notebook's networks with normalization."""


class Fed(NamedTuple):
    """What became of a recipe: by us, and by Keras's ``fit`` fed the same orders."""

    ours: training.Trained
    theirs: keras.Sequential
    their_history: list[training.Epoch]


@pytest.fixture(scope="module")
def files_of_few(
    images: data.FashionMNIST, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, dict[str, tuple[str, tuple[int, ...]]]]:
    folder = tmp_path_factory.mktemp("few")
    return folder, few.write(folder, images)


@pytest.fixture
def few_images(
    files_of_few: tuple[Path, dict[str, tuple[str, tuple[int, ...]]]],
    monkeypatch: pytest.MonkeyPatch,
) -> data.FashionMNIST:
    """The images that every run of the test is trained on: so few that it is soon over."""
    few.use(*files_of_few, monkeypatch)
    return data.load()


def trained_by_both(recipe: Recipe, images: data.FashionMNIST) -> Fed:
    ours = training.train(recipe)
    keras.utils.clear_session()
    keras.utils.set_random_seed(recipe.seed)
    theirs = training.build(recipe)
    orders = training.orders_of(recipe, len(images.train.labels))
    batches = training.InOrders(images.train, orders, recipe.batch_size)
    fitted = theirs.fit(
        batches,
        validation_data=tuple(images.valid),
        epochs=recipe.epochs,
        verbose=0,
        shuffle=False,
    )
    return Fed(ours, theirs, history(fitted))


# As fit does.


@pytest.mark.parametrize("network", NETWORKS)
def test_a_recipe_trains_as_fit_does_in_a_new_order_in_each_epoch(
    images: data.FashionMNIST, network: str
) -> None:
    fed = trained_by_both(Recipe(network, epochs=EPOCHS), images)
    assert_same_history(fed.ours.history, fed.their_history)


@pytest.mark.parametrize("network", ["bn_approach_one", "bn_approach_two"])
@pytest.mark.parametrize("changed", VARIED.values(), ids=VARIED)
def test_a_varied_recipe_trains_as_fit_does(
    few_images: data.FashionMNIST, network: str, changed: dict[str, Any]
) -> None:
    # At a higher rate than the course's, since so few steps must show what differs.
    recipe = Recipe(network, epochs=1, batch_size=100, learning_rate=0.01, **changed)
    fed = trained_by_both(recipe, few_images)
    assert int(fed.theirs.optimizer.iterations) == few.TRAIN // 100
    assert_same_history(fed.ours.history, fed.their_history)
    assert_same_weights(fed.ours.model, fed.theirs)


@pytest.mark.parametrize(("kind", "tolerance"), [(tf.float64, 1e-12), (tf.float32, 1e-5)])
def test_two_products_give_the_gradients_of_three(kind: tf.DType, tolerance: float) -> None:
    draw = tf.random.Generator.from_seed(42)
    xhat, gamma, beta, kernel, weights = (
        draw.normal(shape, dtype=kind) for shape in ([32, 50], [50], [50], [50, 20], [32, 20])
    )

    def gradients(function: Callable[..., tf.Tensor]) -> list[tf.Tensor]:
        learned = [gamma, beta, kernel]
        with tf.GradientTape() as tape:
            tape.watch(learned)
            loss = tf.reduce_sum(weights * tf.tanh(function(xhat, gamma, beta, kernel)))
        return tape.gradient(loss, learned)

    plain = gradients(lambda xhat, gamma, beta, kernel: (gamma * xhat + beta) @ kernel)
    for ours, theirs in zip(gradients(on_pixels.product), plain, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=tolerance, atol=tolerance * 100)


@pytest.mark.parametrize("network", ["bn_approach_one", "bn_approach_two"])
def test_the_pass_with_two_products_is_keras_s_own(images: data.FashionMNIST, network: str) -> None:
    pixels = tf.convert_to_tensor(images.train.pixels[:32])
    keras.utils.set_random_seed(42)
    model = getattr(networks, network)()
    before = model.get_weights()
    expected = model(pixels, training=True).numpy()
    moved = model.get_weights()
    model.set_weights(before)
    np.testing.assert_allclose(on_pixels.forward(model)(pixels), expected, rtol=1e-4, atol=1e-6)
    for ours, theirs in zip(model.get_weights(), moved, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)


def test_every_metric_of_every_epoch_is_that_of_fit(pair: Pair) -> None:
    assert_same_history(pair.our_history, pair.their_history)


def test_training_takes_the_weights_where_fit_takes_them(pair: Pair) -> None:
    # Rounding sets fit with and without XLA apart by as much, up to 2 % of the way.
    for ours, theirs, first in zip(
        pair.ours.get_weights(), pair.theirs.get_weights(), initial(pair.ours), strict=True
    ):
        apart, way = np.linalg.norm(ours - theirs), np.linalg.norm(theirs - first)
        assert apart <= 0.05 * way + 1e-6 * ours.size


def test_training_changes_every_weight_but_a_shift_that_normalizing_undoes(pair: Pair) -> None:
    still = [
        variable.name
        for variable, trained, first in zip(
            pair.ours.variables, pair.ours.get_weights(), initial(pair.ours), strict=True
        )
        if variable.trainable and np.allclose(trained, first, atol=1e-6)
    ]
    # A shift of the pixels shifts the first layer's outputs, which approach two normalizes.
    assert still == (["beta"] if pair.ours.name == "bn_approach_two" else [])


def test_each_step_is_counted(pair: Pair) -> None:
    steps = EPOCHS * 1_719
    assert int(pair.ours.optimizer.iterations) == steps
    assert int(pair.theirs.optimizer.iterations) == steps


def test_evaluate_measures_what_the_last_epoch_reported(
    pair: Pair, images: data.FashionMNIST
) -> None:
    loss, accuracy = pair.ours.evaluate(*images.valid, verbose=0)
    assert loss == pytest.approx(pair.our_history[-1].val_loss, abs=1e-5)
    assert accuracy == pytest.approx(pair.our_history[-1].val_accuracy, abs=1e-6)


@pytest.mark.parametrize(
    ("batch_size", "normalized"), [(32, True), (100, False), (1_000, False), (5_000, True)]
)
def test_a_last_batch_of_any_size_is_trained_on_as_by_fit(
    small: data.FashionMNIST, batch_size: int, normalized: bool
) -> None:
    def build() -> keras.Sequential:
        return compiled(small_network(*[layers.BatchNormalization()] * normalized))

    pair = both(build, small, epochs=2, batch_size=batch_size)
    assert_same_history(pair.our_history, pair.their_history)
    assert_same_weights(pair.ours, pair.theirs)
    assert int(pair.ours.optimizer.iterations) == int(pair.theirs.optimizer.iterations)


def test_fit_goes_on_where_we_stopped(small: data.FashionMNIST) -> None:
    pair = both(lambda: compiled(small_network()), small, epochs=2)
    assert_same_history(keras_fit(pair.ours, small, 2), keras_fit(pair.theirs, small, 2))
    assert int(pair.ours.optimizer.iterations) == 4 * 32


def use_another_activation(model: keras.Sequential) -> None:
    model.layers[1].activation = keras.activations.tanh
    compiled(model)


def put_a_layer_between(model: keras.Sequential) -> None:
    last = model.layers[-1]
    model.pop()
    model.add(layers.Activation("tanh"))
    model.add(last)
    compiled(model)


def freeze_without_compiling(model: keras.Sequential) -> None:
    model.layers[1].trainable = False


def learn_more_slowly(model: keras.Sequential) -> None:
    model.optimizer.learning_rate = SMALL_LEARNING_RATE / 10


@pytest.mark.filterwarnings("ignore:A layer's `trainable` state has changed")
@pytest.mark.parametrize(
    "change",
    [
        use_another_activation,
        put_a_layer_between,
        freeze_without_compiling,
        learn_more_slowly,
    ],
)
def test_a_model_that_was_changed_is_trained_on_as_by_fit(
    small: data.FashionMNIST, change: Callable[[keras.Sequential], None]
) -> None:
    pair = both(lambda: compiled(small_network()), small, epochs=1)
    for model in (pair.ours, pair.theirs):
        change(model)
    keras.utils.set_random_seed(1)
    our_history = training.fit(pair.ours, small, epochs=1)
    keras.utils.set_random_seed(1)
    assert_same_history(our_history, keras_fit(pair.theirs, small, 1))
    assert_same_weights(pair.ours, pair.theirs)


def frozen(layer: layers.Layer) -> layers.Layer:
    layer.trainable = False
    return layer


@pytest.mark.parametrize(
    "build",
    [
        lambda: compiled(small_network(frozen(layers.BatchNormalization()))),
        lambda: compiled(small_network(frozen(layers.Dense(15)))),
        lambda: compiled(keras.Sequential([layers.Flatten(), layers.Dense(10, "softmax")])),
        lambda: compiled(small_network(), optimizer=SGD(SMALL_LEARNING_RATE, weight_decay=0.1)),
        lambda: compiled(small_network(), steps_per_execution=7),
        lambda: compiled(small_network(), jit_compile=True),
    ],
    ids=[
        "frozen normalization",
        "frozen dense",
        "no input yet",
        "weight decay",
        "steps_per_execution",
        "jit",
    ],
)
def test_what_is_unusual_but_covered_is_honoured(
    small: data.FashionMNIST, build: Callable[[], keras.Sequential]
) -> None:
    pair = both(build, small, epochs=2)
    assert_same_history(pair.our_history, pair.their_history)
    assert_same_weights(pair.ours, pair.theirs)


class Recorder(keras.Model):
    """Learns nothing, and notes what each batch consists of."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[np.ndarray] = []

    def train_step(self, batch: Any) -> dict[str, float]:
        self.seen.append(batch[0].numpy().ravel())
        return {"loss": 0.0}


def fit_orders(size: int, epochs: int, seed: int) -> np.ndarray:
    """Return the orders in which Keras's ``fit`` goes through some images."""
    keras.utils.set_random_seed(seed)
    recorder = Recorder()
    recorder.compile(loss="mse", run_eagerly=True)
    indices = np.arange(size)
    recorder.fit(indices, indices, epochs=epochs, batch_size=500, verbose=0)
    return np.concatenate(recorder.seen).reshape(epochs, size)


def our_orders(size: int, epochs: int, seed: int) -> np.ndarray:
    keras.utils.set_random_seed(seed)
    return training.batch_orders(size, epochs)


@pytest.mark.parametrize(("size", "seed"), [(1_000, 42), (55_000, 42), (55_000, 1)])
def test_the_orders_are_those_in_which_fit_goes_through_the_images(size: int, seed: int) -> None:
    assert np.array_equal(our_orders(size, 3, seed), fit_orders(size, 3, seed))


def test_each_epoch_shows_every_image_once_and_in_a_mixed_order() -> None:
    orders = our_orders(55_000, 3, seed=42)
    assert orders.dtype == np.int32
    assert (np.sort(orders, axis=1) == np.arange(55_000)).all()
    assert (orders == np.arange(55_000)).mean() < 0.01


def test_once_a_seed_is_set_every_epoch_of_fit_has_the_same_order() -> None:
    # Keras 3 starts a seeded shuffle anew each epoch: if this changes, so must what is said of it.
    orders = fit_orders(1_000, 3, seed=42)
    assert (orders == orders[0]).all()
    assert (our_orders(1_000, 3, seed=42) == orders[0]).all()


def bits(trained: training.Trained) -> list[str]:
    """Return every digit of what came of a run."""
    numbers = [*trained.history[0], trained.train_loss, trained.test_loss]
    arrays = [*trained.model.get_weights(), trained.test_probabilities]
    hashes = [hashlib.sha256(array.tobytes()).hexdigest() for array in arrays]
    return [number.hex() for number in numbers] + hashes


ALONE = f"""
import hashlib
import json

from bnlab import training
from bnlab.recipes import Recipe

{inspect.getsource(bits)}
training.use_one_thread()
orders = training.batch_orders(1_000, 2)
trained = training.train(Recipe("baseline", epochs=1))
print(json.dumps([orders.tolist(), bits(trained)]))
"""


class Alone(NamedTuple):
    """What another process found that has set no seed, and then trains its first run."""

    orders: list[list[int]]
    bits: list[str]


@pytest.fixture(scope="module")
def alone() -> Alone:
    return Alone(*json.loads(python(ALONE)))


def test_without_a_seed_every_epoch_has_an_order_of_its_own(alone: Alone) -> None:
    one, two = map(np.array, alone.orders)
    assert (one == two).mean() < 0.05


def test_a_recipe_s_epochs_each_have_an_order_of_their_own_drawn_from_its_seed() -> None:
    first, *others = (training.orders_of(Recipe("baseline", seed), 1_000) for seed in (42, 42, 1))
    assert first.dtype == np.int32
    assert (np.sort(first, axis=1) == np.arange(1_000)).all()
    assert (first[0] == first[1]).mean() < 0.05
    assert np.array_equal(first, others[0])
    assert (first == others[1]).mean() < 0.05


def test_a_recipe_that_does_not_reshuffle_repeats_the_order_of_fit() -> None:
    keras.utils.set_random_seed(1)
    orders = training.orders_of(Recipe("baseline", seed=1, epochs=3, reshuffle=False), 1_000)
    assert np.array_equal(orders, fit_orders(1_000, 3, seed=1))


def test_the_seed_sets_the_orders() -> None:
    assert np.array_equal(our_orders(1_000, 2, seed=1), our_orders(1_000, 2, seed=1))
    assert (our_orders(1_000, 2, seed=1) == our_orders(1_000, 2, seed=2)).mean() < 0.05


def test_each_epoch_is_reported_when_it_is_over(small: data.FashionMNIST) -> None:
    model = compiled(small_network())
    kernel = model.layers[1].kernel
    reports: list[tuple[int, training.Epoch]] = []
    kernels = [kernel.numpy()]

    def on_epoch(number: int, epoch: training.Epoch, seconds: float) -> None:
        assert seconds > 0
        assert int(model.optimizer.iterations) == number * 32
        reports.append((number, epoch))
        kernels.append(kernel.numpy())

    epochs = training.fit(model, small, epochs=3, on_epoch=on_epoch)
    assert reports == list(enumerate(epochs, start=1))
    for before, after in itertools.pairwise(kernels):
        assert not np.array_equal(before, after)


def test_the_same_recipe_gives_the_same_bits_in_another_process_and_after_another_run(
    alone: Alone,
) -> None:
    other = training.train(Recipe("baseline", seed=1, epochs=1, learning_rate=0.01))
    before = bits(other)
    assert bits(training.train(Recipe("baseline", epochs=1))) == alone.bits != before
    assert bits(other) == before, "A run changed the one before it."
    assert int(other.model.optimizer.iterations) == 1_719
    assert float(other.model.optimizer.learning_rate) == pytest.approx(0.01)


# Or not at all.


def without_weight_decay(name: str) -> keras.Optimizer:
    optimizer = SGD(weight_decay=0.1)
    optimizer.exclude_from_weight_decay(var_names=[name])
    return optimizer


OPTIMIZERS: dict[str, Callable[[], keras.optimizers.Optimizer]] = {
    "Adam": keras.optimizers.Adam,
    "a subclass of SGD": lambda: type("Mine", (SGD,), {})(),
    "momentum": lambda: SGD(momentum=0.9),
    "nesterov": lambda: SGD(nesterov=True),
    "a layer without weight decay": lambda: without_weight_decay("bias"),
    "clipnorm": lambda: SGD(clipnorm=1.0),
    "clipvalue": lambda: SGD(clipvalue=1.0),
    "global_clipnorm": lambda: SGD(global_clipnorm=1.0),
    "use_ema": lambda: SGD(use_ema=True),
    "loss_scale_factor": lambda: SGD(loss_scale_factor=2.0),
    "gradient_accumulation_steps": lambda: SGD(gradient_accumulation_steps=2),
    "schedule": lambda: SGD(keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.9)),
    "function": lambda: SGD(lambda: 0.1),
}
COMPILE_OPTIONS: dict[str, dict[str, Any]] = {
    "another loss": {"loss": "mse"},
    "no loss": {"loss": None},
    "logits": {"loss": keras.losses.SparseCategoricalCrossentropy(from_logits=True)},
    "loss_weights": {"loss_weights": [0.5]},
    "no metrics": {"metrics": None},
    "another metric": {"metrics": ["mse"]},
    "one metric more": {"metrics": ["accuracy", "mse"]},
    "weighted_metrics": {"weighted_metrics": ["accuracy"]},
    "run_eagerly": {"run_eagerly": True},
}


class Penalty(layers.Layer):
    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        self.add_loss(keras.ops.mean(inputs))
        return inputs


class Draws(layers.Layer):
    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        return inputs + tf.random.normal(tf.shape(inputs))


class Hides(layers.Layer):
    """Does what another layer does, and tells nobody."""

    def __init__(self, layer: layers.Layer) -> None:
        super().__init__()
        self._hidden = [lambda inputs: layer(inputs, training=True)]

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        return self._hidden[0](inputs)


class OwnStep(keras.Sequential):
    def train_step(self, batch: Any) -> dict[str, float]:
        return {"loss": 0.0}


MODELS: dict[str, Callable[[], keras.Model]] = {
    "kernel_regularizer": lambda: small_network(kernel_regularizer="l2"),
    "activity_regularizer": lambda: small_network(activity_regularizer="l2"),
    "add_loss": lambda: small_network(Penalty()),
    "a nested regularizer": lambda: small_network(
        keras.Sequential([layers.Dense(5, kernel_regularizer="l2")])
    ),
    "constraint": lambda: small_network(kernel_constraint="non_neg"),
    "dropout": lambda: small_network(layers.Dropout(0.5)),
    "noise": lambda: small_network(layers.GaussianNoise(0.5)),
    "a nested dropout": lambda: small_network(keras.Sequential([layers.Dropout(0.5)])),
    "TensorFlow's own noise": lambda: small_network(Draws()),
    "a hidden dropout": lambda: small_network(Hides(layers.Dropout(0.5))),
    "a hidden bfloat16": lambda: small_network(Hides(layers.Dense(5, dtype="bfloat16"))),
    "bfloat16": lambda: small_network(dtype="mixed_bfloat16"),
    "float64": lambda: small_network(dtype="float64"),
    "a step of its own": lambda: OwnStep(small_network().layers),
}


def assert_refused(model: keras.Model, images: data.FashionMNIST, match: str) -> None:
    before = model.get_weights()
    with pytest.raises(ValueError, match=match):
        training.fit(model, images, epochs=1)
    for old, new in zip(before, model.get_weights(), strict=True):
        assert np.array_equal(old, new)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_an_uncovered_optimizer_is_refused(small: data.FashionMNIST, name: str) -> None:
    model = compiled(small_network(), optimizer=OPTIMIZERS[name]())
    assert_refused(model, small, r"bnlab.training.fit trains with .* Use model.fit instead\.")


@pytest.mark.parametrize("name", COMPILE_OPTIONS)
def test_an_uncovered_option_of_compile_is_refused(small: data.FashionMNIST, name: str) -> None:
    model = compiled(small_network(), **COMPILE_OPTIONS[name])
    assert_refused(model, small, r"bnlab.training.fit .* Use model.fit instead\.")


@pytest.mark.parametrize("name", MODELS)
def test_an_uncovered_layer_or_model_is_refused(small: data.FashionMNIST, name: str) -> None:
    assert_refused(
        compiled(MODELS[name]()), small, r"(?s)bnlab.training.fit .*se model.fit instead"
    )


def test_a_model_that_is_not_compiled_is_refused(small: data.FashionMNIST) -> None:
    assert_refused(small_network(), small, r"Call bnlab.training.compile\(model\) first")


@pytest.mark.parametrize(
    "orders",
    [np.arange(999)[None], np.zeros((1, 1_000), int), np.arange(1_000), np.arange(1_000)[None] - 1],
    ids=["too few", "one image again and again", "no epoch", "a negative position"],
)
def test_orders_that_are_none_are_refused(small: data.FashionMNIST, orders: np.ndarray) -> None:
    with pytest.raises(ValueError, match="one permutation of the 1000 images"):
        training.fit(compiled(small_network()), small, epochs=1, orders=orders)


@pytest.mark.parametrize(("epochs", "batch_size"), [(0, 32), (-1, 32), (1, 0), (1, -5)])
def test_epochs_and_batch_sizes_below_one_are_refused(
    small: data.FashionMNIST, epochs: int, batch_size: int
) -> None:
    with pytest.raises(ValueError, match=f"from 1, not {epochs} and {batch_size}"):
        training.fit(compiled(small_network()), small, epochs=epochs, batch_size=batch_size)


def test_the_notebook_s_compile_call_is_ours() -> None:
    model = training.compile(networks.baseline())
    config = model.get_compile_config()
    assert config["loss"] == "sparse_categorical_crossentropy"
    assert config["metrics"] == ["accuracy"]
    assert type(model.optimizer) is SGD
    assert float(model.optimizer.learning_rate) == pytest.approx(1e-3)
    assert model.optimizer.momentum == 0
