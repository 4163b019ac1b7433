"""Which random numbers a fit is going to draw: the states of the generators, as digests."""

from __future__ import annotations

from typing import Any

from mlops_nb.capture.seeds import capture_seeds, digest_numpy, read_numpy
from mlops_nb.tracking import Run


def read_seeds() -> dict[str, object]:
    """Give the states of all generators that a fit may draw from, as tags."""
    seeds = capture_seeds()
    names = ("random", "numpy", "torch")
    return {f"seed.{name}": seeds[name] for name in names if seeds[name]}


def log_numpy(run: Run, kind: type, params: dict[str, Any]) -> None:
    """Record the state that a class of the library draws from, unless it is told of another.

    Parameters
    ----------
    run
        The run of its fit.
    kind
        The class; one of the user's may draw from any generator.
    params
        Its parameters.
    """
    if not kind.__module__.startswith("sklearn."):
        run.set_tags(read_seeds())
    elif params.get("random_state", 0) is None:
        state = read_numpy()
        if state is not None:
            run.log_later(lambda: [{"type": "tags", "tags": {"seed.numpy": digest_numpy(state)}}])
