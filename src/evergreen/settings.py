"""Every setting of the engine: a Sphinx config value with a default, for ``_config.yml``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.util.docutils import SphinxDirective

from evergreen.store import KEEP_DAYS

if TYPE_CHECKING:
    from sphinx.application import Sphinx


class Setting(NamedTuple):
    """A config value.

    Attributes
    ----------
    name : str
        As in ``sphinx: config:`` of ``_config.yml``.
    default : object
        Its value where the book does not set it.
    types : tuple of type
        What it may be.
    meaning : str
        What it decides, for the table of settings.
    """

    name: str
    default: Any
    types: tuple[type, ...]
    meaning: str


SETTINGS = (
    Setting(
        "evergreen_packages",
        [],
        (list, tuple),
        "Import packages that the lessons run. A change of their code executes the lessons that "
        "use it; a checkout's own copy in ``src/`` is used.",
    ),
    Setting(
        "evergreen_environment",
        {},
        (dict,),
        "Environment variables of the kernels, with their values, which count: a change executes "
        "every lesson. Kernels get no others but those that say where things lie, such as HOME and "
        "PATH. Without a value (null), a variable is passed on as the build has it, and counts "
        "by its name only.",
    ),
    Setting(
        "evergreen_preload",
        [],
        (list, tuple),
        "Installed modules that take long to load and that most lessons use. Where the system "
        "allows it (Linux), a build of several lessons loads them once, and not in each kernel. "
        "They must start no threads and compute nothing as they are loaded.",
    ),
    Setting(
        "evergreen_distribution",
        "",
        (str,),
        "What the first cell of a published notebook installs from the repository, by its "
        "distribution's name. Without it notebooks have no such cell.",
    ),
    Setting(
        "evergreen_aside",
        {},
        (dict,),
        "Tags of cells that this build leaves out, with the sentence to show in their place: what "
        "holds for other data than the present, for example.",
    ),
    Setting(
        "evergreen_keep_days",
        KEEP_DAYS,
        (int, float),
        "Days that a stored result is kept after a build, of this checkout or of another that "
        "shares the store, last asked for it. 0 keeps all.",
    ),
    Setting(
        "evergreen_branch",
        "notebooks",
        (str,),
        "The branch that Colab and Binder open.",
    ),
    Setting(
        "evergreen_help_page",
        "",
        (str,),
        "The page that Colab's and Binder's buttons lead to where no repository on GitHub is "
        "known. Without it there are no such buttons then.",
    ),
    Setting(
        "evergreen_hosts",
        [],
        (list, tuple),
        "Other hosts that pages may ask for pictures, scripts and frames, by their names. Only a "
        "page that names one of them may, and scripts from there may do on it what they like.",
    ),
    Setting(
        "evergreen_display_lines",
        6,
        (int,),
        "Lines of code, blank ones not counted, that a cell shows whose only output is a table or "
        "a picture. Longer code folds below that. The tag ``show-input`` keeps it open, and "
        "``hide-input`` folds it however short it is.",
    ),
    Setting(
        "evergreen_places",
        {},
        (dict,),
        "The scripts of the book that ``{live} NAME`` makes a place for: each is the module "
        "``_static/live/NAME.js``. The value is the dotted name of a function that tells the "
        "script something, see ``evergreen.look.places.Attributes``, or an empty text.",
    ),
)
"""The settings, in the order of the table."""


def setup(app: Sphinx) -> None:
    """Add the settings to a Sphinx application."""
    for setting in SETTINGS:
        app.add_config_value(setting.name, setting.default, "env", setting.types)
    app.add_directive("evergreen-settings", Settings)


class Settings(SphinxDirective):
    """``{evergreen-settings}``: the table of all settings."""

    def run(self) -> list[nodes.Node]:
        """Return the table as nodes."""
        rows = [
            f"| `{name}: {json.dumps(default)}` | {meaning} |"
            for name, default, _, meaning in SETTINGS
        ]
        container = nodes.container()
        text = StringList(
            ["| Setting and default | Meaning |", "|---|---|", *rows], source=self.env.docname
        )
        self.state.nested_parse(text, self.content_offset, container)
        return container.children
