"""Import this before TensorFlow: it loads it without the notices of its C++ start-up.

Those are written past Python, at every start, with a time stamp; on a page they would
differ from build to build. Warnings and errors of Python code are not touched.
"""

import os

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
