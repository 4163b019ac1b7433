"""What became of one notebook that was executed."""

from __future__ import annotations

from dataclasses import dataclass

from mlops_nb.records import StepCause


@dataclass(slots=True)
class StepOutcome:
    """What became of one notebook.

    Attributes
    ----------
    error
        What went wrong, empty where nothing did.
    cell
        Position of the cell in the executed notebook.
    exit_code
        Set where the notebook ended itself by ``sys.exit``.
    """

    error: str = ""
    cell: int | None = None
    exit_code: int | None = None
    died: bool = False
    timed_out: bool = False
    interrupted: bool = False

    @property
    def cause(self) -> StepCause | None:
        """Why it failed, None where it did not."""
        if not self.error:
            return None
        if self.timed_out:
            return "timeout"
        if self.died:
            return "died"
        return "interrupted" if self.interrupted else "error"
