"""Keras's own ``fit``, as the notebook calls it: on float64 pixels, with default threads.

The environment variable KERAS_BACKEND chooses what Keras computes with.
"""

from __future__ import annotations

import os
import sys
import time
import types

from benchmarks.peers import report

if os.environ.get("KERAS_BACKEND") == "jax":
    # bnlab.networks loads TensorFlow quietly before Keras would; here Keras does without it.
    sys.modules["bnlab.quiet"] = types.ModuleType("bnlab.quiet")

from bnlab import data, networks  # noqa: I001

import keras


class Clock(keras.callbacks.Callback):
    """Wall time of each epoch; Keras calls the end of an epoch after its validation."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds: list[float] = []

    def on_epoch_begin(self, *_: object) -> None:
        self.started = time.perf_counter()

    def on_epoch_end(self, *_: object) -> None:
        self.seconds.append(time.perf_counter() - self.started)


def train(
    network: str, images: data.FashionMNIST, epochs: int, steps_per_execution: int
) -> report.Trained:
    keras.utils.set_random_seed(report.SEED)
    model = getattr(networks, network)()
    model.compile(
        loss="sparse_categorical_crossentropy",
        optimizer=keras.optimizers.SGD(learning_rate=report.LEARNING_RATE),
        metrics=["accuracy"],
        steps_per_execution=steps_per_execution,
    )
    clock = Clock()
    history = model.fit(
        *images.train,
        batch_size=report.BATCH_SIZE,
        epochs=epochs,
        validation_data=images.valid,
        callbacks=[clock],
        verbose=0,
    ).history
    metrics = ("loss", "accuracy", "val_loss", "val_accuracy")
    return report.Trained(
        list(zip(*(history[name] for name in metrics), strict=True)),
        clock.seconds,
        model.count_params(),
    )


def main() -> None:
    parser = report.parser()
    parser.add_argument("--steps-per-execution", type=int, default=1)
    chosen = parser.parse_args()
    # Dividing the files' bytes by 255 gives NumPy's float64, and so it does in the notebook.
    images = data.FashionMNIST(
        *(data.Images(part.pixels.astype("float64"), part.labels) for part in data.load())
    )
    trained = {
        name: train(name, images, chosen.epochs, chosen.steps_per_execution)
        for name in ("baseline", "bn_approach_one", "bn_approach_two")
    }
    report.finish(trained, "keras", keras.backend.backend(), "numpy")


if __name__ == "__main__":
    main()
