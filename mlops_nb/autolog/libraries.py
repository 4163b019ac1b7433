"""The libraries that are recorded by their own callbacks, each loaded when it is imported."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from types import ModuleType
from typing import TYPE_CHECKING, Any

from mlops_nb.autolog.imports import ImportWatcher
from mlops_nb.tracking import Run, Session

if TYPE_CHECKING:
    from mlops_nb.autolog.fits import FitRecorder
    from mlops_nb.autolog.integration import Integration

FindFits = Callable[[], "FitRecorder"]
Link = Callable[[Any, Run], None]


@dataclass(frozen=True)
class _Library:
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
)


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
    """

    def __init__(
        self, session: Session, watcher: ImportWatcher, find_fits: FindFits, link: Link
    ) -> None:
        self._session, self._find_fits, self._link = session, find_fits, link
        self._armed: dict[str, Integration] = {}
        for library in _LIBRARIES:
            for name in library.modules:
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
            else (library.name, "waiting", f"{library.package} is not imported yet")
            for library in _LIBRARIES
        ]

    def finish_cell(self) -> None:
        """Record what is known only when a cell is over."""
        for integration in self._armed.values():
            integration.finish_cell()

    def close(self) -> None:
        """Restore every patched object and finish what is open."""
        for integration in self._armed.values():
            integration.close()
        self._armed.clear()
