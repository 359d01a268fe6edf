"""The program of a lesson's kernel: IPython's, without what is set on this machine alone.

Run as ``python -m evergreen.lessons.kernel``. Before IPython is loaded, the process is tied to
the build that started it, and whatever it reads from then on is recorded.
"""

from __future__ import annotations

import logging
import os
import re
import signal
import sys
from collections.abc import Mapping
from typing import Any

from evergreen.lessons import recorder

# Where on this machine a name is defined; the name of this field is coloured.
_FILE = re.compile(r"^\x1b\[[\d;]*mFile:\x1b.*\n?", re.MULTILINE)


def main() -> None:
    """Run a kernel until the build ends it."""
    leave_own_folder_out()
    run()


def run() -> None:
    """Run a kernel in a process that finds the modules where it should."""
    die_with_the_build()
    log_past_the_lesson()
    recorder.start(os.environ.pop(recorder.VARIABLE))
    from ipykernel.kernelapp import IPKernelApp

    class App(IPKernelApp):
        """Reads no settings of a person or a machine, and runs none of their files."""

        def load_config_file(self, *_arguments: object, **_options: object) -> None:
            """Load no profile's settings."""

        def init_code(self) -> None:
            """Run no startup files."""

        def start(self) -> None:
            """Begin with the lesson, now that the kernel has set its own variables."""
            recorder.watch_environment()
            super().start()

        def init_shell(self) -> None:
            """Let a cell show what in a notebook would open beside it."""
            super().init_shell()
            if self.shell:
                # Before ipykernel's own, whose number is 99.
                self.shell.set_hook("show_in_pager", show, 90)

    # IPython's kernel looks for it when it is loaded, which may be long ago.
    App.launch_instance(parent_handle=int(os.environ.get("JPY_PARENT_PID", "0")))


def show(_shell: object, asked: str | Mapping[str, Any], **_: object) -> None:
    """Show what would be paged through, as the help of ``len?`` is, without its file's path."""
    from IPython.display import display

    shown = asked if isinstance(asked, Mapping) else {"text/plain": asked}
    display({kind: _FILE.sub("", text) for kind, text in shown.items()}, raw=True)


def leave_own_folder_out() -> None:
    """Take the folder that Python was started in from where it looks for modules, as ipykernel.

    IPython adds the lesson's folder, behind Python's own modules.
    """
    if sys.path[0] in ("", os.getcwd()):  # noqa: PTH109
        del sys.path[0]


def die_with_the_build() -> None:
    """Let this process and all that it starts end with the build, however that ends.

    Its standard input is a pipe from the build, and nothing ever comes through. When that
    closes, a second process kills the group of both: a thread would have to wait for code that
    does not let others run, and Linux's ``PR_SET_PDEATHSIG`` would spare the children.
    """
    if not hasattr(os, "fork") or os.getpgrp() != os.getpid():
        return  # on Windows, ipykernel itself looks after its parent
    build = os.dup(0)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    if os.fork() == 0:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        try:
            while os.read(build, 1):
                pass
        finally:
            os.killpg(0, signal.SIGKILL)
    os.close(build)


def log_past_the_lesson() -> None:
    """Send the engine's own notices to where the build writes, and not into a lesson."""
    handler = logging.StreamHandler(os.fdopen(os.dup(2), "w", encoding="utf-8"))
    engine = logging.getLogger("evergreen")
    engine.addHandler(handler)
    engine.propagate = False


if __name__ == "__main__":
    main()
