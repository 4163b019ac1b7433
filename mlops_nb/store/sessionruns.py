"""Which runs a session has begun, and in which of its cells."""

from __future__ import annotations

import os
from pathlib import Path

from mlops_nb.store.frames import unpack_frames
from mlops_nb.store.ids import RUN_ID
from mlops_nb.store.runmeta import read_meta


def list_session_runs(root: Path, session_id: str, until: str | None = None) -> list[str]:
    """List the runs of a session, those among them that were deleted since.

    Parameters
    ----------
    root
        The store's folder.
    session_id
        The session.
    until
        The last run that is wanted; ids sort by time.

    Returns
    -------
    list of str
        Their ids, oldest first.
    """
    found = []
    for folder in (root / "runs", root / "deleted"):
        if not folder.is_dir():
            continue
        for name in filter(RUN_ID.fullmatch, os.listdir(folder)):  # noqa: PTH208 - many paths cost
            if name < session_id or (until is not None and name > until):
                continue
            meta = read_meta(folder / name)
            if meta is not None and meta.get("session_id") == session_id:
                found.append(name)
    return sorted(found)


def find_first_cell(root: Path, run_id: str, session_id: str) -> int | None:
    """Find the cell of a session in which a run began.

    Parameters
    ----------
    root
        The store's folder.
    run_id, session_id
        The run, and its session.

    Returns
    -------
    int or None
        Its position in the session; None of a run that began in no cell.
    """
    first: int | None = None
    for place in (root / "runs" / run_id, root / "deleted" / run_id):
        for path in sorted(place.glob("events*.log")):
            for event in unpack_frames(path.read_bytes())[0]:
                index = event.get("index")
                is_own = event.get("session_id") in (None, session_id)
                if event.get("type") == "cell" and is_own and isinstance(index, int):
                    first = index if first is None else min(first, index)
    return first
