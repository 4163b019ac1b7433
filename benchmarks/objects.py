"""Measures how files are kept and restored, beside DVC where it is installed; prints a table.

CPU seconds of the work and its children are what counts. The data are random, so nothing compresses.
Run: python benchmarks/objects.py [MiB of the large file, 2048 by default]
"""

from __future__ import annotations

import os
import platform
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

FILES, FILE_BYTES, PIECE_BYTES = 10_000, 20_000, 64 * 1024
BUDGETS = {
    "large file, first": 6.0,
    "large file, 1 % changed": 2.5,
    "10,000 files, first": 1.5,
    "10,000 files, again": 0.15,
    "10,000 files, restored": 1.5,
}
Figures = dict[str, tuple[float, float, float]]


def measure(work: Callable[[], object], kept: Path) -> tuple[float, float, float]:
    """Give CPU seconds, wall seconds and new megabytes of some work."""
    size, wall, cpu = measure_folder(kept), time.perf_counter(), sum(os.times()[:4])
    work()
    cpu, wall = sum(os.times()[:4]) - cpu, time.perf_counter() - wall
    return cpu, wall, (measure_folder(kept) - size) / 1e6


def measure_folder(folder: Path) -> int:
    """Give the bytes of all files below a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def write_data(top: Path, size_mib: int) -> None:
    """Write the large file and the many small ones."""
    chance = random.Random(1)
    with (top / "large").open("wb") as file:
        for _ in range(size_mib):
            file.write(chance.randbytes(2**20))
    (top / "many").mkdir()
    for number in range(FILES):
        (top / "many" / f"{number:05d}").write_bytes(chance.randbytes(FILE_BYTES))
    settle()


def change(path: Path) -> None:
    """Overwrite a hundredth of a file, scattered in pieces of 64 KiB."""
    chance = random.Random(2)
    size = path.stat().st_size
    with path.open("r+b") as file:
        for _ in range(max(1, size // 100 // PIECE_BYTES)):
            file.seek(chance.randrange(size - PIECE_BYTES))
            file.write(chance.randbytes(PIECE_BYTES))
    settle()


def settle() -> None:
    """Let the disk come to rest, and the files be old enough to be trusted."""
    os.sync()
    time.sleep(2.5)


def measure_ours(top: Path) -> Figures:
    """Keep and restore with a store of ours."""
    from mlops_nb.store import open_store

    store = open_store(top / "store", cache=top / "cache")
    store.objects.put_bytes(b"warm")
    packs = store.root / "packs"
    found = {"large file, first": measure(lambda: store.objects.put_file(top / "large"), packs)}
    change(top / "large")
    found["large file, 1 % changed"] = measure(lambda: store.objects.put_file(top / "large"), packs)
    found["10,000 files, first"] = measure(lambda: store.put_tree(top / "many"), packs)
    found["10,000 files, again"] = measure(lambda: store.put_tree(top / "many"), packs)
    tree = store.put_tree(top / "many")
    found["10,000 files, restored"] = measure(
        lambda: store.restore_tree(tree, top / "restored"), packs
    )
    return found


def measure_dvc(top: Path, program: str) -> Figures:
    """Do the same with DVC, as its users would: by its command."""
    environ = {**os.environ, "DVC_NO_ANALYTICS": "1"}

    def dvc(*words: str) -> None:
        subprocess.run([program, *words], cwd=top, check=True, env=environ, capture_output=True)

    dvc("init", "--no-scm", "-q")
    cache = top / ".dvc" / "cache"
    found = {"large file, first": measure(lambda: dvc("add", "-q", "large"), cache)}
    change(top / "large")
    found["large file, 1 % changed"] = measure(lambda: dvc("add", "-q", "large"), cache)
    found["10,000 files, first"] = measure(lambda: dvc("add", "-q", "many"), cache)
    found["10,000 files, again"] = measure(lambda: dvc("add", "-q", "many"), cache)
    shutil.rmtree(top / "many")
    found["10,000 files, restored"] = measure(lambda: dvc("checkout", "-q", "many.dvc"), cache)
    return found


def main() -> None:
    """Print the table."""
    size_mib = int(sys.argv[1]) if len(sys.argv) > 1 else 2048
    with tempfile.TemporaryDirectory() as folder:
        top = Path(folder)
        write_data(top, size_mib)
        ours = measure_ours(top)
    program = shutil.which("dvc", path=str(Path(sys.executable).parent)) or shutil.which("dvc")
    theirs: Figures = {}
    if program:
        with tempfile.TemporaryDirectory() as folder:
            write_data(Path(folder), size_mib)
            theirs = measure_dvc(Path(folder), program)
    print(f"Python {platform.python_version()}, {os.cpu_count()} CPUs, large file {size_mib} MiB")
    print(
        f"{'':26}{'CPU s':>8}{'wall s':>8}{'MB new':>9}{'budget':>8}{'DVC CPU s':>11}{'ratio':>7}"
    )
    for name, (cpu, wall, new) in ours.items():
        peer = theirs.get(name)
        beside = f"{peer[0]:11.2f}{peer[0] / cpu:7.1f}" if peer else f"{'-':>11}{'-':>7}"
        print(f"{name:26}{cpu:8.2f}{wall:8.2f}{new:9.1f}{BUDGETS[name]:8.2f}{beside}")


if __name__ == "__main__":
    main()
