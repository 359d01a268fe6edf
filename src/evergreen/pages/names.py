"""Pages that cannot be called as they are: by a name of the site's own pages, or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from evergreen.errors import EvergreenError

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment


class PageNameError(EvergreenError):
    """A page cannot have its name."""


def setup(app: Sphinx) -> None:
    """Connect this part to Sphinx."""
    app.connect("env-before-read-docs", _refuse)
    app.connect("env-check-consistency", _refuse_untitled)


def _refuse(app: Sphinx, env: BuildEnvironment, _names: list[str]) -> None:
    if app.builder.format != "html":
        return
    for name in sorted(env.found_docs.intersection(_own(app, env))):
        raise PageNameError(
            f"{env.doc2path(name, base=False)} cannot be called so: {name}.html is a page that "
            f"every site has. Call the file otherwise, in _toc.yml too."
        )


def _refuse_untitled(app: Sphinx, env: BuildEnvironment) -> None:
    for name, title in sorted(env.titles.items()):
        file = env.doc2path(name, base=False)
        contents = app.config.external_site_map
        entry = contents.get(name) or contents.get(str(file))
        if entry is not None and not entry.title and title.astext() == "<no title>":
            raise PageNameError(
                f"{file} has no heading, so the contents cannot name it. Begin it with a line such "
                "as `# Title`."
            )


def _own(app: Sphinx, env: BuildEnvironment) -> Iterator[str]:
    """Return the names of the pages that come from no source."""
    yield from ("search", "404", *app.config.html_additional_pages)
    if app.config.html_use_index:
        yield from ("genindex", "genindex-all")
    if app.config.html_domain_indices:
        for domain in env.domains.values():
            yield from (f"{domain.name}-{index.name}" for index in domain.indices)
