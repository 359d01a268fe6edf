"""The figures that the source notebook prints, to compare a build's own with.

Source: the notebook on Fashion-MNIST (TensorFlow 2.8, Keras 2) that this course is built
from: its printed training logs, which break off in epoch 9. Approach two has no log there.
"""

from __future__ import annotations

from bnlab.runs.values import METRICS

_BASELINE = (
    (1.2819, 0.6229, 0.8886, 0.7160),
    (0.7955, 0.7362, 0.7130, 0.7656),
    (0.6816, 0.7721, 0.6427, 0.7900),
    (0.6217, 0.7944, 0.5900, 0.8066),
    (0.5832, 0.8074, 0.5582, 0.8202),
    (0.5553, 0.8157, 0.5350, 0.8238),
    (0.5338, 0.8225, 0.5157, 0.8304),
    (0.5172, 0.8273, 0.5079, 0.8282),
)
_BN_APPROACH_ONE = (
    (0.8293, 0.7221, 0.5539, 0.8156),
    (0.5703, 0.8037, 0.4792, 0.8378),
    (0.5161, 0.8214, 0.4425, 0.8494),
    (0.4789, 0.8313, 0.4213, 0.8564),
    (0.4549, 0.8406, 0.4052, 0.8616),
    (0.4386, 0.8441, 0.3932, 0.8632),
    (0.4255, 0.8503, 0.3830, 0.8650),
    (0.4124, 0.8539, 0.3761, 0.8670),
)

LOGS: dict[str, dict[str, tuple[float, ...]]] = {
    network: dict(zip(METRICS, zip(*epochs, strict=True), strict=True))
    for network, epochs in {"baseline": _BASELINE, "bn_approach_one": _BN_APPROACH_ONE}.items()
}
"""Printed metrics by network: a value for each epoch, under the names of ``fit``."""
