"""Pictures that stand in a page's own text (``data:``), as files.

Sphinx makes files of them while it writes the page, and a build that does not write it again
takes them for what no page shows any more.
"""

from __future__ import annotations

import base64
import mimetypes
import posixpath
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes

from docutils import nodes
from sphinx.transforms import SphinxTransform

from evergreen import sources

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

_DATA = re.compile(r"data:(?P<kind>[\w/+.-]+)[^,]*?(?P<base64>;base64)?,(?P<content>.*)", re.DOTALL)


def setup(app: Sphinx) -> None:
    """Connect this part to Sphinx."""
    app.add_transform(_Stored)


class _Stored(SphinxTransform):
    # Before Sphinx collects the pictures (880).
    default_priority = 870

    def apply(self, **_kwargs: Any) -> None:
        for image in self.document.findall(nodes.image):
            if found := _DATA.fullmatch(image.get("uri", "")):
                image["uri"] = f"/{_stored(self.env, found)}"


def _stored(env: BuildEnvironment, data: re.Match[str]) -> str:
    """Return the path of a picture's file, from the book's folder."""
    content = unquote_to_bytes(data["content"])
    if data["base64"]:
        content = base64.b64decode(content)
    suffix = mimetypes.guess_extension(data["kind"]) or ""
    file = Path(env.doctreedir, "embedded", f"{sources.digest(content)[:16]}{suffix}")
    if not file.is_file():  # else the other pages with this picture would be outdated
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    return posixpath.relpath(file, env.srcdir)
