"""Studies: sweeps whose results are too expensive for a build, and are stored with the code."""

from bnlab.studies import ghosts, recalibrated
from bnlab.studies.deep import starts
from bnlab.studies.files import FOLDER, StudyError, load, of_other_data, stored
from bnlab.studies.ladder import again, best_rate, rungs, second_best_rate
from bnlab.studies.measured import Measured, Measurement
from bnlab.studies.results import Rounding, Stored, Study

MEASUREMENTS = (recalibrated.STORED, ghosts.STORED)
"""What is measured beside the studies."""

__all__ = [
    "FOLDER",
    "MEASUREMENTS",
    "Measured",
    "Measurement",
    "Rounding",
    "Stored",
    "Study",
    "StudyError",
    "again",
    "best_rate",
    "load",
    "of_other_data",
    "rungs",
    "second_best_rate",
    "starts",
    "stored",
]
