"""Verbs on what runs used: data sets with their versions, environments and what differs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from mlops_nb.api.places import read_store
from mlops_nb.api.runs import get_run, list_runs
from mlops_nb.errors import NotFoundError
from mlops_nb.records import (
    DatasetProfile,
    DatasetRecord,
    DatasetSummary,
    DatasetVersion,
    EnvironmentDifference,
    EnvironmentUse,
    RunRecord,
)

_MOST_RUNS = 1000
_SEED = "seed."


def list_datasets(runs: Iterable[RunRecord]) -> list[DatasetSummary]:
    """Gather the data sets that runs used.

    Parameters
    ----------
    runs
        Newest first.

    Returns
    -------
    list of DatasetSummary
        The one used last first. Contents that are not known are left out.
    """
    found: dict[tuple[str, str], dict[str, DatasetVersion]] = {}
    for run in runs:
        seen: set[tuple[str, str, str]] = set()
        for record in run.datasets:
            if not record.fingerprint:
                continue
            name = record.name or record.role or record.kind
            key = (name, record.kind)
            versions = found.setdefault(key, {})
            is_again = (*key, record.fingerprint) in seen
            seen.add((*key, record.fingerprint))
            known = versions.get(record.fingerprint)
            versions[record.fingerprint] = _merge(known, record, run, is_again)
    return [
        DatasetSummary(name, kind, tuple(versions.values()))
        for (name, kind), versions in found.items()
    ]


def _merge(
    known: DatasetVersion | None, record: DatasetRecord, run: RunRecord, is_again: bool
) -> DatasetVersion:
    own = [record.role] if record.role else []
    if known is None:
        at = run.started_at
        return DatasetVersion(record, tuple(own), 1, run.run_id, run.name, at, at)
    roles = tuple(dict.fromkeys([*known.roles, *own]))
    kept = replace(known.record, digest=known.record.digest or record.digest)
    count = known.run_count + (not is_again)
    return replace(known, record=kept, roles=roles, run_count=count, first_at=run.started_at)


def list_environments(runs: Iterable[RunRecord]) -> list[EnvironmentUse]:
    """Gather the environments that runs ran in.

    Parameters
    ----------
    runs
        Newest first.

    Returns
    -------
    list of EnvironmentUse
        The one used last first.
    """
    found: dict[str, EnvironmentUse] = {}
    for run in runs:
        if run.environment is None:
            continue
        known = found.get(run.environment)
        found[run.environment] = (
            EnvironmentUse(run.environment, run.run_id, run.name, 1, run.started_at)
            if known is None
            else replace(known, run_count=known.run_count + 1)
        )
    return list(found.values())


def read_uses(
    notebook: str | None = None, *, start: Path | None = None
) -> tuple[list[DatasetSummary], list[EnvironmentUse], int]:
    """Read which data and environments the last runs used.

    Parameters
    ----------
    notebook
        Only runs of the notebook at this path.
    start
        Folder whose project's store is read, where it is not this process's.

    Returns
    -------
    datasets : list of DatasetSummary
    environments : list of EnvironmentUse
    count : int
        How many runs were looked at, 1000 at most.
    """
    runs = list_runs(limit=_MOST_RUNS, notebook=notebook, start=start)
    return list_datasets(runs), list_environments(runs), len(runs)


def profile_dataset(run_id: str, fingerprint: str, *, start: Path | None = None) -> DatasetProfile:
    """Describe the columns of data that a run used.

    Parameters
    ----------
    run_id
        As for `get_run`.
    fingerprint
        Of the data.
    start
        Folder whose project's store is read, where it is not this process's.

    Returns
    -------
    DatasetProfile
        By column: type, missing and distinct values; mean, least and greatest of numbers.

    Raises
    ------
    RunNotFoundError, NotFoundError
        There is no such run, it used no such data, or only the fingerprint was kept.
    InvalidValueError
        The data are too large, or no table.
    """
    from mlops_nb.data.profile import profile_data

    run = get_run(run_id, start=start)
    same = [record for record in run.datasets if record.fingerprint == fingerprint]
    if not same:
        known = [record.fingerprint for record in run.datasets]
        raise NotFoundError("data", fingerprint, known, f"Asked of run {run.run_id}.")
    kept = next((record for record in same if record.digest), same[0])
    return profile_data(read_store(start), kept)


def diff_environments(
    before: str, after: str, *, start: Path | None = None
) -> list[EnvironmentDifference]:
    """Tell in what two runs ran differently: packages, Python, machine, variables, seeds.

    Parameters
    ----------
    before, after
        As for `get_run`.
    start
        Folder whose project's store is read, where it is not this process's.

    Returns
    -------
    list of EnvironmentDifference
        The most telling first.

    Raises
    ------
    RunNotFoundError
        There is no such run.
    """
    from mlops_nb.environment import diff_environments as diff

    store = read_store(start)
    documents = []
    for run_id in (before, after):
        run = get_run(run_id, start=start)
        document: dict[str, Any] = (
            store.objects.read_json(run.environment) if run.environment else {}
        )
        seeds = {key[len(_SEED) :]: value for key, value in run.tags.items() if _is_seed(key)}
        documents.append({**document, "seeds": seeds})
    return [EnvironmentDifference(*row) for row in diff(*documents)]


def _is_seed(tag: str) -> bool:
    return tag.startswith(_SEED)
