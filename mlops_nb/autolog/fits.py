"""Turns one outermost fit into a run: before it starts, and after it ends or fails."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

from mlops_nb.autolog.describe import Kind, describe_kind
from mlops_nb.autolog.estimators import Described, describe_estimator, read_message
from mlops_nb.autolog.frames import FrameMark, Spot, read_locals
from mlops_nb.autolog.given import GivenData
from mlops_nb.autolog.groups import open_group
from mlops_nb.autolog.models import KnownModels
from mlops_nb.autolog.owners import Owner, Timed, find_caller, find_owner, read_given
from mlops_nb.autolog.places import Place
from mlops_nb.autolog.snapshots import SnapshotQueue, refresh_environment
from mlops_nb.store import write_deferred
from mlops_nb.tracking import Run, Session

_MOST_WARNINGS = 5
_MOST_CANDIDATES = 10_000
_FLUSH_S = 0.5


@dataclass(slots=True)
class Fit:
    """A fit that is running; holds nothing of the user's."""

    run: Run
    begun: float
    is_continued: bool = False
    warnings: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _PartialFits:
    """Many calls of ``partial_fit`` on one estimator, which are one run."""

    run: Run
    cell: int | None
    calls: int = 0
    total_s: float = 0.0
    flushed_at: float = 0.0

    def log(self) -> None:
        """Write the count and the time so far."""
        values = {"fit_time_s": self.total_s, "partial_fit_calls": float(self.calls)}
        self.run.log_metrics(values, step=self.calls)


class FitRecorder:
    """Opens and closes the runs of fits.

    Parameters
    ----------
    session
        Keeps the runs.
    library
        What is recorded as the library, with its version.

    Attributes
    ----------
    known : KnownModels
        Run of each fitted model.
    latest : Run or None
        The run of the most recent fit.
    """

    def __init__(self, session: Session, library: str) -> None:
        self._session, self.library = session, library
        self.known = KnownModels()
        self.latest: Run | None = None
        self._data = SnapshotQueue(session.store) if session.store is not None else None
        self._given = GivenData(self._data)
        self._partial: dict[str, _PartialFits] = {}
        self._owners: dict[str, Owner] = {}
        self._has_environment = False
        self._lock = threading.Lock()

    # ------------------------------------------------------------------ before
    def begin(
        self, estimator: Any, method: str, given: dict[str, Any], frame: FrameType | None
    ) -> Fit | None:
        """Open the run of a fit.

        Parameters
        ----------
        estimator
            What is fitted.
        method
            ``fit``, ``partial_fit``, ``fit_transform`` ...
        given
            Arguments by role, in order: ``X``, ``y`` ...
        frame
            The user's frame.

        Returns
        -------
        Fit or None
            None where this fit is not recorded: a mere preparation of data, a paused session, or
            one of those that ``%timeit`` makes.
        """
        kind = describe_kind(estimator)
        if self._session.is_paused or kind.is_preparation:
            return None
        owned = find_owner(frame)
        if owned is Timed:
            return None
        if method == "partial_fit":
            earlier = self.known.find_noted(estimator)
            if earlier is not None and self._is_same_cell(self._partial.get(earlier.run_id)):
                return Fit(earlier, time.perf_counter(), is_continued=True)
        if isinstance(owned, tuple):
            estimator, frame = owned
            kind = describe_kind(estimator)
            earlier = self.known.find_noted(estimator)  # what it has set so far is no fit yet
            if earlier is not None:
                owner = self._owners.get(earlier.run_id)
                if owner is not None and owner.frame.is_on(frame) and self._is_same_cell(owner):
                    return Fit(
                        earlier, owner.begun, is_continued=True
                    )  # one more fit inside the same
            given = read_given(frame) or given
            caller = find_caller(frame, estimator)  # past a `fit_transform` of the library
            if caller is None:
                return None
        described = describe_estimator(estimator)
        self.latest = run = self._open(kind, method, described)
        if owned is not None and frame is not None:
            mark = FrameMark(frame)
            self._owners[run.run_id] = Owner(mark, self._session.cell, time.perf_counter())
            frame = caller
        if method == "partial_fit":
            self._partial[run.run_id] = _PartialFits(run, self._session.cell)
        try:
            run.note()  # should the process be killed in this fit
            changed, cell = described.tags.get("params.changed", ""), self._session.cell
            spot = None if frame is None else Spot(frame)
            self.known.places.note(spot, run, described.params, changed, cell)
            sample = self._given.log(run, given, spot, state=described.state)
            self.known.add(estimator, run, next(iter(given.values()), None), sample)
        except BaseException:
            self._session.adopt(run)  # no run is left open, whatever the user's classes do
            raise
        return Fit(run, time.perf_counter())

    def begin_trial(
        self,
        estimator: Any,
        method: str,
        given: dict[str, Any],
        settings: dict[str, Any],
        frame: FrameType | None,
    ) -> Fit | None:
        """Open the run of a function that fits copies of an estimator, not the estimator itself.

        Parameters
        ----------
        estimator
            What is copied.
        method
            The function, whose first argument it is.
        given
            The arguments after it, by role, in order.
        settings
            Further parameters of the run.
        frame
            The user's frame.

        Returns
        -------
        Fit or None
            None where the session is paused.
        """
        if self._session.is_paused:
            return None
        described = describe_estimator(estimator)
        run = self._open(describe_kind(estimator), method, described)
        try:
            run.log_params(settings)
            run.note()
            spot = None if frame is None else Spot(frame)
            self._given.log(run, given, spot, first=1, state=described.state)
        except BaseException:
            self._session.adopt(run)
            raise
        return Fit(run, time.perf_counter())

    def note_fit(self, estimator: Any) -> Run | None:
        """Record a fit that is over and was not seen while it went on; its data are not known.

        Parameters
        ----------
        estimator
            What was fitted.

        Returns
        -------
        Run or None
            It ends with the cell; None where the session is paused.
        """
        kind = describe_kind(estimator)
        if self._session.is_paused or kind.is_preparation:
            return None
        described = describe_estimator(estimator)
        described.tags["fit.seen"] = "after it"
        self.latest = run = self._open(kind, "fit", described)
        try:
            self._given.log(run, {}, None, state=described.state)
            self.known.add(estimator, run)
        finally:
            self._session.adopt(run)
        return run

    def _open(self, kind: Kind, method: str, described: Described) -> Run:
        tags: dict[str, object] = {
            "mlops.source": "autolog",
            "library": self.library,
            **kind.tags,
            "method": method,
            **described.tags,
        }
        run = self._session.start_run(
            kind.name, tags=tags, params=described.params, is_active=False, is_deferred=True
        )
        if self._data is not None:
            self._data.hold()
            if not self._has_environment:
                self._has_environment = True
                self._data.submit(lambda: refresh_environment(self._session))
        return run

    def find_group(self, run: Run, frame: FrameType) -> Run:
        """Give the run of all that one loop has fitted; opened when a metric speaks of all.

        Parameters
        ----------
        run
            Of one of them; given back where it stands for itself.
        frame
            The user's, which has computed the metric.
        """
        place = self.known.places.find_of(run)
        if place is None or not place.holds([run]):
            return run
        return place.group or self.open_group(place, {**frame.f_globals, **read_locals(frame)}.get)

    def open_group(self, place: Place, look: Callable[[str], Any]) -> Run:
        """Open the run of fits that belong together, unless it is there; see `open_group`."""
        place.group = place.group or open_group(self._session, place, look, self._data)
        return place.group

    def _is_same_cell(self, earlier: Owner | _PartialFits | None) -> bool:
        return earlier is not None and earlier.cell == self._session.cell

    # ------------------------------------------------------------------ after
    def end(self, fit: Fit, estimator: Any, error: BaseException | None) -> None:
        """Close the run of a fit, or leave it to its cell.

        Parameters
        ----------
        fit
            From `begin`.
        estimator
            What was fitted.
        error
            What the fit raised, if it did.
        """
        duration = time.perf_counter() - fit.begun
        run = fit.run
        partial = self._partial.get(run.run_id)
        if partial is not None:
            self._end_partial(partial, duration)
        else:
            log = run.log_metric if fit.is_continued else run.log_first
            log("fit_time_s", duration)
            self.known.places.add_time(run, duration)
        if fit.warnings:
            run.set_tag("warnings", "; ".join(fit.warnings))
        if error is not None:
            run.set_tag("error", f"{type(error).__name__}: {read_message(error)}")
            interrupted = not isinstance(error, Exception)
            run.end("interrupted" if interrupted else "failed")
            return
        self._log_search(run, estimator)
        if not fit.is_continued:
            # Several calls of partial_fit, and fits within a fit, are over when the cell is.
            is_several = partial is not None or run.run_id in self._owners
            self._session.adopt(run, None if is_several else time.time())
        if self._session.cell is None:
            run.write()  # a script has no cells to wait for
            if self._data is not None:
                self._data.release()

    def _end_partial(self, partial: _PartialFits, duration: float) -> None:
        with self._lock:
            partial.calls += 1
            partial.total_s += duration
            now = time.perf_counter()
            # Powers of two and twice a second: ten thousand calls write a few dozen values.
            is_due = partial.calls & (partial.calls - 1) == 0
            if not is_due and now - partial.flushed_at < _FLUSH_S:
                return
            partial.flushed_at = now
            partial.log()

    def _log_search(self, run: Run, estimator: Any) -> None:
        """Record what a search found: the best candidate, and all of them as a table."""
        fields = getattr(estimator, "__dict__", {})
        results, best = fields.get("cv_results_"), fields.get("best_estimator_")
        if not isinstance(results, dict) or "params" not in results:
            return
        if best is not None:
            self.known.add_like(best, run, estimator)
        index = fields.get("best_index_")
        score = fields.get("best_score_")
        if score is not None:
            run.log_metric("best_cv_score", float(score))
        if isinstance(fields.get("best_params_"), dict):
            run.log_params({f"best.{k}": v for k, v in fields["best_params_"].items()})
        columns = {
            name: _list_plain(values[:_MOST_CANDIDATES])
            for name, values in results.items()
            if name == "params" or name.startswith(("mean_", "std_", "rank_"))
        }
        best_index = None if index is None else int(index)
        document = {"best_index": best_index, "candidates": columns}
        data = json.dumps(document, default=str).encode()
        run.log_bytes_later(data, "cv_results.json", "application/json")

    def finish_cell(self) -> None:
        """Write what is counted but not yet written; a later ``partial_fit`` is a new run."""
        partials, self._partial = self._partial, {}
        self._owners.clear()
        for partial in partials.values():
            if partial.calls & (partial.calls - 1):
                partial.log()
        self._given.finish_cell()
        if self._data is not None:
            self._data.release()

    def close(self) -> None:
        """Write what is left, and wait a bounded time for data in the background."""
        self.finish_cell()
        write_deferred()  # what is identified only now is kept as well
        if self._data is not None:
            self._data.close()


def add_warning(fit: Fit, category: type[Warning], message: object) -> None:
    """Note a warning that a fit gave; repeated ones once, and only the first few."""
    text = f"{category.__name__}: {' '.join(str(message).split())[:200]}"
    if len(fit.warnings) < _MOST_WARNINGS and text not in fit.warnings:
        fit.warnings.append(text)


def _list_plain(values: Any) -> list[Any]:
    """Give the members of a column as Python's own values where they are numbers."""
    if getattr(getattr(values, "dtype", None), "kind", "O") in "biuf":
        found: list[Any] = values.tolist()
        return found
    return [
        value.item() if hasattr(value, "item") and getattr(value, "shape", None) == () else value
        for value in values
    ]
