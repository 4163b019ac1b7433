"""What a running pipeline tells while it runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

ProgressKind = Literal["notice", "step_started", "cell_finished", "round_finished", "step_finished"]


@dataclass(frozen=True, slots=True)
class Progress:
    """One event of a pipeline run.

    Attributes
    ----------
    number, total
        The step's position from 1, and how many there are.
    cells_done, cells_total
        Within the step; of ``round_finished`` the rounds of its loop.
    message
        For people: a notice, or why a step failed or shares a kernel.
    """

    kind: ProgressKind
    step: str = ""
    number: int = 0
    total: int = 0
    cells_done: int = 0
    cells_total: int = 0
    status: str = ""
    duration_s: float = 0.0
    message: str = ""

    def __str__(self) -> str:
        """Give the event as one line."""
        place = f"[{self.number}/{self.total}] {self.step}"
        if self.kind == "notice":
            return self.message
        if self.kind == "step_started":
            return f"{place} ..."
        if self.kind == "cell_finished":
            return f"{place}: cell {self.cells_done} of {self.cells_total}"
        if self.kind == "round_finished":
            return f"{place}: round {self.cells_done} of {self.cells_total}"
        detail = f": {self.message}" if self.message else ""
        return f"{place} {self.status} in {self.duration_s:.1f} s{detail}"


OnProgress = Callable[[Progress], None]
