"""Fits of estimators that the user has written: no library is asked, so they are seen afterwards.

A class with ``fit`` and ``get_params`` that calls no fit of a library leaves one trace, the
attributes that it sets, whose names end in an underscore as everywhere in scikit-learn. They are
looked at when a cell ends, and when a metric asks which model it speaks of.
"""

from __future__ import annotations

import contextlib
import inspect
import re
import weakref
from types import MemberDescriptorType
from typing import Any

from mlops_nb.autolog.fits import FitRecorder
from mlops_nb.autolog.frames import read_fields
from mlops_nb.capture.kinds import KindFacts
from mlops_nb.tracking import Run, Session

_CALL = re.compile(r"\.\s*(?:fit|partial_fit|fit_transform|fit_predict)\s*\(")
_LIBRARIES = ("sklearn", "xgboost", "lightgbm", "catboost", "keras", "torch", "skorch", "imblearn")
_MOST_SEEN = 1000

_Trace = frozenset[tuple[str, int]]


class OwnFits:
    """Notices that an estimator of the user's was fitted in the cell that runs now.

    Parameters
    ----------
    session
        Keeps the runs, and knows the cell.
    fits
        Opens them.
    """

    def __init__(self, session: Session, fits: FitRecorder) -> None:
        self._session, self._fits = session, fits
        self._kinds: KindFacts[bool] = KindFacts()
        # As the estimator was when the last cell ended: numbers of objects, and nothing of them.
        self._seen: dict[int, tuple[weakref.ref[Any] | None, _Trace]] = {}
        # Those with slots alone have no weak references: they are known again by what they hold.
        self._slotted: dict[int, tuple[_Trace, Run]] = {}

    def find(self, model: Any) -> Run | None:
        """Open the run of an estimator that this cell has fitted.

        Parameters
        ----------
        model
            Any value.

        Returns
        -------
        Run or None
            None where it is no estimator of the user's, or was not fitted in this cell.
        """
        if not self._is_own(type(model)):
            return None
        trace = _read_trace(model)
        kept = self._slotted.get(id(model))
        if kept is not None and kept[0] == _read_all(model):
            return kept[1]
        if not trace or trace == self._recall(model) or not self._calls_fit():
            return None
        self._remember(model, trace)
        run = self._fits.note_fit(model)
        if run is not None and self._seen[id(model)][0] is None:
            if len(self._slotted) >= _MOST_SEEN:
                self._slotted.clear()
            self._slotted[id(model)] = _read_all(model), run
        return run

    def finish_cell(self, namespace: dict[str, Any] | None) -> None:
        """Record what was fitted in the cell, and remember how everything is now."""
        for name, value in list((namespace or {}).items()):
            if name.startswith("_") or not self._is_own(type(value)):
                continue
            self._fits.known.find(value)  # which asks `find` where nothing is known of this cell
            self._remember(value, _read_trace(value))

    def _is_own(self, kind: type) -> bool:
        known = self._kinds.find(kind)
        if known is None:
            module = str(getattr(kind, "__module__", "")).partition(".")[0]
            # Looked up without asking the class, which may answer for itself.
            is_estimator = all(
                inspect.getattr_static(kind, name, None) is not None
                for name in ("fit", "get_params")
            )
            known = self._kinds.keep(kind, is_estimator and module not in _LIBRARIES)
        return known

    def _calls_fit(self) -> bool:
        cell = self._session.cell
        source = None if cell is None else self._session.read_source(cell)
        return source is not None and _CALL.search(source) is not None

    def _recall(self, model: Any) -> _Trace | None:
        known = self._seen.get(id(model))
        if known is None or (known[0] is not None and known[0]() is not model):
            return None
        return known[1]

    def _remember(self, model: Any, trace: _Trace) -> None:
        if len(self._seen) >= _MOST_SEEN:
            self._seen.clear()
        reference = None
        with contextlib.suppress(TypeError):
            reference = weakref.ref(model)
        self._seen[id(model)] = reference, trace


def _read_trace(model: Any) -> _Trace:
    """Give the fitted attributes with the numbers of their values."""
    return frozenset(
        (name, number)
        for name, number in _read_all(model)
        if name.endswith("_") and not name.startswith("_")
    )


def _read_all(model: Any) -> _Trace:
    """Give all attributes, those in slots too, with the numbers of their values."""
    found = {name: id(value) for name, value in read_fields(model).items()}
    for kind in type(model).__mro__:
        for name, member in vars(kind).items():
            if type(member) is MemberDescriptorType:
                with contextlib.suppress(AttributeError):  # it has no value yet
                    found[name] = id(member.__get__(model))
    return frozenset(found.items())
