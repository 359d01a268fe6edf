"""The TensorBoard logs of a run, with the tags of ``keras.callbacks.TensorBoard``.

TensorFlow's own histograms would take a tenth of an epoch's time. What is used of TensorBoard
instead is public by its names alone: these modules are imported nowhere else.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.plugins.histogram.summary_v2 import histogram_pb
from tensorboard.plugins.scalar.summary_v2 import scalar_pb
from tensorboard.summary.writer.event_file_writer import EventFileWriter


class EventLog:
    """Writes one folder of events for training and one for validation.

    Parameters
    ----------
    folder : pathlib.Path
        Gets the folders ``train`` and ``validation``.
    """

    def __init__(self, folder: Path) -> None:
        self._writers = {
            part: EventFileWriter(str(folder / part)) for part in ("train", "validation")
        }

    def write(
        self, number: int, metrics: Mapping[str, float], weights: Mapping[str, np.ndarray]
    ) -> None:
        """Log an epoch, numbered from 1; as Keras does, the log counts from 0.

        Parameters
        ----------
        number : int
            Of the epoch.
        metrics : mapping of str to float
            By Keras's names; those that begin with ``val_`` are validation's.
        weights : mapping of str to numpy.ndarray
            Whose histograms to log, by path. Where a run has diverged some are NaN, which has
            no histogram.
        """
        for name, value in metrics.items():
            part = "validation" if name.startswith("val_") else "train"
            self._add(part, number, scalar_pb(f"epoch_{name.removeprefix('val_')}", value))
        for path, values in weights.items():
            if np.isfinite(values).all():
                self._add("train", number, histogram_pb(f"{path}/histogram", values))

    def _add(self, part: str, number: int, summary: Any) -> None:
        self._writers[part].add_event(
            Event(wall_time=time.time(), step=number - 1, summary=summary)
        )

    def __enter__(self) -> EventLog:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        for writer in self._writers.values():
            writer.close()
