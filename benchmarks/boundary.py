"""Measures what a value of 1 GB costs between two steps, ours beside pandas, joblib and Feather.

Each round is a process of its own, in which all ways take their turn with the same value. Wall time
is what one waits; CPU time, of all threads, says more where the machine is not quiet.
``--gigabytes`` makes the value smaller, ``--only`` chooses one.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
KEY = bytes(32)


Times = tuple[float, float]  # wall and CPU


def make_numbers(gigabytes: float) -> Any:
    """Give a frame of 110 columns of numbers of three types."""
    import numpy as np
    import pandas as pd

    rows = int(1_250_000 * gigabytes)
    draw = np.random.default_rng(0)
    columns = {f"f{i}": draw.random(rows) for i in range(60)}
    columns |= {f"i{i}": draw.integers(0, 10**6, rows) for i in range(30)}
    columns |= {f"s{i}": draw.random(rows, dtype="f4") for i in range(20)}
    return pd.DataFrame(columns)


def make_texts(gigabytes: float) -> Any:
    """Give a frame of 6 columns of texts and 12 of numbers."""
    import numpy as np
    import pandas as pd

    rows = int(4_000_000 * gigabytes)
    draw = np.random.default_rng(0)
    words = np.array([f"customer {i} of {i % 97}" for i in range(200_000)])
    columns: dict[str, Any] = {
        f"t{i}": pd.Series(words[draw.integers(0, len(words), rows)], dtype="str") for i in range(6)
    }
    return pd.DataFrame(columns | {f"f{i}": draw.random(rows) for i in range(12)})


def make_array(gigabytes: float) -> Any:
    """Give an array."""
    import numpy as np

    return np.random.default_rng(0).random((int(1_250_000 * gigabytes), 100))


def make_objects(gigabytes: float) -> Any:
    """Give a frame of Python's own texts, as pandas 2 makes them."""
    import numpy as np
    import pandas as pd

    rows = int(4_000_000 * gigabytes)
    draw = np.random.default_rng(0)
    words = np.array([f"customer {i} of {i % 97}" for i in range(200_000)], dtype=object)
    columns: dict[str, Any] = {
        f"t{i}": pd.Series(words[draw.integers(0, len(words), rows)], dtype=object)
        for i in range(2)
    }
    return pd.DataFrame(columns | {f"f{i}": draw.random(rows) for i in range(12)})


VALUES = {
    "frame of numbers": make_numbers,
    "frame with texts": make_texts,
    "array": make_array,
    "frame with objects": make_objects,
}


def clock(call: Callable[[], Any]) -> tuple[Times, Any]:
    """Time one call."""
    started, used = time.perf_counter(), time.process_time()
    result = call()
    return (time.perf_counter() - started, time.process_time() - used), result


def measure_ours(value: Any, folder: Path) -> dict[str, Times]:
    """Write, load, write again unchanged, write again with one number changed."""
    from mlops_nb.pipeline import boundary, items

    start = items.read_start()
    options: Any = {"key": KEY, "start": start}
    namespace: dict[str, Any] = {"__name__": "__main__", "x": value}
    write, report = clock(
        lambda: boundary.dump_boundary(namespace, boundary.Loaded(), folder, **options)
    )
    if report.unpicklable:
        raise SystemExit(f"it did not cross: {report.unpicklable}")
    target: dict[str, Any] = {"__name__": "__main__"}
    load, loaded = clock(
        lambda: boundary.load_boundary(report.state, {"x"}, target, folder, key=KEY)
    )
    again, after = clock(lambda: boundary.dump_boundary(target, loaded, folder, **options))
    assert "x" not in after.changed, "an unchanged value was taken for a changed one"
    untouched: dict[str, Any] = {"__name__": "__main__"}
    skip, nothing = clock(
        lambda: boundary.load_boundary(report.state, {"y"}, untouched, folder, key=KEY)
    )
    other, _ = clock(lambda: boundary.dump_boundary(untouched, nothing, folder, **options))
    return {
        "ours: write": write,
        "ours: load": load,
        "ours: loaded, unchanged": again,
        "ours: not used": (skip[0] + other[0], skip[1] + other[1]),
    }


def measure_peers(value: Any, folder: Path) -> dict[str, Times]:
    """Write and load with what people use for files of frames."""
    import joblib
    import numpy as np
    import pandas as pd
    from pyarrow import feather

    found: dict[str, Times] = {}
    path = folder / "value"

    def measure(name: str, write: Callable[[], Any], load: Callable[[], Any]) -> None:
        found[f"{name}: write"], _ = clock(write)
        found[f"{name}: load"], _ = clock(load)
        for file in folder.glob("value*"):
            file.unlink()

    if isinstance(value, np.ndarray):
        measure("numpy.save", lambda: np.save(f"{path}.npy", value), lambda: np.load(f"{path}.npy"))
    else:
        measure("pandas.to_pickle", lambda: value.to_pickle(path), lambda: pd.read_pickle(path))
        plain = {"compression": "uncompressed"}
        measure(
            "feather",
            lambda: feather.write_feather(value, str(path), **plain),
            lambda: feather.read_feather(str(path)),
        )
    measure("joblib", lambda: joblib.dump(value, path), lambda: joblib.load(path))
    return found


def measure(name: str, gigabytes: float) -> None:
    """Measure all ways once and print the result as JSON."""
    value = VALUES[name](gigabytes)
    size = value.nbytes if hasattr(value, "nbytes") else int(value.memory_usage(deep=True).sum())
    folder = Path(tempfile.mkdtemp(prefix="boundary-"))
    try:
        warm_up(folder)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        # Not counted: a virtual machine may get its memory, for files too, from its host only now.
        measure_ours(value, folder / "ours")
        shutil.rmtree(folder / "ours")
        found = measure_ours(value, folder / "ours")
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        shutil.rmtree(folder / "ours")
        found |= measure_peers(value, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(json.dumps({"size": size, "peak": peak * 1024, "times": found}))


def warm_up(folder: Path) -> None:
    """Import what all ways need."""
    small = VALUES["frame with texts"](0.01)
    measure_ours(small, folder / "small")
    measure_peers(small, folder)


def main() -> None:
    """Run the rounds, each in a process, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gigabytes", type=float, default=1.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", choices=[*VALUES])
    parser.add_argument("--one", choices=[*VALUES], help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        measure(given.one, given.gigabytes)
        return
    print(
        f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, {given.rounds} rounds"
    )
    for name in VALUES if given.only is None else [given.only]:
        command = [sys.executable, "-W", "ignore", __file__, "--one", name]
        command += ["--gigabytes", str(given.gigabytes)]
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        rounds = []
        for _ in range(given.rounds):
            done = subprocess.run(command, check=True, capture_output=True, env=environment)
            rounds.append(json.loads(done.stdout))
        size, peak = rounds[0]["size"], max(found["peak"] for found in rounds)
        print(f"\n{name}, {size / 1e9:.2f} GB; ours needed {peak / 1e9:.2f} GB more\n")
        print("| | wall s | least | CPU s | least |\n| --- | ---: | ---: | ---: | ---: |")
        for way in rounds[0]["times"]:
            cells = []
            for times in zip(*(found["times"][way] for found in rounds), strict=True):
                cells += [f"{statistics.median(times):.3f}", f"{min(times):.3f}"]
            print(f"| {way} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
