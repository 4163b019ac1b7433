"""Says what a run would do: which steps the cache has, and why the others would run."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from mlops_nb.config import Settings
from mlops_nb.errors import InvalidValueError, NotFoundError, near_misses
from mlops_nb.notebook.giving import resolve_parameters
from mlops_nb.pipeline.cache import StepCache
from mlops_nb.pipeline.context import Context
from mlops_nb.pipeline.planning import Planned, read_plan
from mlops_nb.pipeline.resolving import Resolver
from mlops_nb.pipeline.selection import Selection, select_steps
from mlops_nb.pipeline.state import State
from mlops_nb.store import Store

Foreseen = Literal["cached", "runs", "depends", "skipped"]


@dataclass(frozen=True, slots=True)
class Forecast:
    """What would become of a step.

    Attributes
    ----------
    status
        ``cached``, ``runs``, ``skipped``, or ``depends``: on what a step that runs will give.
    reason
        In words.
    loop
        What becomes of the rounds of its loop; empty where none is tagged ``foreach``.
    """

    name: str
    status: Foreseen
    reason: str
    loop: str = ""


def foresee(
    path: Path,
    *,
    params: Mapping[str, Any] | None = None,
    store: Store,
    settings: Settings,
    force: Collection[str] | bool = (),
    start_at: str | None = None,
    stop_at: str | None = None,
    only: str | None = None,
) -> tuple[Forecast, ...]:
    """Say what `runner.run` would do with each step; nothing is executed, nothing written.

    Parameters
    ----------
    path, params, settings, force, start_at, stop_at, only
        As for `runner.run`.
    store
        Has the results of earlier runs.

    Returns
    -------
    tuple of Forecast
        In notebook order.

    Raises
    ------
    NotebookError, PipelineError, ParameterError, ParameterNotFoundError, InvalidValueError
        The run would be refused.
    """
    planned = read_plan(path, store.root)
    pipeline = planned.pipeline
    selection = select_steps(pipeline, force, start_at, stop_at, only)
    values = resolve_parameters(pipeline.parameters, params)
    if (store.root / "steps").is_dir():
        cache = StepCache(store)
        context = _make_context(planned, cache, settings)
        told = _Foresight(Resolver(context, cache, values, selection.forced), selection).tell()
    else:
        told = tuple(
            Forecast(step.name, "skipped", "it is left out")
            if step.name in selection.left_out
            else Forecast(step.name, "runs", "it has not run yet")
            for step in pipeline.steps
        )
    pairs = zip(told, pipeline.steps, strict=True)
    return tuple(replace(one, loop=step.loop) for one, step in pairs)


def find_forecast(forecasts: Collection[Forecast], step: str) -> Forecast:
    """Give what would become of one step.

    Parameters
    ----------
    forecasts
        From `foresee`.
    step
        Its name.

    Returns
    -------
    Forecast
        That of the step.

    Raises
    ------
    InvalidValueError
        There is no such step.
    """
    names = [forecast.name for forecast in forecasts]
    for forecast in forecasts:
        if forecast.name == step:
            return forecast
    near = near_misses(step, names)
    hint = f"Did you mean {near[0]!r}?" if near else ""
    raise InvalidValueError("step", step, f"one of {', '.join(names)}", hint)


def _make_context(planned: Planned, cache: StepCache, settings: Settings) -> Context:
    nowhere = cache.folder / "foresight"  # nothing is ever written there
    return Context(
        planned.pipeline,
        planned.sources,
        {},
        {},
        out_dir=nowhere,
        private=nowhere,
        components=cache.components,
        store_root=cache.store.root,
        run_id="",
        tell=lambda event: None,
        settings=settings,
    )


class _Foresight:
    """Goes through the steps with the state that the cache gives, as far as it gives one."""

    def __init__(self, resolver: Resolver, selection: Selection) -> None:
        self.resolver, self.selection = resolver, selection
        self.pipeline = resolver.context.pipeline
        self.state: State | None = State()
        self.running: list[str] = []
        self.skipped: set[str] = set()
        self.told: dict[int, Forecast] = {}

    def tell(self) -> tuple[Forecast, ...]:
        for number in range(len(self.pipeline.steps)):
            if number not in self.told:
                self.told[number] = self._foresee(number)
        return tuple(self.told[number] for number in sorted(self.told))

    def _foresee(self, number: int) -> Forecast:
        name = self.pipeline.steps[number].name
        reason = self._find_reason_to_skip(number)
        if reason:
            self.skipped.add(name)
            return Forecast(name, "skipped", reason)
        if self.state is None:
            return self._guess(number)
        found = self.resolver.look_up(number, self.state)
        if found.record is None:
            reason = found.reason
            if name in self.selection.cached_only:
                reason = f"it would have to be in the cache, and is not: {reason}"
            self.running.append(name)
            self.state = None
            return Forecast(name, "runs", reason)
        numbers = list(range(number, number + len(found.record["chain"])))
        self.state = self.resolver.apply(numbers, self.state, found.record)
        for position in numbers[1:]:
            self.told[position] = Forecast(
                self.pipeline.steps[position].name, "cached", found.reason
            )
        return Forecast(name, "cached", found.reason)

    def _find_reason_to_skip(self, number: int) -> str:
        step = self.pipeline.steps[number]
        if step.name in self.selection.left_out:
            return "it is left out"
        lost = sorted(self.skipped.intersection(step.after) - self.selection.left_out)
        if lost:
            return f"it uses what {lost[0]} would have made"
        when = step.options.when
        if when is None or self.state is None:
            return ""
        values = dict(self.resolver.values)
        values |= self.resolver.cache.read_values(self.state, frozenset(when.names))
        try:
            return "" if when.holds(values) else f"{when.text} does not hold"
        except (NotFoundError, InvalidValueError):
            return ""  # the run tells it

    def _guess(self, number: int) -> Forecast:
        """Say what is known of a step before which another one has to run."""
        step = self.pipeline.steps[number]
        reason = self.resolver.find_own_reason(number)
        if reason:
            self.running.append(step.name)
            return Forecast(step.name, "runs", reason)
        used = self._find_above(step.name)
        above = [name for name in self.running if name in used] or self.running
        return Forecast(step.name, "depends", f"on what {', '.join(above)} will give")

    def _find_above(self, name: str) -> set[str]:
        above, waiting = set[str](), [name]
        while waiting:
            target = waiting.pop()
            sources = [edge.source for edge in self.pipeline.edges if edge.target == target]
            waiting += [source for source in sources if source not in above]
            above.update(sources)
        return above
