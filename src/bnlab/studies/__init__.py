"""Studies: sweeps whose results are too expensive for a build, and are stored with the code."""

from bnlab.studies.stored import (
    FOLDER,
    Stored,
    Study,
    StudyError,
    load,
    path_of,
    rounded,
    save,
    stored,
)

__all__ = [
    "FOLDER",
    "Stored",
    "Study",
    "StudyError",
    "load",
    "path_of",
    "rounded",
    "save",
    "stored",
]
