"""What a run can do that is written a moment later than it is recorded."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from mlops_nb.store import DeferredLog, RunLog


class Deferrable:
    """The part of a run that knows of its log being deferred."""

    _log: RunLog | None
    _steps: dict[str, int]

    @abstractmethod
    def _fail(self, error: OSError) -> None:
        """Record nothing from now on, and say why."""

    @abstractmethod
    def _append(self, event: Mapping[str, Any]) -> None:
        """Write one event."""

    def log_later(self, make: Callable[[], Iterable[Mapping[str, Any]]]) -> None:
        """Have events made off this thread where the run is deferred, else now.

        Parameters
        ----------
        make
            Gives the events; must not raise, and refers to nothing that is the user's.
        """
        log = self._log
        if not isinstance(log, DeferredLog):
            for event in make():
                self._append(event)
            return
        try:
            log.do_later(make)
        except OSError as error:
            self._fail(error)

    def log_event(self, event: Mapping[str, Any]) -> None:
        """Write an event whose names and values need no check."""
        self._append(event)

    def log_first(self, key: str, value: float) -> None:
        """Log the first value of a metric whose name and value need no check."""
        log = self._log
        if log is not None:
            try:
                log.log_metrics({key: value}, 0)
            except OSError as error:
                self._fail(error)
        self._steps[key] = 0

    def note(self) -> None:
        """Keep a deferred run, as far as it is logged, also when the process is killed now."""
        if isinstance(self._log, DeferredLog):
            self._log.note()

    def write(self) -> None:
        """Write a deferred run and what was logged since; nothing to do for any other."""
        if isinstance(self._log, DeferredLog):
            try:
                self._log.write()
            except OSError as error:
                self._fail(error)
