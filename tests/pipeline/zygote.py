"""Runs steps of a program, each in a fresh process, without paying for imports each time.

Reads one JSON request per line: ``{"steps": [source, ...], "folder": path, "cross": bool}``. With
``cross`` every step runs in its own process between two boundaries, else all run in one. Answers
with what was printed and what could not be carried.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from pathlib import Path
from typing import Any

import blake3  # noqa: F401
import cloudpickle  # noqa: F401 - imported, not used: children shall find it loaded
import matplotlib as mpl
import matplotlib.figure
import numpy as np
import pandas as pd  # noqa: F401

from mlops_nb.pipeline import boundary, items
from mlops_nb.pipeline.reach import find_needed
from mlops_nb.pipeline.state import read_state

KEY = b"k" * 32


def run_child(
    request: dict[str, Any],
    sources: list[str],
    before: str | None,
    after: str | None,
    report: str,
) -> None:
    """Run sources in this process between two boundaries, printing into a file."""
    os.chdir(request["folder"])
    out = os.open("printed.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(out, 1)
    main = sys.modules["__main__"]
    namespace = {"__name__": "__main__", "__builtins__": __builtins__}
    main.__dict__.clear()
    main.__dict__.update(namespace)
    namespace = main.__dict__
    np.random.seed(None)  # a forked child would draw what its siblings draw
    start, loaded = items.read_start(), boundary.Loaded()
    folder = Path(report).parent / "components"
    if before:
        state = read_state(json.loads(Path(before).read_text()))
        needed = find_needed(sources, frozenset()) if request.get("prune") else None
        loaded = boundary.load_boundary(state, needed, namespace, folder, key=KEY)
    for source in sources:
        exec(compile(source, "<cell>", "exec"), namespace)
    sys.stdout.flush()
    if after:
        found = boundary.dump_boundary(namespace, loaded, folder, key=KEY, start=start)
        Path(after).write_text(json.dumps(found.state.to_json()))
        Path(report).write_text(json.dumps(found.unpicklable))


def run_forked(
    request: dict[str, Any],
    sources: list[str],
    before: str | None = None,
    after: str | None = None,
    report: str = "",
) -> str:
    """Run sources in a forked child; give its error output, empty where it went well."""
    error = Path(request["folder"], "error.txt")
    child = os.fork()
    if child == 0:
        code = 0
        try:
            run_child(request, sources, before, after, report)
        except BaseException:  # noqa: BLE001
            error.write_text(traceback.format_exc())
            code = 1
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    if not status:
        return ""
    return error.read_text() if error.exists() else f"died with status {status}"


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """Run one request."""
    unpicklable: dict[str, str] = {}
    printed = Path(request["folder"], "printed.txt")
    printed.unlink(missing_ok=True)
    if not request["cross"]:
        failure = run_forked(request, request["steps"])
        return {"printed": printed.read_text(), "unpicklable": {}, "failure": failure}
    before = None
    failure = ""
    for number, source in enumerate(request["steps"]):
        last = number == len(request["steps"]) - 1
        after = None if last else str(Path(request["folder"], f"{number}.boundary"))
        report = str(Path(request["folder"], f"{number}.json"))
        failure = run_forked(request, [source], before, after, report)
        if failure:
            break
        unpicklable.update({} if last else json.loads(Path(report).read_text()))
        before = after
    return {"printed": printed.read_text(), "unpicklable": unpicklable, "failure": failure}


def serve() -> None:
    """Answer requests until there are no more."""
    mpl.use("Agg")
    for name in sys.argv[1:]:
        __import__(name)
    for line in sys.stdin:
        reply = answer(json.loads(line))
        sys.stdout.write(json.dumps(reply) + "\n")
        sys.stdout.flush()
