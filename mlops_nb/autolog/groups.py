"""The run of everything that a loop has fitted by one call: a cross-validation by hand, say."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from typing import Any

from mlops_nb.autolog.given import add_data
from mlops_nb.autolog.models import is_data
from mlops_nb.autolog.places import Place
from mlops_nb.autolog.snapshots import SnapshotQueue
from mlops_nb.tracking import Run, Session

_MOST_NAMED = 50
_ROLES = ("X", "y")
# A part of a variable, as of each fold: ``X[train]``, ``X.iloc[train]``.
_PART = re.compile(r"([^\W\d]\w*)(?:\.i?loc)?\[.*\]$", re.S)


def open_group(
    session: Session, place: Place, look: Callable[[str], Any], queue: SnapshotQueue | None
) -> Run:
    """Open the run of several fits; it ends with the cell.

    Parameters
    ----------
    session
        Keeps the run.
    place
        The call that has begun them.
    look
        Gives the value of a variable: for the data of which each fit was given a part.
    queue
        Keeps the data.

    Returns
    -------
    Run
        With the parameters in which all agree, and the time of all.
    """
    runs = place.runs[place.first :]
    run = session.start_run(
        f"{runs[0].name}, {len(runs)} fits",
        tags={
            "mlops.source": "autolog",
            "method": "fit in a loop",
            "fits": ", ".join(each.run_id for each in runs[:_MOST_NAMED]),
        },
        is_active=False,
        is_deferred=True,
    )
    try:
        common = place.read_common()
        run.log_params({**common, "fits": len(runs)})
        changed = [name for name in place.changed.split(", ") if name in common]
        run.set_tag("params.changed", ", ".join([*changed, "fits"]))
        run.log_metric("fit_time_s", place.total_s)
        for role, name, value in _find_data(place, look):
            add_data(run, queue, value, name, role)
    finally:
        session.adopt(run, time.time())
    return run


def _find_data(place: Place, look: Callable[[str], Any]) -> Iterator[tuple[str, str, Any]]:
    """Find what the fits were given parts of, by its names."""
    for role, text in zip(_ROLES, place.given, strict=False):
        found = _PART.match(text)
        if found is None:
            continue
        name = found[1]
        value = look(name)
        if value is not None and is_data(type(value)) and hasattr(value, "shape"):
            yield role, name, value
