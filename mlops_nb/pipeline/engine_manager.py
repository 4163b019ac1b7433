"""Keeps papermill's records in a notebook: what is written says what happened."""

from __future__ import annotations

import time
from typing import Any

from papermill.engines import NotebookExecutionManager  # noqa: TID253 - loaded by papermill only

from mlops_nb.notebook.document import write_notebook

_SAVE_EVERY_S = 5.0
_SAVE_SHARE = 20  # saving takes at most this fraction of the time, however large the notebook


class StepManager(NotebookExecutionManager):  # type: ignore[misc]
    """Keeps papermill's records in the notebook, and saves it whole and not too often.

    Parameters
    ----------
    nb
        The notebook node.
    save_path
        Local file to write; None leaves saving to papermill.
    **options
        As papermill gives them.
    """

    def __init__(self, nb: Any, save_path: str | None = None, **options: Any) -> None:
        super().__init__(nb, **options)
        self.save_path = save_path
        self._saved_at = 0.0
        self._pause_s = _SAVE_EVERY_S

    def save(self, **kwargs: Any) -> None:
        """Save the notebook, at most every few seconds.

        Parameters
        ----------
        **kwargs
            ``nb`` where papermill has replaced the notebook.
        """
        if kwargs.get("nb"):
            self.nb = kwargs["nb"]
        if time.monotonic() - self._saved_at >= self._pause_s:
            self.save_now()

    def autosave_cell(self) -> None:
        """Save a running cell's output so far."""
        self.save()

    def save_now(self) -> None:
        """Save the notebook."""
        started = time.monotonic()
        if self.save_path is not None:
            write_notebook(self.nb, self.save_path)
        else:
            super().save()
        self._saved_at = time.monotonic()
        self._pause_s = max(_SAVE_EVERY_S, _SAVE_SHARE * (self._saved_at - started))

    def notebook_complete(self, **kwargs: Any) -> None:
        """Write the end of the run; cells that did not run stay pending.

        Parameters
        ----------
        **kwargs
            As papermill gives them.
        """
        pending = [
            cell
            for cell in self.nb.cells
            if cell.metadata.papermill["status"] == self.PENDING and cell.cell_type == "code"
        ]
        super().notebook_complete(**kwargs)
        for cell in pending:
            cell.metadata.papermill["status"] = self.PENDING
        self.save_now()
