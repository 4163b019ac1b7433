"""What the routes of runs and notebooks answer, as types: the OpenAPI document is made of them."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

# JSON has no words for these three.
MetricValue = float | Literal["NaN", "Infinity", "-Infinity"]
CellStatus = Literal["running", "ok", "error", "interrupted"]


class Answer(msgspec.Struct, forbid_unknown_fields=True):
    """What every answer is: all of its fields, and no other."""


class Problem(Answer):
    """Why there is no answer, and how to go on."""

    error: str
    message: str
    hint: str


class Status(Answer):
    """What runs here."""

    version: str
    store: str


class Progress(Answer):
    """How far a run says that it is."""

    n: float
    total: float | None
    rate: float | None
    description: str


class ListedRun(Answer):
    """A run as it stands in a list; long texts are cut."""

    run_id: str
    name: str
    experiment: str
    status: Literal["running", "finished", "failed", "interrupted"]
    started_at: str
    ended_at: str | None
    duration_s: float | None
    params: dict[str, Any]
    metrics: dict[str, MetricValue]
    tags: dict[str, str]
    parent_run_id: str | None
    notebook: str | None
    dropped_records: int
    progress: Progress | None


class SearchedStore(Answer):
    """The store that was asked, and whether it is there."""

    store: str
    exists: bool


class RunsPage(Answer):
    """A page of runs; those that are pinned come with each."""

    pinned: list[ListedRun]
    runs: list[ListedRun]
    limit: int
    offset: int
    has_more: bool
    now: str
    # Told where nothing was found.
    searched: SearchedStore | None


class DeletedRun(Answer):
    """A run that is out of every list."""

    run_id: str
    name: str


class Artifact(Answer):
    """A file that a run keeps."""

    path: str
    digest: str
    size_bytes: int
    media_type: str


class Dataset(Answer):
    """Data that a run used, by content."""

    fingerprint: str
    kind: str
    name: str
    role: str
    shape: list[int]
    columns: list[list[str]]
    size_bytes: int
    digest: str | None
    call: str
    cell: int | None


class WholeRun(ListedRun):
    """Everything that a run keeps, but for what is asked for in pages."""

    artifacts: list[Artifact]
    artifact_count: int
    datasets: list[Dataset]
    cell_count: int
    environment: str | None
    code: str | None
    session_id: str | None
    user: str
    host: str
    notebook_path: str | None


class Curve(Answer):
    """What a chart of a metric shows: lowest and highest value from each step on."""

    key: str
    count: int
    steps: list[int]
    lows: list[MetricValue]
    highs: list[MetricValue]


class Cell(Answer):
    """One execution of one cell."""

    index: int
    source: str
    started_at: str
    duration_s: float | None
    status: CellStatus
    error: str | None
    cell_id: str | None
    tags: list[str]
    execution_count: int | None
    datasets: list[Dataset]


class CellsPage(Answer):
    """The code as it ran, a page of cells."""

    cells: list[Cell]
    count: int
    offset: int


class Surroundings(Answer):
    """What a run ran in: a document each, null where none was kept."""

    environment: dict[str, Any] | None
    code: dict[str, Any] | None


class ComparedRow(Answer):
    """One line of a comparison; values are in the order of the runs."""

    group: Literal["metric", "param", "dataset", "environment", "code", "tag"]
    key: str
    values: list[Any]
    differs: bool


class Comparison(Answer):
    """Runs side by side, differences first."""

    runs: list[ListedRun]
    rows: list[ComparedRow]
    count: int
    offset: int
    # What the first run was found by, where it was not named; empty where it is just the newest.
    best_by: str | None


class Session(Answer):
    """What a kernel does for us."""

    session_id: str
    started_at: str
    is_live: bool
    is_recording: bool


class Execution(Answer):
    """One execution of a cell of the notebook in view, as it is told what is out of date."""

    index: int
    cell_id: str | None
    execution_count: int | None
    status: CellStatus
    source: str
    reads: list[str]
    writes: list[str]
    changes: list[str]
    is_repeat: bool = False


class NotebookNews(Answer):
    """What is new of a notebook."""

    session: Session | None
    executions: list[Execution]
    from_: int = msgspec.field(name="from")
    count: int
    runs: list[ListedRun]
    now: str
