"""Runs steps on a Dask cluster that is there already; each step is a process of its own."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mlops_nb.errors import InvalidValueError, MissingPackageError, RemoteError
from mlops_nb.notebook.options import StepOptions
from mlops_nb.pipeline import cancelling
from mlops_nb.pipeline.context import Chain, Context
from mlops_nb.pipeline.dask_worker import SHAPING, describe_interpreter, run_on_worker
from mlops_nb.pipeline.progress import Progress
from mlops_nb.pipeline.remote_result import make_failed_chain, read_chain
from mlops_nb.pipeline.remote_specification import specify_chain
from mlops_nb.pipeline.state import State

_CONNECT_S = 10.0
_LONGEST_END_S = 5.0
_LOOK_S = 2.0


class DaskExecutor:
    """Runs each chain as one task of a cluster.

    Parameters
    ----------
    client
        A connected ``distributed.Client``.
    """

    def __init__(self, client: Any) -> None:
        self.client = client

    def run_chain(self, context: Context, number: int, state: State) -> Chain:
        """Run a chain on some worker, as `Executor.run_chain` says.

        Parameters
        ----------
        context, number, state
            As there. The private folder must be in the store, which all workers share.

        Returns
        -------
        Chain
            As there.
        """
        step = context.pipeline.steps[number]
        workers = list_workers(self.client)
        wanted, notices, problem = choose_resources(step.options, workers)
        if problem:
            return make_failed_chain(number, step.name, state, problem)
        if not workers:
            notices.append("the cluster has no worker yet; the step waits for one")
        for notice in notices:
            text = f"{step.name}: {notice}"
            context.tell(Progress("notice", message=text, **context.find_place(number)))
        task = _Task(self.client, context, number)
        cancelling.enlist(context.run_id, task)
        try:
            reply = task.run(state, wanted)
        finally:
            cancelling.dismiss(context.run_id, task)
            task.clear()
        return _read_reply(reply, number, step.name, state)


class _Task:
    """One chain on the cluster, from here."""

    def __init__(self, client: Any, context: Context, number: int) -> None:
        self.client, self.context, self.number = client, context, number
        step = context.pipeline.steps[number]
        self.name, self.tries = step.name, 1 + (step.options.retries or 0)
        token = secrets.token_hex(4)
        self.folder = context.private / f"chain-{number}-{token}"
        self.key = f"mlops-{self.name}-{context.run_id[-8:]}-{token}"
        self.future: Any = None
        self.attempts: list[str] = []
        self.is_cancelled = False
        self.ended = threading.Event()
        self.lock = threading.Lock()

    def run(self, state: State, resources: Mapping[str, float]) -> dict[str, Any]:
        """Submit it and wait for its end."""
        self.folder.mkdir(mode=0o700)
        order = self.folder / "SPEC.json"
        specify_chain(self.context, self.number, state, self.folder).write(order)
        self.client.subscribe_topic(self.key, self._take_event)
        shaping = {name: os.environ[name] for name in SHAPING if name in os.environ}
        with self.lock:
            if self.is_cancelled:
                return {"cancelled": True}
            self.future = self.client.submit(
                run_on_worker,
                str(order.absolute()),
                self.key,
                describe_interpreter(),
                shaping,
                self.tries,
                key=self.key,
                pure=False,
                resources=dict(resources) or None,
            )
        return self._wait()

    def _wait(self) -> dict[str, Any]:
        from concurrent.futures import CancelledError

        from distributed import KilledWorker

        try:
            reply = self._watch()
        except CancelledError:
            if self.attempts:  # its kernel ends on the worker meanwhile
                self.ended.wait(_LONGEST_END_S)
            return {"cancelled": True}
        except KilledWorker:
            reply = {"died": len(self.attempts)}
        except ImportError as error:
            return {"problem": f"a worker cannot import what it needs, install mlops-nb: {error}"}
        if "died" in reply:
            reply["died"] = self._tell_death()
        return reply

    def _watch(self) -> dict[str, Any]:
        """Wait for the end, or for the death of the last worker that may begin it."""
        while True:
            try:
                reply: dict[str, Any] = self.future.result(timeout=_LOOK_S)
            except TimeoutError:
                is_last = len(self.attempts) >= self.tries and not self.ended.is_set()
                if is_last and self.attempts[-1] not in list_workers(self.client):
                    self.interrupt()
                    return {"died": len(self.attempts)}
                continue
            return reply

    def _tell_death(self) -> str:
        where = " and ".join(self.attempts[: self.tries])
        died = f"its worker died: {where}" if self.tries == 1 else f"its workers died: {where}"
        return (
            f"{died}. It was killed, out of memory, or its machine is gone; tag the step mem: for "
            f"a larger machine, or retries:{self.tries} to begin it again on another worker"
        )

    def _take_event(self, event: tuple[float, Any]) -> None:
        found = event[1]
        if "attempt" in found:
            self.ended.clear()
            self._note_attempt(found["attempt"]["worker"])
        elif "ended" in found:
            self.ended.set()
        elif "progress" in found and not self.is_cancelled:
            self.context.tell(Progress(**found["progress"]))

    def _note_attempt(self, worker: str) -> None:
        if self.attempts:
            text = f"{self.name} runs again on {worker}: {self.attempts[-1]} is gone"
            place = self.context.find_place(self.number)
            self.context.tell(Progress("notice", message=text, **place))
        self.attempts.append(worker)

    def interrupt(self) -> None:
        """Take the task back; its worker finds that nobody wants it, and ends the process."""
        with self.lock:
            if self.is_cancelled:
                return
            self.is_cancelled = True
        if self.future is not None:
            with contextlib.suppress(Exception):  # the cluster may be gone too
                self.future.cancel()

    def kill(self) -> None:
        """Do the same; the worker knows how long it waits."""
        self.interrupt()

    def clear(self) -> None:
        """Remove what was there for this task only."""
        with contextlib.suppress(Exception):  # the cluster may be gone
            self.client.unsubscribe_topic(self.key)
        shutil.rmtree(self.folder, ignore_errors=True)


def _read_reply(reply: Mapping[str, Any], number: int, name: str, state: State) -> Chain:
    if reply.get("result") is not None:
        return read_chain(reply["result"], state)
    if reply.get("cancelled"):
        return make_failed_chain(number, name, state, "it was interrupted", "interrupted")
    if "problem" in reply:
        return make_failed_chain(number, name, state, reply["problem"])
    if "died" in reply:
        return make_failed_chain(number, name, state, reply["died"], "died")
    ended = f"its process ended with exit code {reply['code']} and no result"
    return make_failed_chain(number, name, state, f"{ended}: {reply['stderr']}", "died")


def list_workers(client: Any) -> dict[str, Any]:
    """Ask the scheduler for its workers, by address.

    Parameters
    ----------
    client
        A connected ``distributed.Client``.

    Returns
    -------
    dict
        What it says of each.

    Notes
    -----
    What ``client.scheduler_info`` gives is a copy that a timer of the client renews without workers
    (2026.8): asked for at that moment, it has lost them all.
    """
    try:
        found = client.sync(client.scheduler.identity, n_workers=-1)
    except TypeError:  # an older scheduler gives all of them unasked
        found = client.sync(client.scheduler.identity)
    workers: dict[str, Any] = found["workers"]
    return workers


def choose_resources(
    options: StepOptions, workers: Mapping[str, Mapping[str, Any]]
) -> tuple[dict[str, float], list[str], str]:
    """Choose what is asked of a worker: what a step needs, as far as workers declare such things.

    Parameters
    ----------
    options
        Of the step.
    workers
        As the scheduler describes them.

    Returns
    -------
    wanted : dict
        ``CPU``, ``GPU`` and ``MEMORY`` in bytes.
    notices : list of str
        What nobody declares and is left out.
    problem : str
        Why no worker can ever take the step; else empty.
    """
    needs = {"CPU": options.cpu, "GPU": options.gpu, "MEMORY": options.mem_bytes}
    wanted: dict[str, float] = {}
    notices = []
    declared = [dict(worker.get("resources") or {}) for worker in workers.values()]
    for name, amount in needs.items():
        if not amount:
            continue
        if any(name in found for found in declared):
            wanted[name] = amount
        elif workers:
            notices.append(f"no worker declares {name}, so its {name}={amount:g} is not looked at")
    fits = any(
        all(found.get(name, 0) >= amount for name, amount in wanted.items()) for found in declared
    )
    if wanted and not fits:
        text = ", ".join(f"{name}={amount:g}" for name, amount in wanted.items())
        return {}, [], f"no worker has {text}; start one: dask worker --resources {text!r}"
    return wanted, notices, ""


@contextlib.contextmanager
def connect(scheduler: str | None) -> Iterator[DaskExecutor]:
    """Connect to a Dask cluster.

    Parameters
    ----------
    scheduler
        Its address, as ``tcp://host:8786``, or the path of its scheduler file.

    Yields
    ------
    DaskExecutor
        Until the block ends; the cluster stays.

    Raises
    ------
    MissingPackageError
        The extra ``dask`` is not installed.
    InvalidValueError
        There is no address.
    RemoteError
        Nobody answers there.
    """
    if not scheduler:
        raise InvalidValueError(
            "scheduler", scheduler, "the address of a Dask scheduler, as tcp://host:8786"
        )
    try:
        from distributed import Client
    except ImportError as error:
        raise MissingPackageError("distributed", "dask", "running on Dask") from error
    is_file = Path(scheduler).suffix == ".json"
    place = {"scheduler_file": scheduler} if is_file else {"address": scheduler}
    try:
        client = Client(**place, timeout=_CONNECT_S, set_as_default=False)
    except (OSError, ValueError) as error:
        found = f"no Dask scheduler answers there ({type(error).__name__})"
        raise RemoteError(scheduler, found, f"Start one: dask scheduler. {error}") from error
    with client:
        yield DaskExecutor(client)
