"""Reads from an executed notebook which cell failed, and how."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_ESCAPES = re.compile(r"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-_])")


@dataclass(frozen=True, slots=True)
class FailedCell:
    """The cell that ended a step.

    Attributes
    ----------
    index
        Its position in the user's notebook from 0; None where it is no cell of the user's.
    error
        Type and message of what was raised.
    traceback
        Lines of the traceback without colors.
    """

    index: int | None
    error: str
    traceback: tuple[str, ...] = ()

    def get_tail(self, lines: int = 20) -> str:
        """Give the end of the traceback.

        Parameters
        ----------
        lines
            At most so many lines.

        Returns
        -------
        str
            The error alone where there is no traceback.
        """
        kept = [*(["..."] if len(self.traceback) > lines else []), *self.traceback[-lines:]]
        return "\n".join(kept) if kept else self.error


def remove_colors(text: str) -> str:
    """Take what colors a terminal out of a text.

    Parameters
    ----------
    text
        As a kernel sent it.

    Returns
    -------
    str
        Without escape sequences.
    """
    return _ESCAPES.sub("", text)


def read_failed_cell(notebook: str | Path | None) -> FailedCell | None:
    """Find the cell that failed in an executed notebook.

    Parameters
    ----------
    notebook
        As a step has left it.

    Returns
    -------
    FailedCell or None
        None where none failed, or the notebook cannot be read.
    """
    if notebook is None:
        return None
    try:
        cells = json.loads(Path(notebook).read_text(encoding="utf-8"))["cells"]
        failed = [cell for cell in cells if _has_failed(cell)]
        return _describe(failed[-1]) if failed else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _has_failed(cell: Mapping[str, Any]) -> bool:
    return bool(cell.get("metadata", {}).get("papermill", {}).get("exception"))


def _describe(cell: Mapping[str, Any]) -> FailedCell:
    own = cell["metadata"].get("mlops", {})
    index = own.get("index")
    raised = [out for out in cell.get("outputs", ()) if out.get("output_type") == "error"]
    if not raised:
        return FailedCell(index, "")
    lines = remove_colors("\n".join(raised[-1].get("traceback", ()))).splitlines()
    error = remove_colors(f"{raised[-1].get('ename', '')}: {raised[-1].get('evalue', '')}")
    return FailedCell(index, error, tuple(line.rstrip() for line in lines))
