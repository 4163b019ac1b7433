"""Arms and disarms every integration of this process, once."""

from __future__ import annotations

import atexit
import threading
import weakref
from collections.abc import Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Any

from mlops_nb.autolog.circumstances import Circumstances
from mlops_nb.autolog.imports import ImportWatcher
from mlops_nb.autolog.libraries import PACKAGES, Libraries
from mlops_nb.autolog.lineage import Lineage
from mlops_nb.errors import NotFoundError
from mlops_nb.tracking import Run, Session, find_run_of

if TYPE_CHECKING:
    from mlops_nb.autolog.fits import FitRecorder
    from mlops_nb.autolog.sklearn import SklearnIntegration
    from mlops_nb.autolog.torch import TorchIntegration

LIBRARIES = ("sklearn", "torch", *PACKAGES, "files")
_SKLEARN = ("sklearn.base", "sklearn.utils.parallel", "sklearn.metrics")
_TORCH = (
    "torch.autograd",
    "torch.optim.optimizer",
    "torch.serialization",
    "torch.utils.data.dataloader",
)
_WAITING_SKLEARN = [
    ("scikit-learn fits", "waiting", "sklearn is not imported yet"),
    ("scikit-learn metrics", "waiting", "sklearn is not imported yet"),
]
_WAITING_TORCH = [
    ("torch training loops", "waiting", "torch is not imported yet"),
    ("torch data loaders", "waiting", "torch is not imported yet"),
    ("torch checkpoints", "waiting", "torch is not imported yet"),
]


class _Armed:
    """What is armed for one session; an integration is loaded when its library is."""

    def __init__(self, session: Session, off: frozenset[str]) -> None:
        self.session, self.off = session, off
        self.sklearn: SklearnIntegration | None = None
        self.torch: TorchIntegration | None = None
        self.watcher = ImportWatcher()
        self.lineage = None if "files" in off else Lineage(session, self.watcher)
        self.circumstances = Circumstances(session)
        for name in () if "sklearn" in off else _SKLEARN:
            self.watcher.watch(name, self._arm_sklearn)
        for name in () if "torch" in off else _TORCH:
            self.watcher.watch(name, self._arm_torch)
        self.libraries = Libraries(session, self.watcher, self._find_fits, self._link, off)

    def _find_sklearn(self) -> SklearnIntegration:
        if self.sklearn is None:
            from mlops_nb.autolog.sklearn import SklearnIntegration

            self.sklearn = SklearnIntegration(self.session, self.watcher)
        return self.sklearn

    def _find_fits(self) -> FitRecorder:
        return self._find_sklearn().fits

    def _link(self, model: Any, run: Run) -> None:
        """Let what is saved and computed of a network that a library trained find its run."""
        if self.torch is not None:
            self.torch.trainings.models.append((weakref.ref(model), run))

    def _arm_sklearn(self, module: ModuleType) -> None:
        self._find_sklearn().arm(module)

    def _arm_torch(self, module: ModuleType) -> None:
        if self.torch is None:
            from mlops_nb.autolog.torch import TorchIntegration

            self.torch = TorchIntegration(self.session)
        self.torch.arm(module)

    def finish_cell(self, namespace: dict[str, Any] | None) -> None:
        """Record what is known only when a cell is over."""
        self.libraries.finish_cell()
        taken = frozenset() if self.sklearn is None else self.sklearn.list_metrics()
        if self.torch is not None:
            self.torch.finish_cell(namespace, taken)
        if self.sklearn is not None:
            self.sklearn.finish_cell(namespace)
        if self.lineage is not None:
            self.lineage.finish_cell()
        self.circumstances.finish_cell(namespace)

    def status(self) -> list[tuple[str, str, str]]:
        """Give the state of every recorder."""
        rows = self._tell("sklearn", self.sklearn, _WAITING_SKLEARN)
        rows += self._tell("torch", self.torch, _WAITING_TORCH)
        files = [("files", "off", "%mlops autolog on files")]
        lineage = files if self.lineage is None else self.lineage.status()
        return rows + self.libraries.status() + lineage

    def _tell(
        self,
        library: str,
        integration: SklearnIntegration | TorchIntegration | None,
        waiting: list[tuple[str, str, str]],
    ) -> list[tuple[str, str, str]]:
        if library in self.off:
            return [(name, "off", f"%mlops autolog on {library}") for name, _, _ in waiting]
        return list(waiting) if integration is None else integration.status()

    def close(self) -> None:
        """Restore everything."""
        self.watcher.close()
        self.libraries.close()
        for integration in (self.torch, self.sklearn):
            if integration is not None:
                integration.close()
        if self.lineage is not None:
            self.lineage.close()
        self.circumstances.close()
        if self.sklearn is not None or self.torch is not None:
            from mlops_nb.autolog.callsites import forget_sources
            from mlops_nb.autolog.ways import forget_ways

            forget_sources()
            forget_ways()


_lock = threading.RLock()
_armed: list[_Armed] = []
_switched: dict[str, bool] = {}  # by hand, in this process; it wins over the setting


def _find_armed() -> _Armed | None:
    with _lock:
        return _armed[0] if _armed else None


def arm(session: Session) -> None:
    """Record fits and metrics of this process from now on.

    Parameters
    ----------
    session
        Keeps the runs. Arming for the same session again changes nothing; another session takes
        over. No library is imported: what is not there yet is armed when the user imports it.
    """
    with _lock:
        if _armed and _armed[0].session is session:
            return
        disarm()
        _armed.append(_Armed(session, _list_off(session)))
        atexit.register(disarm)


def _list_off(session: Session) -> frozenset[str]:
    words = session.settings.autolog_off.replace(",", " ").split()
    off = {name for name in map(_check_library, words) if _switched.get(name) is not True}
    return frozenset(off | {name for name, is_on in _switched.items() if not is_on})


def _check_library(name: str) -> str:
    if name not in LIBRARIES:
        raise NotFoundError("library", name, LIBRARIES, "%mlops autolog lists what is recorded.")
    return name


def switch(session: Session, names: Sequence[str], is_on: bool) -> None:
    """Record some libraries from now on, or no more; the others go on.

    Parameters
    ----------
    session
        Keeps the runs.
    names
        Of `LIBRARIES`.
    is_on
        Whether they are recorded.

    Raises
    ------
    NotFoundError
        One of the names is not known; nothing has changed then.
    """
    for name in names:
        _check_library(name)
    with _lock:
        _switched.update(dict.fromkeys(names, is_on))
        disarm()
        arm(session)


def disarm() -> None:
    """Restore every patched object to the very one it was; safe to call twice."""
    with _lock:
        atexit.unregister(disarm)
        while _armed:
            _armed.pop().close()


def finish_cell(namespace: dict[str, Any] | None = None) -> None:
    """Record what is known only when a cell is over: counted fits, values derived from metrics.

    Parameters
    ----------
    namespace
        The notebook's variables: results that a cell computes by hand are read from them.

    Notes
    -----
    To be called before the cell's runs end. It never raises.
    """
    armed = _find_armed()
    if armed is not None:
        armed.finish_cell(namespace)


def status() -> list[tuple[str, str, str]]:
    """Give what is recorded without being asked.

    Returns
    -------
    list of tuple
        ``(what, state, reason)``: state is ``armed``, ``waiting``, ``not armed``, ``stopped`` or
        ``off``; the reason is the version where armed. Empty where auto-logging is off.
    """
    armed = _find_armed()
    return [] if armed is None else armed.status()


def run_of(model: Any) -> str | None:
    """Give the run that fitted a model.

    Parameters
    ----------
    model
        An estimator.

    Returns
    -------
    str or None
        Id of the run of its last fit; None where no fit of this very object was recorded.
    """
    return find_run_of(model)


def example_of(model: Any) -> Any:
    """Give data as a model was fitted on.

    Parameters
    ----------
    model
        An estimator.

    Returns
    -------
    object or None
        The training data where the user still has them, else a copy of their first rows.
    """
    armed = _find_armed()
    if armed is None or armed.sklearn is None:
        return None
    return armed.sklearn.fits.known.find_example(model)
