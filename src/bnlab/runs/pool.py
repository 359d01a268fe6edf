"""Missing runs, trained side by side in processes of one thread each."""

from __future__ import annotations

import concurrent.futures
import contextlib
import multiprocessing
import tempfile
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path

import joblib
from joblib.externals import loky

from bnlab import catalogue
from bnlab.recipes import Recipe
from bnlab.runs import worker
from bnlab.runs.keys import key
from bnlab.runs.memory import workers
from evergreen.errors import EvergreenError
from evergreen.progress import Progress


class TrainingError(EvergreenError):
    """A run could not be trained; nothing of it was recorded. The cause is chained."""


def train_all(recipes: list[Recipe]) -> None:
    """Train runs side by side, and store each as soon as it is finished."""
    with (
        processes(len(recipes)) as executor,
        tempfile.TemporaryDirectory() as folder,
        Progress(
            "Training",
            total=sum(recipe.epochs for recipe in recipes),
            step="epoch",
            parts=len(recipes),
            part="run",
        ) as progress,
    ):
        # A worker makes a run's counter when it begins, and adds a byte after every epoch.
        counters = {recipe: Path(folder) / key(recipe) for recipe in recipes}
        told: set[str] = set()
        running = {
            executor.submit(worker.train_and_store, recipe, counters[recipe]): recipe
            for recipe in sorted(recipes, key=by_cost)
        }
        waiting = set(running)
        while waiting:
            finished, waiting = concurrent.futures.wait(
                waiting, timeout=0.5, return_when=concurrent.futures.FIRST_COMPLETED
            )
            for future in finished:
                with reporting(running[future]):
                    future.result()
            for sentence in _notes(counters.values()) - told:
                progress.tell(sentence)
                told.add(sentence)
            begun = {
                recipe: counter.stat().st_size
                for recipe, counter in counters.items()
                if counter.exists()
            }
            under_way = [str(running[future]) for future in waiting if running[future] in begun]
            progress.show(sum(begun.values()), len(running) - len(waiting), sorted(under_way))


@contextlib.contextmanager
def processes(tasks: int) -> Iterator[concurrent.futures.Executor]:
    """Start processes that train, as many as there are tasks, cores, and memory for them.

    Always other processes, also for a single run on a single core: TensorFlow takes no other
    count of threads in a process in which it has computed. They end with this one, and at once
    if the caller is interrupted.
    """
    # The workers hold one end, and notice when this process no longer holds the other.
    theirs, ours = multiprocessing.Pipe(duplex=False)
    executor = loky.ProcessPoolExecutor(
        min(tasks, joblib.cpu_count(), workers()), initializer=worker.begin, initargs=(theirs,)
    )
    with ours, theirs, warnings.catch_warnings():
        # Of a worker that grew too large and that loky replaces: nothing is lost. See joblib's
        # issue 883; loky 3.7 words it anew, and lets LOKY_MAX_MEMORY_LEAK_SIZE say what is normal.
        warnings.filterwarnings(
            "ignore", "A worker (stopped|was restarted) while some jobs were given"
        )
        try:
            yield executor
        finally:
            executor.shutdown(wait=True, kill_workers=True)


def _notes(counters: Iterable[Path]) -> set[str]:
    """Return the sentences that workers have to tell."""
    notes = (worker.note_beside(counter) for counter in counters)
    return {note.read_text("utf-8") for note in notes if note.exists()} - {""}


def by_cost(recipe: Recipe) -> tuple[int, bool, str, str]:
    """Order runs so that the last ones end together; small batches and batch norm cost time.

    Those of one network and activation are neighbours: a process compiles them once.
    """
    normalized = catalogue.find(recipe.network).normalized
    return recipe.batch_size, not normalized, recipe.network, recipe.activation or ""


@contextlib.contextmanager
def reporting(recipe: Recipe) -> Iterator[None]:
    """Turn whatever a run's training raises into a :class:`TrainingError` that names the run."""
    try:
        yield
    except EvergreenError:  # these say what to do
        raise
    except loky.process_executor.TerminatedWorkerError as error:
        raise TrainingError(
            "A training process died, perhaps for want of memory (each needs about 1.3 GiB). "
            f"Its run is not recorded; finished runs are kept. {error}"
        ) from error
    except Exception as error:
        raise TrainingError(
            f"The run {recipe} failed and is not recorded; finished runs are kept. "
            f"{type(error).__name__}: {error}"
        ) from error
