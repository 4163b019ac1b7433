"""What a kernel session is and what its cells did to variables, as frozen records."""

from __future__ import annotations

from dataclasses import dataclass

from mlops_nb.records.runs import CellRecord


@dataclass(frozen=True, slots=True)
class SessionRecord:
    """One kernel's time from loading the extension to its end.

    Attributes
    ----------
    is_live
        Whether its process may still write; False of one that ended or was killed.
    is_recording
        Whether anything is recorded unasked.
    """

    session_id: str
    notebook: str | None
    started_at: float
    is_live: bool
    is_recording: bool


@dataclass(frozen=True, slots=True)
class ExecutionRecord:
    """One execution of a cell, and what its source says about variables.

    Attributes
    ----------
    reads
        Names that it needs from before.
    writes
        Names that it binds or unbinds.
    changes
        Variables from before that it surely changes in place.
    is_repeat
        Whether all stayed as it was: definitions that ran before as they are.
    """

    cell: CellRecord
    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    changes: tuple[str, ...] = ()
    is_repeat: bool = False
