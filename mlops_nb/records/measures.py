"""What the name of a metric says: whether less is better, and whether it judges a run at all."""

from __future__ import annotations

import re

SYSTEM = "system/"  # what the machine did meanwhile, named as in MLflow

# They tell the course of a training, not its result.
_COURSE = ("lr", "grad_norm", "epoch", "best_epoch", "best_iteration", "best_step")

_LOWER = re.compile(
    r"loss|error|deviance|perplexity|inertia|divergence|mse|rmse|mae|mape|msle"
    r"|(?:^|_)(?:err|nll|ppl|wer|cer|brier|eer|fid|crps)(?:_|$)"
)


def is_lower_better(key: str) -> bool:
    """Say whether less of a metric is better, from its name.

    Parameters
    ----------
    key
        The metric.

    Returns
    -------
    bool
        True for losses and errors, and for what a run cost in time.
    """
    name = re.sub(r"[^a-z0-9]+", "_", key.lower())
    if name.startswith("neg_"):
        return False  # scikit-learn's neg_mean_squared_error is a score
    return bool(_LOWER.search(name)) or key.endswith(("time_s", "_time"))


def is_cost(key: str) -> bool:
    """Say whether a metric tells what a run cost, which no one compares as a result.

    Parameters
    ----------
    key
        The metric.

    Returns
    -------
    bool
        True for times, counts of calls, what the machine did, and what a training went by: rates,
        norms, epochs.
    """
    if is_system(key):
        return True
    stem = key.partition("/")[0].partition(".")[0]  # lr/opt_g is of one optimizer, lr.1 of a group
    return key.endswith(("_s", "_time", "_calls")) or stem in _COURSE


def is_system(key: str) -> bool:
    """Say whether a metric tells what the machine did: processor, memory, graphics devices."""
    return key.startswith(SYSTEM)
