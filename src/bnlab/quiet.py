"""Import this before TensorFlow: it loads it without the notices of its C++ start-up.

Those are written past Python, at every start, with a time stamp; on a page they would
differ from build to build. Warnings and errors of Python code are not touched. Reported as
TensorFlow's issue 100442; where that is solved, ``TF_CPP_MIN_LOG_LEVEL`` alone does.

Keras must run on TensorFlow, which is checked here too.
"""

import os

from evergreen.errors import EvergreenError


def _check(backend: str) -> None:
    if backend != "tensorflow":
        raise EvergreenError(
            f"Keras runs on {backend} here, and the networks of this course run on TensorFlow. "
            "Set the environment variable KERAS_BACKEND to tensorflow, and start Python anew."
        )


_check(os.environ.setdefault("KERAS_BACKEND", "tensorflow"))
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

_stderr = os.dup(2)
_nowhere = os.open(os.devnull, os.O_WRONLY)
try:
    os.dup2(_nowhere, 2)
    import tensorflow as tf

    tf.config.list_physical_devices()
finally:
    os.dup2(_stderr, 2)
    os.close(_stderr)
    os.close(_nowhere)

import keras  # noqa: E402

_check(keras.config.backend())  # it may have been loaded before
