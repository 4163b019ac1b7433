"""Sub-command serve: a registered model over HTTP while the kernel lives."""

from __future__ import annotations

from typing import Any

from mlops_nb import api
from mlops_nb.errors import NotFoundError, UsageError
from mlops_nb.kernel.commands import Call, Command
from mlops_nb.kernel.parsing import Parser
from mlops_nb.kernel.tables import Message, Shown, Table

# What this kernel serves: handles by model reference.
SERVED: dict[str, Any] = {}


def stop_serving(ref: str) -> None:
    """Stop serving a model.

    Parameters
    ----------
    ref
        The model as it was named when it was started.

    Raises
    ------
    NotFoundError
        It is not being served.
    """
    if ref not in SERVED:
        raise NotFoundError("served model", ref, SERVED)
    SERVED.pop(ref).stop()


def stop_all() -> int:
    """Stop serving every model.

    Returns
    -------
    int
        How many were stopped.
    """
    refs = list(SERVED)
    for ref in refs:
        stop_serving(ref)
    return len(refs)


def _configure_serve(parser: Parser) -> None:
    parser.add_argument("model", nargs="?", metavar="MODEL", help="name@alias, name/3 or name")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (127.0.0.1)")
    parser.add_argument("--port", type=int, default=0, help="port; 0 takes a free one (0)")
    parser.add_argument("--token", help="asked of every request; needed beyond this machine")
    parser.add_argument("--stop", action="store_true", help="stop this model, or all without MODEL")


def _serve(call: Call) -> Shown:
    given = call.arguments
    ref = given.model
    if given.stop:
        if ref is not None:
            stop_serving(ref)
            return Message(f"stopped {ref}")
        count = stop_all()
        return Message(f"stopped {count} server{'' if count == 1 else 's'}")
    if ref is None:
        rows = [(name, handle.url) for name, handle in SERVED.items()]
        return Table(["model", "address"], rows, empty="Nothing is being served.")
    if not 0 <= given.port <= 65535:
        raise UsageError("%mlops serve", f"port {given.port!r} is not between 0 and 65535")
    if ref in SERVED:
        stop_serving(ref)  # so that a cell that serves can be run again
    handle = api.serve_model(
        ref, host=given.host, port=given.port, token=given.token, background=True
    )
    SERVED[ref] = handle
    return Message(f"serving {ref} at {handle.url}\nstop it with: %mlops serve {ref} --stop")


COMMANDS = {"serve": Command(_configure_serve, _serve, positions=("served", "none"))}
