"""Which run of a replay stands for which run of a session: by the cell it began in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from mlops_nb.records import RunRecord
from mlops_nb.store import Store
from mlops_nb.store.sessionruns import find_first_cell, list_session_runs

# The cell that a run began in, and how many of that cell had begun before it.
Place = tuple[int | None, int]
_MOST_CHILDREN = 1000


def find_places(store: Store, session_id: str, until: str | None = None) -> dict[str, Place]:
    """Give the place of every run of a session.

    Parameters
    ----------
    store
        Has the session.
    session_id
        The session.
    until
        The last run that is wanted.

    Returns
    -------
    dict
        By id of the run.
    """
    counted: Counter[int | None] = Counter()
    found: dict[str, Place] = {}
    for run_id in list_session_runs(store.root, session_id, until):
        cell = find_first_cell(store.root, run_id, session_id)
        found[run_id] = (cell, counted[cell])
        counted[cell] += 1
    return found


def list_children(store: Store, run: RunRecord) -> list[RunRecord]:
    """Give the runs within a run, oldest first; runs within those are left out.

    Parameters
    ----------
    store
        Has them.
    run
        Above them.

    Returns
    -------
    list of RunRecord
        Without their cells.
    """
    filter_ = f"parent_run_id = '{run.run_id}'"
    found = store.search(filter_, ["started_at ASC"], _MOST_CHILDREN, 0)
    own = [each for each in found if "mlops.reproduces" not in each.tags]
    return sorted(own, key=lambda each: each.run_id)


def match_by_place(
    old: Store, runs: Iterable[RunRecord], new: Store
) -> list[tuple[RunRecord, RunRecord | None]]:
    """Pair runs of one session with those of the replay's only session.

    Parameters
    ----------
    old
        Has the runs.
    runs
        Those that are to be found again.
    new
        Has nothing but the replay.

    Returns
    -------
    list of tuple
        Each run with its counterpart, None where there is none.
    """
    wanted = sorted(runs, key=lambda run: run.run_id)
    again: dict[Place, str] = {}
    for session_id in {new.read_run(each).session_id for each in new.list_run_ids()}:
        if session_id is not None:
            places = find_places(new, session_id)
            again.update({place: run_id for run_id, place in places.items()})
    found: list[tuple[RunRecord, RunRecord | None]] = []
    known: dict[str, dict[str, Place]] = {}
    for run in wanted:
        session_id = run.session_id or ""
        if session_id not in known:
            known[session_id] = find_places(old, session_id, wanted[-1].run_id)
        place = known[session_id].get(run.run_id)
        run_id = None if place is None else again.get(place)
        found.append((run, None if run_id is None else new.read_run(run_id)))
    return found


def match_by_name(
    runs: Iterable[RunRecord], again: Iterable[RunRecord]
) -> list[tuple[RunRecord, RunRecord | None]]:
    """Pair runs of a pipeline's steps with those of another run of it.

    Parameters
    ----------
    runs, again
        In the order in which they began.

    Returns
    -------
    list of tuple
        As for `match_by_place`.
    """
    left = list(again)
    found: dict[str, RunRecord | None] = {}
    wanted = list(runs)
    for run in wanted:
        found[run.run_id] = next((each for each in left if each.name == run.name), None)
        left = [each for each in left if each is not found[run.run_id]]
    nameless = [run for run in wanted if found[run.run_id] is None]
    if len(nameless) == len(left):  # names may be made up, others each time
        found.update({run.run_id: each for run, each in zip(nameless, left, strict=True)})
    return [(run, found[run.run_id]) for run in wanted]
