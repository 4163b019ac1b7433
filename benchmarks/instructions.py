"""Counts the instructions that auto-logging adds to real work, by Valgrind; prints a table.

On a machine that others use, CPU time of seconds of work differs by more than the percent that is
asked about; instructions do not. They say nothing of caches, which is why `autolog.py` measures time.
Each row is three processes: the work recorded, not recorded, and left out. All of them switch
recording on and off; of the difference between the first two the work's share is what is given, all
threads counted, until everything is stored.

Run: python benchmarks/instructions.py [--only=WORD,WORD]; needs ``valgrind``, and minutes for a row.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from autolog import SIZES, install
from autolog_rows import OURS, ROWS, Row

_MAIN = """
import sys
kind, count = sys.argv[1], {count}
arm(); cell = begin(); work(1); end(cell); disarm()  # what a session does once
arm(); end(begin())
if kind == "recorded":
    cell = begin()
    work(count)
    end(cell)
disarm()
if kind == "plain":
    work(count)
"""


def count(row: Row, kind: str) -> int:
    """Run a row's work in a process of its own and give how many instructions that took."""
    code = row.code
    for name, size in SIZES.items():
        code = code.replace(name, size)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        script = Path(folder, "program.py")
        script.write_text("import time\n" + OURS + code + _MAIN.format(count=row.count))
        done = subprocess.run(
            [
                "valgrind", "--tool=cachegrind", "--cache-sim=no",
                f"--cachegrind-out-file={os.devnull}", sys.executable, "-W", "ignore",
                str(script), kind,
            ],
            cwd=folder, capture_output=True, text=True, check=False,
            env=os.environ | {
                "HOME": folder, "OMP_NUM_THREADS": "1", "PYTHONPATH": install(),
                "PYTHONHASHSEED": "0", "MLOPS_NB_STORE": f"{folder}/store",
                "MLOPS_NB_CACHE": f"{folder}/cache",
            },
        )  # fmt: skip
    found = re.search(r"I\s+refs:\s+([\d,]+)", done.stderr)
    if done.returncode or found is None:
        raise RuntimeError(done.stderr[-2000:])
    return int(found[1].replace(",", ""))


def main() -> None:
    """Count every row that has a budget in percent, but those of torch, which take hours."""
    if shutil.which("valgrind") is None:
        sys.exit("valgrind is not installed: `apt install valgrind` on Debian")
    words = [
        word for each in sys.argv if each.startswith("--only=") for word in each[7:].split(",")
    ]
    print(time.strftime("%d %B %Y, %H:%M UTC\n", time.gmtime()))
    print("| what is recorded | instructions | more with recording | share | budget |")
    print("| --- | ---: | ---: | ---: | ---: |", flush=True)
    for row in ROWS:
        is_asked = not words or any(each in row.title for each in words)
        if not is_asked or not row.budget.endswith("%") or "torch" in row.code:
            continue
        with ThreadPoolExecutor(2) as pool:
            recorded, plain, none = pool.map(
                lambda kind, row=row: count(row, kind), ("recorded", "plain", "none")
            )
        work, more = plain - none, recorded - plain
        share = f"{100 * more / work:.2f} %"
        print(
            f"| {row.title} | {work / 1e6:,.0f} M | {more / 1e6:+,.1f} M | {share} | {row.budget} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
