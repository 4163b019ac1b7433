"""The process that runs steps for somebody else: one chain, told line by line, surely ended."""

from __future__ import annotations

import concurrent.futures
import contextlib
import json
import os
import queue
import signal
import sys
import threading
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import IO

from mlops_nb.errors import MLOpsError
from mlops_nb.pipeline import cancelling
from mlops_nb.pipeline.context import Chain
from mlops_nb.pipeline.execution import ChainRunner
from mlops_nb.pipeline.graph import plan
from mlops_nb.pipeline.progress import Progress
from mlops_nb.pipeline.remote_result import make_failed_chain, write_chain
from mlops_nb.pipeline.remote_specification import ChainSpecification, read_chain_specification

FAILED, INTERRUPTED, KILLED = 1, 130, 137
_DONE, _ENDED_INPUT = "done", "input"
_LEAVE_S = 1.0


def run_process(path: Path) -> int:
    """Run the chain that a specification describes.

    Parameters
    ----------
    path
        ``SPEC.json``.

    Returns
    -------
    int
        0, 1 where a step has failed, 130 after an interrupt, 137 where it was told to end at once.
        What became of the steps stands in the file that the specification names.

    Notes
    -----
    Standard output has one JSON object a line for each event. SIGINT interrupts the cell that
    runs, SIGTERM ends the kernel at once.
    """
    given = read_chain_specification(path)
    told: queue.SimpleQueue[int | str] = queue.SimpleQueue()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, _frame: told.put(number))
    if given.ends_with_stdin:
        threading.Thread(target=_wait_for_end_of_input, args=(told,), daemon=True).start()
    with _only_events_on_stdout() as events:
        # Not in the main thread, which stays free for signals.
        pool = concurrent.futures.ThreadPoolExecutor(1, "mlops-step")
        work = pool.submit(_run_chain, given, events)
        work.add_done_callback(lambda _: told.put(_DONE))
        code = _attend(given, told)
        if code == KILLED:
            concurrent.futures.wait([work], _LEAVE_S)  # its sockets are removed meanwhile
            _leave_at_once()
        pool.shutdown()
    chain = work.result()
    write_chain(chain, Path(given.result))
    return code or (FAILED if chain.is_failed else 0)


def _attend(given: ChainSpecification, told: queue.SimpleQueue[int | str]) -> int:
    """Wait for the end, and hand on what this process is told meanwhile."""
    code = 0
    while True:
        word = told.get()
        if word == _DONE:
            return code
        if word == signal.SIGINT and not code:
            code = INTERRUPTED
            cancelling.cancel_run(given.run_id)
            continue
        cancelling.kill_run(given.run_id)
        return KILLED


def _run_chain(given: ChainSpecification, events: IO[str]) -> Chain:
    lock = threading.Lock()

    def tell(event: Progress) -> None:
        # Nobody may listen any more; whoever wanted the result ends this process by other means.
        with lock, contextlib.suppress(OSError, ValueError):
            events.write(json.dumps(asdict(event)) + "\n")
            events.flush()

    try:
        context = given.make_context(tell)
    except MLOpsError as error:
        name = plan(Path(given.document)).steps[given.number].name
        return make_failed_chain(given.number, name, given.state, str(error))
    return ChainRunner(context, given.number, given.state).run()


@contextlib.contextmanager
def _only_events_on_stdout() -> Iterator[IO[str]]:
    """Keep standard output for events: what anything else prints goes to standard error."""
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    with os.fdopen(kept, "w", encoding="utf-8") as events:
        yield events


def _wait_for_end_of_input(told: queue.SimpleQueue[int | str]) -> None:
    """Wait until whoever started this process has gone, however that came about."""
    with contextlib.suppress(OSError):
        while os.read(0, 4096):
            pass
    told.put(_ENDED_INPUT)


def _leave_at_once() -> None:
    # The thread that runs the step may wait for anything; no clean-up could wait for it.
    sys.stderr.flush()
    os._exit(KILLED)
