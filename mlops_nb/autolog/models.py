"""Which run fitted which model, without keeping a single object of the user alive."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mlops_nb.autolog.captures import Sample
from mlops_nb.autolog.places import FitPlaces
from mlops_nb.capture.kinds import KindFacts, identify
from mlops_nb.tracking import Run, current_session, find_run_of, link_reference, unlink


@dataclass(slots=True)
class _Entry:
    model: weakref.ref[Any]
    run: Run
    data: weakref.ref[Any] | None
    sample: Sample | None
    cell: int | None


class KnownModels:
    """Runs by the identity of the models they fitted; an entry goes when its model goes.

    Attributes
    ----------
    seek : callable or None
        Asked for the run of a model that is not known.
    places : FitPlaces
        Runs by the call that began them.
    fits : int
        How many models were noted so far.
    """

    def __init__(self) -> None:
        self._entries: dict[int, _Entry] = {}
        self.seek: Callable[[Any], Run | None] | None = None
        self.places = FitPlaces()
        self.fits = 0

    def add(self, model: Any, run: Run, data: Any = None, sample: Sample | None = None) -> None:
        """Note that a run fits a model.

        Parameters
        ----------
        model
            The estimator; not kept alive.
        run
            Its run; a later fit of the same object takes its place.
        data
            What it is fitted on; not kept alive.
        sample
            A few rows of it.
        """
        self.fits += 1
        key = identify(model)
        entries = self._entries

        def forget(gone: weakref.ref[Any]) -> None:
            entry = entries.get(key)
            if entry is not None and entry.model is gone:
                del entries[key]
            unlink(gone, key)

        try:
            reference = weakref.ref(model, forget)
        except TypeError:
            return  # a class with slots alone: who has noticed its fit knows it again
        link_reference(reference, key, run.run_id)  # so a later step of a pipeline finds the run
        entries[key] = _Entry(reference, run, _refer(data), sample, _find_cell())

    def find(self, model: Any) -> Run | None:
        """Give the run that fitted exactly this object, in this kernel or an earlier step's."""
        entry = self._entries.get(identify(model))
        if entry is None and is_data(type(model)):
            whole = getattr(model, "base", None)  # one column of predictions, say
            entry = None if whole is None else self._entries.get(identify(whole))
            return entry.run if entry is not None and entry.model() is whole else None
        session = current_session()
        if entry is not None and entry.model() is model:
            if session is None or entry.cell == session.cell:
                return entry.run
            return self._ask(model) or entry.run  # it may have been fitted again, unseen
        # A model of an earlier step was fitted, and its run recorded, in another kernel.
        run_id = find_run_of(model)
        if run_id and session:
            return session.find_run(run_id)
        return self._ask(model)

    def find_noted(self, model: Any) -> Run | None:
        """Give the run that fitted exactly this object, as far as it was noted by `add`."""
        entry = self._entries.get(identify(model))
        return entry.run if entry is not None and entry.model() is model else None

    def _ask(self, model: Any) -> Run | None:
        return self.seek(model) if self.seek is not None else None

    def find_example(self, model: Any) -> Any:
        """Give what a model was fitted on, or its first rows where that is gone; else None."""
        entry = self._entries.get(identify(model))
        if entry is None or entry.model() is not model:
            return None
        whole = entry.data() if entry.data is not None else None
        if whole is not None or entry.sample is None:
            return whole
        return entry.sample.read()

    def add_like(self, model: Any, run: Run, other: Any) -> None:
        """Note that a run fits a model on the same data as another one."""
        entry = self._entries.get(identify(other))
        self.add(model, run)
        added = self._entries.get(identify(model))
        if entry is not None and entry.model() is other and added is not None:
            added.data, added.sample = entry.data, entry.sample

    def clear(self) -> None:
        """Forget every model."""
        self._entries.clear()
        self.places.clear()


def is_data(kind: type) -> bool:
    """Tell whether a class is one of values, which nothing fits: arrays, tables, numbers, texts."""
    known = _data.find(kind)
    if known is None:
        package = str(getattr(kind, "__module__", "")).partition(".")[0]
        known = package in {"builtins", "numpy", "pandas"}
        if known:  # none of the user's is kept alive
            _data.keep(kind, True)
    return known


_data: KindFacts[bool] = KindFacts()


def _find_cell() -> int | None:
    session = current_session()
    return None if session is None else session.cell


def _refer(data: Any) -> weakref.ref[Any] | None:
    try:
        return weakref.ref(data)
    except TypeError:
        return None  # lists have no weak references
