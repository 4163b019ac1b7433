"""What came of a sweep: the best values, every trial, tables and plots."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlops_nb.pipeline.sweep_plan import SweepPlan
from mlops_nb.pipeline.sweep_trials import TRIAL_STATES, Trial, choose_best
from mlops_nb.records import RunStatus

if TYPE_CHECKING:
    import optuna
    import pandas as pd
    from matplotlib.figure import Figure


@dataclass(frozen=True, slots=True, repr=False)
class SweepResult:
    """What came of a sweep.

    Attributes
    ----------
    sweep_id
        The sweep's run.
    status
        ``finished`` where a trial finished, ``failed`` where none did, ``interrupted`` where it can
        go on, ``running`` where it does.
    records
        Every trial, by number.
    """

    sweep_id: str
    status: RunStatus
    plan: SweepPlan
    records: tuple[Trial, ...]

    @property
    def best_trial(self) -> Trial | None:
        """The best trial, None where none finished."""
        return choose_best(list(self.records), self.plan.direction)

    @property
    def ranked(self) -> tuple[Trial, ...]:
        """Every trial, the best first; those without a result come last."""
        sign = -1 if self.plan.maximize else 1
        places = {state: place for place, state in enumerate(TRIAL_STATES)}
        return tuple(
            sorted(self.records, key=lambda t: (places[t.state], sign * (t.value or 0), t.number))
        )

    @property
    def best_params(self) -> dict[str, Any] | None:
        """The swept values of the best trial, None where none finished."""
        best = self.best_trial
        return None if best is None else dict(best.params)

    @property
    def best_metric(self) -> float | None:
        """The metric of the best trial, None where none finished."""
        best = self.best_trial
        return None if best is None else best.value

    @property
    def counts(self) -> dict[str, int]:
        """How many trials came to which end."""
        states = [trial.state for trial in self.records]
        return {state: states.count(state) for state in TRIAL_STATES}

    @property
    def trials(self) -> pd.DataFrame:
        """One row a trial: ``trial``, ``state``, ``metrics.*``, ``params.*``, ``duration_s`` ..."""
        import pandas as pd

        columns: dict[str, Any] = {
            "trial": [trial.number for trial in self.records],
            "state": [trial.state for trial in self.records],
            f"metrics.{self.plan.metric}": pd.array(
                [float("nan") if each.value is None else each.value for each in self.records],
                dtype="float64",
            ),
        }
        for dimension in self.plan.space:
            values = [trial.params[dimension.name] for trial in self.records]
            columns[f"params.{dimension.name}"] = values
        columns["duration_s"] = [trial.duration_s for trial in self.records]
        columns["run_id"] = [trial.run_id for trial in self.records]
        columns["error"] = [trial.error for trial in self.records]
        return pd.DataFrame(columns)

    def importance(self) -> dict[str, float]:
        """Measure how much each swept parameter mattered; needs the extra ``sweep``.

        Returns
        -------
        dict
            Shares by parameter, largest first; empty where the trials do not tell.
        """
        from mlops_nb.pipeline.sweep_optuna import measure_importance

        return measure_importance(self.plan.space, self.records, maximize=self.plan.maximize)

    def plot(self) -> Figure:
        """Draw how the sweep went, the trials, what mattered, and the metric by each parameter.

        Returns
        -------
        matplotlib.figure.Figure
            Not shown and not kept by pyplot.
        """
        from mlops_nb.pipeline.sweep_plots import plot_sweep

        return plot_sweep(self)

    def to_study(self) -> optuna.Study:
        """Give the trials as a study of Optuna's, for its plots; needs the extra ``sweep``.

        Returns
        -------
        optuna.Study
            In memory.
        """
        from mlops_nb.pipeline.sweep_optuna import make_study

        return make_study(self.plan.space, self.records, maximize=self.plan.maximize)

    def to_json(self) -> dict[str, Any]:
        """Give the result as JSON types.

        Returns
        -------
        dict
            ``sweep_id``, ``status``, ``metric``, ``direction``, ``sampler``, ``seed``, ``counts``,
            ``best`` (None where no trial finished) and ``trials``.
        """
        best = self.best_trial
        return {
            "sweep_id": self.sweep_id,
            "status": self.status,
            "metric": self.plan.metric,
            "direction": self.plan.direction,
            "sampler": self.plan.sampler,
            "seed": self.plan.seed,
            "counts": self.counts,
            "best": None if best is None else _read_trial(best),
            "trials": [_read_trial(trial) for trial in self.records],
        }

    def __repr__(self) -> str:
        """Give the outcome in two lines."""
        counted = ", ".join(f"{count} {state}" for state, count in self.counts.items() if count)
        head = f"<sweep {self.sweep_id} {self.status}: {counted or 'no trial'}>"
        best = self.best_trial
        if best is None:
            return head
        return (
            f"{head}\nbest: {self.plan.metric} = {best.value!r} with {format_params(best.params)}"
        )


def format_params(params: Mapping[str, Any]) -> str:
    """Write values as one would give them to ``mlops-nb run``.

    Parameters
    ----------
    params
        Values by name.

    Returns
    -------
    str
        For example ``C=0.53 kernel=rbf``.
    """
    return " ".join(f"{name}={value}" for name, value in params.items())


def _read_trial(trial: Trial) -> dict[str, Any]:
    return {
        "trial": trial.number,
        "state": trial.state,
        "value": trial.value,
        "params": dict(trial.params),
        "run_id": trial.run_id,
        "duration_s": trial.duration_s,
        "error": trial.error,
    }
