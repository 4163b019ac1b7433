"""Where steps run: in this process by threads, or somewhere else."""

from __future__ import annotations

from typing import Protocol

from mlops_nb.pipeline.execution import Chain, ChainRunner, Context
from mlops_nb.pipeline.state import State


class Executor(Protocol):
    """Runs chains of steps; several threads may ask it at once."""

    def run_chain(self, context: Context, number: int, state: State) -> Chain:
        """Run a step, and with it the steps that cannot be parted from it.

        Parameters
        ----------
        context
            Of the run.
        number
            The first step, from 0.
        state
            What there is before it.

        Returns
        -------
        Chain
            A step that fails is told here, not raised.
        """


class ThreadExecutor:
    """Runs each chain in the thread that asks, with its kernel on this machine."""

    def run_chain(self, context: Context, number: int, state: State) -> Chain:
        """Run a chain, as `Executor.run_chain` says.

        Parameters
        ----------
        context, number, state
            As there.

        Returns
        -------
        Chain
            As there.
        """
        return ChainRunner(context, number, state).run()
