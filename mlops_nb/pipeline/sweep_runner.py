"""Runs the trials of a sweep, several at a time, and records each as soon as it ends."""

from __future__ import annotations

import contextlib
import math
import queue
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from mlops_nb.errors import InvalidValueError, NotFoundError
from mlops_nb.pipeline.cancelling import cancel_run, forget_run
from mlops_nb.pipeline.sweep_ledger import SweepLedger, read_steps
from mlops_nb.pipeline.sweep_result import SweepResult
from mlops_nb.pipeline.sweep_samplers import make_sampler
from mlops_nb.pipeline.sweep_trials import Evaluate, Trial, TrialOutcome, choose_best
from mlops_nb.records import RunStatus
from mlops_nb.tracking import Adoption

_POLL_S = 0.25
_LONGEST_END_S = 30.0

Ending = Literal["", "pruned", "timeout", "interrupted"]


@dataclass(frozen=True, slots=True)
class SweepEvent:
    """Something happened in a sweep.

    Attributes
    ----------
    kind
        ``started`` or ``ended``.
    done, total
        Trials that have ended, and how many there will be.
    """

    kind: Literal["started", "ended"]
    trial: Trial
    done: int
    total: int
    best: Trial | None = None


@dataclass(frozen=True, slots=True)
class SweepLimits:
    """How much a sweep may take.

    Attributes
    ----------
    jobs
        Trials at a time.
    timeout_s
        Of the whole sweep: then what runs is interrupted, and can go on later.
    trial_timeout_s
        Of one trial: then it has failed.
    """

    jobs: int = 1
    timeout_s: float | None = None
    trial_timeout_s: float | None = None

    def __post_init__(self) -> None:
        """Refuse what is no limit."""
        if type(self.jobs) is not int or self.jobs < 1:
            raise InvalidValueError("jobs", self.jobs, "a whole number of 1 or more")
        for name in ("timeout_s", "trial_timeout_s"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise InvalidValueError(name, value, "a number of seconds above 0")


@dataclass(slots=True)
class _Attempt:
    """A trial under way."""

    trial: Trial
    started_at: float
    adoption: Adoption | None = None
    ending: Ending = ""
    is_told: bool = False
    steps: dict[int, float] = field(default_factory=dict)

    @property
    def run_id(self) -> str:
        """The trial's run, empty before it has one."""
        return self.adoption.run_ids[0] if self.adoption and self.adoption.run_ids else ""


def run_sweep(
    ledger: SweepLedger,
    evaluate: Evaluate,
    *,
    out_dir: Path,
    before: Iterable[Trial] = (),
    limits: SweepLimits | None = None,
    tell: Callable[[SweepEvent], None] | None = None,
) -> SweepResult:
    """Run the trials that a sweep still lacks.

    Parameters
    ----------
    ledger
        Records them.
    evaluate
        Gives the metrics of a set of values; called in threads.
    out_dir
        Gets a folder a trial.
    before
        Trials of an earlier part of the sweep: those that are settled count, others are tried again
        with the same values.
    limits
        How much it may take.
    tell
        Called with every event, in this thread.

    Returns
    -------
    SweepResult
        Trials that fail are told here, not raised.

    Raises
    ------
    NotFoundError
        The first trial that finished logged no metric of that name.
    KeyboardInterrupt
        A person stopped it, or a signal that is handled like that: the same exception goes on, with
        an attribute ``result`` that tells how far the sweep came.
    """
    work = _Sweep(ledger, evaluate, out_dir, limits or SweepLimits(), tell or (lambda event: None))
    work.load(before)
    status: RunStatus = "failed"
    try:
        try:
            work.run_all()
        except BaseException:
            work.end_all()
            raise
        status = work.judge()
    except KeyboardInterrupt as stopped:
        status = "interrupted"
        vars(stopped)["result"] = work.make_result(status)
        raise
    finally:
        ledger.close(status)
    return work.make_result(status)


class _Sweep:
    """One sweep under way; everything but `_try` happens in the thread that runs it."""

    def __init__(
        self,
        ledger: SweepLedger,
        evaluate: Evaluate,
        out_dir: Path,
        limits: SweepLimits,
        tell: Callable[[SweepEvent], None],
    ) -> None:
        self.ledger, self.plan, self.evaluate = ledger, ledger.plan, evaluate
        self.out_dir, self.limits, self.tell = out_dir, limits, tell
        plan = ledger.plan
        self.sampler = make_sampler(
            plan.sampler, plan.space, seed=plan.seed, maximize=plan.maximize, prune=plan.prune
        )
        self.trials: dict[int, Trial] = {}
        self.waiting: list[Trial] = []
        self.active: dict[int, _Attempt] = {}
        self.ended: queue.Queue[tuple[int, TrialOutcome]] = queue.Queue()
        self.started_at = time.monotonic()

    def load(self, before: Iterable[Trial]) -> None:
        """Take over what an earlier part of the sweep has done."""
        for trial in before:
            self.trials[trial.number] = trial
            if trial.is_settled:
                self.sampler.settle(trial)
            else:
                self.waiting.append(trial)

    def run_all(self) -> None:
        """Run trial after trial until none is left or the time is up."""
        self._fill()
        while self.active:
            with contextlib.suppress(queue.Empty):
                self._take(*self.ended.get(timeout=_POLL_S))
            self._watch()
            self._fill()

    def end_all(self) -> None:
        """End the trials that run, in order."""
        deadline = time.monotonic() + _LONGEST_END_S
        for attempt in self.active.values():
            attempt.ending = attempt.ending or "interrupted"
        while self.active and time.monotonic() < deadline:
            self._press()
            # What else went wrong does not matter any more.
            with contextlib.suppress(queue.Empty, NotFoundError):
                self._take(*self.ended.get(timeout=_POLL_S))
        # What did not end in time, or was being written when the person stopped it.
        for number, trial in self.trials.items():
            if trial.state == "running":
                self.trials[number] = replace(trial, state="interrupted")

    def judge(self) -> RunStatus:
        """Say how the sweep ended."""
        return "finished" if any(t.state == "finished" for t in self.trials.values()) else "failed"

    def make_result(self, status: RunStatus) -> SweepResult:
        """Give all of it."""
        trials = tuple(self.trials[number] for number in sorted(self.trials))
        return SweepResult(self.ledger.run.run_id, status, self.plan, trials)

    # ------------------------------------------------------------------ trials
    def _fill(self) -> None:
        while len(self.active) < self.limits.jobs and not self._is_late():
            trial = self._choose_next()
            if trial is None:
                return
            self._begin(trial)

    def _is_late(self) -> bool:
        longest = self.limits.timeout_s
        return longest is not None and time.monotonic() - self.started_at >= longest

    def _choose_next(self) -> Trial | None:
        if self.waiting:
            old = self.waiting.pop(0)
            return Trial(old.number, old.params)
        number = next(n for n in range(len(self.trials) + 1) if n not in self.trials)
        return Trial(number, self.sampler.suggest(number)) if number < self.plan.trials else None

    def _begin(self, trial: Trial) -> None:
        self.sampler.begin(trial)
        self.trials[trial.number] = trial
        attempt = self.active[trial.number] = _Attempt(trial, time.monotonic())
        self.tell(self._make_event("started", trial))
        name = f"trial-{trial.number}"
        threading.Thread(target=self._try, args=(attempt,), name=name, daemon=True).start()

    def _try(self, attempt: _Attempt) -> None:
        trial = attempt.trial
        try:
            with self.ledger.trying(trial) as adoption:
                attempt.adoption = adoption
                outcome = self.evaluate(trial.params, self.out_dir / f"trial-{trial.number:03d}")
        except BaseException as error:  # noqa: BLE001 - whatever it is, the others go on
            reason = " ".join(f"{type(error).__name__}: {error}".split())
            outcome = TrialOutcome(error=reason)
        if not outcome.run_id:
            outcome = replace(outcome, run_id=attempt.run_id)
        self.ended.put((trial.number, outcome))

    def _take(self, number: int, outcome: TrialOutcome) -> None:
        """Record what became of a trial."""
        attempt = self.active.pop(number)
        forget_run(outcome.run_id)
        if self.plan.prune and outcome.run_id:
            self._read_steps(attempt, outcome.run_id)
        has_result = any(trial.state == "finished" for trial in self.trials.values())
        trial = self._judge_trial(attempt, outcome)
        trial = self.ledger.settle(trial)
        self.trials[number] = trial
        self.sampler.settle(trial)
        self.ledger.report(list(self.trials.values()))
        self.tell(self._make_event("ended", trial))
        if not (outcome.error or has_result or self.plan.metric in outcome.metrics):
            raise _miss_metric(self.plan.metric, outcome)

    def _judge_trial(self, attempt: _Attempt, outcome: TrialOutcome) -> Trial:
        metric = self.plan.metric
        value = outcome.metrics.get(metric)
        trial = replace(
            attempt.trial,
            run_id=outcome.run_id,
            duration_s=time.monotonic() - attempt.started_at,
            steps=attempt.steps,
        )
        if outcome.error and attempt.ending == "pruned":
            return replace(trial, state="pruned", value=_last(attempt.steps))
        if outcome.error and attempt.ending == "interrupted":
            return replace(trial, state="interrupted")
        if outcome.error and attempt.ending == "timeout":
            error = f"it took longer than {self.limits.trial_timeout_s:g} s"
            return replace(trial, state="failed", error=error)
        if outcome.error:
            return replace(trial, state="failed", error=outcome.error)
        if value is None:
            return replace(trial, state="failed", error=f"it logged no metric {metric!r}")
        if math.isnan(value):
            return replace(trial, state="failed", error=f"metric {metric!r} is NaN")
        return replace(trial, state="finished", value=value)

    # ------------------------------------------------------------------ watching
    def _watch(self) -> None:
        """Find trials that are to be ended, and end them."""
        longest = self.limits.trial_timeout_s
        is_late = self._is_late()
        for attempt in self.active.values():
            if attempt.ending:
                continue
            if is_late:
                attempt.ending = "interrupted"
            elif longest is not None and time.monotonic() - attempt.started_at > longest:
                attempt.ending = "timeout"
            elif self.plan.prune and self._read_steps(attempt, attempt.run_id):
                attempt.ending = "pruned"
        self._press()

    def _read_steps(self, attempt: _Attempt, run_id: str) -> bool:
        """Learn the metric's new values; tell whether the trial lags behind."""
        is_hopeless = False
        if run_id:
            found = read_steps(self.ledger.store, run_id, self.plan.metric)
            for step in sorted(found.keys() - attempt.steps.keys()):
                is_hopeless |= self.sampler.is_hopeless(attempt.trial, step, found[step])
            attempt.steps = found
        return is_hopeless

    def _press(self) -> None:
        for attempt in self.active.values():
            if attempt.ending and attempt.run_id and not attempt.is_told:
                attempt.is_told = True
                cancel_run(attempt.run_id)

    def _make_event(self, kind: Literal["started", "ended"], trial: Trial) -> SweepEvent:
        known = list(self.trials.values())
        done = sum(each.state != "running" for each in known if each.number not in self.active)
        best = choose_best(known, self.plan.direction)
        return SweepEvent(kind, trial, done, self.plan.trials, best)


def _last(steps: dict[int, float]) -> float | None:
    return steps[max(steps)] if steps else None


def _miss_metric(metric: str, outcome: TrialOutcome) -> NotFoundError:
    """Name what the trial did log, each name once."""
    short = {name.partition(".")[2] for name in outcome.metrics}
    names = sorted(n for n in outcome.metrics if "." not in n or n in short or n.count(".") > 1)
    names = [name for name in names if name.partition(".")[2] not in outcome.metrics]
    logged = f"The first trial logged: {', '.join(names)}."
    none = "The first trial logged none; the notebook does so by mlops_nb.log_metric(NAME, VALUE)."
    return NotFoundError("metric", metric, names, logged if names else none)
