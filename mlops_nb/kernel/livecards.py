"""The card of a cell that still runs: begun when a run goes on, told again now and then."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mlops_nb import api

if TYPE_CHECKING:
    from mlops_nb.kernel.cards import Card
    from mlops_nb.records import ProgressRecord, RunRecord

FIRST_S = 2.0  # who waits less long needs no card yet
_SHARE, _LONGEST_S = 0.05, 30.0  # between two tellings: such a share of the time so far, at most


def can_be_live(shell: Any, cell_id: str | None) -> bool:
    """Say whether somebody looks at a cell while it runs.

    Parameters
    ----------
    shell
        The running IPython shell.
    cell_id
        As the front end sent it.

    Returns
    -------
    bool
        Not in a terminal, which cannot take a line back, nor where a program runs the notebook and
        the place of a card among the outputs would depend on the time.
    """
    is_watched = hasattr(shell, "kernel") and cell_id is not None
    return is_watched and not os.environ.get("MLOPS_NB_PARENT_RUN")


class LiveCard:
    """The card of the cell that runs now, shown from the thread that looks at runs.

    Parameters
    ----------
    make
        Makes a card for a run.
    publish
        Shows a card, or shows it again.
    """

    def __init__(self, make: Callable[[RunRecord], Card], publish: Callable[[Card], None]) -> None:
        self._make, self._publish = make, publish
        self._lock = threading.Lock()
        self._began: float | None = None
        self._told = 0.0
        self._card: Card | None = None

    def begin(self) -> None:
        """Note that a cell begins; one within another one changes nothing."""
        with self._lock:
            if self._began is None:
                self._began, self._told, self._card = time.monotonic(), 0.0, None

    def see(self, run_id: str, progress: ProgressRecord | None) -> None:
        """Tell how a run stands, unless it was told a moment ago.

        Parameters
        ----------
        run_id
            An open run of the cell.
        progress
            How far it has got, where that is known.
        """
        with self._lock:
            now = time.monotonic()
            if self._began is None or now - self._began < FIRST_S:
                return
            pause = min(_LONGEST_S, _SHARE * (now - self._began))
            if now - self._told < max(FIRST_S, pause):
                return
            record = api.get_run(run_id)
            if record.status != "running":
                return
            self._told = now
            record = replace(record, progress=progress or record.progress)
            if self._card is None:
                self._card = self._make(record)
            elif self._card.runs[0].run_id != run_id:
                # Another run of the same cell, which the one before it has made way for.
                self._card = replace(
                    self._make(record),
                    display_id=self._card.display_id,
                    is_shown=self._card.is_shown,
                )
            self._card.runs = [record]
            self._publish(self._card)

    def clear(self) -> None:
        """Note that the cell has taken its outputs back: it shows its own progress."""
        with self._lock:
            self._began = None
            if self._card is not None:
                self._card.is_shown = False

    def end(self) -> Card | None:
        """Stop telling, and give the card that stands under the cell, None where there is none."""
        with self._lock:
            card, self._card, self._began = self._card, None, None
            return card
