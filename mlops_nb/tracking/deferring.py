"""What a run can do that is written a moment later than it is recorded."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from mlops_nb.store import DeferredLog, RunLog, Store
from mlops_nb.tracking.artifacts import describe_artifact


class Deferrable:
    """The part of a run that knows of its log being deferred."""

    _log: RunLog | None
    _steps: dict[str, int]
    _store: Store | None

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
        try:
            if isinstance(log, DeferredLog):
                log.do_later(make)
                return
            for event in make():
                self._append(event)
        except OSError as error:
            self._fail(error)

    def log_bytes_later(self, data: bytes, path: str, media_type: str) -> None:
        """Keep bytes as an artifact, off this thread where the run is deferred.

        Parameters
        ----------
        data
            The artifact.
        path
            Name within the run, a recorder's own.
        media_type
            What they are.
        """
        store = self._store
        if store is None:
            return

        def make() -> Iterable[Mapping[str, Any]]:
            yield describe_artifact(path, store.objects.put_bytes(data), len(data), media_type)

        self.log_later(make)

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
