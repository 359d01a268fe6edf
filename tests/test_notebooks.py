"""A published notebook as its reader runs it: in another folder, cell by cell."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import nbformat
import pytest
from support.contents import NOTEBOOKS
from support.running import Outputs, outputs, run
from website import Build, notebook_of


@pytest.fixture(scope="module")
def shown(
    request: pytest.FixtureRequest, site: Build, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Future[Outputs]]]:
    """What the notebooks show that are to be tested, by page: two are run at a time."""
    tests = [item for item in request.session.items if item.path == request.path]
    names = [test.callspec.params["name"] for test in tests]
    with ThreadPoolExecutor(2) as pool:
        yield {
            name: pool.submit(run, notebook_of(site, name), tmp_path_factory.mktemp("reader"))
            for name in names
        }
        pool.shutdown(cancel_futures=True)


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_published_notebook_runs_and_shows_what_its_page_shows(
    site: Build, shown: dict[str, Future[Outputs]], name: str
) -> None:
    published = nbformat.read(notebook_of(site, name), as_version=4)
    assert shown[name].result() == outputs(published)
