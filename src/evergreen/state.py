"""What a build keeps for the next one, and which pages it outdates.

Sphinx writes again the pages whose sources changed. What a page shows besides, such as the
results of other pages, is collected in every build and compared with the last one's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

T = TypeVar("T")


class Kept(Generic[T]):
    """A value that the environment keeps from build to build.

    Parameters
    ----------
    name : str
        Tells it from the other values.
    """

    def __init__(self, name: str) -> None:
        self.name = name

    def read(self, env: BuildEnvironment, default: T) -> T:
        """Return the value, or the default where no build has stored one."""
        value: T = _values(env).get(self.name, default)
        return value

    def of(self, env: BuildEnvironment) -> T:
        """Return the value that this build has stored.

        Raises
        ------
        KeyError
            If no build has.
        """
        value: T = _values(env)[self.name]
        return value

    def write(self, env: BuildEnvironment, value: T) -> bool:
        """Store a value, and return whether it or its order differs from the one before."""
        values = _values(env)
        changed = self.name not in values or _ordered(values[self.name]) != _ordered(value)
        values[self.name] = value
        return changed


def _values(env: BuildEnvironment) -> dict[str, Any]:
    found: dict[str, Any] = env.__dict__.setdefault("evergreen", {})
    return found


def _ordered(value: object) -> object:
    """Return a value with lists for mappings, which compare without the order a page shows."""
    if isinstance(value, Mapping):
        return [(key, _ordered(item)) for key, item in value.items()]
    if isinstance(value, list | tuple):
        return [_ordered(item) for item in value]
    return value


def watch(
    app: Sphinx,
    kept: Kept[T],
    collect: Callable[[Sphinx], T],
    pages: Callable[[BuildEnvironment], Iterable[str]],
    *,
    event: str = "env-get-outdated",
) -> None:
    """Write pages again whenever what they show besides their own sources has changed.

    Parameters
    ----------
    app : sphinx.application.Sphinx
    kept : Kept
        Where the value of the last build is found, and this one's is kept.
    collect : callable
        Returns the value; it must be picklable, and equal where the pages would be.
    pages : callable
        Returns the names of the pages that show it.
    event : str
        When to look: ``"env-get-outdated"`` before pages are read, for what is needed to
        read them; ``"env-get-updated"`` after that, for what reading them finds out.
    """

    def outdated(app: Sphinx, env: BuildEnvironment, *_changes: object) -> list[str]:
        if not kept.write(env, collect(app)):
            return []
        return [name for name in pages(env) if name in env.found_docs]

    app.connect(event, outdated)


def watch_each(
    app: Sphinx,
    kept: Kept[dict[str, T]],
    collect: Callable[[Sphinx], dict[str, T]],
    *,
    event: str = "env-get-outdated",
) -> None:
    """Write each page again whose own part of what is collected has changed.

    Parameters
    ----------
    app : sphinx.application.Sphinx
    kept : Kept
    collect : callable
        Returns the values by page, see :func:`watch`. What only reading the pages finds out
        may be missing before; it is collected once more after that.
    event : str
        See :func:`watch`.
    """

    def outdated(app: Sphinx, env: BuildEnvironment, *_changes: object) -> list[str]:
        before, now = kept.read(env, {}), collect(app)
        return [
            name for name in env.found_docs if _ordered(before.get(name)) != _ordered(now.get(name))
        ]

    def keep(app: Sphinx, env: BuildEnvironment) -> list[str]:
        kept.write(env, collect(app))
        return []

    app.connect(event, outdated)
    # The last event before the environment is stored.
    app.connect("env-get-updated", keep, priority=900)
