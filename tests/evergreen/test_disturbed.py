"""Whatever disturbs a build, the next one ends as if nothing had happened."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tinybook import TinyBook, wait_for

WAITING = """
```{{code-cell}} ipython3
import pathlib
import time

pathlib.Path("{name}.started").touch()
time.sleep(600)
```
"""


def output_of(process: subprocess.Popen[str]) -> str:
    """Wait for a build, and return what it printed."""
    return process.communicate()[0]


def left_over(book: TinyBook) -> list[str]:
    """Return the commands of the processes that work for a book."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if f"{book.folder}".encode() in (process / "environ").read_bytes():
                found.append((process / "cmdline").read_text().replace("\0", " "))
        except OSError:  # it has ended
            continue
    return found


def forget_everything(book: TinyBook) -> None:
    shutil.rmtree(book.store)


def forget_nothing(book: TinyBook) -> None:
    pass


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="This system has no /proc.")
@pytest.mark.parametrize("forget", [forget_everything, forget_nothing])
def test_a_build_killed_at_any_moment_is_completed_by_the_next(
    built_book: TinyBook, book: TinyBook, forget: Callable[[TinyBook], None]
) -> None:
    forget(book)
    moments = random.Random(42)
    for kill in range(5):
        process = book.start(prefix=["setsid"])
        time.sleep(moments.uniform(0.5, 5))  # A build from nothing takes about as long.
        # One time alone, so that what it has started is left without it; one time with all.
        (os.kill if kill % 2 else os.killpg)(process.pid, signal.SIGKILL)
        process.communicate()
    book.update()
    assert book.site() == built_book.site()
    assert wait_for(lambda: not left_over(book)), left_over(book)
    assert [path for path in book.store.rglob(".*") if path.is_dir()] == []


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="This system has no /proc.")
def test_an_interrupt_ends_a_build_and_all_its_kernels(book: TinyBook) -> None:
    lessons = [book.path(f"lessons/{name}.md") for name in ("chances", "walks")]
    texts = [lesson.read_text("utf-8") for lesson in lessons]
    for lesson, text in zip(lessons, texts, strict=True):
        lesson.write_text(text + WAITING.format(name=lesson.stem), "utf-8")
    process = book.start(prefix=["setsid"])
    started = [lesson.with_suffix(".started") for lesson in lessons]
    assert wait_for(lambda: all(file.exists() for file in started))
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does
    said = output_of(process)
    assert process.returncode != 0
    assert "LessonError" not in said, "it is no lesson's fault"
    assert wait_for(lambda: not left_over(book)), left_over(book)
    for lesson, text, file in zip(lessons, texts, started, strict=True):
        lesson.write_text(text, "utf-8")
        file.unlink()
    book.update()


def interrupted(book: TinyBook) -> None:
    """Leave the book as a build does that is killed while it writes pages."""
    (book.html.parent / "unfinished").touch()
    (book.html / "index.html").write_text("half", "utf-8")


def empty_the_site(book: TinyBook) -> None:
    for path in book.html.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def link_the_site_elsewhere(book: TinyBook) -> None:
    elsewhere = book.folder.parent / "elsewhere"
    book.html.rename(elsewhere)
    book.html.symlink_to(elsewhere)


def delete_the_site(book: TinyBook) -> None:
    shutil.rmtree(book.html)


def delete_the_executed_notebooks(book: TinyBook) -> None:
    shutil.rmtree(book.html.parent / "jupyter_execute")


def link_the_executed_notebooks_elsewhere(book: TinyBook) -> None:
    elsewhere = book.folder.parent / "executed"
    (book.html.parent / "jupyter_execute").rename(elsewhere)
    (book.html.parent / "jupyter_execute").symlink_to(elsewhere)


@pytest.mark.parametrize(
    ("interrupt", "disturb"),
    [
        (interrupted, empty_the_site),
        (interrupted, link_the_site_elsewhere),
        (interrupted, delete_the_site),
        (interrupted, delete_the_executed_notebooks),
        (interrupted, link_the_executed_notebooks_elsewhere),
        (forget_nothing, empty_the_site),
        (forget_nothing, delete_the_executed_notebooks),
    ],
)
def test_what_builds_made_may_be_gone_or_lie_elsewhere(
    built_book: TinyBook,
    book: TinyBook,
    interrupt: Callable[[TinyBook], None],
    disturb: Callable[[TinyBook], None],
) -> None:
    book.update()
    interrupt(book)
    disturb(book)
    book.replace("book/index.md", "A walker", "A  walker")  # the same page, written again
    book.update()
    assert book.site().keys() == built_book.site().keys()
    assert book.read("_build/html/lessons/walks.html") == built_book.read(
        "_build/html/lessons/walks.html"
    )


def test_what_another_builder_has_read_is_written_by_the_next_build(book: TinyBook) -> None:
    book.update()
    book.replace("lessons/walks.md", "# How far a walk leads", "# How far walks lead")
    book.update("--builder", "custom", "--custom-builder", "pseudoxml")
    book.update()
    for page in ("index", "lessons/walks", "lessons/chances"):
        assert "How far walks lead" in book.read(f"_build/html/{page}.html")


def test_a_page_with_a_warning_is_never_taken_for_finished(book: TinyBook) -> None:
    book.replace("book/index.md", "A walker", "{ref}`nowhere` A walker")
    assert "undefined label" in book.refuse()
    assert "undefined label" in book.refuse()


def test_two_builds_at_the_same_time_in_one_book_do_no_harm(
    built_book: TinyBook, book: TinyBook
) -> None:
    forget_everything(book)
    processes = [book.start() for _ in range(2)]
    outputs = [output_of(process) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], "\n".join(outputs)
    assert sum("Another build of this checkout is under way" in text for text in outputs) == 1
    assert book.site() == built_book.site()


def test_two_books_that_share_a_store_make_each_result_once(
    built_book: TinyBook, book: TinyBook, tmp_path: Path
) -> None:
    other = TinyBook(tmp_path / "other")
    forget_everything(book)
    shared = {"EVERGREEN_STORE": str(book.store)}
    processes = [each.start(environment=shared) for each in (book, other)]
    outputs = [output_of(process) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], "\n".join(outputs)
    assert len(list(book.store.glob("lessons/*/outputs.json"))) == 2
    assert book.site() == other.site() == built_book.site()


def test_a_damaged_result_is_made_again_and_the_page_is_the_same(
    built_book: TinyBook, book: TinyBook
) -> None:
    for outputs in book.store.glob("lessons/*/outputs.json"):
        os.truncate(outputs, outputs.stat().st_size // 2)
    assert "is damaged; it is made again" in book.update().output
    assert book.site() == built_book.site()


@pytest.fixture
def in_a_namespace() -> list[str]:
    """A command that runs a shell script with mounts of its own."""
    command = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-ec"]
    if shutil.which("unshare") is None or subprocess.run([*command, "true"]).returncode != 0:
        pytest.skip("This system does not let a test mount a disk of its own.")
    return command


def refused(book: TinyBook, prefix: list[str]) -> str:
    """Build under a command, and return what the build said as it failed, in a sentence."""
    process = book.start(prefix=prefix)
    output = output_of(process)
    assert process.returncode != 0, output
    assert "Traceback" not in output
    return output


READ_ONLY = 'mount --bind "$0" "$0"; mount -o remount,bind,ro "$0"; exec "$@"'


def test_a_store_that_may_only_be_read_serves_what_it_has_and_explains_what_it_lacks(
    built_book: TinyBook, book: TinyBook, in_a_namespace: list[str]
) -> None:
    prefix = [*in_a_namespace, READ_ONLY, str(book.store)]
    cell = "print(chances.describe(steps=4, end=0))"
    book.replace("lessons/chances.md", cell, f"{cell}\nprint('stale')")
    output = refused(book, prefix)
    assert "cannot be written to" in output
    assert "set EVERGREEN_STORE to another folder" in output
    book.replace("lessons/chances.md", f"{cell}\nprint('stale')", cell)
    served = book.start(prefix=prefix)
    assert "build succeeded" in output_of(served)
    assert book.site() == built_book.site()


# A folder whose name begins with a point is a draft of a kernel that was ended: no entry yet.
FULL_STORE = """
mount -t tmpfs -o size=40k tmpfs "$0"
"$@" && status=0 || status=$?
for entry in $(find "$0" -mindepth 2 -maxdepth 2 -type d -not -name '.*'); do
  test -f "$entry/manifest.json" || echo "half written: $entry"
done
exit $status
"""


def test_a_full_disk_is_explained_and_leaves_nothing_half_written(
    book: TinyBook, in_a_namespace: list[str]
) -> None:
    output = refused(book, [*in_a_namespace, FULL_STORE, str(book.store)])
    assert "is full. Free some space" in output
    assert "half written" not in output


FULL_SITE = 'mkdir -p "$0"; mount -t tmpfs -o size=300k tmpfs "$0"; exec "$@"'


def test_a_full_disk_below_the_site_is_explained(
    built_book: TinyBook, book: TinyBook, in_a_namespace: list[str]
) -> None:
    output = refused(book, [*in_a_namespace, FULL_SITE, str(book.html.parent)])
    assert "is full. Free some space" in output
    book.update()
    assert book.site() == built_book.site()


MOUNTED = 'mkdir -p "$0"; mount -t tmpfs tmpfs "$0"; touch "$0/../unfinished"; exec "$@"'


def test_the_site_may_be_a_disk_of_its_own(book: TinyBook, in_a_namespace: list[str]) -> None:
    process = book.start(prefix=[*in_a_namespace, MOUNTED, str(book.html)])
    assert "build succeeded" in output_of(process)
