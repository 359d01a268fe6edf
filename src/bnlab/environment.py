"""The environment variables that decide a result's last digits, fixed where results are made.

The libraries read more variables than they document, so all with their prefixes are removed.
"""

from __future__ import annotations

import os

PREFIXES = ("TF_", "XLA_", "KERAS_", "ONEDNN_", "DNNL_", "CUDA_")
"""Variables whose names begin so are the libraries'."""

FIXED = {
    "KERAS_BACKEND": "tensorflow",
    "TF_ENABLE_ONEDNN_OPTS": "1",
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
    "CUDA_VISIBLE_DEVICES": "-1",  # the same on a machine with a graphics processor
    "PYTHONHASHSEED": "0",
}
"""What remains of them; where a variable is missing, the libraries use their default."""


def fix() -> None:
    """Let this process and its children have :data:`FIXED`, and no other of :data:`PREFIXES`.

    Call it before TensorFlow is loaded, which reads them when it is.
    """
    for name in [name for name in os.environ if name.startswith(PREFIXES)]:
        del os.environ[name]
    os.environ.update(FIXED)
