"""What pages show of each other: contents, titles, numbers, targets of links, and works.

Sphinx itself writes again what it has read again, and little else: see its issue 5506.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from docutils import nodes
from myst_nb.ext.glue.crossref import PendingGlueReference
from sphinx import addnodes
from sphinx.domains.math import MathDomain
from sphinxcontrib.bibtex.bibfile import parse_bibdata
from sphinxcontrib.bibtex.domain import BibtexDomain

from evergreen import sources
from evergreen.lessons import preparation
from evergreen.pages import equations
from evergreen.state import Kept, watch, watch_each

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

_SHARED: Kept[dict[str, Any]] = Kept("shared")
_WORKS: Kept[list[tuple[str, ...]]] = Kept("works")
_BIBLIOGRAPHY: Kept[str] = Kept("bibliography")
_GLUED: Kept[dict[str, list[tuple[str, str]]]] = Kept("glued")


def setup(app: Sphinx) -> None:
    """Connect this part to Sphinx."""
    # After sphinxcontrib-bibtex has looked at its files (priority 500).
    app.connect("builder-inited", _read_bibliography, priority=600)
    app.connect("doctree-read", _note_glued)
    # By then sections and figures have their numbers, and works their labels.
    watch(app, _SHARED, _shared, lambda env: env.all_docs, event="env-get-updated")
    watch(app, _WORKS, _works, _citing, event="env-get-updated")
    watch_each(app, _GLUED, _glued, event="env-get-updated")


def bibliography(env: BuildEnvironment) -> BibtexDomain | None:
    """Return the works of the book and who cites them, or None where it has none."""
    return cast(BibtexDomain, env.domains["cite"]) if "cite" in env.domains else None


def _shared(app: Sphinx) -> dict[str, Any]:
    env = app.env
    math = cast(MathDomain, env.get_domain("math"))
    return {
        "contents": {
            name: [
                (toctree.get("caption"), toctree["entries"], toctree.get("numbered"))
                for toctree in env.tocs[name].findall(addnodes.toctree)
            ]
            for name in sorted(env.toctree_includes)
        },
        "titles": {name: str(title) for name, title in sorted(env.titles.items())},
        "sections": dict(sorted(env.toc_secnumbers.items())),
        "figures": dict(sorted(env.toc_fignumbers.items())),
        "equations": sorted(math.equations.items()),
        "tags": {name: about.get(equations.TAGS) for name, about in sorted(env.metadata.items())},
        "targets": [
            sorted(map(str, domain.get_objects())) for _, domain in sorted(env.domains.items())
        ],
    }


def _read_bibliography(app: Sphinx) -> None:
    """Read the bibliography's files again if their contents changed.

    sphinxcontrib-bibtex 2.7 goes by their modification times (unreported).
    """
    works = bibliography(app.env)
    if works is not None:
        files = [path for path in works.bibdata.bibfiles if path.is_file()]
        contents = sources.digest(*(path.read_bytes() for path in files))
        if _BIBLIOGRAPHY.write(app.env, contents):
            works.data["bibdata"] = parse_bibdata(
                list(works.bibdata.bibfiles), works.bibdata.encoding
            )


def _works(app: Sphinx) -> list[tuple[str, ...]]:
    """Return what citations and the bibliography show of each work, in its order."""
    works = bibliography(app.env)
    return (
        []
        if works is None
        else [
            (work.citation_id, work.formatted_entry.label, repr(work.entry))
            for work in works.citations
        ]
    )


def _citing(env: BuildEnvironment) -> set[str]:
    works = bibliography(env)
    if works is None:
        return set()
    listing = (bibliography.docname for bibliography in works.bibliographies)
    return {citation.docname for citation in works.citation_refs} | set(listing)


def _note_glued(app: Sphinx, doctree: nodes.document) -> None:
    """Note which other lessons' numbers a page shows."""
    others = {node["refdoc"] for node in doctree.findall(PendingGlueReference)}
    if others:
        app.env.metadata[app.env.docname]["glued"] = sorted(others)


def _glued(app: Sphinx) -> dict[str, list[tuple[str, str]]]:
    now = preparation.NOW.of(app.env)
    return {
        name: [(other, now[other]) for other in about["glued"] if other in now]
        for name, about in app.env.metadata.items()
        if "glued" in about
    }
