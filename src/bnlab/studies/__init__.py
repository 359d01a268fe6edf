"""Studies: sweeps whose results are too expensive for a build, and are stored with the code."""

from bnlab.studies.deep import starts
from bnlab.studies.files import FOLDER, StudyError, load, of_other_data, stored
from bnlab.studies.ladder import best_by_seed, best_rate, rungs
from bnlab.studies.results import Rounding, Stored, Study

__all__ = [
    "FOLDER",
    "Rounding",
    "Stored",
    "Study",
    "StudyError",
    "best_by_seed",
    "best_rate",
    "load",
    "of_other_data",
    "rungs",
    "starts",
    "stored",
]
