"""The lessons where readers open them: what Binder and Colab do, done here, without them.

Slow, since each makes an environment of its own and trains: `make test-launch`.
"""

from __future__ import annotations

import functools
import http.server
import json
import os
import re
import subprocess
import sys
import threading
import tomllib
import venv
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import nbformat
import psutil
import publishing
import pytest
from playwright.sync_api import Browser, Page
from publishing import Fork, git, links
from support.contents import FILES, NOTEBOOKS
from website import ROOT, notebook_of

import bnlab
from bnlab import data

pytestmark = pytest.mark.launch

FIRST, LONGEST = (
    NOTEBOOKS[0],
    max(NOTEBOOKS, key=lambda name: FILES[name].read_text("utf-8").count("{code-cell}")),
)
GIB = 2**30
# A reader's machine has no checkout of the course and no results of it.
CLEAN = {
    name: value
    for name, value in os.environ.items()
    if name not in ("PYTHONPATH", "BNLAB_DATA", "EVERGREEN_STORE", "VIRTUAL_ENV")
}


def environment(folder: Path) -> dict[str, str]:
    """Make an empty environment, and return the variables that put a process into it."""
    venv.create(folder, with_pip=True)
    home = folder / "home"
    home.mkdir()
    path = f"{folder / 'bin'}{os.pathsep}{CLEAN['PATH']}"
    return CLEAN | {
        "PATH": path,
        "XDG_CACHE_HOME": str(home / "cache"),
        "JUPYTER_DATA_DIR": str(home / "jupyter"),
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "IPYTHONDIR": str(home / "ipython"),
    }


def run(*command: str, cwd: Path, env: dict[str, str]) -> str:
    result = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def versions(env: dict[str, str], cwd: Path) -> dict[str, str]:
    """Return what is installed in an environment."""
    listed = json.loads(run("python", "-m", "pip", "list", "--format=json", cwd=cwd, env=env))
    return {package["name"].lower(): package["version"] for package in listed}


def assert_executed(path: Path) -> None:
    """Every code cell has run, in order, and none has failed."""
    cells = [c for c in nbformat.read(path, as_version=4).cells if c.cell_type == "code"]
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    for cell in cells:
        assert "error" not in [output.output_type for output in cell.outputs], cell.source


# Colab: the notebook alone, on a machine that has TensorFlow and not the course.


@pytest.fixture(scope="module")
def colab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Fork, dict[str, str]]]:
    """A published fork and its site at local addresses, and the oldest TensorFlow.

    That has its own NumPy. What a lesson reads, its notebook fetches from the site.
    """
    folder = tmp_path_factory.mktemp("colab")
    html = folder / "course" / "_build" / "html"
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(html))
    with (
        http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server,
        pytest.MonkeyPatch.context() as patch,
    ):
        threading.Thread(target=server.serve_forever, daemon=True).start()
        patch.setenv("GITHUB_SERVER_URL", folder.as_uri())
        patch.setenv("GITHUB_REPOSITORY", "course")
        patch.setenv("SITE_ADDRESS", f"http://127.0.0.1:{server.server_port}/")
        fork = publishing.fork(folder / "course")
        yield fork, colab_environment(folder)
        server.shutdown()


def colab_environment(folder: Path) -> dict[str, str]:
    """Install the oldest TensorFlow and Keras, and return the variables that find them."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    oldest = [
        re.sub(r">=([\d.]+)", r"==\1.*", requirement)
        for requirement in project["dependencies"]
        if requirement.startswith(("tensorflow>=", "keras>="))
    ]
    assert len(oldest) == 2
    env = environment(folder / "environment")
    install = ("python", "-m", "pip", "install", "--quiet", *oldest, "ipykernel", "nbclient")
    run(*install, cwd=folder, env=env)
    return env


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_runs_in_colab_and_leaves_its_tensorflow_alone(
    colab: tuple[Fork, dict[str, str]], name: str, tmp_path: Path
) -> None:
    fork, env = colab
    path = notebook_of(fork.site, name).relative_to(fork.site.html).as_posix()
    notebook = tmp_path / "opened.ipynb"
    notebook.write_text(git(fork.project, "show", f"notebooks:{path}"), "utf-8")
    before = versions(env, tmp_path)
    run("jupyter-execute", "--inplace", str(notebook), cwd=tmp_path, env=env)
    after = versions(env, tmp_path)
    assert {name: after[name] for name in before} == before
    assert after["bnlab"] == bnlab.__version__
    for cell in nbformat.read(notebook, as_version=4).cells:
        if "skip-execution" not in cell.metadata.get("tags", []):
            assert cell.get("execution_count", 1), cell.source


# Binder: an environment from binder/ alone, and JupyterLab at the very path of the link.


@pytest.fixture(scope="module")
def binder(tmp_path_factory: pytest.TempPathFactory) -> tuple[Fork, Path, dict[str, str]]:
    """A fork, its branch as Binder checks it out, and the environment that Binder makes.

    Source: repo2docker's Python build pack. It reads nothing but binder/ where there is one,
    installs requirements.txt, and calls postBuild in the checkout's folder.
    """
    folder = tmp_path_factory.mktemp("binder")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GITHUB_SERVER_URL", "https://github.com")
        patch.setenv("GITHUB_REPOSITORY", "a-teacher/a-course")
        fork = publishing.fork(folder / "course")
    checkout = folder / "checkout"
    git(folder, "clone", "--quiet", "--branch", "notebooks", str(fork.project), str(checkout))
    wanted = (checkout / "binder" / "runtime.txt").read_text("utf-8").strip()
    if wanted != f"python-{sys.version_info.major}.{sys.version_info.minor}":
        pytest.skip(f"Binder runs {wanted}; call the tests with it.")
    env = environment(folder / "environment") | {"MEM_LIMIT": str(2 * GIB)}
    # A lesson's cell calls Keras's load_data, which a test does not let download.
    cache = folder / "keras" / "datasets" / "fashion-mnist"
    cache.mkdir(parents=True)
    for name in data.FILES:
        (cache / name).symlink_to(data.folder() / name)
    env["KERAS_HOME"] = str(folder / "keras")
    requirements = ("--quiet", "--requirement", "binder/requirements.txt")
    run("python", "-m", "pip", "install", *requirements, cwd=checkout, env=env)
    run("./binder/postBuild", cwd=checkout, env=env)
    return fork, checkout, env


class Memory(threading.Thread):
    """Watches the memory that a process and all that it started take together."""

    def __init__(self, process: int) -> None:
        super().__init__(daemon=True)
        self._root = psutil.Process(process)
        self._stopped = threading.Event()
        self.peak = 0

    def run(self) -> None:
        while not self._stopped.wait(0.5):
            used = 0
            for process in (self._root, *self._root.children(recursive=True)):
                try:
                    used += process.memory_full_info().pss
                except psutil.Error:  # it has ended meanwhile
                    continue
            self.peak = max(self.peak, used)

    def stop(self) -> None:
        self._stopped.set()
        self.join()


@pytest.fixture
def server(
    binder: tuple[Fork, Path, dict[str, str]], tmp_path: Path
) -> Iterator[tuple[str, Memory]]:
    """The address of a Jupyter server as Binder starts it, and the memory it takes."""
    _, checkout, env = binder
    env = env | {"JUPYTER_CONFIG_DIR": str(tmp_path)}  # else it opens the last lesson again
    command = ("jupyter", "lab", "--no-browser", "--allow-root", "--ip=127.0.0.1", "--port=0")
    options = ("--IdentityProvider.token=", "--LabApp.expose_app_in_browser=True")
    process = subprocess.Popen(
        [*command, *options], cwd=checkout, env=env, stderr=subprocess.PIPE, text=True
    )
    memory = Memory(process.pid)
    try:
        address = ""
        lines: list[str] = []
        while not address:
            line = process.stderr.readline()
            assert line, "".join(lines)
            lines.append(line)
            found = re.search(r"http://127\.0\.0\.1:\d+/", line)
            address = found[0] if found else ""
        # Else the pipe fills up, and the server waits.
        threading.Thread(target=process.stderr.read, daemon=True).start()
        memory.start()
        yield address, memory
    finally:
        memory.stop()
        for child in (*psutil.Process(process.pid).children(recursive=True), process):
            child.terminate()
        process.wait(30)


KERNEL = "jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel"
CELLS = """() => jupyterapp.shell.currentWidget.content.widgets
    .filter(cell => cell.model.type === "code")
    .map(cell => [cell.model.executionCount, cell.model.executionState])"""


@pytest.mark.parametrize("name", [FIRST, LONGEST])
def test_a_notebook_runs_in_binder_from_its_link(
    binder: tuple[Fork, Path, dict[str, str]],
    server: tuple[str, Memory],
    browser: Browser,
    name: str,
) -> None:
    fork, checkout, _ = binder
    address, memory = server
    link = urlsplit(links(fork.site, name)["Binder"])
    (path,) = parse_qs(link.query)["urlpath"]
    with browser.new_context() as context:
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.goto(address + path)
        page.locator(".jp-Notebook .jp-Cell").first.wait_for()
        page.wait_for_function(f"() => {KERNEL}?.status === 'idle'")
        choose(page, "Edit", "Clear Outputs of All Cells")
        page.wait_for_function(f"() => ({CELLS})().every(([count]) => !count)")
        choose(page, "Run", "Run All Cells")
        page.wait_for_function(
            f"() => {{ const cells = ({CELLS})(); "
            "return cells.every(([count, state]) => count && state === 'idle') }",
            timeout=900_000,
        )
        choose(page, "File", "Save Notebook")
        page.wait_for_function("() => !jupyterapp.shell.currentWidget.context.model.dirty")
    assert_executed(checkout / path.removeprefix("lab/tree/"))
    memory.stop()
    assert memory.peak < 2 * GIB, f"{memory.peak / GIB:.2f} GiB"


def choose(page: Page, menu: str, entry: str) -> None:
    """Choose an entry of JupyterLab's menus, as a reader does."""
    page.get_by_role("menuitem", name=menu, exact=True).click()
    page.locator(".lm-Menu-item", has_text=re.compile(rf"^{entry}")).first.click()
