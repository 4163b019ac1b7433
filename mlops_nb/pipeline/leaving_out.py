"""Which variables decide whether steps are left out: those of the tags ``when:EXPR``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from mlops_nb.errors import PipelineError
from mlops_nb.notebook.options import StepOptions


def find_asked(
    path: Path, steps: Iterable[tuple[str, int]], options: Mapping[str, StepOptions]
) -> dict[str, tuple[str, ...]]:
    """Collect the variables that conditions ask for.

    Parameters
    ----------
    path
        The notebook, for error messages.
    steps
        Name and first cell of each, in order.
    options
        What their tags say.

    Returns
    -------
    dict
        Names by step, for steps with a condition.

    Raises
    ------
    PipelineError
        The first step has one: what stands above the steps runs with it.
    """
    asked: dict[str, tuple[str, ...]] = {}
    for number, (name, cell) in enumerate(steps):
        condition = options[name].when if name in options else None
        if condition is None:
            continue
        if number == 0:
            found = f"step {name!r} cannot be left out by 'when:{condition.text}': it is the first"
            hint = "The cells above the steps run with it. Tag a cell before it as a step."
            raise PipelineError(path, found, cell, hint)
        asked[name] = condition.names
    return asked
