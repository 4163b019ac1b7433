"""A session of a kernel in this process: cells are executed and recorded as a kernel does it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mlops_nb import api
from mlops_nb.api.places import make_session
from mlops_nb.tracking import Session


class PlayedKernel:
    """Executes cells; those that fail are recorded and go no further."""

    def __init__(self, notebook: Path | None = None) -> None:
        self.session: Session = make_session(str(notebook) if notebook else None)
        self.names: dict[str, Any] = {"__name__": "__main__"}

    def execute(self, source: str) -> list[str]:
        """Execute a cell; give the ids of the runs that were recorded in it."""
        index = api.begin_cell(source)
        assert index is not None
        try:
            exec(compile(source, f"<cell {index}>", "exec"), self.names)
        except Exception as error:  # noqa: BLE001 - whatever a user's cell raises
            runs = api.end_cell(index, "error", f"{type(error).__name__}: {error}")
        else:
            runs = api.end_cell(index)
        return [run.run_id for run in runs]
