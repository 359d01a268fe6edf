"""The surroundings of a lesson's kernel: the same for everybody who builds the book."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from evergreen import claims, sources, store

# Where things lie on this machine, and how to reach others. None of it is part of a result.
_PASSED_ON = frozenset(
    {
        *("HOME", "LOGNAME", "PATH", "SHELL", "USER", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"),
        *("XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR", "HTTP_PROXY", "HTTPS_PROXY"),
        *("NO_PROXY", "http_proxy", "https_proxy", "no_proxy", "REQUESTS_CA_BUNDLE"),
        *("SSL_CERT_DIR", "SSL_CERT_FILE", "APPDATA", "COMSPEC", "LOCALAPPDATA", "PATHEXT"),
        *("PROGRAMDATA", "SYSTEMDRIVE", "SYSTEMROOT", "TEMP", "TMP", "USERPROFILE", "WINDIR"),
    }
)

FIXED = {
    claims.BUILD: "1",
    "LC_ALL": "C.UTF-8",
    "TZ": "UTC",
    "PYTHONHASHSEED": "0",
    "PYTHONUTF8": "1",
    # A progress bar's last state is not a result.
    "TQDM_DISABLE": "1",
}
"""What every kernel is given besides, so that it counts for no key of its own."""


def environment(own: Mapping[str, str | None], packages: Iterable[str]) -> dict[str, str]:
    """Return the variables that all kernels have, and no others.

    Parameters
    ----------
    own : mapping of str to str or None
        Those that the book sets. None passes the build's own value on.
    packages : iterable of str
        Import packages that a kernel must find where this process does.
    """
    passed_on = _PASSED_ON | {name for name, value in own.items() if value is None}
    folders = dict.fromkeys(sources.root_of(package).parent for package in packages)
    # Any Python looks there, and behind its own modules.
    found = [str(path) for path in folders if path.name not in ("site-packages", "dist-packages")]
    return (
        {name: os.environ[name] for name in sorted(passed_on) if name in os.environ}
        | FIXED
        | {
            "PYTHONPATH": os.pathsep.join(found),
            store.FOLDER_VARIABLE: str(store.root()),
        }
        | _matplotlib()
        | {name: value for name, value in own.items() if value is not None}
    )


@contextlib.contextmanager
def scratch(built: Path) -> Iterator[Path]:
    """Make a folder for what a kernel is to forget, and remove it in the end.

    Parameters
    ----------
    built : pathlib.Path
        The folder of what builds of the book have made.
    """
    # Whatever still writes to it is ended with the kernel.
    with tempfile.TemporaryDirectory(prefix=_prefix(built), ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def remove_abandoned(built: Path) -> None:
    """Remove such folders of builds that were killed. No other build may be under way."""
    for abandoned in Path(tempfile.gettempdir()).glob(f"{_prefix(built)}*"):
        shutil.rmtree(abandoned, ignore_errors=True)


def _prefix(built: Path) -> str:
    return f"evergreen-{sources.digest(str(built.resolve()))[:12]}-"


def _matplotlib() -> dict[str, str]:
    """Give a kernel Matplotlib's list of fonts, and none of a reader's own settings.

    The list is made beforehand and whole: a kernel that is killed while it writes the list
    would leave a lock behind, of which every later kernel would complain.
    """
    if importlib.util.find_spec("matplotlib") is None:
        return {}

    def write(folder: Path) -> None:
        # By way of another folder, since of a full disk Matplotlib would only warn.
        with tempfile.TemporaryDirectory() as listed:
            subprocess.run(
                [sys.executable, "-c", "import matplotlib.font_manager"],
                env=os.environ | {"MPLCONFIGDIR": listed},
                capture_output=True,
                check=True,
            )
            for path in Path(listed).glob("*.json"):
                shutil.copyfile(path, folder / path.name)

    key = sources.digest(json.dumps(sources.versions(["matplotlib"])), sys.prefix)
    return {"MPLCONFIGDIR": str(store.Store("matplotlib").make(key, write))}
