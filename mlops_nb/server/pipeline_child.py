"""The process that runs a notebook's pipeline for the panel, apart from the server.

It reads one request from its standard input and tells what happens as lines of JSON. When its input
ends, because somebody cancelled or because the server is gone, it ends its work as after Ctrl-C.
"""

from __future__ import annotations

import _thread
import json
import os
import signal
import threading
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

from mlops_nb import api
from mlops_nb.errors import MLOpsError
from mlops_nb.server.payload import to_json
from mlops_nb.server.pipeline_payload import write_problem


class Teller:
    """Writes lines of JSON that nothing else can write between.

    Parameters
    ----------
    stream
        Where to; not the standard output, to which steps may write.
    """

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream
        self._lock = threading.Lock()

    def tell(self, kind: str, **fields: Any) -> None:
        """Write one line.

        Parameters
        ----------
        kind
            What it tells.
        **fields
            JSON types.
        """
        line = json.dumps(to_json({"kind": kind, **fields}))
        with self._lock:
            self._stream.write(line + "\n")
            self._stream.flush()

    def __call__(self, event: Any) -> None:
        """Tell an event of the run; parts of it that are at work at once may call.

        Parameters
        ----------
        event
            As the pipeline gives it.
        """
        fields = asdict(event)
        self.tell(fields.pop("kind"), **fields)


def read_line(source: int) -> bytes:
    """Read one line, byte by byte, so that nothing behind it is taken.

    Parameters
    ----------
    source
        A file descriptor.

    Returns
    -------
    bytes
        The line, or what there was of it.
    """
    line = bytearray()
    while (byte := os.read(source, 1)) not in (b"", b"\n"):
        line += byte
    return bytes(line)


def watch_input(source: int, is_over: threading.Event) -> None:
    """Interrupt the main thread when the input ends before the work does.

    Parameters
    ----------
    source
        Where the request came from; nothing is expected after it.
    is_over
        Set once there is nothing left to interrupt.
    """
    # Not through a file object: its lock would be held while the interpreter ends.
    while os.read(source, 4096):
        pass
    if is_over.is_set():
        return
    ident = threading.main_thread().ident
    if hasattr(signal, "pthread_kill") and ident is not None:
        signal.pthread_kill(ident, signal.SIGINT)  # wakes it where it waits
    else:
        _thread.interrupt_main()


def run_request(request: dict[str, Any], teller: Teller) -> None:
    """Do what was asked, and tell how it ended.

    Of a run that is made again (``reproduce``), ``run`` is its id and ``start`` the folder whose
    project's store has it.

    Parameters
    ----------
    request
        ``notebook``, ``mode`` (``run``, ``verify`` or ``reproduce``), ``params``, ``start_at``,
        ``stop_at``, ``only``, ``force``.
    teller
        Is told everything.
    """
    if request.get("mode") == "reproduce":
        _reproduce(request, teller)
        return
    notebook = Path(request["notebook"])
    params = request.get("params") or {}
    try:
        if request.get("mode") == "verify":
            result = api.verify_pipeline(notebook, params, on_progress=teller)
        else:
            result = api.run_pipeline(
                notebook,
                params,
                on_progress=teller,
                force=bool(request.get("force")),
                start_at=request.get("start_at"),
                stop_at=request.get("stop_at"),
                only=request.get("only"),
            )
    except MLOpsError as error:
        teller.tell("ended", status="refused", problem=write_problem(error))
    except KeyboardInterrupt:
        teller.tell("ended", status="interrupted")
    else:
        shown = None if result.verification is None else str(result.verification)
        # Of the verification both the words and the verdict.
        verdict = None if result.verification is None else result.verification.status
        teller.tell(
            "ended",
            status=result.status,
            run_id=result.run_id,
            steps=[asdict(step) for step in result.steps],
            metrics=result.metrics,
            verification=shown,
            verdict=verdict,
        )


def _reproduce(request: dict[str, Any], teller: Teller) -> None:
    """Make a run again; the verdict is told as that of a pipeline is."""
    try:
        found = api.reproduce_run(
            request["run"],
            anyway=bool(request.get("anyway")),
            on_progress=teller,
            start=Path(request["start"]),
        )
    except MLOpsError as error:
        teller.tell("ended", status="refused", problem=write_problem(error))
    except KeyboardInterrupt:
        teller.tell("ended", status="interrupted")
    else:
        for line in (*found.unchecked, *found.remarks):
            teller.tell("notice", message=line)
        teller.tell(
            "ended",
            status="failed" if found.status == "could not run" else "finished",
            run_id=found.new_run_id,
            verification=str(found),
            verdict=found.status,
        )


def open_channel() -> tuple[dict[str, Any], Teller, int]:
    """Take the standard streams for ourselves, and read the request from them.

    Returns
    -------
    tuple
        The request, who tells what happens, and the file descriptor that ends when nobody waits.
    """
    # Kernels inherit the standard streams; what a step prints there must not look like ours.
    output = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    source = os.dup(0)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    return json.loads(read_line(source)), Teller(output), source


def main() -> None:
    """Read a request, run it, and tell what happens."""
    request, teller, source = open_channel()
    is_over = threading.Event()
    threading.Thread(target=watch_input, args=(source, is_over), daemon=True).start()
    try:
        run_request(request, teller)
    finally:
        is_over.set()


if __name__ == "__main__":
    main()
