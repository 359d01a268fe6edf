"""Files that pages come from or show count by their contents, never by modification times.

Sphinx goes by these, see its issue 11556.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from evergreen import sources
from evergreen.state import Kept, watch, watch_each

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

_READ: Kept[dict[str, dict[str, str]]] = Kept("files read")
_COPIED: Kept[dict[str, str]] = Kept("files copied")
_TEMPLATES: Kept[dict[str, str]] = Kept("templates")


NAMED = "files_named_by_outputs"
"""What a page's metadata call the files that the HTML of its outputs names, by their paths from
its folder."""


def setup(app: Sphinx) -> None:
    """Connect this part to Sphinx."""
    watch_each(app, _READ, _read)
    app.connect("env-get-outdated", _remove_outdated_copies, priority=400)
    # Before 8.2, Sphinx copies files only if it writes some page (issue 1810).
    watch(app, _COPIED, _copied, lambda env: [env.config.root_doc])
    watch(app, _TEMPLATES, _templates, lambda env: env.found_docs)


def _read(app: Sphinx) -> dict[str, dict[str, str]]:
    """Return the digests of each page's source and of the files that it includes."""
    env = app.env
    return {
        name: {
            path: _digest(Path(env.srcdir, path))
            for path in sorted({env.doc2path(name), *map(str, env.dependencies[name])})
        }
        for name in sorted(env.found_docs & env.all_docs.keys())
    }


def _copied(app: Sphinx) -> dict[str, str]:
    """Return the digest of each file that Sphinx copies into the site, by its path there."""
    config = app.config
    named = [config.html_logo, config.html_favicon, *_texts(config.html_theme_options)]
    pictures = (Path(app.confdir, name) for name in named if name)
    return {
        **_folders(app, config.html_extra_path),
        **{f"_static/{path}": key for path, key in _folders(app, config.html_static_path).items()},
        **{f"_static/{path.name}": _digest(path) for path in pictures if path.is_file()},
    }


def _templates(app: Sphinx) -> dict[str, str]:
    return _folders(app, app.config.templates_path)


def _folders(app: Sphinx, names: Iterable[str]) -> dict[str, str]:
    """Return the digests of all files in some folders of the book, by their paths there."""
    return {
        path.relative_to(folder).as_posix(): _digest(path)
        for folder in (Path(app.confdir, name) for name in names)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def _texts(value: object) -> Iterator[str]:
    """Return every text in a setting."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping | list | tuple):
        for item in value.values() if isinstance(value, Mapping) else value:
            yield from _texts(item)


def _digest(path: Path) -> str:
    return sources.digest(path.read_bytes()) if path.is_file() else ""


def _remove_outdated_copies(app: Sphinx, env: BuildEnvironment, *_changes: set[str]) -> list[str]:
    """Remove copies of files that changed or are gone.

    Nobody else does that, or by modification times only: see Sphinx's issue 14312.
    """
    before, now = _COPIED.read(env, {}), _copied(app)
    outdated = [name for name, digest in before.items() if now.get(name) != digest]
    for folder, copies in (("_images", env.images), ("_downloads", env.dlfiles)):
        for source, (_, name) in copies.items():
            copy = f"{folder}/{name}"
            if _digest(Path(app.outdir, copy)) != _digest(Path(app.srcdir, source)):
                outdated.append(copy)
    for name in outdated:
        Path(app.outdir, name).unlink(missing_ok=True)
    return []
