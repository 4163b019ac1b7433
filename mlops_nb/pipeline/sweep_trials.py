"""Trials of a sweep: one set of values, what became of it, and what is left to be tried."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

TrialState = Literal["running", "finished", "failed", "pruned", "interrupted"]
Direction = Literal["maximize", "minimize"]

TRIAL_STATES: tuple[TrialState, ...] = ("finished", "pruned", "failed", "interrupted", "running")


@dataclass(frozen=True, slots=True)
class Trial:
    """One trial.

    Attributes
    ----------
    number
        Position in the sweep from 0; a trial that is tried again keeps it.
    params
        The swept values, typed.
    state
        ``finished`` where the metric is known; ``interrupted`` where it is to be tried again.
    value
        The metric; of a pruned trial the last value before it was ended.
    steps
        The metric as it was logged on the way, by training step, where it was watched.
    """

    number: int
    params: Mapping[str, Any]
    state: TrialState = "running"
    value: float | None = None
    run_id: str = ""
    duration_s: float | None = None
    error: str | None = None
    steps: Mapping[int, float] = field(default_factory=dict)

    @property
    def is_settled(self) -> bool:
        """Whether it need not be tried again."""
        return self.state in ("finished", "failed", "pruned")


@dataclass(frozen=True, slots=True)
class TrialOutcome:
    """What evaluating a set of values gave.

    Attributes
    ----------
    metrics
        Every metric by name; the sweep takes the one it was asked to.
    error
        Why there is no result; empty where there is one.
    """

    metrics: Mapping[str, float] = field(default_factory=dict)
    run_id: str = ""
    error: str = ""


Evaluate = Callable[[Mapping[str, Any], Path], TrialOutcome]
"""Gives the metrics of a set of values; the folder is the trial's own."""


def choose_best(trials: list[Trial], direction: Direction) -> Trial | None:
    """Find the best trial; the first of those that are equal.

    Parameters
    ----------
    trials
        In any order.
    direction
        Which way is better.

    Returns
    -------
    Trial or None
        None where no trial finished.
    """
    sign = -1 if direction == "maximize" else 1
    rated = [
        (sign * trial.value, trial.number, trial)
        for trial in trials
        if trial.state == "finished" and trial.value is not None and not math.isnan(trial.value)
    ]
    return min(rated, key=lambda entry: entry[:2])[2] if rated else None
