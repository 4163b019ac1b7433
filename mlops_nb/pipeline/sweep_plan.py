"""What a sweep shall do, checked before anything runs, and written so that it can go on later."""

from __future__ import annotations

import ast
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mlops_nb.errors import InvalidValueError, NotFoundError, ParameterError, PipelineError
from mlops_nb.notebook.giving import resolve_parameters
from mlops_nb.notebook.literals import read_literal, write_literal
from mlops_nb.pipeline.graph import Pipeline
from mlops_nb.pipeline.sweep_samplers import SAMPLERS, make_sampler
from mlops_nb.pipeline.sweep_space import (
    Choice,
    Dimension,
    FloatRange,
    IntRange,
    count_points,
    read_space,
)
from mlops_nb.pipeline.sweep_trials import Direction

DEFAULT_TRIALS = 20


@dataclass(frozen=True, slots=True)
class Goal:
    """What a sweep is for.

    Attributes
    ----------
    metric
        Name of a metric that the notebook logs.
    """

    metric: str
    direction: Direction = "maximize"

    def __post_init__(self) -> None:
        """Refuse a goal that nothing can reach."""
        if not self.metric or not self.metric.strip():
            raise InvalidValueError("metric", self.metric, "the name of a metric")


@dataclass(frozen=True, slots=True)
class SweepPlan:
    """What a sweep shall do.

    Attributes
    ----------
    notebook
        Absolute path.
    code
        Digest of the notebook's code cells: trials of different code are not of one sweep.
    fixed
        Values of parameters that are not swept, as given.
    metric, direction
        What is to become as large or small as can be.
    trials
        How many; fewer where a grid has fewer points.
    """

    notebook: str
    code: str
    space: tuple[Dimension, ...]
    metric: str
    direction: Direction
    sampler: str
    trials: int
    seed: int = 0
    prune: bool = False
    fixed: Mapping[str, Any] | None = None

    @property
    def maximize(self) -> bool:
        """Whether more of the metric is better."""
        return self.direction == "maximize"

    def to_json(self) -> str:
        """Write the plan as one JSON document."""
        document = {
            "notebook": self.notebook,
            "code": self.code,
            "space": [_write_dimension(dimension) for dimension in self.space],
            "metric": self.metric,
            "direction": self.direction,
            "sampler": self.sampler,
            "trials": self.trials,
            "seed": self.seed,
            "prune": self.prune,
            "fixed": {name: _write(value) for name, value in (self.fixed or {}).items()},
        }
        return json.dumps(document, ensure_ascii=False, indent=1)


def make_plan(
    pipeline: Pipeline,
    space: Mapping[str, Any],
    goal: Goal,
    *,
    sampler: str = "tpe",
    trials: int | None = None,
    seed: int = 0,
    prune: bool = False,
    params: Mapping[str, Any] | None = None,
) -> SweepPlan:
    """Check what a sweep shall do; nothing is executed.

    Parameters
    ----------
    pipeline
        The notebook's.
    space
        By parameter: text as in ``C=log:0.01:10``, or a list, tuple or ``range`` of values.
    goal
        What is to become as large or small as can be.
    sampler
        ``tpe``, ``random`` or ``grid``.
    trials
        How many; 20 by default, and every point of a grid.
    seed
        The same seed gives the same trials.
    prune
        End trials that lag behind.
    params
        Values of parameters that are not swept.

    Returns
    -------
    SweepPlan
        Ready to be run.

    Raises
    ------
    ParameterError, ParameterNotFoundError, InvalidValueError, NotFoundError, MissingPackageError
        Something is not as it must be.
    """
    if sampler not in SAMPLERS:
        raise NotFoundError("sampler", sampler, SAMPLERS)
    if not space:
        raise ParameterError(
            "the space of the sweep", "", "at least one NAME=RANGE", "For example: C=log:0.01:10"
        )
    dimensions = read_space(pipeline.parameters, space)
    resolved = resolve_parameters(pipeline.parameters, params)
    twice = sorted(set(params or {}) & set(space))
    if twice:
        raise ParameterError(f"parameter {twice[0]!r}", "swept and given", "one of the two")
    maximize = goal.direction == "maximize"
    # Made once for what it refuses: a grid without end, a package that is not there.
    make_sampler(sampler, dimensions, seed=seed, maximize=maximize, prune=prune)
    if trials is None:
        points = count_points(dimensions) if sampler == "grid" else None
        trials = points or DEFAULT_TRIALS
    plan = SweepPlan(
        notebook=str(Path(pipeline.path).absolute()),
        code=digest_code(pipeline),
        space=dimensions,
        metric=goal.metric,
        direction=goal.direction,
        sampler=sampler,
        trials=trials,
        seed=seed,
        prune=prune,
        fixed={k: v if isinstance(v, str) else resolved[k] for k, v in (params or {}).items()},
    )
    return change_trials(plan, trials)


def change_trials(plan: SweepPlan, trials: int) -> SweepPlan:
    """Give a plan with another number of trials.

    Parameters
    ----------
    plan
        As it is.
    trials
        How many there shall be in all.

    Returns
    -------
    SweepPlan
        With no more trials than a grid has points.

    Raises
    ------
    InvalidValueError
        There is no such number of trials.
    """
    if type(trials) is not int or trials < 1:
        raise InvalidValueError("trials", trials, "a whole number of 1 or more")
    points = count_points(plan.space)
    if plan.sampler == "grid" and points is not None:
        trials = min(trials, points)
    return replace(plan, trials=trials)


def digest_code(pipeline: Pipeline) -> str:
    """Give a digest of what a notebook would execute.

    Parameters
    ----------
    pipeline
        The notebook's.

    Returns
    -------
    str
        Outputs, markdown and layout of the file do not count.
    """
    cells = pipeline.document.cells
    code = [(cell.source, sorted(cell.tags)) for cell in cells if cell.kind == "code"]
    return hashlib.sha256(json.dumps(code).encode("utf-8", "surrogatepass")).hexdigest()


def check_same_code(plan: SweepPlan, pipeline: Pipeline) -> None:
    """Refuse to go on with a sweep whose notebook is another one now.

    Parameters
    ----------
    plan
        The sweep's.
    pipeline
        The notebook as it is.

    Raises
    ------
    PipelineError
        Its code has changed since.
    """
    if digest_code(pipeline) != plan.code:
        raise PipelineError(
            plan.notebook,
            "its code has changed since the sweep began, so new trials would not compare with old",
            hint="Start a new sweep, or bring the old code back.",
        )


def read_plan(text: str | bytes) -> SweepPlan:
    """Read a plan back.

    Parameters
    ----------
    text
        As `SweepPlan.to_json` wrote it.

    Returns
    -------
    SweepPlan
        Equal to the one that was written.
    """
    document = json.loads(text)
    document["space"] = tuple(_read_dimension(entry) for entry in document["space"])
    document["fixed"] = {name: _read(entry) for name, entry in document["fixed"].items()}
    return SweepPlan(**document)


def _write(value: Any) -> dict[str, str]:
    # Text is kept as text: it may be the name of a secret, which is read where it is used.
    return {"text": value} if isinstance(value, str) else {"literal": write_literal(value)}


def _read(entry: Mapping[str, str]) -> Any:
    if "text" in entry:
        return entry["text"]
    return read_literal(ast.parse(entry["literal"], mode="eval").body)


def _write_dimension(dimension: Dimension) -> dict[str, Any]:
    if isinstance(dimension, Choice):
        values = [_write(value) for value in dimension.values]
        return {"name": dimension.name, "values": values, "is_ordered": dimension.is_ordered}
    bounds = {"name": dimension.name, "low": dimension.low, "high": dimension.high}
    if isinstance(dimension, IntRange):
        bounds["step"] = dimension.step
    return {**bounds, "is_log": dimension.is_log}


def _read_dimension(entry: dict[str, Any]) -> Dimension:
    if "values" in entry:
        values = tuple(_read(value) for value in entry["values"])
        return Choice(entry["name"], values, entry["is_ordered"])
    return IntRange(**entry) if "step" in entry else FloatRange(**entry)
