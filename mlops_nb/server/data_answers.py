"""What the routes of data and environment answer, as types."""

from __future__ import annotations

from typing import Any

from mlops_nb.server.answers import Answer, MetricValue


class DatasetVersion(Answer):
    """One content of a data set, and the runs that used it."""

    fingerprint: str
    is_kept: bool
    shape: list[int]
    columns: list[list[str]]
    size_bytes: int
    roles: list[str]
    run_count: int
    run_id: str
    run_name: str
    first_at: str
    last_at: str


class DatasetSummary(Answer):
    """A data set with its last versions."""

    name: str
    kind: str
    version_count: int
    versions: list[DatasetVersion]


class EnvironmentUse(Answer):
    """An environment, and the last run in it."""

    digest: str
    run_id: str
    run_name: str
    run_count: int
    last_at: str


class Uses(Answer):
    """What the last runs used."""

    datasets: list[DatasetSummary]
    dataset_count: int
    environments: list[EnvironmentUse]
    environment_count: int
    run_count: int


class ColumnProfile(Answer):
    """What one column holds; the numbers of columns that hold any."""

    name: str
    type: str
    missing: int
    distinct: int
    mean: MetricValue | None
    least: MetricValue | None
    greatest: MetricValue | None


class DatasetProfile(Answer):
    """What kept data hold, column by column."""

    rows: int
    column_count: int
    columns: list[ColumnProfile]


class EnvironmentDifference(Answer):
    """One thing in which two runs ran differently."""

    group: str
    key: str
    before: Any
    after: Any


class EnvironmentDifferences(Answer):
    """In what two runs ran differently, the most telling first."""

    rows: list[EnvironmentDifference]
    count: int
