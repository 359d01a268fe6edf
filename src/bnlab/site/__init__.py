"""The Sphinx extension of the course's site. Only the book build imports it."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING, Any

from bnlab import __version__

if TYPE_CHECKING:
    from sphinx.application import Sphinx


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect the parts, those that look at finished pages last."""
    from bnlab.site import (
        assets,
        evidence,
        exclusive,
        launch,
        lessons,
        live,
        markup,
        mathml,
        metadata,
        pages,
        provenance,
        published,
    )

    for part in (
        exclusive,
        lessons,
        mathml,
        pages,
        provenance,
        evidence,
        published,
        launch,
        live,
        metadata,
        markup,
        assets,
    ):
        part.setup(app)
    # By then a thousand modules and the last build's environment are loaded, and stay: looking
    # through them for garbage again and again takes a quarter of a build with nothing to do.
    app.connect("builder-inited", lambda _app: gc.freeze(), priority=0)
    return {"version": __version__, "parallel_read_safe": True, "parallel_write_safe": True}
