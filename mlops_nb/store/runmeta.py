"""What is known of a run from its start: ``run.json``, read with suspicion.

The file is written whole and once, so one that cannot be read was damaged or comes from elsewhere.
The run is listed all the same, with what can still be told and a tag that says what is wrong: one
bad file must neither hide a run nor stop a list.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

DAMAGED = "mlops.damaged"
_NO_NAME = "damaged"
_LAST_S = 253_402_300_799.0  # the end of the year 9999, which dates end with
_TEXT = (str,)
_MAYBE_TEXT = (str, type(None))
_KINDS: dict[str, tuple[type, ...]] = {
    "run_id": _TEXT,
    "name": _TEXT,
    "experiment": _TEXT,
    "user": _TEXT,
    "started_at": (int, float),
    "tags": (dict,),
    "writer": (dict,),
    "session_id": _MAYBE_TEXT,
    "parent_run_id": _MAYBE_TEXT,
    "notebook": _MAYBE_TEXT,
}


def is_moment(value: Any) -> bool:
    """Tell whether a value is seconds since the epoch that a date can show."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and math.isfinite(value) and 0 <= value <= _LAST_S


def read_meta(folder: Path) -> dict[str, Any] | None:
    """Read the ``run.json`` of a run.

    Parameters
    ----------
    folder
        The run's folder.

    Returns
    -------
    dict or None
        None where there is none: a run that is being made, or never got started. Of a file that is
        damaged, what can still be told, and the tag `DAMAGED`.
    """
    try:
        data = (folder / "run.json").read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        return _mend(folder, {}, f"its run.json cannot be read ({error.strerror})")
    try:
        meta = json.loads(data.decode("utf-8", "surrogatepass"))
    except (ValueError, RecursionError):
        meta = None
    if not isinstance(meta, dict):
        return _mend(folder, {}, "its run.json cannot be read")
    wrong = [
        name for name, kinds in _KINDS.items() if name in meta and type(meta[name]) not in kinds
    ]
    if meta.get("run_id") != folder.name:
        wrong.append("run_id")
    if not is_moment(meta.get("started_at")):
        wrong.append("started_at")
    if not wrong and "name" in meta:
        return meta
    wrong += [] if "name" in meta else ["name"]
    named = ", ".join(sorted(set(wrong)))
    return _mend(folder, meta, f"its run.json tells no right {named}", wrong)


def _mend(
    folder: Path, meta: dict[str, Any], found: str, wrong: list[str] | None = None
) -> dict[str, Any]:
    kept = {name: value for name, value in meta.items() if name not in (wrong or ())}
    tags = kept.get("tags", {})
    return {
        "name": _NO_NAME,
        # The id tells the time of the start in ms.
        "started_at": _read_time(folder.name),
        **kept,
        "run_id": folder.name,
        "tags": {**tags, DAMAGED: found},
        "is_damaged": True,
    }


def _read_time(run_id: str) -> float:
    try:
        seconds = int(run_id[:13].replace("-", ""), 16) / 1000
    except ValueError:
        return 0.0
    return seconds if is_moment(seconds) else 0.0
