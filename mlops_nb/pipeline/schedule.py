"""Decides which step comes when: in notebook order, at once where they are independent."""

from __future__ import annotations

import concurrent.futures
import functools
import queue
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mlops_nb.errors import InvalidValueError, NotFoundError, StepFailedError
from mlops_nb.pipeline import cancelling, displays
from mlops_nb.pipeline.context import Context
from mlops_nb.pipeline.independence import find_conflict, read_evidence
from mlops_nb.pipeline.progress import Progress
from mlops_nb.pipeline.resolving import Resolved, Resolver
from mlops_nb.pipeline.selection import Selection
from mlops_nb.pipeline.state import State, merge_states
from mlops_nb.records import RunStatus, StepResult
from mlops_nb.tracking import Run

_POLL_S = 0.1


class Schedule:
    """The steps of one run and what has become of them.

    Parameters
    ----------
    context, resolver
        Of the run.
    record
        Keeps what happens.
    selection
        What the person wants executed.
    jobs
        Steps that may run at once.
    """

    def __init__(
        self, context: Context, resolver: Resolver, record: Run, selection: Selection, jobs: int
    ) -> None:
        self.context, self.resolver, self.record = context, resolver, record
        self.selection, self.jobs = selection, jobs
        self.done: dict[int, Resolved] = {}
        self.results: dict[int, StepResult] = {}
        self.running: dict[int, concurrent.futures.Future[Resolved]] = {}
        self.ended: queue.SimpleQueue[int] = queue.SimpleQueue()
        self.seen: dict[int, frozenset[int]] = {}  # whose results a step began with
        self.repaired: set[int] = set()
        self.is_stopped = False

    @property
    def _total(self) -> int:
        return len(self.context.pipeline.steps)

    def list_results(self) -> tuple[StepResult, ...]:
        """Give what became of each step.

        Returns
        -------
        tuple of StepResult
            In notebook order.
        """
        return tuple(self.results[number] for number in sorted(self.results))

    def list_runs(self) -> list[str]:
        """Give the runs that steps have recorded, now or when their result was made.

        Returns
        -------
        list of str
            Ids.
        """
        return [run for number in sorted(self.done) for run in self.done[number].runs]

    def run(self) -> RunStatus:
        """Get the result of every step.

        Returns
        -------
        str
            How the run ended.
        """
        pool = concurrent.futures.ThreadPoolExecutor(self.jobs, "mlops-step")
        try:
            while len(self.results) < self._total:
                self._start_ready(pool)
                if not self.running:
                    self._skip_rest()
                    break
                self._wait()
        except BaseException:
            cancelling.cancel_run(self.context.run_id)
            raise
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
            cancelling.forget_run(self.context.run_id)
        displays.settle(self.context.pipeline, [each.notebook for each in self.list_results()])
        failed = any(result.status == "failed" for result in self.results.values())
        return "failed" if failed else "finished"

    # ------------------------------------------------------------------ starting
    def _start_ready(self, pool: concurrent.futures.ThreadPoolExecutor) -> None:
        for number in range(self._total):
            if self.is_stopped or len(self.running) >= self.jobs:
                return
            if number in self.results or number in self.running:
                continue
            earlier = [n for n in range(number) if n not in self.results]
            if earlier and (self.jobs == 1 or not self._may_overtake(number, earlier)):
                continue
            try:
                is_left_out = self._is_left_out(number)
            except (NotFoundError, InvalidValueError) as error:  # of its condition
                self._fail(number, str(error))
                return
            if is_left_out:
                self._settle(number, StepResult(self._name(number), "skipped"))
                continue
            state = self._compose_state(number)
            self.seen[number] = frozenset(self.done)
            future = pool.submit(self.resolver.resolve, number, state)
            self.running[number] = future
            future.add_done_callback(functools.partial(self._note_end, number))

    def _fail(self, number: int, error: str) -> None:
        place = self.context.find_place(number)
        event = Progress("step_finished", status="failed", message=error, **place)
        self.context.tell(event)
        self._settle(number, StepResult(self._name(number), "failed", error=error, cause="error"))
        self.is_stopped = True

    def _name(self, number: int) -> str:
        return self.context.pipeline.steps[number].name

    def _is_left_out(self, number: int) -> bool:
        step = self.context.pipeline.steps[number]
        if step.name in self.selection.left_out:
            return True
        skipped = {
            result.name
            for result in self.results.values()
            if result.status == "skipped" and result.name not in self.selection.left_out
        }
        lost = skipped.intersection(step.after)
        if lost:
            reason = f"{step.name} is skipped: it uses what {sorted(lost)[0]} would have made"
            self.context.tell(Progress("notice", message=reason))
            return True
        if step.options.when is not None:
            values = self._read_scalars(step.options.when.names, number)
            if not step.options.when.holds(values):
                reason = f"{step.name} is skipped: {step.options.when.text} does not hold"
                self.context.tell(Progress("notice", message=reason))
                return True
        if step.name in self.selection.cached_only:
            found = self.resolver.look_up(number, self._compose_state(number))
            if found.record is None:
                raise StepFailedError(
                    step.name,
                    f"it is not in the cache: {found.reason}; run without --only first",
                )
        return False

    def _read_scalars(self, names: tuple[str, ...], number: int) -> Mapping[str, Any]:
        state = self._compose_state(number)
        found = self.resolver.cache.read_values(state, frozenset(names))
        for name in names:
            if name not in found and name in state.find_owners():
                expected = "a number, a text, True, False or None"
                raise InvalidValueError(f"{name!r} in its condition", "another object", expected)
        return found

    def _compose_state(self, number: int) -> State:
        """Give the state before a step: what all steps above it have made so far."""
        state = State()
        for position in sorted(n for n in self.done if n < number):
            resolved = self.done[position]
            state = merge_states(state, resolved.before, resolved.after)
        return state

    def _may_overtake(self, number: int, earlier: list[int]) -> bool:
        if self.context.pipeline.steps[number].options.when is not None:
            return False  # what it is decided by may be changed in ways that no code shows
        evidence = read_evidence(self.resolver, number)
        if evidence is None:
            return False
        state = self._compose_state(number)
        for other in earlier:
            before = read_evidence(self.resolver, other)
            if before is None or find_conflict(self.context, state, before, evidence):
                return False
        return True

    # ------------------------------------------------------------------ ending
    def _note_end(self, number: int, future: concurrent.futures.Future[Resolved]) -> None:
        del future
        self.ended.put(number)

    def _wait(self) -> None:
        # Not `concurrent.futures.wait`: it takes the locks of all that run, and an interrupt that
        # comes just then leaves them locked, so that no step could end any more.
        try:
            ended = {self.ended.get(timeout=_POLL_S)}
        except queue.Empty:
            return
        while not self.ended.empty():
            ended.add(self.ended.get())
        for number in [number for number in self.running if number in ended]:
            resolved = self.running.pop(number).result()
            if self._is_stale(number, resolved) or self._has_to_repair(number, resolved):
                continue
            self.done[number] = resolved
            for position, result in zip(resolved.numbers, resolved.results, strict=True):
                self.done.pop(position, None) if position != number else None
                self._settle(position, result)
            self._recheck(number, resolved)
            self.is_stopped |= resolved.is_failed or resolved.has_exited

    def _has_to_repair(self, number: int, resolved: Resolved) -> bool:
        """Get values that were damaged where they are kept once more, with all that came after."""
        if not resolved.damaged or number in self.repaired:
            return False
        self.repaired.add(number)
        made = [
            position
            for position, other in self.done.items()
            if resolved.damaged.intersection(part.file for part in other.after.components)
        ]
        message = f"{self._name(number)} waits: values that it needs are damaged, and made again"
        self.context.tell(Progress("notice", message=message))
        for position in [n for n in self.done if n >= min(made, default=number)]:
            for again in self.done.pop(position).numbers:
                self.results.pop(again, None)
        return True

    def _is_stale(self, number: int, resolved: Resolved) -> bool:
        """Tell whether a step above has changed what this one has used meanwhile."""
        used = read_evidence(self.resolver, number, resolved.record)
        if used is None:
            return False
        for position, other in self.done.items():
            made = read_evidence(self.resolver, position, other.record)
            if position < number and position not in self.seen[number] and made is not None:
                conflict = find_conflict(self.context, resolved.before, made, used)
                if conflict:
                    self._tell_again(number, conflict)
                    return True
        return False

    def _recheck(self, number: int, resolved: Resolved) -> None:
        """Run steps below again that were faster and used what this one has changed."""
        made = read_evidence(self.resolver, number, resolved.record)
        for position in sorted(n for n in self.done if n > number):
            below = self.done[position]
            used = read_evidence(self.resolver, position, below.record)
            if number in self.seen[position] or used is None:
                continue
            conflict = f"what {self._name(number)} did is not known"
            if made is not None:
                conflict = find_conflict(self.context, below.before, made, used)
            if conflict:
                self._tell_again(position, conflict)
                for again in below.numbers:
                    self.results.pop(again, None)
                del self.done[position]

    def _tell_again(self, number: int, conflict: str) -> None:
        message = f"{self._name(number)} runs again: {conflict}"
        self.context.tell(Progress("notice", message=message))

    def _skip_rest(self) -> None:
        for number in range(self._total):
            if number not in self.results:
                self.results[number] = StepResult(self._name(number), "skipped")

    def _settle(self, number: int, result: StepResult) -> None:
        self.results[number] = result
        status = "cached" if result.cached else result.status
        self.record.set_tags({f"step.{result.name}": status})
        if result.notebook is None:
            return
        target = Path(result.notebook)
        self.record.log_artifact(target, f"steps/{target.name}")
