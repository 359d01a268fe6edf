"""One line that says what is under way, how far it is, and how long it takes."""

from __future__ import annotations

import sys
import time
from collections.abc import Collection

from tqdm import tqdm


class Progress(tqdm):
    """A progress line on stderr, in a terminal, a notebook or a log.

    Parameters
    ----------
    what : str
        What is done, for example ``"Training"``.
    total : int
        Steps of all parts together.
    step, part : str
        What a step and a part are called, for example ``"epoch"`` and ``"run"``.
    parts : int
        Number of parts.
    """

    def __init__(self, what: str, *, total: int, step: str, parts: int, part: str) -> None:
        # A log keeps every line, a terminal and a notebook only the last.
        followed = sys.stderr.isatty() or "ipykernel" in sys.modules
        self._seconds = 0.5 if followed else 15.0
        self._shown = -self._seconds
        self._parts = f"{parts} {part}s"
        super().__init__(total=total, desc=what, unit=step, dynamic_ncols=True, miniters=total + 1)

    def tell(self, sentence: str) -> None:
        """Show a sentence above the line, where that is shown at all."""
        if not self.disable:
            self.write(sentence, file=sys.stderr)

    def show(self, steps: int, done: int, under_way: Collection[str]) -> None:
        """Show how many steps and parts are done, and the names of those under way."""
        self.n = steps
        names = f", now {'; '.join(under_way)}" if under_way else ""
        self.set_postfix_str(f"{done} of {self._parts} done{names}", refresh=False)
        if time.monotonic() - self._shown >= self._seconds:
            self._shown = time.monotonic()
            self.refresh()
