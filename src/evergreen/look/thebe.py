"""Leave out Thebe, which Jupyter Book puts on every page: it runs code on other hosts.

The policy would keep it from them, so its buttons and scripts would only be in the way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from docutils import nodes

if TYPE_CHECKING:
    from sphinx.application import Sphinx


def setup(app: Sphinx) -> None:
    """Connect this part to Sphinx."""
    # After sphinx-thebe, which comes at the usual priority.
    app.connect("doctree-resolved", _remove_settings, priority=900)
    app.connect("html-page-context", _remove_scripts, priority=900)


def _remove_settings(_app: Sphinx, doctree: nodes.document, _name: str) -> None:
    for node in [node for node in doctree.children if isinstance(node, nodes.raw)]:
        if "text/x-thebe-config" in node.astext() or "<script>kernelName =" in node.astext():
            doctree.remove(node)


def _remove_scripts(
    _app: Sphinx, _name: str, _template: str, context: dict[str, Any], _tree: nodes.document | None
) -> None:
    context["script_files"] = [
        script
        for script in context["script_files"]
        if "thebe" not in f"{script} {getattr(script, 'attributes', {})}".lower()
    ]
