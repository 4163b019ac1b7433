"""Gets the result of a step: from the cache, else by running it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from mlops_nb.errors import CorruptObjectError, MLOpsError
from mlops_nb.notebook.giving import render_parameters
from mlops_nb.notebook.secrets import Secret
from mlops_nb.pipeline.cache import Found, StepCache
from mlops_nb.pipeline.context import Context
from mlops_nb.pipeline.executing import Executor, ThreadExecutor
from mlops_nb.pipeline.explaining import explain_change
from mlops_nb.pipeline.keeping import CACHE_DISABLED, Keeper
from mlops_nb.pipeline.keys import compute_key, compute_parts, find_needed
from mlops_nb.pipeline.plain import is_plain, write_plain
from mlops_nb.pipeline.progress import Progress
from mlops_nb.pipeline.state import State, merge_states, read_state
from mlops_nb.records import StepResult


@dataclass(slots=True)
class Resolved:
    """The result of one step, or of several that ran in one kernel.

    Attributes
    ----------
    record
        What the cache holds of it, None where nothing was kept.
    damaged
        Files of values that it could not begin with; they are removed.
    """

    numbers: list[int]
    results: list[StepResult]
    before: State
    after: State
    record: Mapping[str, Any] | None = None
    has_exited: bool = False
    runs: list[str] = field(default_factory=list)
    damaged: frozenset[str] = frozenset()

    @property
    def is_failed(self) -> bool:
        """Whether its last step has failed."""
        return any(result.status == "failed" for result in self.results)


class Resolver:
    """Gets results of the steps of one run.

    Parameters
    ----------
    context
        Of the run.
    cache
        Where results are kept.
    values
        All parameters with their values, typed.
    forced
        Steps to execute whatever the cache has; None for all.
    executor
        Runs what the cache does not have; threads of this process by default.
    """

    def __init__(
        self,
        context: Context,
        cache: StepCache,
        values: Mapping[str, Any],
        forced: Collection[str] | None = (),
        executor: Executor | None = None,
    ) -> None:
        self.context, self.cache, self.values, self.forced = context, cache, values, forced
        self.executor = executor or ThreadExecutor()
        self.rendered = {n: render_parameters({n: v}, "") for n, v in values.items()}
        self.codes = {source.name: list(source.code) for source in context.sources}
        self.keeper = Keeper(context, cache, self.codes, self.rendered)

    # ------------------------------------------------------------------ looking
    def describe(self, number: int, state: State) -> tuple[str, dict[str, Any]]:
        """Give the key of a step and what it is made of.

        Parameters
        ----------
        number
            Position of the step from 0.
        state
            What there is before it.

        Returns
        -------
        key : str
            Of the cache.
        parts : dict
            As `keys.compute_parts` gives them.
        """
        context = self.context
        source = context.sources[number]
        needed = find_needed(source, state, context.history)
        parts = compute_parts(
            source,
            state,
            needed,
            pipeline=context.pipeline,
            values=self.values,
            kernel_name=context.kernel_name,
        )
        return compute_key(parts), parts

    def look_up(self, number: int, state: State) -> Found:
        """Look for the result of a step without running anything.

        Parameters
        ----------
        number
            Position of the step from 0.
        state
            What there is before it.

        Returns
        -------
        Found
            With the reason where there is none.
        """
        refusal = self._find_refusal(number)
        if refusal:
            return Found(None, refusal)
        key, parts = self.describe(number, state)
        found = self._find(key, state)
        if found.record is not None:
            return found
        return Found(None, found.reason or self._explain(number, parts))

    def _find(self, key: str, state: State) -> Found:
        return self.cache.find(key, state, self.codes, self.rendered)

    def _explain(self, number: int, parts: Mapping[str, Any]) -> str:
        step = self.context.pipeline.steps[number]
        return explain_change(self.cache.read_latest(self.context.pipeline.path, step.name), parts)

    def _find_refusal(self, number: int) -> str:
        """Say why the cache is not asked for a step at all; empty where it is."""
        step = self.context.pipeline.steps[number]
        if self.forced is None or step.name in self.forced:
            return "it is forced"
        return CACHE_DISABLED if step.options.is_cached is False else ""

    def find_own_reason(self, number: int) -> str:
        """Say why a step runs whatever the steps above it give.

        Parameters
        ----------
        number
            Position of the step from 0.

        Returns
        -------
        str
            Empty where that depends on them.
        """
        refusal = self._find_refusal(number)
        if refusal:
            return refusal
        step = self.context.pipeline.steps[number]
        latest = self.cache.read_latest(self.context.pipeline.path, step.name)
        if latest is None:
            # A step that ran in the kernel of one above is told of there.
            return ""
        if latest["code"] != self.codes[step.name]:
            return "its code has changed"
        return f"its result is never kept: {latest['uncached']}" if latest["uncached"] else ""

    def apply(self, numbers: list[int], state: State, record: Mapping[str, Any]) -> State:
        """Give the state after steps whose result the cache has.

        Parameters
        ----------
        numbers
            The steps of the record.
        state
            What there is before them.
        record
            From `look_up`.

        Returns
        -------
        State
            With the parameters of this run.
        """
        merged = merge_states(state, read_state(record["before"]), read_state(record["state"]))
        return self._set_late_parameters(numbers, merged) if 0 in numbers else merged

    # ------------------------------------------------------------------ getting
    def resolve(self, number: int, state: State) -> Resolved:
        """Get the result of a step.

        Parameters
        ----------
        number
            Position of the step from 0.
        state
            What there is before it.

        Returns
        -------
        Resolved
            A step that fails is told here, not raised.
        """
        key, parts = self.describe(number, state)
        taken = self._try_cache(number, state, key)
        if taken is None:
            with self.cache.locked(key):  # another run may just have made it
                taken = self._try_cache(number, state, key)
                if taken is None:
                    taken = self._execute(number, state, key, parts)
        if 0 in taken.numbers and not taken.is_failed:
            taken.after = self._set_late_parameters(taken.numbers, taken.after)
        return taken

    def _try_cache(self, number: int, state: State, key: str) -> Resolved | None:
        if self._find_refusal(number):
            return None
        found = self._find(key, state)
        return None if found.record is None else self._take(number, state, found.record)

    def _take(self, number: int, state: State, record: Mapping[str, Any]) -> Resolved | None:
        context = self.context
        numbers = list(range(number, number + len(record["chain"])))
        results = []
        for position, entry in zip(numbers, record["chain"], strict=True):
            step = context.pipeline.steps[position]
            target = context.out_dir / f"{position + 1:02d}-{step.name}.ipynb"
            if not self.cache.copy_notebook(entry["notebook"], target):
                return None
            results.append(StepResult(step.name, "succeeded", str(target), cached=True))
        try:
            self.cache.restore_files(record)
        except (MLOpsError, OSError):
            return None
        merged = self.apply(numbers, state, record)
        for position in numbers:
            place = context.find_place(position)
            context.tell(Progress("step_finished", status="cached", **place))
        exited = bool(record["has_exited"])
        return Resolved(numbers, results, state, merged, record, exited, list(record["runs"]))

    def _execute(self, number: int, state: State, key: str, parts: Mapping[str, Any]) -> Resolved:
        chain = self.executor.run_chain(self.context, number, state)
        runs = [run for report in chain.reports for run in report.get("runs", ())]
        resolved = Resolved(
            chain.numbers, chain.results, state, chain.after, None, chain.has_exited, runs
        )
        if not chain.is_failed:
            resolved.record = self.keeper.keep(number, chain, key, parts)
        elif any(CorruptObjectError.__name__ in (r.error or "") for r in chain.results):
            resolved.damaged = self.cache.remove_damaged(state)
        return resolved

    def _set_late_parameters(self, numbers: list[int], state: State) -> State:
        """Give parameters that the first step does not use the values of this run."""
        context = self.context
        first = [context.sources[n] for n in numbers]
        words = {word for source in first for word in source.words}
        cell = context.pipeline.parameters_cell
        in_prelude = cell in {c.index for c in context.pipeline.prelude}
        if any(source.reaches_all for source in first) or not in_prelude:
            return state
        owners = state.find_owners()
        parts = []
        for name, value in self.values.items():
            owner = owners.get(name)
            is_own = owner is not None and owner.names == (name,)
            if name in words or not is_own or not can_be_late(value):
                continue
            parts.append(write_plain(name, value, self.cache.components, self.cache.key))
        replaced = {part.names[0]: part for part in parts}
        kept = [p for p in state.components if not (len(p.names) == 1 and p.names[0] in replaced)]
        return replace(state, components=(*kept, *parts))


def can_be_late(value: Any) -> bool:
    """Tell whether a parameter's value can be given to later steps without running the first.

    Parameters
    ----------
    value
        As `resolve_parameters` gives it.

    Returns
    -------
    bool
        False for secrets and for values that need the notebook's own classes.
    """
    return is_plain(value) and not isinstance(value, Secret)
