"""The files that a lesson reads: its notebook cannot do without them, so they travel with it."""

from __future__ import annotations

import os
import posixpath
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from evergreen import checkout
from evergreen.errors import EvergreenError
from evergreen.lessons import preparation
from evergreen.pages.files import NAMED
from evergreen.pages.leftovers import keep_only

if TYPE_CHECKING:
    from sphinx.application import Sphinx

FOLDER = "_files"
"""Where the site has them, by their paths in the project."""

_RAW = "https://raw.githubusercontent.com"


class FileError(EvergreenError):
    """A lesson reads a file that cannot be published."""


def read_by(app: Sphinx, name: str) -> list[str]:
    """Return the files that a lesson reads or shows, by their paths from its folder.

    Raises
    ------
    FileError
        If one lies outside the project.
    """
    folder, project = _folder(app, name), checkout.folder(app)
    read = preparation.FILES.of(app.env).get(name, [])
    files = sorted({*read, *app.env.metadata[name].get(NAMED, ())})
    for file in files:
        if not (folder / file).resolve().is_relative_to(project):
            raise FileError(
                f"{name} reads {file}, which lies outside the project, so its notebook cannot "
                "be given it. Move the file into the project."
            )
    return files


def folder_of(app: Sphinx, name: str) -> str:
    """Return the folder of a lesson in the project, with slashes."""
    return _in_project(app, _folder(app, name))


def address(app: Sphinx, name: str, file: str, repository: str | None) -> str | None:
    """Return the address of a file that a lesson reads, or None where there is none.

    Parameters
    ----------
    app : sphinx.application.Sphinx
    name : str
        The lesson's document name.
    file : str
        Its path from the lesson's folder.
    repository : str or None
        The address of the repository that this build is published from.
    """
    path = quote(_in_project(app, _folder(app, name) / file))
    owner = checkout.name_on_github(repository)
    commit = checkout.commit(checkout.folder(app))
    if owner and commit:
        return f"{_RAW}/{owner}/{commit}/{path}"
    site = app.config.html_baseurl
    return f"{site.rstrip('/')}/{FOLDER}/{path}" if site else None


def path_of(app: Sphinx, name: str, file: str) -> str:
    """Return where the site has a file that a lesson reads."""
    return f"{FOLDER}/{_in_project(app, _folder(app, name) / file)}"


def publish(app: Sphinx, name: str, file: str) -> None:
    """Copy a file that a lesson reads into the site."""
    copy = Path(app.outdir, path_of(app, name, file))
    copy.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(_folder(app, name) / file, copy)


def keep(app: Sphinx, read: Mapping[str, Iterable[str]]) -> None:
    """Delete the files that no lesson reads any more from the site.

    Parameters
    ----------
    app : sphinx.application.Sphinx
    read : mapping of str to iterable of str
        The files that each lesson reads, by their paths from its folder.
    """
    kept = (
        posixpath.relpath(path_of(app, name, file), FOLDER)
        for name, files in read.items()
        for file in files
    )
    keep_only(Path(app.outdir, FOLDER), kept)


def _folder(app: Sphinx, name: str) -> Path:
    return Path(app.env.doc2path(name)).resolve().parent


def _in_project(app: Sphinx, path: Path) -> str:
    return Path(os.path.relpath(path.resolve(), checkout.folder(app))).as_posix()
