"""Records what metric functions and ``score`` return, under the name the user gives the value."""

from __future__ import annotations

import functools
from collections.abc import Callable
from threading import get_ident
from types import CellType, FrameType, ModuleType
from typing import Any

from mlops_nb.autolog.callsites import Site, find_site
from mlops_nb.autolog.derived import derive_metric, is_kept
from mlops_nb.autolog.fits import FitRecorder
from mlops_nb.autolog.frames import (
    BUSY,
    get_caller,
    hide_frame,
    is_library_frame,
    is_measured,
    read_locals,
)
from mlops_nb.autolog.guard import Guard
from mlops_nb.autolog.means import FoldMeans
from mlops_nb.autolog.naming import name_derived, name_metric
from mlops_nb.autolog.patching import Patches
from mlops_nb.autolog.provenance import ModelSearch
from mlops_nb.autolog.ways import find_again
from mlops_nb.capture.kinds import identify
from mlops_nb.tracking import Run, Session, active_run

_MOST_DERIVED = 200
_OF_ARRAYS = frozenset({"numpy", "torch", "cupy", "jax", "jaxlib", "dask"})
_DECORATORS = frozenset({"wrapper", "inner_f", "inner", "wrapped"})


class MetricRecorder:
    """Finds the run and the name of a metric and logs it.

    Parameters
    ----------
    session
        Keeps the runs.
    fits
        Knows which run fitted which model.

    Attributes
    ----------
    logged : set of str
        Names of the metrics of the cell that runs now.
    means : FoldMeans
        Knows what each fit of a loop was given.
    """

    def __init__(self, session: Session, fits: FitRecorder) -> None:
        self._session, self._fits = session, fits
        self._derived: list[tuple[dict[str, Any], str, Run]] = []
        self._kept: dict[int, Site | None] = {}  # calls of this cell of which nothing is made
        self.logged: set[str] = set()
        self.means = FoldMeans(session, fits)

    def record(self, function: str, value: Any, frame: FrameType) -> None:
        """Log what a metric function returned.

        Parameters
        ----------
        function
            Name of the metric function.
        value
            What it returned; anything but a single number is passed over.
        frame
            The frame that called it, still within the library.
        """
        number = _read_number(value)
        if number is None or self._session.is_paused:
            return
        outer, user = find_user_frame(frame)
        if user is None:
            return
        run, default = None, function
        if outer is not frame:  # not called by the user but by something of the library
            found = _read_scoring(outer, function)
            if found is None:
                return
            model, default = found
            run = self._fits.known.find(model)
        site = find_site(user)
        if run is None:
            run = self._find_run(site, user)
        if run is not None:
            name = name_metric(site, user, default)
            run.log_metric(name, number)
            self.logged.add(name)
            self.means.note(run, name, number)
            self._session.touch(run)
            if name == default and self._kept.get(identify(site)) is not site:
                self._derive(site, user, number, run)

    def _derive(self, site: Site | None, user: FrameType, number: float, run: Run) -> None:
        """Log what the user makes of a metric: now, or where only the cell can tell, at its end."""
        made = derive_metric(site, user, number)
        if made is not None:
            run.log_metric(*made)
            self.logged.add(made[0])
            self.means.note(run, *made)
            return
        derived = name_derived(site, user)
        if derived is not None and len(self._derived) < _MOST_DERIVED:
            self._derived.append((user.f_globals, derived, run))
            self.logged.add(derived)
        elif derived is None and is_kept(site):
            self._kept[identify(site)] = site

    def finish_cell(self) -> None:
        """Log the variables that metrics were turned into, now that they have their values."""
        waiting, self._derived = self._derived, []
        self.logged.clear()
        self._kept.clear()
        last = {(id(run), name): (space, name, run) for space, name, run in waiting}
        for namespace, name, run in last.values():
            number = _read_number(namespace.get(name))
            if number is not None:
                run.log_metric(name, number)

    def _find_run(self, site: Site | None, frame: FrameType) -> Run | None:
        found = find_again(site, frame, self._fits.known)
        if found is None:
            search = ModelSearch(self._fits.known)
            run = search.find(frame)
            if run is None and search.several is not None:
                return self._fits.find_group(search.several, frame)
            is_unsure, is_pooled = search.is_unsure, search.is_pooled
        else:
            run, is_unsure, is_pooled = found
        if run is None and is_unsure:
            run = None if is_measured(frame) else self._fits.latest
            if run is not None and is_pooled:
                return self._fits.find_group(run, frame)
        return run if run is not None else active_run()


def _read_number(value: Any) -> float | None:
    if type(value) is float or type(value) is int:
        return float(value)
    # By its class first: a variable may hold anything, and attributes may be code of the user.
    if type(value).__module__.partition(".")[0] not in _OF_ARRAYS:
        return None
    if hasattr(value, "dtype") and getattr(value, "shape", None) == () and hasattr(value, "item"):
        plain = value.item()
        return float(plain) if type(plain) in {float, int} else None
    return None


def find_user_frame(frame: FrameType) -> tuple[FrameType, FrameType | None]:
    """Give the library's outermost frame that is no decorator, and the user's frame above it.

    Parameters
    ----------
    frame
        A frame of the library.

    Returns
    -------
    outer : frame
        The given one where the user called it.
    user : frame or None
        None where no code of the user's called.
    """
    outer = frame
    above = frame.f_back
    while above is not None and is_library_frame(above):
        if above.f_code.co_name not in _DECORATORS:
            outer = above
        above = above.f_back
    return outer, above


def _read_scoring(frame: FrameType, function: str) -> tuple[Any, str] | None:
    """Tell whose score a frame of the library computes; None for everything else it computes."""
    values = read_locals(frame)
    if frame.f_code.co_name == "score" and "self" in values:
        return values["self"], "score"
    if frame.f_code.co_name == "__call__" and "estimator" in values:
        return values["estimator"], function
    return None


def make_traced(
    function: Callable[..., Any], guard: Guard, recorder: MetricRecorder
) -> Callable[..., Any]:
    """Wrap a metric function so that its result is recorded.

    Parameters
    ----------
    function
        The function.
    guard
        Stops the recorder when it fails.
    recorder
        Gets the result.

    Returns
    -------
    callable
        Gives the same result, raises the same errors with the same traceback.
    """
    name, fits = function.__name__, BUSY.fits

    @functools.wraps(function)
    def traced(*args: Any, **kwargs: Any) -> Any:
        ident = get_ident()
        is_outermost = ident not in fits
        if is_outermost:
            fits[ident] = None
        try:
            value = function(*args, **kwargs)
        except BaseException as error:
            if error.__traceback__ is not None:
                error.__traceback__ = error.__traceback__.tb_next  # our frame is nobody's business
            raise
        finally:
            if is_outermost:
                fits.pop(ident, None)
        if is_outermost:
            guard.call(recorder.record, name, value, get_caller())
        return value

    return hide_frame(traced)


def find_cell(function: Any, name: str = "func") -> CellType | None:
    """Find the closure cell in which a decorated function of a library keeps the real one."""
    code = getattr(function, "__code__", None)
    closure = getattr(function, "__closure__", None)
    if code is None or not closure or name not in code.co_freevars:
        return None
    cell: CellType = closure[code.co_freevars.index(name)]
    try:
        return cell if callable(cell.cell_contents) else None
    except ValueError:
        return None  # an empty cell


def patch_metrics(
    module: ModuleType, patches: Patches, guard: Guard, recorder: MetricRecorder
) -> int:
    """Have every metric function of a module recorded.

    Parameters
    ----------
    module
        ``sklearn.metrics``.
    patches
        Keeps what to undo.
    guard, recorder
        Get the results.

    Returns
    -------
    int
        How many functions are recorded.
    """
    count = 0
    for name in getattr(module, "__all__", ()):
        cell = find_cell(getattr(module, name, None))
        if cell is not None:
            patches.set_cell(cell, lambda original: make_traced(original, guard, recorder))
            count += 1
    return count
