"""An entry of the store is whole or absent, written once, and an obstacle is explained."""

from __future__ import annotations

import logging
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from evergreen import store as store_module
from evergreen.store import Store, StoreError, prune, root, unused

KEY = "0123456789abcdef" * 4
OTHER_KEY = "f" * 64


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setenv("EVERGREEN_STORE", str(tmp_path / "store"))
    return Store("results")


def start(code: str, **environment: str | Path) -> subprocess.Popen[str]:
    """Start a process that runs some code."""
    return subprocess.Popen(
        [sys.executable, "-c", code],
        env=os.environ | {name: str(value) for name, value in environment.items()},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def output(process: subprocess.Popen[str]) -> str:
    """Wait for a process to succeed, and return what it printed."""
    printed, errors = process.communicate()
    assert process.returncode == 0, errors
    return printed


def write(folder: Path) -> None:
    """Write an entry of two files, one of them in a folder."""
    (folder / "numbers.txt").write_text("1 2 3", "utf-8")
    (folder / "more").mkdir()
    (folder / "more" / "numbers.bin").write_bytes(bytes(range(256)))


def assert_whole(entry: Path | None) -> None:
    assert entry is not None
    assert (entry / "numbers.txt").read_text("utf-8") == "1 2 3"
    assert (entry / "more" / "numbers.bin").read_bytes() == bytes(range(256))


def left_over(store: Store) -> list[str]:
    """Name what is in the store's folder besides entries and locks."""
    return [path.name for path in store.folder.iterdir() if path.name.startswith(".")]


def test_an_entry_that_was_never_made_is_absent(store: Store) -> None:
    assert store.find(KEY) is None
    assert not store.folder.exists()


def test_an_entry_is_found_as_it_was_written(store: Store) -> None:
    entry = store.make(KEY, write)
    assert entry == store.folder / KEY
    assert_whole(entry)
    assert store.find(KEY) == entry
    assert store.find(OTHER_KEY) is None
    assert left_over(store) == []


def test_an_entry_is_written_once(store: Store) -> None:
    folders: list[Path] = []

    def count(folder: Path) -> None:
        folders.append(folder)
        write(folder)

    assert store.make(KEY, count) == store.make(KEY, count)
    assert len(folders) == 1


def test_an_entry_whose_writing_fails_is_absent_and_the_next_call_makes_it(store: Store) -> None:
    def fail(folder: Path) -> None:
        write(folder)
        raise ArithmeticError("in the middle")

    with pytest.raises(ArithmeticError, match="in the middle"):
        store.make(KEY, fail)
    assert store.find(KEY) is None
    assert left_over(store) == []
    assert_whole(store.make(KEY, write))


def test_nobody_sees_an_entry_while_it_is_written(store: Store) -> None:
    def look(folder: Path) -> None:
        write(folder)
        assert store.find(KEY) is None
        assert not (store.folder / KEY).exists()

    assert_whole(store.make(KEY, look))


def flip_a_byte(entry: Path) -> None:
    path = entry / "more" / "numbers.bin"
    content = bytearray(path.read_bytes())
    content[100] ^= 1
    path.write_bytes(content)


def truncate(entry: Path) -> None:
    os.truncate(entry / "numbers.txt", 2)


def lose_a_file(entry: Path) -> None:
    (entry / "more" / "numbers.bin").unlink()


def lose_the_manifest(entry: Path) -> None:
    (entry / "manifest.json").unlink()


def truncate_the_manifest(entry: Path) -> None:
    os.truncate(entry / "manifest.json", 30)


def empty_the_manifest(entry: Path) -> None:
    os.truncate(entry / "manifest.json", 0)


def garble_the_manifest(entry: Path) -> None:
    (entry / "manifest.json").write_bytes(b"\xff\xfe\x00{")


def put_a_list_into_the_manifest(entry: Path) -> None:
    (entry / "manifest.json").write_text('["numbers.txt"]', "utf-8")


def put_numbers_into_the_manifest(entry: Path) -> None:
    (entry / "manifest.json").write_text('{"numbers.txt": 5}', "utf-8")


def put_an_empty_list_of_files_into_the_manifest(entry: Path) -> None:
    (entry / "manifest.json").write_text("{}", "utf-8")


def add_a_file(entry: Path) -> None:
    (entry / "more" / "stray.txt").touch()


def put_a_file_in_its_place(entry: Path) -> None:
    shutil.rmtree(entry)
    entry.write_text("nothing", "utf-8")


def put_a_dead_link_in_its_place(entry: Path) -> None:
    shutil.rmtree(entry)
    entry.symlink_to(entry.parent / "nowhere")


def put_a_folder_in_a_file_s_place(entry: Path) -> None:
    (entry / "numbers.txt").unlink()
    (entry / "numbers.txt").mkdir()


@pytest.mark.parametrize(
    "damage",
    [
        flip_a_byte,
        truncate,
        lose_a_file,
        lose_the_manifest,
        truncate_the_manifest,
        empty_the_manifest,
        garble_the_manifest,
        put_a_list_into_the_manifest,
        put_numbers_into_the_manifest,
        put_an_empty_list_of_files_into_the_manifest,
        put_a_folder_in_a_file_s_place,
        put_a_file_in_its_place,
        put_a_dead_link_in_its_place,
        add_a_file,
    ],
)
def test_a_damaged_entry_is_reported_and_made_again(
    store: Store, damage: Callable[[Path], None], caplog: pytest.LogCaptureFixture
) -> None:
    entry = store.make(KEY, write)
    let_time_go_by(entry)
    assert store.find(KEY) == entry  # and this process knows that it is whole
    damage(entry)
    assert store.find(KEY) is None
    with caplog.at_level(logging.WARNING):
        made_again = store.make(KEY, write)
    assert f"{store.folder / KEY} is damaged; it is made again" in caplog.text
    assert_whole(made_again)
    assert store.find(KEY) == made_again


def let_time_go_by(entry: Path) -> None:
    """Let its files be some seconds old."""
    for path in entry.rglob("*"):
        os.utime(path, (time.time() - 10, time.time() - 10))


def test_a_process_reads_an_entry_to_check_it_once(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = store.make(KEY, write)
    let_time_go_by(entry)
    assert store.find(KEY) == entry
    with monkeypatch.context() as patched:
        patched.delattr("evergreen.store._digests")  # it would be needed to check again
        assert store.find(KEY) == entry
        (entry / "new.txt").write_text("x", "utf-8")
        with pytest.raises(NameError):
            store.find(KEY)


ASK = """
import sys, time
from pathlib import Path
from evergreen.store import Store

here = Path({here!r})

def write(folder):
    with (here / "written").open("a") as log:
        log.write("once\\n")
    while len(list(here.glob("asking-*"))) < {processes}:
        time.sleep(0.01)
    time.sleep(0.3)  # the others are at the lock by now
    (folder / "result").write_text("whole")

(here / "asking-{number}").touch()
print((Store("results").make({key!r}, write) / "result").read_text())
"""


def test_of_processes_that_ask_at_the_same_time_one_writes(store: Store, tmp_path: Path) -> None:
    processes = [
        start(ASK.format(here=str(tmp_path), processes=3, number=number, key=KEY))
        for number in range(3)
    ]
    assert [output(process) for process in processes] == ["whole\n"] * 3
    assert (tmp_path / "written").read_text() == "once\n"


HANG = """
import time
from evergreen.store import Store

def write(folder):
    (folder / "numbers.txt").write_text("1 2")
    print("half", flush=True)
    time.sleep(600)

Store("results").make({key!r}, write)
"""


def test_a_process_killed_while_it_writes_leaves_no_entry_and_blocks_nobody(
    store: Store,
) -> None:
    process = start(HANG.format(key=KEY))
    assert process.stdout is not None
    assert process.stdout.readline() == "half\n"
    process.kill()
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert store.find(KEY) is None
    assert_whole(store.make(KEY, write))
    assert left_over(store) == []


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user may enter, unlike pytest's."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


UNPRIVILEGED = """
import os
from evergreen.store import Store, StoreError

if os.geteuid() == 0:  # whom permissions do not stop
    os.setgid(65534)
    os.setuid(65534)
try:
    Store("results").make({key!r}, lambda folder: (folder / "result").touch())
except StoreError as error:
    print(error)
"""


def test_a_folder_that_may_not_be_written_is_explained(open_folder: Path) -> None:
    open_folder.chmod(0o555)
    message = output(start(UNPRIVILEGED.format(key=KEY), EVERGREEN_STORE=open_folder))
    assert f"cannot be written to {open_folder / 'results'} (Permission denied)" in message
    assert "set EVERGREEN_STORE to another folder" in message


def test_an_entry_that_may_not_be_read_is_explained(
    open_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EVERGREEN_STORE", str(open_folder))
    entry = Store("results").make(KEY, write)
    for path in entry.rglob("*.*"):
        path.chmod(0o000)
    entry.parent.chmod(0o777)
    message = output(start(UNPRIVILEGED.format(key=KEY), EVERGREEN_STORE=open_folder))
    assert f"{entry} cannot be read" in message
    assert "set EVERGREEN_STORE to another folder" in message


@pytest.mark.parametrize("below", ["", "below"])
def test_a_file_in_the_folder_s_place_is_explained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, below: str
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("EVERGREEN_STORE", str(tmp_path / "file" / below))
    assert Store("results").find(KEY) is None
    with pytest.raises(StoreError, match=r"cannot be written to .*set EVERGREEN_STORE"):
        Store("results").make(KEY, write)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="This system has no /dev/full.")
def test_a_full_disk_is_explained_and_keeps_finished_results_only(store: Store) -> None:
    def write_too_much(folder: Path) -> None:
        write(folder)
        (folder / "big").symlink_to("/dev/full")
        (folder / "big").write_bytes(bytes(10))

    store.make(OTHER_KEY, write)
    with pytest.raises(StoreError, match=r"disk of .* is full\. Free some space"):
        store.make(KEY, write_too_much)
    assert store.find(KEY) is None
    assert left_over(store) == []
    assert_whole(store.find(OTHER_KEY))


def test_results_are_kept_where_the_variable_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EVERGREEN_STORE", str(tmp_path))
    assert root() == tmp_path
    monkeypatch.setenv("EVERGREEN_STORE", "~/results")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert root() == tmp_path / "results"


@pytest.mark.parametrize("book", [False, True])
def test_a_book_keeps_results_in_its_build_folder_and_others_in_the_user_s_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, book: bool
) -> None:
    monkeypatch.delenv("EVERGREEN_STORE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "book" / "lessons").mkdir(parents=True)
    if book:
        (tmp_path / "book" / "_config.yml").touch()
        (tmp_path / "book" / "_toc.yml").touch()
    monkeypatch.chdir(tmp_path / "book" / "lessons")
    kept = tmp_path / "book" / "_build" / "store" if book else tmp_path / "cache" / "evergreen"
    assert root() == kept


def age(path: Path, days: float) -> None:
    """Let a file or a folder look as if it had last been used some days ago."""
    manifest = path / "manifest.json"
    past = time.time() - days * 24 * 60 * 60
    os.utime(manifest if manifest.is_file() else path, (past, past))


def test_what_nobody_has_asked_for_in_weeks_is_removed_and_nothing_else(store: Store) -> None:
    for key in (KEY, OTHER_KEY):
        age(store.make(key, write), 29)
    assert_whole(store.find(OTHER_KEY))  # asks for it
    assert [item.path for item in unused()] == [store.folder / KEY]
    assert unused()[0].size > 256
    assert [item.path.name for item in prune()] == [KEY]
    assert store.find(KEY) is None
    assert_whole(store.find(OTHER_KEY))


def test_a_use_by_another_store_of_the_same_folder_counts(store: Store) -> None:
    age(store.make(KEY, write), 29)
    code = f"from evergreen.store import Store; Store('results').find({KEY!r})"
    output(start(code, EVERGREEN_STORE=root()))
    assert prune() == []


def test_what_killed_processes_left_goes_after_a_day(store: Store) -> None:
    store.make(KEY, write)
    for name in (f".{OTHER_KEY[:12]}-killed", f"{OTHER_KEY}.lock"):
        path = store.folder / name
        path.mkdir() if name.startswith(".") else path.touch()
        age(path, 0.9)
    assert prune() == []
    for path in store.folder.iterdir():
        age(path, 1.1)
    assert len(prune()) == 2
    assert [path.name for path in store.folder.iterdir()] == [KEY]


def test_no_lock_is_left_behind(store: Store) -> None:
    store.make(KEY, write)
    assert list(store.folder.glob("*.lock")) == []


def test_an_unused_entry_is_shown_and_only_removed_on_request(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    age(store.make(KEY, write), 40)
    store_module.main(["--keep-days", "41"])
    assert "would free 0.0 MiB in 0 entries" in capsys.readouterr().out
    store_module.main([])
    assert f"unused for  40 days  results/{KEY}" in capsys.readouterr().out
    assert (store.folder / KEY).is_dir()
    store_module.main(["--delete"])
    assert "Freed" in capsys.readouterr().out
    assert not (store.folder / KEY).exists()


def test_a_notice_is_not_written_to_stderr_where_nothing_shows_it(store: Store) -> None:
    flip_a_byte(store.make(KEY, write))
    code = f"from evergreen.store import Store\nStore('results').make({KEY!r}, lambda _: None)"
    process = start(code, EVERGREEN_STORE=root())
    assert process.communicate() == ("", "")
    assert process.returncode == 0
