"""Measures what users feel, beside MLflow where it is installed; prints a table of medians.

CPU time of this process and its children is what counts: on a shared machine it hardly depends on
the neighbours. Every figure is the median of several runs in fresh processes, ours and the peer's in
turn.
"""

from __future__ import annotations

import importlib.util
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
REPEATS = 5

CASES = {
    "import (ms)": {
        "ours": "import time; t=time.process_time(); import mlops_nb; mlops_nb.start_run; r=time.process_time()-t; r*=1e3",
        "mlflow": "import time; t=time.process_time(); import mlflow; r=(time.process_time()-t)*1e3",
    },
    "load_ext on a running shell (ms)": {
        "ours": (
            "import time; from IPython.core.interactiveshell import InteractiveShell; "
            "ip=InteractiveShell.instance(); ip.run_cell('1'); t=time.process_time(); "
            "ip.run_line_magic('load_ext','mlops_nb'); r=(time.process_time()-t)*1e3"
        ),
    },
    "start and end a run (ms)": {
        "ours": (
            "import time, mlops_nb as m\nwith m.start_run(): pass\n"
            "t=time.process_time()\nfor _ in range(50):\n  with m.start_run(): pass\nr=(time.process_time()-t)/50*1e3"
        ),
        "mlflow": (
            "import time, mlflow as m\nwith m.start_run(): pass\n"
            "t=time.process_time()\nfor _ in range(5):\n  with m.start_run(): pass\nr=(time.process_time()-t)/5*1e3"
        ),
    },
    "log_metric (us)": {
        "ours": (
            "import time, mlops_nb as m\nm.start_run(); m.log_metric('a', 1.0, 0)\nt=time.process_time()\n"
            "for i in range(100000): m.log_metric('a', 0.5, i)\nr=(time.process_time()-t)*10"
        ),
        "mlflow": (
            "import time, mlflow as m\nm.start_run(); m.log_metric('a', 1.0, 0)\nt=time.process_time()\n"
            "for i in range(50): m.log_metric('a', 0.5, i)\nr=(time.process_time()-t)/50*1e6"
        ),
    },
    "log_metrics, dict of 10 (us)": {
        "ours": (
            "import time, mlops_nb as m\nm.start_run(); d={f'm{k}': 0.5 for k in range(10)}; m.log_metrics(d, 0)\n"
            "t=time.process_time()\nfor i in range(20000): m.log_metrics(d, i)\nr=(time.process_time()-t)/20000*1e6"
        ),
        "mlflow": (
            "import time, mlflow as m\nm.start_run(); d={f'm{k}': 0.5 for k in range(10)}; m.log_metrics(d, 0)\n"
            "t=time.process_time()\nfor i in range(20): m.log_metrics(d, i)\nr=(time.process_time()-t)/20*1e6"
        ),
    },
}  # fmt: skip


def measure(code: str) -> float:
    """Run a piece of code in a fresh process and folder; it leaves its figure in ``r``."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {
            **os.environ, "PYTHONPATH": str(ROOT), "MLOPS_NB_STORE": f"{folder}/store", "MLOPS_NB_CACHE": f"{folder}/cache",
            "MLFLOW_TRACKING_URI": f"sqlite:///{folder}/mlflow.db", "IPYTHONDIR": f"{folder}/ipython",
        }  # fmt: skip
        command = [sys.executable, "-W", "ignore", "-c", f"{code}\nprint('FIGURE', r)"]
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise RuntimeError(done.stderr[-2000:])
        return float(done.stdout.rsplit("FIGURE ", 1)[1].split()[0])


def main() -> None:
    """Measure every case and print the table; ``--json`` prints the figures."""
    peers = ["ours"] + (["mlflow"] if importlib.util.find_spec("mlflow") else [])
    figures: dict[str, dict[str, float]] = {}
    for title, codes in CASES.items():
        runs: dict[str, list[float]] = {peer: [] for peer in peers if peer in codes}
        for _ in range(REPEATS):
            for peer, values in runs.items():
                values.append(measure(codes[peer]))
        figures[title] = {peer: statistics.median(values) for peer, values in runs.items()}
    if "--json" in sys.argv:
        print(json.dumps(figures))
        return
    print(
        f"Python {platform.python_version()}, {platform.machine()}, {os.cpu_count()} cores; medians of {REPEATS}, CPU time"
    )
    for title, values in figures.items():
        ratio = f"{values['mlflow'] / values['ours']:9.0f} x" if "mlflow" in values else ""
        shown = "  ".join(f"{peer} {value:10.2f}" for peer, value in values.items())
        print(f"{title:<34} {shown}  {ratio}")


if __name__ == "__main__":
    main()
