"""A lesson's kernel knows nothing of who builds the book, and does not outlive the build."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tinybook import TinyBook, wait_for

CELL = """
```{code-cell} ipython3
"""
SETTINGS = f"""{CELL}
import locale
import os
import sys
import time

import matplotlib.pyplot as plt

print(sorted(os.environ))
print(sys.flags, time.tzname, locale.getlocale())
print(plt.rcParams["lines.linewidth"], sorted(name for name in globals() if name[0] != "_"))
1
2
```
"""

PERSONAL = {
    ".ipython/profile_default/startup/00.py": "print('good morning'); mine = 1",
    ".ipython/profile_default/ipython_config.py": (
        "c.InteractiveShell.ast_node_interactivity = 'all'"
    ),
    ".ipython/profile_default/ipython_kernel_config.py": "c.IPKernelApp.exec_lines = ['mine = 2']",
    ".jupyter/jupyter_config.json": '{"NotebookClient": {"timeout": 1}}',
    ".local/share/jupyter/kernels/python3/kernel.json": (
        '{"argv": ["false"], "display_name": "Python 3", "language": "python"}'
    ),
    ".config/matplotlib/matplotlibrc": "lines.linewidth: 77",
    "matplotlibrc": "lines.linewidth: 88",
    "startup.py": "print('good evening')",
}


@pytest.fixture
def someone(tmp_path: Path) -> dict[str, str]:
    """The environment of somebody with settings of their own."""
    home = tmp_path / "home"
    for name, text in PERSONAL.items():
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(text, "utf-8")
    return {
        "HOME": str(home),
        "IPYTHONDIR": str(home / ".ipython"),
        "JUPYTER_CONFIG_DIR": str(home / ".jupyter"),
        "JUPYTER_DATA_DIR": str(home / ".local" / "share" / "jupyter"),
        "MATPLOTLIBRC": str(home / "matplotlibrc"),
        "MPLBACKEND": "svg",
        "PYTHONSTARTUP": str(home / "startup.py"),
        "PYTHONOPTIMIZE": "1",
        "PYTHONWARNINGS": "always",
        "PYTHONHASHSEED": "7",
        "LC_ALL": "C",
        "TZ": "Asia/Tokyo",
        "TF_ENABLE_ONEDNN_OPTS": "0",
        "ANYTHING": "else",
    }


def test_what_is_set_on_one_machine_reaches_no_lesson(
    built_book: TinyBook, tmp_path: Path, someone: dict[str, str]
) -> None:
    ours, theirs = (TinyBook(tmp_path / name, built_book.store) for name in ("ours", "theirs"))
    for book in (ours, theirs):
        with book.path("lessons/chances.md").open("a") as lesson:
            lesson.write(SETTINGS)
    assert ours.update().executed == ["lessons/chances"]
    assert theirs.update(environment=someone).executed == ["lessons/chances"]
    assert ours.site() == theirs.site()
    # Nor does it make a result another.
    assert theirs.update().executed == []


def test_the_book_sets_variables_and_passes_others_on(book: TinyBook) -> None:
    with book.path("lessons/chances.md").open("a") as lesson:
        lesson.write(f"{CELL}import os\n\nprint(os.environ['SET'], os.environ.get('GIVEN'))\n```\n")
    line = "    language: en\n"
    book.replace("_config.yml", line, f"{line}    evergreen_environment: {{SET: 7, GIVEN: null}}\n")
    assert book.update(environment={"SET": "6", "GIVEN": "here"}).executed
    assert "7 here" in (book.html / "lessons/chances.html").read_text("utf-8")
    # A value that is passed on does not count, or results would not move to another machine.
    assert book.update(environment={"GIVEN": "elsewhere"}).executed == []
    book.replace("_config.yml", "SET: 7", "SET: 8")
    assert "lessons/chances" in book.update().executed


SLOW = f"""{CELL}
import subprocess
from pathlib import Path

child = subprocess.Popen(["sleep", "1000"])
Path("ready").write_text(str(child.pid))
sum(range(10**12))  # and lets no other thread run meanwhile
```
"""


def running(word: str) -> list[str]:
    """Return the commands of the processes that have a word in their environment."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if word.encode() in (process / "environ").read_bytes():
                found.append((process / "cmdline").read_text().replace("\0", " "))
        except OSError:  # it has ended
            continue
    return found


@pytest.fixture
def slow(book: TinyBook) -> Iterator[tuple[TinyBook, dict[str, str]]]:
    """A book with a lesson that does not end, and a folder for temporary files."""
    # Its name is short, for a socket's may not be long, and kernels are forked through one.
    temporary = tempfile.mkdtemp()
    with book.path("lessons/chances.md").open("a") as lesson:
        lesson.write(SLOW)
    yield book, {"TMPDIR": temporary}
    shutil.rmtree(temporary)
    if ready := [*book.folder.glob("lessons/ready")]:
        child = int(ready[0].read_text())
        if Path(f"/proc/{child}").exists():
            os.kill(child, signal.SIGKILL)


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="This system has no /proc.")
@pytest.mark.parametrize(
    ("number", "program"),
    [(signal.SIGKILL, "warm"), (signal.SIGTERM, "kernel"), (signal.SIGINT, "warm")],
)
def test_kernels_and_what_they_started_die_with_the_build(
    slow: tuple[TinyBook, dict[str, str]], number: signal.Signals, program: str
) -> None:
    book, environment = slow
    walks = book.read("lessons/walks.md")
    if program == "warm":  # two lessons, so their kernels are forked where that is possible
        book.write("lessons/walks.md", f"{walks}{CELL}print(7)\n```\n")
    process = book.start(environment=environment)
    assert wait_for((book.folder / "lessons" / "ready").is_file)
    commands = running(str(book.store))
    assert [command for command in commands if "sleep" in command]
    assert [command for command in commands if f"evergreen.lessons.{program} " in command]
    process.send_signal(number)
    process.wait()
    assert wait_for(lambda: not running(str(book.store)))
    # What it could not clear away, the next build does.
    book.write("lessons/chances.md", book.read("lessons/chances.md").removesuffix(SLOW))
    book.write("lessons/walks.md", walks)
    assert book.update(environment=environment).executed == []
    assert [*Path(environment["TMPDIR"]).iterdir()] == []


def test_a_build_needs_no_network_not_even_its_own(book: TinyBook) -> None:
    alone = ["unshare", "--user", "--map-root-user", "--net"]
    if shutil.which(alone[0]) is None or subprocess.run([*alone, "true"], check=False).returncode:
        pytest.skip("This system lets nobody give a process a network of its own.")
    with book.path("lessons/chances.md").open("a") as lesson:
        lesson.write(f"{CELL}print('executed')\n```\n")
    process = book.start(prefix=alone)
    output, _ = process.communicate()
    assert process.returncode == 0, output
    assert "executed" in (book.html / "lessons/chances.html").read_text("utf-8")
