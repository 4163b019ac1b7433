"""What a sweep keeps in the store: one run for itself, and one below it for every trial."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from mlops_nb.config import Settings
from mlops_nb.errors import InvalidValueError, NotFoundError, StoreError
from mlops_nb.pipeline.locking import Claim
from mlops_nb.pipeline.sweep_plan import SweepPlan, change_trials, read_plan
from mlops_nb.pipeline.sweep_space import Choice
from mlops_nb.pipeline.sweep_trials import TRIAL_STATES, Trial, TrialState, choose_best
from mlops_nb.records import RunRecord, RunStatus
from mlops_nb.store import Store
from mlops_nb.store.writer import describe_writer, is_writer_alive, name_writer
from mlops_nb.tracking import Adoption, Run, adopting, reopen_run, start_run

KIND = "sweep"
_DOCUMENT = "sweep.json"
_TRIAL, _POINT, _STATE = "mlops.trial", "mlops.trial.point", "mlops.trial.state"
_WRITER, _TRIALS, _ERROR = "mlops.sweep.writer", "mlops.sweep.trials", "mlops.error"
_MOST = 1_000_000


class SweepLedger:
    """Writes what becomes of a sweep, as it happens.

    Parameters
    ----------
    store
        Keeps it.
    settings
        Give the experiment.
    plan
        What the sweep shall do.
    run
        The sweep's own run.
    claim
        Keeps other processes from working on it; given back at the end.
    """

    def __init__(
        self, store: Store, settings: Settings, plan: SweepPlan, run: Run, claim: Claim
    ) -> None:
        self.store, self.settings, self.plan, self.run = store, settings, plan, run
        self.claim = claim
        self._best_run = ""
        run.set_tags({_WRITER: json.dumps(describe_writer())})

    @classmethod
    def start(cls, store: Store, settings: Settings, plan: SweepPlan) -> SweepLedger:
        """Begin a sweep.

        Parameters
        ----------
        store
            Keeps it.
        settings
            Give the experiment.
        plan
            What it shall do.

        Returns
        -------
        SweepLedger
            With a run of its own.

        Raises
        ------
        StoreError
            Nothing can be recorded, so nothing could be compared.
        """
        tags = {
            "mlops.kind": KIND,
            "mlops.sweep.metric": plan.metric,
            "mlops.sweep.direction": plan.direction,
            "mlops.sweep.sampler": plan.sampler,
            _TRIALS: str(plan.trials),
        }
        run = start_run(
            store,
            settings,
            f"{Path(plan.notebook).stem} sweep",
            tags=tags,
            nested=False,
            meta={"notebook": plan.notebook},
            is_active=False,
        )
        run.log_bytes(plan.to_json().encode(), _DOCUMENT, "application/json")
        if not run.run_id:
            raise StoreError(store.root, "a sweep cannot be recorded there")
        return cls(store, settings, plan, run, _claim(store, run.run_id))

    @classmethod
    def reopen(
        cls, store: Store, settings: Settings, sweep_id: str, trials: int | None = None
    ) -> SweepLedger:
        """Go on with a sweep that has ended, in whatever way.

        Parameters
        ----------
        store
            Keeps it.
        settings
            Give the experiment.
        sweep_id
            The whole id of its run.
        trials
            How many there shall be in all, where that is not what it was.

        Returns
        -------
        SweepLedger
            It takes trials again.

        Raises
        ------
        InvalidValueError
            The run is no sweep, or a process still works on it.
        """
        read_sweep(store, sweep_id)  # says what is wrong, before anything is made
        claim = _claim(store, sweep_id)
        record, plan = read_sweep(store, sweep_id)
        writer = json.loads(record.tags.get(_WRITER) or "{}")
        # Where two machines share a store, the claim of one may not be seen by the other.
        if writer and is_writer_alive(writer) is not False:
            claim.release()
            raise _refuse(sweep_id, name_writer(writer))
        run = reopen_run(store, sweep_id)
        assert run is not None
        run.status = "running"  # so that it takes another end
        if trials is not None:
            plan = change_trials(plan, trials)
            run.set_tags({_TRIALS: plan.trials})
        return cls(store, settings, plan, run, claim)

    # ------------------------------------------------------------------ trials
    @contextlib.contextmanager
    def trying(self, trial: Trial) -> Iterator[Adoption]:
        """Let the runs that are started inside be those of a trial.

        Parameters
        ----------
        trial
            Its number and point are written with the run's first byte.

        Yields
        ------
        Adoption
            Grows by the runs that are started.
        """
        point = json.dumps(_write_point(self.plan, trial.params))
        tags = {_TRIAL: str(trial.number), _POINT: point}
        with adopting(Adoption(self.run.run_id, tags)) as adoption:
            yield adoption

    def settle(self, trial: Trial) -> Trial:
        """Write what became of a trial.

        Parameters
        ----------
        trial
            It has ended.

        Returns
        -------
        Trial
            With the id of its run; one that failed before it had any gets a run here.
        """
        run_id = trial.run_id or self._start_empty(trial)
        tags: dict[str, str] = {_STATE: trial.state} if trial.is_settled else {}
        if trial.error:
            tags[_ERROR] = trial.error[:1000]
        log = self.store.reopen_run(run_id)
        if tags:
            log.append({"type": "tags", "tags": tags})
        if trial.value is not None:
            log.log_metric(self.plan.metric, trial.value, 0)
        log.close()
        return replace(trial, run_id=run_id)

    def _start_empty(self, trial: Trial) -> str:
        with self.trying(trial):
            name = f"{Path(self.plan.notebook).stem} trial {trial.number}"
            run = start_run(self.store, self.settings, name, nested=False, is_active=False)
        run.end("failed")
        return run.run_id

    def report(self, trials: list[Trial]) -> None:
        """Write how the sweep stands.

        Parameters
        ----------
        trials
            All of them.
        """
        counts = {f"trials.{state}": 0 for state in TRIAL_STATES if state != "running"}
        for trial in trials:
            if trial.state != "running":
                counts[f"trials.{trial.state}"] += 1
        self.run.set_tags(counts)
        best = choose_best(trials, self.plan.direction)
        if best is None or best.value is None:
            return
        if best.run_id != self._best_run:
            self._best_run = best.run_id
            self.run.log_params(dict(best.params))
            self.run.set_tags({"best.trial": best.number, "best.run": best.run_id})
        self.run.log_metric(self.plan.metric, best.value)

    def close(self, status: RunStatus) -> None:
        """End the sweep's run.

        Parameters
        ----------
        status
            How it ended.
        """
        self.run.set_tags({_WRITER: ""})
        self.run.end(status)
        self.claim.release()


def _claim(store: Store, sweep_id: str) -> Claim:
    """Take a sweep for this process; its death gives it back."""
    claim = Claim(store.root / "steps" / "locks" / f"sweep-{sweep_id}")
    if not claim.take(name_writer(describe_writer())):
        raise _refuse(sweep_id, claim.read_holder() or "another process")
    return claim


def _refuse(sweep_id: str, holder: str) -> InvalidValueError:
    hint = f"Wait for its end, or stop {holder}."
    return InvalidValueError("sweep", sweep_id, "a sweep that is not running", hint)


# ---------------------------------------------------------------------- reading
def read_sweep(store: Store, sweep_id: str) -> tuple[RunRecord, SweepPlan]:
    """Read the run of a sweep and what it was to do.

    Parameters
    ----------
    store
        Keeps it.
    sweep_id
        The whole id.

    Returns
    -------
    record : RunRecord
        The sweep's run.
    plan : SweepPlan
        As it was when it began.

    Raises
    ------
    InvalidValueError
        The run is no sweep.
    """
    record = store.read_run(sweep_id)
    digest = next((item.digest for item in record.artifacts if item.path == _DOCUMENT), None)
    if record.tags.get("mlops.kind") != KIND or digest is None:
        hint = "List sweeps with: mlops-nb sweeps"
        raise InvalidValueError("sweep", sweep_id, "the run of a sweep", hint)
    plan = read_plan(store.objects.read_bytes(digest))
    return record, change_trials(plan, int(record.tags.get(_TRIALS, plan.trials)))


def read_trials(store: Store, sweep_id: str, plan: SweepPlan) -> list[Trial]:
    """Read the trials of a sweep, also of one whose process was killed.

    Parameters
    ----------
    store
        Keeps them.
    sweep_id
        The whole id.
    plan
        The sweep's.

    Returns
    -------
    list of Trial
        By number, each as its last attempt left it.
    """
    query = f"attributes.parent_run_id = '{sweep_id}'"
    found: dict[int, Trial] = {}
    for run in store.search(query, ["attributes.started_at ASC"], _MOST):
        if not run.tags.get(_TRIAL, "").isdigit():
            continue
        trial = _read_trial(store, run, plan)
        before = found.get(trial.number)
        if before is None or not before.is_settled:
            found[trial.number] = trial
    return [found[number] for number in sorted(found)]


def _read_trial(store: Store, run: RunRecord, plan: SweepPlan) -> Trial:
    params = _read_point(plan, json.loads(run.tags[_POINT]))
    value = run.metrics.get(plan.metric)
    state = run.tags.get(_STATE)
    if state is None and run.status == "finished":
        # The process was killed between the end of the trial and the word about it.
        value = find_metric(store, run.run_id, plan.metric) if value is None else value
        state = "interrupted" if value is None else "finished"
    elif state is None:
        state = "running" if run.status == "running" else "interrupted"
    steps = read_steps(store, run.run_id, plan.metric) if plan.prune else {}
    return Trial(
        number=int(run.tags[_TRIAL]),
        params=params,
        state=_check_state(state),
        value=value,
        run_id=run.run_id,
        duration_s=run.duration_s,
        error=run.tags.get(_ERROR),
        steps=steps,
    )


def _check_state(state: str) -> TrialState:
    return next((known for known in TRIAL_STATES if known == state), "interrupted")


def find_metric(store: Store, run_id: str, metric: str) -> float | None:
    """Find the last value of a metric below a run.

    Parameters
    ----------
    store
        Keeps the runs.
    run_id
        A pipeline's run.
    metric
        Name of the metric, or ``run.metric`` of one child.

    Returns
    -------
    float or None
        None where no child logged it.
    """
    value = None
    for child in _list_children(store, run_id):
        value = child.metrics.get(metric.removeprefix(f"{child.name}."), value)
    return value


def read_steps(store: Store, run_id: str, metric: str) -> dict[int, float]:
    """Read a metric as it is logged on the way, also while the trial runs.

    Parameters
    ----------
    store
        Keeps the runs.
    run_id
        A trial's run.
    metric
        Name of the metric.

    Returns
    -------
    dict
        Value by training step, of the child that logged the metric last.
    """
    for child in reversed(_list_children(store, run_id)):
        key = metric.removeprefix(f"{child.name}.")
        if key in child.metrics:
            with contextlib.suppress(NotFoundError):
                points = store.read_metric_history(child.run_id, key)
                return {point.step: point.value for point in points}
    return {}


def _list_children(store: Store, run_id: str) -> list[RunRecord]:
    query = f"attributes.parent_run_id = '{run_id}'"
    return store.search(query, ["attributes.started_at ASC"], _MOST)


def _write_point(plan: SweepPlan, params: Mapping[str, Any]) -> list[Any]:
    """Write a point so that every type comes back: of a choice its place, else the number."""
    point = []
    for dimension in plan.space:
        value = params[dimension.name]
        if isinstance(dimension, Choice):
            value = [repr(known) for known in dimension.values].index(repr(value))
        point.append(value)
    return point


def _read_point(plan: SweepPlan, point: list[Any]) -> dict[str, Any]:
    return {
        dimension.name: dimension.values[value] if isinstance(dimension, Choice) else value
        for dimension, value in zip(plan.space, point, strict=True)
    }
