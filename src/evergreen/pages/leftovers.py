"""What an incremental build leaves in the site although nothing of it is left in the book.

Sphinx never deletes what it has made: see its issue 14327.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment


def setup(app: Sphinx) -> None:
    """Connect this part to Sphinx."""
    app.connect("env-get-outdated", _remove_pages)
    app.connect("build-finished", _remove_files)


def keep_only(folder: Path, names: Iterable[str], pattern: str = "*") -> None:
    """Delete all files below a folder but some, and the folders that are empty then.

    Parameters
    ----------
    folder : pathlib.Path
    names : iterable of str
        Paths in the folder.
    pattern : str
        What the files' names are like; others stay.
    """
    kept = {folder / name for name in names}
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_dir():
            if not any(path.iterdir()):
                path.rmdir()
        elif path not in kept and path.match(pattern):
            path.unlink()


def _remove_pages(
    app: Sphinx, _env: BuildEnvironment, _added: set[str], _changed: set[str], removed: set[str]
) -> list[str]:
    """Delete what was made of sources that are gone."""
    executed = Path(app.doctreedir).parent / "jupyter_execute"
    suffixes = [suffix + app.config.html_sourcelink_suffix for suffix in app.config.source_suffix]
    for name in removed:
        for path in (f"{name}.html", *(f"_sources/{name}{suffix}" for suffix in suffixes)):
            Path(app.outdir, path).unlink(missing_ok=True)
        for suffix in (".ipynb", ".glue.json"):
            Path(executed, f"{name}{suffix}").unlink(missing_ok=True)
    return []


def _remove_files(app: Sphinx, error: Exception | None) -> None:
    """Delete the pictures and downloads that no page names any more."""
    if error is None and app.builder.format == "html":
        shown = (name for _, name in app.env.images.values())
        keep_only(Path(app.outdir, "_images"), shown)
        offered = (name for _, name in app.env.dlfiles.values())
        keep_only(Path(app.outdir, "_downloads"), offered)
