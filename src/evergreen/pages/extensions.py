"""Extensions that ``_config.yml`` adds where it also has a list of all.

Jupyter Book 1 lets that list replace ``extra_extensions`` and ``local_extensions``, and says
nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import yaml  # type: ignore[import-untyped]

from evergreen import checkout

if TYPE_CHECKING:
    from sphinx.application import Sphinx


def setup(app: Sphinx) -> None:
    """Load them."""
    path = checkout.folder(app) / "_config.yml"
    if not path.is_file():
        return
    of_sphinx = (yaml.safe_load(path.read_text("utf-8")) or {}).get("sphinx") or {}
    added = of_sphinx.get("extra_extensions") or []
    added = [added] if isinstance(added, str) else added
    listed = (of_sphinx.get("config") or {}).get("extensions") or []
    for name in [*added, *(of_sphinx.get("local_extensions") or ())] if listed else ():
        if name not in listed:
            app.setup_extension(name)
