"""Data sets as the runs of a store know them: what they were, and how versions differ."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mlops_nb.records.runs import DatasetRecord


@dataclass(frozen=True, slots=True)
class DatasetVersion:
    """One content of a data set.

    Attributes
    ----------
    record
        As the last run that used it recorded it; with a ``digest`` where any run kept the bytes.
    roles
        How runs used it.
    run_count
        How many of the runs that were looked at used it.
    run_id, run_name
        The last of them.
    first_at, last_at
        When the first and the last of them began, in seconds since the epoch.
    """

    record: DatasetRecord
    roles: tuple[str, ...]
    run_count: int
    run_id: str
    run_name: str
    first_at: float
    last_at: float


@dataclass(frozen=True, slots=True)
class DatasetSummary:
    """A data set with its contents, the one used last first."""

    name: str
    kind: str
    versions: tuple[DatasetVersion, ...]


@dataclass(frozen=True, slots=True)
class ColumnProfile:
    """What one column holds.

    Attributes
    ----------
    mean, least, greatest
        Of numbers; None of other values.
    """

    name: str
    type: str
    missing: int
    distinct: int
    mean: float | None = None
    least: float | None = None
    greatest: float | None = None


@dataclass(frozen=True, slots=True)
class DatasetProfile:
    """What a data set holds; of very wide ones only the first columns."""

    rows: int
    column_count: int
    columns: tuple[ColumnProfile, ...]


@dataclass(frozen=True, slots=True)
class EnvironmentUse:
    """An environment, and the last of the runs that ran in it.

    Attributes
    ----------
    digest
        Of its document.
    run_count
        How many of the runs that were looked at ran in it.
    """

    digest: str
    run_id: str
    run_name: str
    run_count: int
    last_at: float


@dataclass(frozen=True, slots=True)
class EnvironmentDifference:
    """One entry that two runs do not share; None where a side has none."""

    group: str
    key: str
    before: Any
    after: Any
