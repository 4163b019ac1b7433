"""Where steps run: in this process by threads, or somewhere else."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Protocol

from mlops_nb.errors import InvalidValueError
from mlops_nb.pipeline.context import Chain, Context
from mlops_nb.pipeline.state import State

EXECUTORS = ("threads", "dask")


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
        from mlops_nb.pipeline.execution import ChainRunner  # not where nothing runs

        with context.slots.held():
            return ChainRunner(context, number, state).run()


@contextlib.contextmanager
def open_executor(name: str = "threads", scheduler: str | None = None) -> Iterator[Executor]:
    """Give the executor of a name.

    Parameters
    ----------
    name
        ``threads`` or ``dask``.
    scheduler
        Where the Dask scheduler is, for ``dask`` only.

    Yields
    ------
    Executor
        Until the block ends.

    Raises
    ------
    InvalidValueError
        There is no such executor, or the scheduler does not go with it.
    MissingPackageError, RemoteError
        It cannot be used.
    """
    if name == "dask":
        from mlops_nb.pipeline.executor_dask import connect

        with connect(scheduler) as executor:
            yield executor
        return
    if name != "threads":
        raise InvalidValueError("executor", name, " or ".join(EXECUTORS))
    if scheduler is not None:
        raise InvalidValueError("scheduler", scheduler, "none, or the executor 'dask' with it")
    yield ThreadExecutor()
