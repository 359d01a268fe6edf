"""The first code of a notebook: it provides what the lesson needs, or says how to."""

from __future__ import annotations

from collections.abc import Mapping
from pprint import pformat

_INSTALLING = """\
# Run this first. It installs {distribution}, which this lesson runs, as it was for these
# results, unless it is there already. Other libraries stay as they are, where they are new enough.
import importlib
import importlib.metadata
import subprocess
import sys

commit = "{commit}"
try:
    package = importlib.metadata.distribution("{distribution}")
    origin = package.read_text("direct_url.json") or ""
    missing = "vcs_info" in origin and commit not in origin
except importlib.metadata.PackageNotFoundError:
    missing = True
if missing:
    pip = [sys.executable, "-m", "pip", "install", "--quiet"]
    address = f"git+{address}@{{commit}}"
    subprocess.run([*pip, "--no-deps", "--force-reinstall", address], check=True)
    subprocess.run([*pip, "{distribution}"], check=True)  # what it needs and is missing
    importlib.invalidate_caches()
"""

_EXPLAINING = """\
# Run this first. It looks for {distribution}, which this lesson runs.
import importlib.metadata

try:
    importlib.metadata.distribution("{distribution}")
except importlib.metadata.PackageNotFoundError:
    raise ModuleNotFoundError(
        "This lesson needs {distribution}: run `pip install .` in a checkout of its project, "
        "and run this cell again."
    ) from None
"""

_FETCHING = """\
# Fetch the files that this lesson reads, as they were for these results, unless they are here.
# They lie around the notebook as around the lesson, so it may move to a folder of its own.
import os
import urllib.request
from pathlib import Path

files = {files}
if not all(Path(file).exists() for file in files):
    contents = {{file: urllib.request.urlopen(files[file]).read() for file in files}}
    Path("{folder}").mkdir(parents=True, exist_ok=True)
    os.chdir("{folder}")
    for file, content in contents.items():
        Path(file).parent.mkdir(parents=True, exist_ok=True)
        Path(file).write_bytes(content)
"""

_LOOKING = """\
# Look for the files that this lesson reads.
from pathlib import Path

missing = [file for file in {files} if not Path(file).exists()]
if missing:
    raise FileNotFoundError(
        f"This lesson reads {{', '.join(missing)}}: open it in the folder {folder} of a checkout "
        "of its project."
    )
"""


_GLUING = """\
# The site's pages show what `glue` is given; here it shows only what it is told to show.
try:
    import myst_nb
except ModuleNotFoundError:
    import sys
    from types import ModuleType

    from IPython.display import display as show

    myst_nb = sys.modules["myst_nb"] = ModuleType("myst_nb")
    myst_nb.glue = lambda name, variable, display=True: show(variable) if display else None
"""


def install(distribution: str, address: str | None, commit: str | None) -> str:
    """Return the code that installs a distribution, or says what to do.

    Parameters
    ----------
    distribution : str
    address : str or None
        The web address of the repository to install it from.
    commit : str or None
        The commit to install.
    """
    text = _EXPLAINING if address is None or commit is None else _INSTALLING
    return text.format(distribution=distribution, address=address, commit=commit).rstrip()


def fetch(files: Mapping[str, str | None], folder: str) -> str:
    """Return the code that fetches the files that a lesson reads, or says what to do.

    Parameters
    ----------
    files : mapping of str to str or None
        The address of each, by its path from the lesson's folder.
    folder : str
        The lesson's folder in the project.
    """
    if None in files.values():
        return _LOOKING.format(files=pformat(list(files)), folder=folder).rstrip()
    return _FETCHING.format(files=pformat(dict(files), width=90), folder=folder).rstrip()


def glue() -> str:
    """Return the code that lets a lesson glue where MyST-NB is not."""
    return _GLUING.rstrip()
