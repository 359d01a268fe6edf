"""What an incremental build forgets: deleted sources, and what one page shows of the others."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment


def setup(app: Sphinx) -> None:
    """Connect this part to Sphinx."""
    app.connect("env-get-outdated", _remove)
    app.connect("env-updated", _shared)


def _remove(
    app: Sphinx, _env: BuildEnvironment, _added: set[str], _changed: set[str], removed: set[str]
) -> list[str]:
    """Delete the pages whose sources are gone; Sphinx leaves them in the site."""
    for name in removed:
        for path in (f"{name}.html", f"_sources/{name}.md"):
            (Path(app.outdir) / path).unlink(missing_ok=True)
    return []


def _shared(_app: Sphinx, env: BuildEnvironment) -> Iterable[str]:
    """Write every page again if what pages show of each other changed.

    That is the titles, in the contents beside the text, and the works cited, in the
    bibliography and in labels that tell two works of a year apart.
    """
    citations = env.get_domain("cite").citation_refs  # type: ignore[attr-defined]
    shared = (
        {name: title.astext() for name, title in env.titles.items()},
        {target.key for cited in citations for target in cited.targets},
    )
    before, env.bnlab_shared = getattr(env, "bnlab_shared", None), shared  # type: ignore[attr-defined]
    return [] if shared == before else env.all_docs
