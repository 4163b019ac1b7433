"""What runs on a Dask worker: it only looks after the process that runs a chain of steps.

Dask cannot stop a task that runs and would give the worker new work meanwhile. So the task watches
whether anybody still wants it, and ends the process where nobody does.
"""

from __future__ import annotations

import json
import os
import platform
import socket
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mlops_nb.config import read_version
from mlops_nb.pipeline.remote_supervision import supervise

_ATTEMPT = "attempt-"
_LEAVING = frozenset({"closing", "closed", "failed", "stopping"})
# What decides how a notebook computes and prints comes from the machine that asks; all else, such
# as paths and devices, is the worker's own. Dask itself sets the first four on its workers.
SHAPING = (
    "OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MALLOC_TRIM_THRESHOLD_",
    "NUMEXPR_NUM_THREADS", "CUBLAS_WORKSPACE_CONFIG", "TZ", "LANG", "LC_ALL", "LC_NUMERIC",
    "MPLBACKEND", "MLOPS_NB_DISABLED", "MLOPS_NB_CARDS",
)  # fmt: skip


def describe_interpreter() -> dict[str, str]:
    """Say what both sides must have alike, for values to cross.

    Returns
    -------
    dict
        Versions by name.
    """
    python = ".".join(platform.python_version_tuple()[:2])
    return {"Python": python, "mlops-nb": read_version()}


def run_on_worker(
    order: str, topic: str, versions: Mapping[str, str], shaping: Mapping[str, str], tries: int = 1
) -> dict[str, Any]:
    """Run a chain of steps; this is the Dask task.

    Parameters
    ----------
    order
        Path of the specification, in a folder that this machine shares.
    topic
        Under which events are told.
    versions
        Of the machine that asks, by `describe_interpreter`.
    shaping
        Its variables that shape results.
    tries
        How often it may be begun. Dask gives a task whose worker died to another one, but a step
        that has written half of its files is begun again only where its tag says so.

    Returns
    -------
    dict
        As `supervise` gives it, or ``problem``: why this worker cannot run it, or ``died``: how
        often it was begun.
    """
    from distributed import get_worker

    worker = get_worker()
    key = worker.get_current_task()
    place = {"worker": worker.address, "host": socket.gethostname()}
    problem = find_problem(Path(order), versions)
    if problem:
        return {"problem": f"worker {worker.address} on {place['host']}: {problem}"}

    begun = len(list(Path(order).parent.glob(f"{_ATTEMPT}*")))
    if begun >= tries:
        return {"died": begun}

    def is_wanted() -> bool:
        # A task that nobody wants any more is "cancelled" for its worker, and runs on.
        task = worker.state.tasks.get(key)
        is_running = task is not None and task.state in {"executing", "long-running"}
        return is_running and worker.status.name not in _LEAVING

    def tell(event: dict[str, Any]) -> None:
        worker.log_event(topic, {"progress": event})

    worker.log_event(topic, {"attempt": place})
    try:
        own = _take_order(Path(order))
        return supervise(own, make_environment(shaping), tell, is_wanted)
    finally:
        worker.log_event(topic, {"ended": place})


def find_problem(order: Path, versions: Mapping[str, str]) -> str:
    """Say why this machine cannot run steps of another.

    Parameters
    ----------
    order
        Path of the specification.
    versions
        Of the machine that asks.

    Returns
    -------
    str
        Empty where it can.
    """
    own = describe_interpreter()
    for name, version in versions.items():
        if own.get(name) != version:
            return f"it has {name} {own.get(name)!r}, and the run needs {version!r}"
    try:
        document = json.loads(order.read_text(encoding="utf-8"))
        with tempfile.TemporaryFile(dir=order.parent):
            pass
    except (OSError, ValueError) as error:
        return (
            f"it cannot use {str(order.parent)!r} in the store ({error}); a worker needs the store,"
            " the notebook's folder and the output folder at the same paths"
        )
    folders = [Path(document["notebook"]).parent, Path(document["out_dir"])]
    folders += [Path(document["store"]), Path(document["components"])]
    missing = [str(folder) for folder in folders if not folder.is_dir()]
    if missing:
        return f"it has no folder {missing[0]!r}; a worker needs it at the same path"
    return ""


def make_environment(shaping: Mapping[str, str]) -> dict[str, str]:
    """Give the variables of a process that runs steps.

    Parameters
    ----------
    shaping
        Those that come from the machine that asks.

    Returns
    -------
    dict
        By name.
    """
    own = {name: value for name, value in os.environ.items() if name not in SHAPING}
    own.setdefault("MLOPS_NB_FORK", "off")  # a process for one chain gains nothing by it
    return own | dict(shaping)


def _take_order(order: Path) -> Path:
    """Write the specification once more, for this attempt alone; another may still be ending."""
    document = json.loads(order.read_text(encoding="utf-8"))
    own = Path(tempfile.mkdtemp(prefix=_ATTEMPT, dir=order.parent))
    document |= {
        "private": str(own),
        "result": str(own / "RESULT.json"),
        "ends_with_stdin": True,
    }
    path = own / "SPEC.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    return path
