"""What the steps of a run share, and what became of those that ran in one kernel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mlops_nb.config import Settings
from mlops_nb.pipeline.graph import Pipeline
from mlops_nb.pipeline.keys import StepSource
from mlops_nb.pipeline.progress import OnProgress
from mlops_nb.pipeline.slots import Slots
from mlops_nb.pipeline.state import State
from mlops_nb.records import StepResult


@dataclass(frozen=True, slots=True)
class Context:
    """What all steps of a run share.

    Attributes
    ----------
    values
        Parameters that are injected.
    secrets
        Texts that must not be written, by reference.
    private
        Folder for this run's own files; only the owner can read it.
    components
        Folder of the values that cross.
    preload
        Modules that a kernel may find imported.
    slots
        Places for kernels that compute.
    """

    pipeline: Pipeline
    sources: tuple[StepSource, ...]
    values: Mapping[str, Any]
    secrets: Mapping[str, str]
    out_dir: Path
    private: Path
    components: Path
    store_root: Path
    run_id: str
    tell: OnProgress
    settings: Settings
    kernel_name: str | None = None
    timeout: float | None = None
    preload: tuple[str, ...] = ()
    slots: Slots = field(default_factory=lambda: Slots(1))

    @property
    def history(self) -> bool:
        """Whether IPython's history crosses."""
        return any(step.reads_history for step in self.pipeline.steps)

    def make_environment(self) -> dict[str, str]:
        """Give the environment variables of a kernel on top of this process's own.

        Returns
        -------
        dict
            By name.
        """
        return {
            "PYTHONHASHSEED": "0",
            "MLOPS_NB_NOTEBOOK": str(self.pipeline.path.absolute()),
            "MLOPS_NB_STORE": str(self.store_root),
            "MLOPS_NB_PARENT_RUN": self.run_id,
            "MLOPS_NB_EXPERIMENT": self.settings.experiment,
            "MLOPS_NB_CACHE": str(self.settings.cache),
        }

    def find_place(self, number: int) -> dict[str, Any]:
        """Give what every event of a step says.

        Parameters
        ----------
        number
            Position of the step from 0.

        Returns
        -------
        dict
            Arguments of `Progress`.
        """
        step = self.pipeline.steps[number]
        return {"step": step.name, "number": number + 1, "total": len(self.pipeline.steps)}


@dataclass(slots=True)
class Chain:
    """Steps that ran in one kernel, mostly one.

    Attributes
    ----------
    after
        The state after them; that of before where there is none to be had.
    reports
        What the kernel has noted, one a step.
    has_exited
        The notebook has ended itself.
    """

    before: State
    after: State
    numbers: list[int] = field(default_factory=list)
    results: list[StepResult] = field(default_factory=list)
    reports: list[dict[str, Any]] = field(default_factory=list)
    has_exited: bool = False

    @property
    def is_failed(self) -> bool:
        """Whether its last step has failed."""
        return any(result.status == "failed" for result in self.results)
