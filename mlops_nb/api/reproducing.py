"""The verb that makes a run again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_nb.api.places import read_store
from mlops_nb.errors import InvalidValueError

if TYPE_CHECKING:
    from mlops_nb.records import Reproduction


def reproduce_run(
    run_id: str,
    *,
    tolerance: float | None = None,
    timeout: float | None = None,
    anyway: bool = False,
    allow_outside: bool = False,
    on_progress: Callable[..., None] | None = None,
    start: Path | None = None,
) -> Reproduction:
    """Make a run again from what the store keeps, and say whether it gave the same.

    The code runs as it was recorded, in a copy of its folder. Inputs are compared by content, then
    results: data, parameters, every value of every metric, models.

    Parameters
    ----------
    run_id
        As for `get_run`.
    tolerance
        Relative difference that values of metrics may have; by default none, not in the last bit.
    timeout
        Seconds that the code may take.
    anyway
        Run it also where a file that it reads is another today.
    allow_outside
        Let it write files outside of its folder again.
    on_progress
        Called with every event.
    start
        Folder whose project's store is used, where it is not this process's.

    Returns
    -------
    Reproduction
        ``same``, ``differs`` with the first difference, or ``could not run`` with the reason, and
        what could not be checked. Both runs are tagged with it.

    Raises
    ------
    RunNotFoundError
        There is no such run.
    InvalidValueError
        More than one run fits, or a number is not positive.
    """
    from mlops_nb.pipeline.reproduce import Wishes, reproduce, say_nothing

    for name, value in (("tolerance", tolerance), ("timeout", timeout)):
        if value is not None and not value > 0:
            raise InvalidValueError(name, value, "a number above 0")
    store = read_store(start)
    wishes = Wishes(tolerance, timeout, anyway, allow_outside)
    return reproduce(store, store.find_run(run_id), wishes, on_progress or say_nothing)
