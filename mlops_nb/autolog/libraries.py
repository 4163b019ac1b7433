"""The libraries that are recorded by their own callbacks, each loaded when it is imported."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from types import ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple

from mlops_nb.autolog.imports import ImportWatcher
from mlops_nb.tracking import Run, Session

if TYPE_CHECKING:
    from mlops_nb.autolog.fits import FitRecorder
    from mlops_nb.autolog.integration import Integration

FindFits = Callable[[], "FitRecorder"]
Link = Callable[[Any, Run], None]


class _Library(NamedTuple):
    """One library: its name, what is imported, where it is hooked into, and how it is armed."""

    name: str
    package: str
    modules: tuple[str, ...]
    make: Callable[[Session, FindFits, Link], Integration]


def _make_xgboost(session: Session, find_fits: FindFits, _: Link) -> Integration:
    from mlops_nb.autolog.xgboost import XGBoostIntegration

    return XGBoostIntegration(session, find_fits())


def _make_lightgbm(session: Session, find_fits: FindFits, _: Link) -> Integration:
    from mlops_nb.autolog.lightgbm import LightGBMIntegration

    return LightGBMIntegration(session, find_fits())


def _make_keras(session: Session, find_fits: FindFits, link: Link) -> Integration:
    from mlops_nb.autolog.keras import KerasIntegration

    return KerasIntegration(session, find_fits(), link)


def _make_lightning(session: Session, find_fits: FindFits, link: Link) -> Integration:
    from mlops_nb.autolog.lightning import LightningIntegration

    return LightningIntegration(session, find_fits(), link)


def _make_transformers(session: Session, find_fits: FindFits, link: Link) -> Integration:
    from mlops_nb.autolog.transformers import TransformersIntegration

    return TransformersIntegration(session, find_fits(), link)


_LIBRARIES = (
    _Library(
        "XGBoost",
        "xgboost",
        ("xgboost.core", "xgboost.training", "xgboost.sklearn"),
        _make_xgboost,
    ),
    _Library("LightGBM", "lightgbm", ("lightgbm.engine", "lightgbm.sklearn"), _make_lightgbm),
    _Library(
        "Keras",
        "keras",
        tuple(f"keras.src.backend.{name}.trainer" for name in ("torch", "jax", "tensorflow")),
        _make_keras,
    ),
    _Library(
        "Lightning",
        "lightning",
        ("lightning.pytorch.trainer.call", "pytorch_lightning.trainer.call"),
        _make_lightning,
    ),
    _Library("Hugging Face Trainer", "transformers", ("transformers.trainer",), _make_transformers),
)


PACKAGES = tuple(library.package for library in _LIBRARIES)


class Libraries:
    """Arms each library when it is imported.

    Parameters
    ----------
    session
        Keeps the runs.
    watcher
        Tells of imports.
    find_fits
        Gives what records fits of the API that is scikit-learn's.
    link
        Tells those who record torch of a model and its run.
    off
        Packages that are not to be recorded.
    """

    def __init__(
        self,
        session: Session,
        watcher: ImportWatcher,
        find_fits: FindFits,
        link: Link,
        off: frozenset[str] = frozenset(),
    ) -> None:
        self._session, self._find_fits, self._link = session, find_fits, link
        self._armed: dict[str, Integration] = {}
        self._off = off
        for library in _LIBRARIES:
            for name in () if library.package in off else library.modules:
                watcher.watch(name, partial(self._arm, library))

    def _arm(self, library: _Library, module: ModuleType) -> None:
        integration = self._armed.get(library.name)
        if integration is None:
            integration = library.make(self._session, self._find_fits, self._link)
            self._armed[library.name] = integration
        integration.arm(module)

    def status(self) -> list[tuple[str, str, str]]:
        """Give the state of each with the reason or the version."""
        return [
            self._armed[library.name].status()
            if library.name in self._armed
            else (library.name, *self._tell(library.package))
            for library in _LIBRARIES
        ]

    def _tell(self, package: str) -> tuple[str, str]:
        if package in self._off:
            return "off", f"%mlops autolog on {package}"
        return "waiting", f"{package} is not imported yet"

    def finish_cell(self) -> None:
        """Record what is known only when a cell is over."""
        for integration in self._armed.values():
            integration.finish_cell()

    def close(self) -> None:
        """Restore every patched object and finish what is open."""
        for integration in self._armed.values():
            integration.close()
        self._armed.clear()
