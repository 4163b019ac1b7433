"""What the routes of models and pipelines answer, as types."""

from __future__ import annotations

from typing import Literal

from mlops_nb.server.answers import Answer, MetricValue, Problem


class ModelVersion(Answer):
    """A version of a registered model, as it stands in a list."""

    name: str
    version: int
    flavor: str
    digest: str
    size_bytes: int
    registered_at: str
    model_class: str
    run_id: str | None
    datasets: list[str]
    environment: str | None
    code: str | None
    metrics: dict[str, MetricValue]
    user: str
    aliases: list[str]
    is_damaged: bool


class ModelField(Answer):
    """One column of what a model takes or gives."""

    name: str
    dtype: str
    minimum: MetricValue | None
    maximum: MetricValue | None
    categories: list[str] | None
    nullable: bool


class Signature(Answer):
    """What a model takes and gives; of very many columns the first."""

    inputs: list[ModelField]
    outputs: list[ModelField]
    named: bool


class WholeModelVersion(ModelVersion):
    """A version with its signature."""

    signature: Signature | None
    input_count: int


class ModelSummary(Answer):
    """A registered model in one line."""

    name: str
    version_count: int
    newest: ModelVersion
    aliases: dict[str, int]


class ModelsPage(Answer):
    """A page of registered models, by name."""

    models: list[ModelSummary]
    limit: int
    offset: int
    has_more: bool


class ModelChange(Answer):
    """What somebody did with a model."""

    event: str
    at: str
    user: str
    alias: str | None
    version: int | None
    before: int | None
    reason: str


class Model(Answer):
    """A model: a page of its versions, newest first, and its newest changes."""

    name: str
    versions: list[ModelVersion]
    version_count: int
    offset: int
    limit: int
    aliases: dict[str, int]
    changes: list[ModelChange]
    change_count: int


class PipelineProblem(Problem):
    """What is in the way of a pipeline, and the cell that is to blame."""

    cell: int | None


class CellPlace(Answer):
    """Where a cell stands, and its id where it has one."""

    index: int
    id: str | None


class Crossing(Answer):
    """Values that cross together as they share something, and how big they were in the last run."""

    names: list[str]
    size_bytes: int


class Step(Answer):
    """A step, and what a run would do with it."""

    name: str
    cells: list[CellPlace]
    after: list[str]
    needs: list[str]
    provides: list[str]
    leaves: list[Crossing]
    foreseen: Literal["cached", "runs", "depends", "skipped"]
    reason: str
    loop: str


class Edge(Answer):
    """What crosses from one step to another."""

    source: str
    target: str
    names: list[str]


class Parameter(Answer):
    """What a run may be given."""

    name: str
    type: str
    default: str
    help: str


class Pipeline(Answer):
    """The pipeline of a notebook as its file stands."""

    steps: list[Step]
    step_count: int
    edges: list[Edge]
    parameters: list[Parameter]
    prelude: list[CellPlace]
    skipped: list[CellPlace]
    is_tagged: bool
    problem: PipelineProblem | None


class DependencyEnd(Answer):
    """Where a value is made or used, and the rule that says so."""

    cell: int
    line: int
    text: str
    rule: str
    is_sure: bool


class Dependency(Answer):
    """One value that crosses."""

    source: str
    target: str
    name: str
    written: DependencyEnd
    used: DependencyEnd


class Explanation(Answer):
    """Why a step depends on others."""

    dependencies: list[Dependency]
    count: int


class Suggestion(Answer):
    """A tag that would make a step of a cell."""

    cell: int
    tag: str
    reason: str


class Suggestions(Answer):
    """Tags for a notebook that has none."""

    suggestions: list[Suggestion]


class JobStep(Answer):
    """What became of a step."""

    name: str
    status: Literal["pending", "running", "succeeded", "cached", "failed", "skipped"]
    cells_done: int
    cells_total: int
    duration_s: float | None
    message: str
    notebook: str | None


class Job(Answer):
    """A run of a pipeline in a process of its own."""

    job_id: str
    mode: Literal["run", "verify", "reproduce"]
    status: Literal["running", "cancelling", "finished", "failed", "interrupted", "refused", "died"]
    started_at: str
    ended_at: str | None
    steps: list[JobStep]
    notices: list[str]
    run_id: str | None
    metrics: dict[str, MetricValue]
    verification: str | None
    verdict: str | None
    problem: PipelineProblem | None
    now: str


class JobAnswer(Answer):
    """The last run of a notebook, if there is one."""

    job: Job | None


class StartAnswer(JobAnswer):
    """The run that begins, or why none does."""

    problem: PipelineProblem | None


class Script(Answer):
    """Where a script was written, from the server's root."""

    path: str
