"""What autodoc shall only pretend to have is not loaded behind its back.

Of a class that derives from a mocked one, Sphinx 7.4 looks for overloaded constructors in the
mocked module's source, and imports that module to find it (unreported).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sphinx.errors import PycodeError
from sphinx.pycode import ModuleAnalyzer

if TYPE_CHECKING:
    from sphinx.application import Sphinx


def setup(app: Sphinx) -> None:
    """Connect this part to Sphinx."""
    app.connect("builder-inited", _find_no_source)


def _find_no_source(app: Sphinx) -> None:
    """Let the sources of mocked modules be unknown."""
    mocked = getattr(app.config, "autodoc_mock_imports", None)
    if not mocked:
        return
    find = ModuleAnalyzer.get_module_source

    def found(name: str) -> tuple[str | None, str | None]:
        if any(name == module or name.startswith(f"{module}.") for module in mocked):
            raise PycodeError(f"{name} is mocked")
        return find(name)

    ModuleAnalyzer.get_module_source = staticmethod(found)  # type: ignore[assignment]
