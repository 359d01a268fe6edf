"""Every page depends on the code that makes pages: libraries and extensions."""

from __future__ import annotations

import sys
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING

from evergreen import sources
from evergreen.state import Kept, watch

if TYPE_CHECKING:
    from sphinx.application import Sphinx

_CODE: Kept[dict[str, str]] = Kept("code")


def setup(app: Sphinx) -> None:
    """Connect this part to Sphinx."""
    watch(app, _CODE, _code, lambda env: env.found_docs)


def _code(app: Sphinx) -> dict[str, str]:
    """Return what tells the code from another: versions, and digests where there is none."""
    # The folder of an installed distribution's metadata is named after it and its version.
    installed = {path.name for folder in sys.path for path in Path(folder).glob("*-info")}
    libraries = {sysconfig.get_path(kind) for kind in ("stdlib", "purelib", "platlib")}
    files = {name: getattr(sys.modules.get(name), "__file__", None) for name in app.extensions}
    return {
        "installed": sources.digest(sys.version, *sorted(installed)),
        **{
            name: _digest(Path(file))
            for name, file in sorted(files.items())
            if file and not any(Path(file).is_relative_to(folder) for folder in libraries)
        },
    }


def _digest(file: Path) -> str:
    """Return the digest of a module, or of a package with all that lies in it."""
    of_package = file.name == "__init__.py"
    files = sorted(file.parent.rglob("*")) if of_package else [file]
    wanted = (path for path in files if path.is_file() and path.suffix != ".pyc")
    return sources.digest(*(path.read_bytes() for path in wanted))
