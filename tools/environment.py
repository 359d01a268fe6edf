"""Make the environment that the Makefile's targets run in, from the lock.

``environment.py FOLDER`` makes the project's, ``environment.py FOLDER LOCK`` one from another
lock and without the project's package.

Run by the system's Python, whatever its age, so it uses nothing but old syntax and the
standard library. Every problem a reader can mend is one sentence that says what to do.
"""

import hashlib
import os
import shutil
import subprocess
import sys

OLDEST, NEWEST = (3, 11), (3, 13)
DISK_GIB = 4
PEER_DISK_GIB = 7  # PyTorch brings the libraries of graphics cards
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
LOCK = "requirements.txt"
OTHER_INPUTS = ("pyproject.toml", "package-lock.json")


def stop(sentence):
    sys.exit("make: " + sentence)


def fingerprint(lock):
    digest = hashlib.sha256(sys.version.encode())
    names = (lock, os.path.join("tools", "environment.py"))
    for name in names + (OTHER_INPUTS if lock == LOCK else ()):
        with open(os.path.join(ROOT, name), "rb") as file:
            digest.update(file.read())
    return digest.hexdigest()


def run(*command):
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    output = process.communicate()[0].decode("utf-8", "replace")
    if process.returncode == 0:
        return
    sys.stderr.write(output)
    if "No space left on device" in output:
        stop("The disk is full; free about {} GiB and run make again.".format(DISK_GIB))
    stop("Installing failed, see above; fix it (is the network up?) and run make again.")


def install(python, *arguments):
    run(python, "-m", "pip", "install", "--disable-pip-version-check", "--quiet", *arguments)


def main():
    venv = os.path.abspath(sys.argv[1])
    lock = sys.argv[2] if len(sys.argv) > 2 else LOCK
    disk_gib = DISK_GIB if lock == LOCK else PEER_DISK_GIB
    if not OLDEST <= sys.version_info[:2] <= NEWEST:
        stop(
            "Python {}.{} to {}.{} is needed, and {} is Python {}.{}; name another one with "
            "`make PYTHON=python3.12`.".format(
                *(OLDEST + NEWEST + (sys.executable,) + tuple(sys.version_info[:2]))
            )
        )
    stamp = os.path.join(venv, "installed")
    wanted = fingerprint(lock)
    if os.path.isfile(stamp):
        with open(stamp) as file:
            if file.read() == wanted:
                return
    try:
        import ensurepip  # noqa: F401
        import venv as _  # noqa: F401
    except ImportError:
        stop(
            "This Python has no venv; install it (on Debian and Ubuntu: apt install python3-venv) "
            "and run make again."
        )
    free = shutil.disk_usage(ROOT).free / 2**30
    if free < disk_gib:
        stop(
            "The environment needs {} GiB and the disk of {} has {:.1f} left; free some and call "
            "make again.".format(disk_gib, ROOT, free)
        )
    print("Making {} from {}; this takes some minutes.".format(venv, lock))
    sys.stdout.flush()
    run(sys.executable, "-m", "venv", "--clear", venv)
    python = os.path.join(venv, "bin", "python")
    install(python, "--require-hashes", "--requirement", os.path.join(ROOT, lock))
    if lock == LOCK:
        install(python, "--no-deps", "--no-build-isolation", "--editable", ROOT)
        if shutil.which("npm"):  # a few tests need it
            run("npm", "ci", "--prefix", ROOT, "--ignore-scripts", "--no-audit", "--no-fund")
    with open(stamp, "w") as file:
        file.write(wanted)


if __name__ == "__main__":
    main()
