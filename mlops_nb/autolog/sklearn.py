"""scikit-learn: fits through the one context that every public fit enters, and its metrics.

Verified with scikit-learn 1.4 to 1.9. No class and no public function is replaced.
"""

from __future__ import annotations

import contextlib
import sys
import warnings
from threading import get_ident
from types import CodeType, FrameType, ModuleType, TracebackType
from typing import Any

from mlops_nb.autolog.crossval import patch_validation
from mlops_nb.autolog.fits import Fit, FitRecorder, add_warning
from mlops_nb.autolog.frames import (
    BUSY,
    get_caller,
    hide_frame,
    read_function,
    read_locals,
)
from mlops_nb.autolog.guard import Guard
from mlops_nb.autolog.imports import ImportWatcher
from mlops_nb.autolog.metrics import MetricRecorder, patch_metrics
from mlops_nb.autolog.owners import find_caller
from mlops_nb.autolog.ownfits import OwnFits
from mlops_nb.autolog.patching import Patches
from mlops_nb.tracking import Session

_SUPPORT = "sklearn.callback._callback_support"
_ROLES = ("X", "y")


class _FitScope:
    """The library's own context around a fit, with ours inside it."""

    __slots__ = ("_estimator", "_fit", "_inner", "_owner")

    def __init__(self, owner: SklearnIntegration, inner: Any, estimator: Any) -> None:
        self._owner, self._inner, self._estimator = owner, inner, estimator
        self._fit: Fit | None = None

    def __enter__(self) -> Any:
        entered = self._inner.__enter__()
        BUSY.fits[get_ident()] = None
        owner = self._owner
        try:
            # The frame is asked for anew: kept, it would keep itself and all its data alive.
            self._fit = owner.fit_guard.call(owner.begin_fit, self._estimator, get_caller())
        except BaseException:  # an interrupt while we were at work
            BUSY.fits.pop(get_ident(), None)
            self._inner.__exit__(*sys.exc_info())
            raise
        BUSY.fits[get_ident()] = self._fit
        return entered

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> Any:
        BUSY.fits.pop(get_ident(), None)
        fit, estimator = self._fit, self._estimator
        self._fit = self._estimator = None
        try:
            if fit is not None:
                self._owner.fit_guard.call(self._owner.fits.end, fit, estimator, error)
        finally:
            answer = self._inner.__exit__(kind, error, traceback)
        return answer


class _WorkerScope:
    """Marks a task of the library's own parallel loop: what it fits belongs to its caller."""

    __slots__ = ("_inner",)

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def __enter__(self) -> Any:
        entered = self._inner.__enter__()
        BUSY.fits[get_ident()] = None
        return entered

    def __exit__(self, *error: Any) -> Any:
        BUSY.fits.pop(get_ident(), None)
        return self._inner.__exit__(*error)


class SklearnIntegration:
    """Arms scikit-learn as soon as it is imported, and takes everything back.

    Parameters
    ----------
    session
        Keeps the runs.
    watcher
        Tells when the library is imported.
    """

    def __init__(self, session: Session, watcher: ImportWatcher) -> None:
        self._session = session
        self._patches = Patches()
        self._is_closed = False
        self.fit_guard = Guard("fits")
        self.metric_guard = Guard("metrics")
        self.fits = FitRecorder(session, "scikit-learn")
        self._metrics = MetricRecorder(session, self.fits)
        self._own = OwnFits(session, self.fits)
        self.fits.known.seek = self._own.find
        self._watcher = watcher
        self._states = {
            "scikit-learn fits": ("waiting", "sklearn is not imported yet"),
            "scikit-learn metrics": ("waiting", "sklearn.metrics is not imported yet"),
        }

    # ------------------------------------------------------------------ arming
    def arm(self, module: ModuleType) -> None:
        """Patch what belongs to a module of the library that has been imported.

        Parameters
        ----------
        module
            One of ``sklearn.base``, ``sklearn.utils.parallel``, ``sklearn.metrics``.
        """
        name = module.__name__
        if name == "sklearn.base":
            self.fit_guard.call(self._patch_fits, module)
        elif name == "sklearn.utils.parallel":
            self._arm_workers(module)
        elif name == "sklearn.metrics":
            self._arm_metrics(module)

    def status(self) -> list[tuple[str, str, str]]:
        """Give each recorder with its state and the reason or the version."""
        rows = []
        for name, guard in zip(self._states, (self.fit_guard, self.metric_guard), strict=True):
            state, reason = self._states[name]
            rows.append(
                (name, "stopped", guard.reason) if guard.is_stopped else (name, state, reason)
            )
        return rows

    def close(self) -> None:
        """Restore every patched object and finish what is open."""
        self._is_closed = True
        self._patches.restore()
        self.finish_cell()
        self.fit_guard.call(self.fits.close)
        if self.fit_guard.is_stopped:
            with contextlib.suppress(Exception):  # it has failed before; its thread is not to stay
                self.fits.close()
        self.fits.known.clear()

    def list_metrics(self) -> frozenset[str]:
        """Name the metrics that the cell has logged so far."""
        return frozenset(self._metrics.logged)

    def finish_cell(self, namespace: dict[str, Any] | None = None) -> None:
        """Record what is known only when a cell is over.

        Parameters
        ----------
        namespace
            The notebook's variables.
        """
        self.fit_guard.call(self._own.finish_cell, namespace)
        self.metric_guard.call(self._metrics.means.finish_cell, namespace)
        self.fit_guard.call(self.fits.finish_cell)
        self.metric_guard.call(self._metrics.finish_cell)

    def _set_state(self, name: str, state: str, reason: str) -> None:
        self._states[f"scikit-learn {name}"] = (state, reason)

    def _patch_fits(self, base: ModuleType) -> None:
        if self._is_closed:
            return
        version = _read_version()
        hook = _find_hook(getattr(base, "_fit_context", None))
        if hook is None:
            reason = f"scikit-learn {version} has no known hook around its fits"
            self._set_state("fits", "not armed", reason)
            return
        self.fits.library = f"scikit-learn {version}"
        if hook == "config_context":
            self._patches.set_attribute(base, hook, self._wrap_config)
        else:
            self._watcher.watch(_SUPPORT, self._arm_support)
        if "_showwarnmsg" in vars(warnings):
            self._patches.set_attribute(warnings, "_showwarnmsg", self._wrap_warnings)
        self._set_state("fits", "armed", version)
        self._watcher.watch("sklearn.model_selection", self._arm_validation)

    def _arm_support(self, support: ModuleType) -> None:
        def patch() -> None:
            if not self._is_closed:
                name = "callback_management_context"
                self._patches.set_attribute(support, name, self._wrap_callbacks)

        self.fit_guard.call(patch)

    def _arm_workers(self, parallel: ModuleType) -> None:
        def patch() -> None:
            if not self._is_closed and "config_context" in vars(parallel):
                self._patches.set_attribute(parallel, "config_context", self._wrap_worker)

        self.fit_guard.call(patch)

    def _arm_validation(self, module: ModuleType) -> None:
        def patch() -> None:
            if not self._is_closed:
                patch_validation(module, self._patches, self.fit_guard, self.fits)

        self.fit_guard.call(patch)

    def _arm_metrics(self, module: ModuleType) -> None:
        def patch() -> None:
            if self._is_closed:
                return
            count = patch_metrics(module, self._patches, self.metric_guard, self._metrics)
            reason = f"{count} functions" if count else "no function has the expected form"
            self._set_state("metrics", "armed" if count else "not armed", reason)

        self.metric_guard.call(patch)

    # ------------------------------------------------------------------ replacements
    def _wrap_callbacks(self, original: Any) -> Any:
        fits, guard = BUSY.fits, self.fit_guard

        def callback_management_context(estimator: Any) -> Any:
            inner = original(estimator)
            if get_ident() in fits or guard.is_stopped:
                return inner
            return _FitScope(self, inner, estimator)

        return hide_frame(callback_management_context)

    def _wrap_config(self, original: Any) -> Any:
        def config_context(**changes: Any) -> Any:
            inner = original(**changes)
            if BUSY.value or self.fit_guard.is_stopped:
                return inner
            frame = get_caller()
            if "fit_method" not in frame.f_code.co_freevars:
                return inner
            return _FitScope(self, inner, read_locals(frame)["estimator"])

        return hide_frame(config_context)

    def _wrap_worker(self, original: Any) -> Any:
        fits = BUSY.fits

        def config_context(**changes: Any) -> Any:
            inner = original(**changes)
            # A loop that has no workers runs its tasks in the fit that is recorded already.
            return inner if get_ident() in fits else _WorkerScope(inner)

        return hide_frame(config_context)

    def _wrap_warnings(self, original: Any) -> Any:
        def _showwarnmsg(message: Any) -> None:
            fit = BUSY.fit
            if fit is not None:
                self.fit_guard.call(add_warning, fit, message.category, message.message)
            original(message)

        return hide_frame(_showwarnmsg)

    # ------------------------------------------------------------------ one fit
    def begin_fit(self, estimator: Any, frame: FrameType) -> Fit | None:
        """Open the run of a fit.

        Parameters
        ----------
        estimator
            What is fitted.
        frame
            The library's frame that holds the arguments.

        Returns
        -------
        Fit or None
            None where nothing is recorded.
        """
        values = read_function(frame)
        method = getattr(values.get("fit_method"), "__name__", "fit")
        user = find_caller(frame, estimator)
        if user is None:
            return None  # fitted by a function of the library for its own use
        given = _name_arguments(values.get("args", ()), values.get("kwargs", {}))
        return self.fits.begin(estimator, method, given, user)


def _read_version() -> str:
    return str(getattr(sys.modules.get("sklearn"), "__version__", "unknown"))


def _find_hook(decorator: Any) -> str | None:
    """Find what the wrapper around every fit looks up each time it is called."""
    code = getattr(decorator, "__code__", None)
    waiting = [code] if isinstance(code, CodeType) else []
    while waiting:
        current = waiting.pop()
        if "fit_method" in current.co_freevars and "estimator" in current.co_varnames:
            names = {*current.co_names, *current.co_varnames}
            for hook in ("callback_management_context", "config_context"):
                if hook in names:
                    return hook
        waiting.extend(part for part in current.co_consts if isinstance(part, CodeType))
    return None


def _name_arguments(args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    given = dict(zip(_ROLES, args, strict=False))
    for name, value in kwargs.items():
        given.setdefault(name, value)
    return {role: value for role, value in given.items() if value is not None}
