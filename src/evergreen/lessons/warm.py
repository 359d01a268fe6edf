"""Kernels forked from one process that has loaded what nearly every lesson loads.

To load IPython takes most of a second, and a large library several, which each kernel would
pay again. Here one process pays it and computes nothing: no thread of a library has begun,
which is what forking does not survive. Each kernel is a fork of it, in a session of its own.

This file is both ends. Run as a module, it is the process that loads and forks. Run as a
file, it is what Jupyter takes for the kernel: it hands its standard streams, its variables and
its folder over, waits for the fork to end, and needs nothing but the start of Python. Wherever
a fork is not to be had, it becomes an ordinary kernel itself.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

KERNEL = "evergreen.lessons.kernel"
"""The kernel's program, as a module."""

# A socket's name has at most 107 bytes on Linux.
_LONGEST = 107
_MESSAGE = 2**20
_STREAMS = 3


def possible(folder: Path) -> bool:
    """Tell whether this system can fork kernels, by way of a socket in a folder."""
    short = len(os.fsencode(folder / "warm")) <= _LONGEST
    return sys.platform == "linux" and hasattr(os, "pidfd_open") and short


@contextlib.contextmanager
def loaded(
    folder: Path, modules: Iterable[str], environment: Mapping[str, str], stdin: int
) -> Iterator[Path]:
    """Load modules in a process that forks kernels, and end it behind the block.

    Parameters
    ----------
    folder : pathlib.Path
        An empty one, which only this user can read.
    modules : iterable of str
        What is loaded besides IPython.
    environment : mapping of str to str
        The variables that all kernels have.
    stdin : int
        A pipe that closes when the process is to end.

    Yields
    ------
    pathlib.Path
        The socket that it listens at.
    """
    import subprocess

    path = folder / "warm"
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        listener.bind(str(path))
        listener.listen(64)
        process = subprocess.Popen(
            [sys.executable, "-m", __spec__.name, str(listener.fileno()), *modules],
            cwd=folder,
            env=dict(environment),
            stdin=stdin,
            pass_fds=[listener.fileno()],
            start_new_session=True,
        )
    try:
        yield path
    finally:
        process.kill()
        process.wait()


def command(path: Path) -> list[str]:
    """Return the command that is a kernel forked there, without the kernel's own arguments."""
    # Without site-packages Python starts in a hundredth of a second.
    return [sys.executable, "-I", "-S", __file__, str(path)]


def _hand_over(path: str, arguments: list[str]) -> None:
    """Be a kernel, by way of a fork that is one."""
    asked = json.dumps([arguments, os.getcwd(), dict(os.environ)]).encode()  # noqa: PTH109
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as end:
        forked = b""
        with contextlib.suppress(OSError):
            end.connect(path)
            socket.send_fds(end, [asked], [0, 1, 2])
            forked = end.recv(_MESSAGE)
        if forked:
            # A kernel is interrupted before it is killed: this would say so where the build does.
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            sys.exit(end.recv(_MESSAGE) != b"0")
    _become_a_kernel(arguments, os.environ)


def _become_a_kernel(arguments: list[str], environment: Mapping[str, str]) -> None:
    os.execve(sys.executable, [sys.executable, "-m", KERNEL, *arguments], dict(environment))


def _serve(number: int, modules: Iterable[str]) -> None:
    """Load modules, and fork a kernel for each that asks."""
    import gc
    import importlib
    import selectors
    import warnings

    from evergreen.lessons import kernel

    kernel.die_with_the_build()
    kernel.leave_own_folder_out()
    # As IPython's kernel sets it. Matplotlib reads it when it is loaded.
    os.environ.setdefault("MPLBACKEND", "module://matplotlib_inline.backend_inline")
    sys.stdout, sys.stderr = Current("stdout"), Current("stderr")
    before = dict(os.environ)
    with _silence():
        for module in ("ipykernel.kernelapp", "ipykernel.ipkernel", "ipykernel.zmqshell", *modules):
            # What cannot be loaded here, a lesson will report.
            with contextlib.suppress(Exception):
                importlib.import_module(module)
    # As in every other process that loads them.
    set_by_them = {name: text for name, text in os.environ.items() if before.get(name) != text}
    gc.collect()
    gc.freeze()  # else looking for garbage would copy every page of the memory that forks share
    with socket.socket(fileno=number) as listener, selectors.DefaultSelector() as ready:
        ready.register(listener, selectors.EVENT_READ)
        while True:
            for key, _events in ready.select():
                if key.fileobj is not listener:
                    pid, end = key.data
                    ready.unregister(key.fileobj)
                    os.close(key.fd)
                    _status_of(pid, end)
                    continue
                end, _address = listener.accept()
                try:
                    asked, streams, _flags, _sender = socket.recv_fds(end, _MESSAGE, _STREAMS)
                except OSError:
                    asked = b""
                if not asked:  # whoever asked is gone
                    end.close()
                    continue
                with warnings.catch_warnings():
                    # OpenBLAS has threads from the start, and is made for being forked (its
                    # openblas_fork_handler); Python 3.12 and later warn of any.
                    warnings.simplefilter("ignore", DeprecationWarning)
                    pid = os.fork()
                if pid == 0:
                    for other in ready.get_map().values():
                        os.close(other.fd)
                        if other.data:
                            other.data[1].close()
                    end.close()
                    _run(streams, set_by_them, *json.loads(asked))
                for stream in streams:
                    os.close(stream)
                with contextlib.suppress(OSError):
                    end.send(b"forked")
                ready.register(os.pidfd_open(pid), selectors.EVENT_READ, (pid, end))


def _status_of(pid: int, end: socket.socket) -> None:
    """Tell who waits for a fork that it has ended, and how."""
    _, status = os.waitpid(pid, 0)
    with end, contextlib.suppress(OSError):
        end.send(str(os.waitstatus_to_exitcode(status)).encode())


def _run(
    streams: list[int],
    set_before: dict[str, str],
    arguments: list[str],
    folder: str,
    environment: dict[str, str],
) -> None:
    """Be the kernel, in a fork."""
    import traceback

    status = 1
    try:
        os.setsid()
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
            os.close(stream)
        os.chdir(folder)
        if _shadowed(folder):
            _become_a_kernel(arguments, environment)
        os.environ.clear()
        os.environ.update(environment | set_before)
        sys.stdout, sys.stderr = sys.__stdout__, sys.__stderr__
        _start_anew()
        from evergreen.lessons import kernel

        sys.argv = [kernel.__file__, *arguments]
        kernel.run()
        status = 0
    except BaseException:
        os.write(2, traceback.format_exc().encode())
    finally:
        os._exit(status)


def _shadowed(folder: str) -> bool:
    """Tell whether a file beside a lesson decides what is loaded, so that it must come first."""
    from importlib import machinery

    suffixes = tuple(machinery.all_suffixes())
    beside = {
        name.partition(".")[0]
        for name in os.listdir(folder)  # noqa: PTH208
        if name.endswith(suffixes) or "." not in name
    }
    return "matplotlibrc" in beside or any(name.partition(".")[0] in beside for name in sys.modules)


def _start_anew() -> None:
    """Let a fork have its own chance, and its own folder for temporary files."""
    import tempfile

    tempfile.tempdir = None
    if "numpy.random" in sys.modules:  # Python's own generator does so by itself
        sys.modules["numpy.random"].seed()


class Current:
    """What loaded modules take for a standard stream: the one that Python has when it is used.

    The handlers of loggers keep the stream that they find.
    """

    def __init__(self, name: str) -> None:
        self._name = name

    def close(self) -> None:
        """Do nothing: IPython closes the handlers that it finds, and they their streams."""

    def __getattr__(self, name: str) -> object:
        stream = getattr(sys, self._name)
        return getattr(getattr(sys, f"__{self._name}__") if stream is self else stream, name)


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """Leave out what libraries say as they are loaded."""
    streams = [os.dup(number) for number in (1, 2)]
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        for number in (1, 2):
            os.dup2(nowhere, number)
        yield
        for name in ("stdout", "stderr"):
            getattr(sys, f"__{name}__").flush()
    finally:
        for number, stream in enumerate(streams, 1):
            os.dup2(stream, number)
            os.close(stream)
        os.close(nowhere)


if __name__ == "__main__":
    if __spec__ is None:
        _hand_over(sys.argv[1], sys.argv[2:])
    else:
        _serve(int(sys.argv[1]), sys.argv[2:])
