"""An entry of the store is whole or absent, written once, and an obstacle is explained."""

from __future__ import annotations

import logging
import os
import signal
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from package import copy_package, output, python, start

from evergreen.store import Store, StoreError, root

KEY = "0123456789abcdef" * 4
OTHER_KEY = "f" * 64


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setenv("BNLAB_STORE", str(tmp_path / "store"))
    return Store("results")


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
        add_a_file,
    ],
)
def test_a_damaged_entry_is_reported_and_made_again(
    store: Store, damage: Callable[[Path], None], caplog: pytest.LogCaptureFixture
) -> None:
    damage(store.make(KEY, write))
    assert store.find(KEY) is None
    with caplog.at_level(logging.WARNING):
        made_again = store.make(KEY, write)
    assert f"{store.folder / KEY} is damaged; it is made again" in caplog.text
    assert_whole(made_again)
    assert store.find(KEY) == made_again


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
    message = python(UNPRIVILEGED.format(key=KEY), BNLAB_STORE=open_folder)
    assert f"cannot be written to {open_folder / 'results'} (Permission denied)" in message
    assert "set BNLAB_STORE to another folder" in message


def test_an_entry_that_may_not_be_read_is_explained(
    open_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BNLAB_STORE", str(open_folder))
    entry = Store("results").make(KEY, write)
    for path in entry.rglob("*.*"):
        path.chmod(0o000)
    entry.parent.chmod(0o777)
    (entry.parent / f"{KEY}.lock").chmod(0o666)
    message = python(UNPRIVILEGED.format(key=KEY), BNLAB_STORE=open_folder)
    assert f"{entry} cannot be read" in message
    assert "set BNLAB_STORE to another folder" in message


@pytest.mark.parametrize("below", ["", "below"])
def test_a_file_in_the_folder_s_place_is_explained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, below: str
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("BNLAB_STORE", str(tmp_path / "file" / below))
    assert Store("results").find(KEY) is None
    with pytest.raises(StoreError, match=r"cannot be written to .*set BNLAB_STORE"):
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
    monkeypatch.setenv("BNLAB_STORE", str(tmp_path))
    assert root() == tmp_path
    monkeypatch.setenv("BNLAB_STORE", "~/results")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert root() == tmp_path / "results"


@pytest.mark.parametrize("checkout", [False, True])
def test_a_checkout_keeps_results_in_its_build_folder_and_other_copies_in_the_user_s_cache(
    tmp_path: Path, checkout: bool
) -> None:
    source = copy_package(tmp_path / "src")
    if checkout:
        (tmp_path / "_toc.yml").touch()
    cache = tmp_path / "cache"
    code = "from bnlab import store; print(store.root())"
    kept = python(code, source, BNLAB_STORE="", XDG_CACHE_HOME=cache).strip()
    assert Path(kept) == (tmp_path / "_build" / "store" if checkout else cache / "bnlab")
