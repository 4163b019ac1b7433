"""A training that a library runs by itself: its run, the series it gives, and its end."""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Iterable
from types import FrameType
from typing import Any

from mlops_nb.autolog.fits import Fit
from mlops_nb.autolog.frames import BUSY
from mlops_nb.autolog.given import add_data
from mlops_nb.autolog.snapshots import SnapshotQueue, refresh_environment
from mlops_nb.capture.seeds import capture_seeds
from mlops_nb.tracking import Run, Session, active_run

FLUSH_NS = 500_000_000
_MOST_GATHERED = 8192
_LONGEST_NAME = 200
_SEEDS = ("random", "numpy", "torch")
_OURS = "mlops_nb.autolog."


class Training:
    """One training and the run it is recorded in; holds nothing of the user's.

    Parameters
    ----------
    run
        Where it is recorded.
    is_owned
        Whether the run was opened for this training, and ends with it.

    Notes
    -----
    Until `let_go`, this thread counts as busy: fits, metrics and torch steps that the library makes
    on its way are part of this training, and no runs of their own.
    """

    def __init__(self, run: Run, *, is_owned: bool) -> None:
        self.run, self.is_owned = run, is_owned
        self.thread = threading.current_thread()
        self.begun = time.perf_counter()
        self.fit = Fit(run, self.begun)
        self.steps = 0
        self.last: float | None = None
        self.is_over = False
        self._points: dict[str, list[tuple[int, float, int]]] = {}
        self._count, self._due_ns = 0, time.time_ns() + FLUSH_NS
        self._before = (BUSY.value, BUSY.fit)
        # Within a fit that is recorded the thread is busy with that fit, and as long as it lasts.
        self._is_let_go = BUSY.value
        if not BUSY.value:
            BUSY.value, BUSY.fit = True, self.fit

    def gather(self, step: int, values: Iterable[tuple[str, float]]) -> None:
        """Note values of one step; they are written now and then.

        Parameters
        ----------
        step
            Iteration, step or epoch, as the library counts.
        values
            Names and plain floats.
        """
        at = time.time_ns()
        for name, value in values:
            self._points.setdefault(name, []).append((step, value, at))
            self._count += 1
        if at >= self._due_ns or self._count >= _MOST_GATHERED:
            self.flush()

    def measure(self) -> float:
        """Give the seconds since it began, to its last step where that is known."""
        return (self.last or time.perf_counter()) - self.begun

    def flush(self) -> None:
        """Write what was noted."""
        points, self._points, self._count = self._points, {}, 0
        for name, series in points.items():
            self.run.log_points(tidy_name(name), series)
        self._due_ns = time.time_ns() + FLUSH_NS

    def let_go(self) -> None:
        """Let the thread record again what it recorded before."""
        if not self._is_let_go and threading.current_thread() is self.thread:
            self._is_let_go = True
            BUSY.value, BUSY.fit = self._before


class Recorder:
    """Opens and closes the runs of one library's trainings.

    Parameters
    ----------
    session
        Keeps the runs.

    Attributes
    ----------
    data : SnapshotQueue or None
        Keeps data, after the cell.
    """

    def __init__(self, session: Session) -> None:
        self.session = session
        self.data = SnapshotQueue(session.store) if session.store is not None else None
        self._open: list[Training] = []
        self._hosts: weakref.WeakSet[Run] = weakref.WeakSet()
        self._has_environment = False

    def open(self, name: str, library: str, method: str, *, joins: bool = False) -> Training:
        """Open the run of a training.

        Parameters
        ----------
        name
            Of the run.
        library
            With its version.
        method
            What the user called.
        joins
            Whether it is recorded in the run of the user that is active, where there is one; a
            second training is a child of that run.

        Returns
        -------
        Training
            To be given to `end`.
        """
        above = active_run() if joins else None
        if above is not None and above not in self._hosts:
            self._hosts.add(above)
            self.session.touch(above)
            run = above
        else:
            tags: dict[str, object] = {
                "mlops.source": "autolog",
                "library": library,
                "method": method,
            }
            run = self.session.start_run(name, tags=tags, is_active=False)
        training = Training(run, is_owned=run is not above)
        self._open.append(training)
        seeds = capture_seeds()
        run.set_tags({f"seed.{name}": seeds[name] for name in _SEEDS if seeds[name]})
        if self.data is not None and not self._has_environment:
            self._has_environment = True
            self.data.submit(lambda: refresh_environment(self.session))
        return training

    def attach(self, run: Run) -> Training:
        """Record a training in the run of a fit that is under way."""
        training = Training(run, is_owned=False)
        self._open.append(training)
        return training

    def log_data(self, run: Run, given: Iterable[tuple[str, str, Any]]) -> None:
        """Record data by role, name and object."""
        for role, name, obj in given:
            if obj is not None:
                add_data(run, self.data, obj, name, role)

    def end(self, training: Training, error: BaseException | None = None) -> None:
        """Close a training.

        Parameters
        ----------
        training
            From `open` or `attach`.
        error
            What ended it, where it did not come to its end.
        """
        self._leave(training)
        run = training.run
        if not training.is_owned:
            return
        if training.fit.warnings:
            run.set_tag("warnings", "; ".join(training.fit.warnings))
        if error is None:
            self.session.adopt(run, time.time())
        else:
            run.set_tag("error", describe_error(error))
            run.end("failed" if isinstance(error, Exception) else "interrupted")
        if self.session.cell is None and self.data is not None:
            self.data.release()  # a script has no cells to wait for

    def fail(self, training: Training) -> None:
        """Close a training that did not come to its end, for a reason that is not known here."""
        self._leave(training)
        if training.is_owned:
            training.run.end("failed")

    def _leave(self, training: Training) -> None:
        training.is_over = True
        training.let_go()
        if training in self._open:
            self._open.remove(training)
        training.flush()

    def finish_cell(self) -> None:
        """End with the cell what has not told its end: it did not come to it."""
        here = threading.current_thread()
        for training in list(self._open):
            if training.thread is here or not training.thread.is_alive():
                self._leave(training)
                if training.is_owned:
                    self.session.adopt(training.run)
        if self.data is not None:
            self.data.release()

    def abandon(self) -> None:
        """End what a failure of ours has left open."""
        for training in self._open:
            training.let_go()
            if training.is_owned:
                self.session.adopt(training.run)
        self._open.clear()

    def give_up(self) -> None:
        """Leave no run open and no thread behind, after a failure of ours."""
        self.abandon()
        if self.data is not None:
            self.data.close()

    def close(self) -> None:
        """End what is open, and wait a bounded time for data."""
        self.finish_cell()
        if self.data is not None:
            self.data.close()


def tidy_name(name: str) -> str:
    """Give a name that users made up as one that a metric may have."""
    text = "".join(char if char.isprintable() else "_" for char in str(name)).strip()
    return text[:_LONGEST_NAME] or "unnamed"


def describe_error(error: BaseException) -> str:
    """Give class and message of an exception, in one line."""
    try:
        text = " ".join(str(error).split())[:500]
    except Exception:  # noqa: BLE001 - an exception's own text may raise
        text = ""
    return f"{type(error).__name__}: {text}"


def find_user(frame: FrameType | None, libraries: tuple[str, ...]) -> FrameType | None:
    """Give the first frame outwards that is neither a library's nor ours.

    Parameters
    ----------
    frame
        Where to begin.
    libraries
        Beginnings of module names, each with its dot.

    Returns
    -------
    FrameType or None
        None where there is none.
    """
    hidden = (*libraries, _OURS)
    while frame is not None and f"{frame.f_globals.get('__name__')}.".startswith(hidden):
        frame = frame.f_back
    return frame
