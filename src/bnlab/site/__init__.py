"""The course's part of the book's build: a Sphinx extension that builds upon evergreen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bnlab import __version__

if TYPE_CHECKING:
    from sphinx.application import Sphinx


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect the parts."""
    from bnlab import environment
    from bnlab.site import experiments, live, prepare, provenance

    environment.fix()
    app.setup_extension("evergreen")
    for part in (prepare, provenance, live, experiments):
        part.setup(app)
    return {"version": __version__, "parallel_read_safe": False, "parallel_write_safe": False}
