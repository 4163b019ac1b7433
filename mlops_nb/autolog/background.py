"""One thread that does what the user's thread should not wait for."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable

from mlops_nb.autolog.guard import Guard


class Background:
    """Runs jobs one after the other on a daemon thread that is started with the first.

    Parameters
    ----------
    name
        Name of the thread.
    guard
        Stops the recorder when a job fails.
    """

    def __init__(self, name: str, guard: Guard) -> None:
        self._name, self._guard = name, guard
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def submit(self, job: Callable[[], None]) -> None:
        """Have a job done; jobs must hold nothing of the user's."""
        self._jobs.put(job)
        if self._thread is None:
            thread = threading.Thread(target=self._work, name=self._name, daemon=True)
            try:
                thread.start()
            except RuntimeError:
                return  # the interpreter is ending; `close` does what waits
            self._thread = thread

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            self._guard.call(job)

    def close(self, timeout_s: float) -> None:
        """Finish what waits, for a bounded time.

        Parameters
        ----------
        timeout_s
            Longest wait.
        """
        thread, self._thread = self._thread, None
        self._jobs.put(None)
        if thread is not None:
            thread.join(timeout_s)
        else:
            self._work()

    def wait(self, timeout_s: float) -> bool:
        """Wait until what was submitted so far is done.

        Parameters
        ----------
        timeout_s
            Longest wait.

        Returns
        -------
        bool
            Whether it is.
        """
        if self._thread is None:
            return True
        done = threading.Event()
        self._jobs.put(done.set)
        return done.wait(timeout_s)
