"""What watching files costs: processor time of an open with and without us."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from mlops_nb import autolog
from mlops_nb.config import load_settings
from mlops_nb.store import open_store
from mlops_nb.tracking import Session, open_session

_CODE = """
def measure(paths, clock, open=open):
    begun = clock()
    for path in paths:
        open(path).close()
    return (clock() - begun) / len(paths) * 1e6
"""


def _time_all(session: Session, folder: Path) -> dict[str, float]:
    """Give the best of several measurements of each case, in microseconds."""
    cell: dict[str, Callable[..., float]] = {}
    exec(compile(_CODE, "<cell 1>", "exec"), cell)
    files = [str(folder / f"f{number}") for number in range(3000)]
    cases = {
        "same file": files[:1] * 5000,
        "installed file": [os.__file__] * 5000,
        "200 files for the first time": files[:200],
        "3,000 files for the first time": files,
    }
    best = dict.fromkeys(cases, float("inf"))
    for _ in range(7):
        for case, paths in cases.items():
            index = session.begin_cell("x")
            best[case] = min(best[case], cell["measure"](paths, time.thread_time))
            autolog.finish_cell({})
            session.end_cell(index)
    return best


def main() -> None:
    """Print one row a case."""
    folder = Path(tempfile.mkdtemp())
    try:
        for number in range(3000):
            (folder / f"f{number}").touch()
        store = open_store(folder / "store", cache=folder / "cache")
        session = open_session(store, load_settings(folder), str(folder / "a.ipynb"))
        bare = _time_all(session, folder)
        autolog.arm(session)
        armed = _time_all(session, folder)
        autolog.disarm()
        after = _time_all(session, folder)
        for case, before in bare.items():
            added, left = armed[case] - before, after[case] - before
            print(f"{case:32} open {before:6.2f} us  armed +{added:5.2f}  unloaded +{left:5.2f}")
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
