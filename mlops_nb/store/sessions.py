"""Reads the executed cells of a kernel session back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mlops_nb.records import CellRecord
from mlops_nb.store.frames import unpack_frames
from mlops_nb.store.runreader import read_dataset


def read_cells(folder: Path) -> tuple[CellRecord, ...]:
    """Read the cells of a session in the order they ran.

    Parameters
    ----------
    folder
        The session's folder.

    Returns
    -------
    tuple of CellRecord
        A cell without an end is ``running``.
    """
    path = folder / "events.log"
    if not path.is_file():
        return ()
    cells: dict[int, dict[str, Any]] = {}
    for event in unpack_frames(path.read_bytes())[0]:
        add_cell_event(cells, event)
    return tuple(CellRecord(**cells[index]) for index in sorted(cells))


def add_cell_event(cells: dict[int, dict[str, Any]], event: dict[str, Any]) -> int | None:
    """Take one event of a session into account.

    Parameters
    ----------
    cells
        The fields of each cell's record by index; changed in place.
    event
        Of any kind.

    Returns
    -------
    int or None
        Index of the cell that it is about; None where it is about none that has begun.
    """
    index, kind = event.get("index"), event.get("type")
    if kind == "cell_begin" and isinstance(index, int):
        cells[index] = {
            "index": index,
            "source": event["source"],
            "started_at": event["at"],
            "cell_id": event.get("cell_id"),
            "tags": tuple(event.get("tags", ())),
            "execution_count": event.get("execution_count"),
        }
        return index
    if not isinstance(index, int) or index not in cells:
        return None
    if kind == "cell_end":
        cells[index].update(
            duration_s=event["duration_s"], status=event["status"], error=event.get("error")
        )
    elif kind == "cell_data":
        known = cells[index].get("datasets", ())
        found = tuple(read_dataset(document) for document in event["datasets"])
        cells[index]["datasets"] = known + found
    else:
        return None
    return index
