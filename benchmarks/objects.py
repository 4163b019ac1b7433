"""Measures how files are kept and restored, beside DVC where it is installed; prints a table.

CPU seconds of the work and its children are what counts; figures are medians of rounds in which both
take their turn. The data are random, so nothing compresses. ``make bench-peers`` installs DVC.
Run: python benchmarks/objects.py [MiB of the large file, 2048 by default [rounds, 3 by default]]
"""

from __future__ import annotations

import os
import platform
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from peers import find_folder, find_peers

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


def measure_merging(top: Path) -> Figures:
    """Measure what a collection pays to merge a thousand packs of one object, and what it brings."""
    from mlops_nb.store import Store, open_store
    from mlops_nb.store.upkeep import collect_store

    store = open_store(top / "store", cache=top / "cache")
    chance = random.Random(3)
    digests = [store.objects.put_bytes(chance.randbytes(2000)) for _ in range(1000)]
    store.audit.append("kept", {"digests": digests})

    def read() -> None:
        fresh = Store(store.root, store.store_id, top / "cache", store.objects.cut)
        for digest in digests:
            fresh.objects.read_bytes(digest)

    return {
        "1,000 packs, read": measure(read, store.root),
        "1,000 packs, collected": measure(lambda: collect_store(store, grace_s=0), store.root),
        "merged, read": measure(read, store.root),
        "merged, collected again": measure(lambda: collect_store(store, grace_s=0), store.root),
    }


def main() -> None:
    """Print the table."""
    size_mib = int(sys.argv[1]) if len(sys.argv) > 1 else 2048
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    peer = find_peers(find_folder([]))["DVC"]
    subjects: dict[str, Callable[[Path], Figures]] = {"ours": measure_ours}
    if peer.python:
        program = str(peer.python.with_name("dvc"))
        subjects["DVC"] = lambda top: measure_dvc(top, program)
    found: dict[str, list[Figures]] = {name: [] for name in subjects}
    for _ in range(rounds):
        for name, work in subjects.items():
            with tempfile.TemporaryDirectory() as folder:
                write_data(Path(folder), size_mib)
                found[name].append(work(Path(folder)))
    figures = {
        name: {
            title: [statistics.median(one) for one in zip(*(each[title] for each in many), strict=True)]
            for title in BUDGETS
        }
        for name, many in found.items()
    }  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        merged = measure_merging(Path(folder))
    load = os.getloadavg()[1] if hasattr(os, "getloadavg") else float("nan")
    print(
        f"Python {platform.python_version()}, {os.cpu_count()} cores, load {load:.1f}; "
        f"large file {size_mib} MiB; medians of {rounds} rounds; {peer.reason or peer.title}"
    )
    print("| files | CPU | wall | new | budget | DVC: CPU | wall | new | ratio |")
    print("| --- |" + " ---: |" * 8)
    for title, budget in BUDGETS.items():
        cpu, wall, new = figures["ours"][title]
        row = f"| {title} | {cpu:.2f} s | {wall:.2f} s | {new:.1f} MB | {budget:g} |"
        if "DVC" in figures:
            other = figures["DVC"][title]
            row += f" {other[0]:.2f} s | {other[1]:.2f} s | {other[2]:.1f} MB | {other[0] / cpu:.1f} x |"
        print(row)
    for title, (cpu, wall, new) in merged.items():
        print(f"| {title} | {cpu:.2f} s | {wall:.2f} s | {new:.1f} MB |" + " |" * 5)


if __name__ == "__main__":
    main()
