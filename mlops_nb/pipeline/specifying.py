"""Says what a kernel is told of a step: what it begins with, and what later cells ask for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mlops_nb.pipeline.keys import find_needed
from mlops_nb.pipeline.specification import StepSpecification
from mlops_nb.pipeline.state import State

if TYPE_CHECKING:
    from mlops_nb.pipeline.context import Context


def specify_step(
    context: Context, number: int, state: State, above: Sequence[int], *, continues: bool
) -> StepSpecification:
    """Describe a step for its kernel.

    Parameters
    ----------
    context
        Of the run.
    number
        Position of the step from 0.
    state
        What there was before the first step of its kernel.
    above
        Steps that this kernel has run before.
    continues
        The kernel has run the step before.

    Returns
    -------
    StepSpecification
        Not yet written.
    """
    steps, sources = context.pipeline.steps, context.sources
    needed = find_needed(sources[number], state, context.history)
    words = {word for n in [*above, number] for word in sources[n].words}
    reaches_all = any(sources[n].reaches_all for n in [*above, number])
    late = () if reaches_all else sources[0].late - words
    again = [one for source in sources[number + 1 : number + 2] for one in source.definitions]
    return StepSpecification(
        state,
        None if needed is None else tuple(sorted(needed)),
        tuple(sorted(late)) if 0 in (*above, number) else (),
        str(context.components),
        str(context.store_root),
        str(context.private / f"{number}.json"),
        tuple(c.source for step in steps[number + 1 :] for c in step.cells if c.kind == "code"),
        context.history,
        tuple(path for step in steps[: number + 1] for path in step.patches),
        continues,
        _list_own_folders(context),
        tuple({word for one in again for word in one.words}),
        tuple({name for one in again for name in one.names}),
        context.slots.count == 1,
    )


def _list_own_folders(context: Context) -> tuple[str, ...]:
    """List folders whose files are ours, whatever the step does there for us."""
    folders = (context.out_dir, context.private, context.settings.cache)
    return (str(context.store_root), *(str(folder.absolute()) for folder in folders))
