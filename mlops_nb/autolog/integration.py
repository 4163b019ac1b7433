"""What every integration that goes by callbacks has: its points, its guard, its state."""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from types import ModuleType
from typing import ClassVar

from mlops_nb.autolog.guard import Guard
from mlops_nb.autolog.patching import Patches
from mlops_nb.autolog.training import Recorder
from mlops_nb.tracking import Session


class Integration(ABC):
    """Hooks into one library as its modules are imported, and takes everything back.

    Parameters
    ----------
    session
        Keeps the runs.

    Attributes
    ----------
    name, package
        What the person reads, and what is imported.
    recorder : Recorder
        Opens and closes the runs.
    guard : Guard
        Stops the recorder when it fails.
    missing : str
        What the library lacks to be recorded; empty where it is.
    lacking : str
        What of it alone is not recorded in this version.
    """

    name: ClassVar[str]
    package: ClassVar[str]
    recorder: Recorder

    def __init__(self, session: Session) -> None:
        self.session = session
        self.patches = Patches()
        self.guard = Guard(f"{self.name} trainings")
        self.missing = self.lacking = ""
        self._is_closed = False
        self._armed: set[str] = set()

    @property
    def library(self) -> str:
        """The library with its version, as a run names it."""
        return f"{self.package} {read_version(self.package)}"

    def arm(self, module: ModuleType) -> None:
        """Place the hooks of a module that has been imported.

        Parameters
        ----------
        module
            One that has something to hook into.
        """
        if self._is_closed or self.guard.is_stopped:
            return
        missing = self.guard.call(self.patch, module)
        if missing:
            self.missing = missing
        self._armed.add(module.__name__)

    @abstractmethod
    def patch(self, module: ModuleType) -> str:
        """Place the hooks of a module; give what it lacks, or nothing."""

    def status(self) -> tuple[str, str, str]:
        """Give the state with the reason or the version."""
        if self.guard.is_stopped:
            return self.name, "stopped", self.guard.reason
        if not self._armed:
            return self.name, "waiting", f"{self.package} is not imported yet"
        version = read_version(self.package)
        if self.missing:
            return self.name, "not armed", f"{self.package} {version} {self.missing}"
        return self.name, "armed", f"{version}, but for {self.lacking}" if self.lacking else version

    def finish_cell(self) -> None:
        """Record what is known only when a cell is over."""
        self.guard.call(self.recorder.finish_cell)
        if self.guard.is_stopped:
            self.recorder.abandon()

    def close(self) -> None:
        """Restore every patched object and finish what is open."""
        self._is_closed = True
        self.patches.restore()
        self.guard.call(self.recorder.close)
        if self.guard.is_stopped:
            self.recorder.give_up()


def read_version(package: str) -> str:
    """Give a package's version, while it is being imported from its metadata."""
    module = sys.modules.get(package)
    version = getattr(module, "__version__", None)
    if version is None:
        from importlib.metadata import PackageNotFoundError
        from importlib.metadata import version as read

        try:
            version = read(package)
        except PackageNotFoundError:
            version = "unknown"
    return str(version)
