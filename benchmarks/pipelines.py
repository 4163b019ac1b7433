"""Measures pipelines from the shell beside papermill, DVC, Snakemake and Kale; prints two tables.

The same steps for all. Ours: one tagged notebook, ``mlops-nb run``. papermill: one notebook a step,
``papermill`` for each, the state pickled between them. DVC and Snakemake: one script a step, which
costs them no kernel. Kale compiles the notebook for Kubeflow; where it cannot run it here, the
tables say so.

Medians of rounds in which all take their turn, each command in a fresh process; what takes minutes
is done once. Wall time, and CPU time of the process and all that it has waited for. Telemetry is
off, all else is at its default.

``make bench-peers`` installs the peers. ``--only noop,warm,compile,outputs,eight`` measures these;
``--quick`` takes one round; ``--json`` prints the figures.
"""

from __future__ import annotations

import datetime
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(Path(__file__).resolve().parent), str(ROOT)]

from peers import find_folder, find_peers  # noqa: E402 - the scripts beside this one
from works import EIGHT, FIVE, Step, Work, list_cells  # noqa: E402

from mlops_nb.notebook.document import (  # noqa: E402
    new_code_cell,
    new_notebook,
    write_notebook,
)

QUICK = "--quick" in sys.argv
PEERS = find_peers(find_folder([]))
OURS = [sys.executable, "-m", "mlops_nb"]
PAPERMILL = [sys.executable, "-m", "papermill", "--log-level", "ERROR", "--no-progress-bar"]


@dataclass
class Measured:
    """The rounds of one way."""

    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    reason: str = ""

    def show(self, ours: Measured | None = None) -> str:
        """Give the medians, and how many times those of ours they are."""
        if not self.wall:
            return self.reason
        wall, cpu = statistics.median(self.wall), statistics.median(self.cpu)
        text = f"{_round(wall)} s ({_round(cpu)})"
        if ours is not None and ours is not self and ours.wall:
            times = wall / statistics.median(ours.wall), cpu / statistics.median(ours.cpu)
            text += f", {times[0]:.1f} x ({times[1]:.1f})"
        return text


def _round(seconds: float) -> str:
    return (
        f"{seconds:.3f}" if seconds < 1 else f"{seconds:.2f}" if seconds < 10 else f"{seconds:.1f}"
    )


def write_cells(path: Path, cells: Sequence[tuple[str, str]]) -> None:
    built = [new_code_cell(source, [tag] if tag else []) for source, tag in cells]
    write_notebook(new_notebook(built), path)


# ---------------------------------------------------------------------------- the ways
def write_ours(folder: Path, work: Work) -> list[list[str]]:
    cells = [(work.imports, "imports"), *((s.source, f"step:{s.name}") for s in work.steps)]
    write_cells(folder / "nb.ipynb", cells)
    return [[*OURS, "run", "nb.ipynb", "--no-verify"]]


def _split(work: Work) -> list[tuple[Step, list[str]]]:
    """Give the cells of each step, with what brings the state and takes it away."""
    found, known = [], dict[str, None]()
    for number, step in enumerate(work.steps):
        load = f"globals().update(pickle.load(open('{number - 1}.pickle', 'rb')))" if number else ""
        known |= dict.fromkeys(step.makes)
        names = ", ".join(f"{name!r}: {name}" for name in known)
        save = f"pickle.dump({{{names}}}, open('{number}.pickle', 'wb'))"
        found.append((step, [f"import pickle\n{work.imports}\n{load}", step.source, save]))
    return found


def write_papermill(folder: Path, work: Work) -> list[list[str]]:
    for step, sources in _split(work):
        write_cells(folder / f"{step.name}.ipynb", [(source, "") for source in sources])
    return [[*PAPERMILL, f"{s.name}.ipynb", f"{s.name}.out.ipynb"] for s in work.steps]


def _write_scripts(folder: Path, work: Work) -> None:
    for step, sources in _split(work):
        (folder / f"{step.name}.py").write_text("\n".join(sources), encoding="utf-8")


def write_dvc(folder: Path, work: Work) -> list[list[str]]:
    _write_scripts(folder, work)
    lines = ["stages:"]
    for number, step in enumerate(work.steps):
        before = [f"{number - 1}.pickle"] if number else (["data.csv"] if work is FIVE else [])
        lines += [f"  {step.name}:", f"    cmd: {sys.executable} {step.name}.py", "    deps:"]
        lines += [f"      - {name}" for name in [f"{step.name}.py", *before]]
        lines += ["    outs:", f"      - {number}.pickle"]
    (folder / "dvc.yaml").write_text("\n".join(lines), encoding="utf-8")
    dvc = [str(PEERS["DVC"].python), "-m", "dvc"]
    subprocess.run(
        [*dvc, "init", "--no-scm", "-q"], cwd=folder, check=True, env=_environment(folder)
    )
    return [[*dvc, "repro"]]


def write_snakemake(folder: Path, work: Work) -> list[list[str]]:
    _write_scripts(folder, work)
    last = len(work.steps) - 1
    lines = [f"rule all:\n    input: '{last}.pickle'"]
    for number, step in enumerate(work.steps):
        before = [f"{number - 1}.pickle"] if number else (["data.csv"] if work is FIVE else [])
        inputs = ", ".join(repr(name) for name in [f"{step.name}.py", *before])
        lines.append(
            f"rule {step.name}:\n    input: {inputs}\n    output: '{number}.pickle'\n"
            f"    shell: '{sys.executable} {step.name}.py'"
        )
    (folder / "Snakefile").write_text("\n".join(lines), encoding="utf-8")
    return [[str(PEERS["Snakemake"].python), "-m", "snakemake", "--cores", "1"]]


WAYS: dict[str, Callable[[Path, Work], list[list[str]]]] = {
    "ours": write_ours,
    "papermill": write_papermill,
    "DVC": write_dvc,
    "Snakemake": write_snakemake,
}


# ---------------------------------------------------------------------------- measuring
def _environment(folder: Path) -> dict[str, str]:
    # An installed package has its byte code, so the work tree shall have it too.
    left_out = ("MLOPS_NB_", "PYTEST_", "PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX")
    kept = {k: v for k, v in os.environ.items() if not k.startswith(left_out)}
    return kept | {
        "PYTHONPATH": str(ROOT),
        "MLOPS_NB_CACHE": str(folder / ".mlops" / "cache"),
        "XDG_CACHE_HOME": str(folder / ".xdg"),
        "DVC_NO_ANALYTICS": "1",
        "PYTHONWARNINGS": "ignore",
    }


def run_all(commands: list[list[str]], folder: Path) -> tuple[float, float]:
    """Run commands one after the other; give wall and CPU seconds."""
    environment = _environment(folder)
    # A peer brings its own packages.
    started, used = time.perf_counter(), 0.0
    with tempfile.TemporaryFile() as noise:
        for words in commands:
            own = dict(environment)
            if not words[0].startswith(sys.prefix):
                own.pop("PYTHONPATH")
            process = subprocess.Popen(words, cwd=folder, env=own, stdout=noise, stderr=noise)
            _, status, found = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            used += found.ru_utime + found.ru_stime
            if process.returncode:
                noise.seek(0)
                tail = noise.read().decode(errors="replace")[-2000:]
                raise SystemExit(f"{' '.join(words)} ended with {process.returncode}: {tail}")
    return time.perf_counter() - started, used


def make_project(folder: Path) -> None:
    """Make the root of a project, with its data; what we record goes there."""
    (folder / ".mlops").mkdir(parents=True)
    rows = [f"{n % 17},{n % 5 - 2},{int(n % 17 > n % 5 * 3)}" for n in range(2000)]
    (folder / "data.csv").write_text("a,b,y\n" + "\n".join(rows), encoding="utf-8")


def list_ways(*names: str) -> dict[str, Measured]:
    """Give the ways; one whose peer is not there says why."""
    found = {name: Measured() for name in names}
    for name in names:
        if name in PEERS and PEERS[name].python is None:
            found[name].reason = PEERS[name].reason
    return found


def in_turn(
    rounds: int, ways: dict[str, Measured], measure: Callable[[str], tuple[float, float]]
) -> None:
    for _ in range(1 if QUICK else rounds):
        for name, measured in ways.items():
            if not measured.reason:
                wall, cpu = measure(name)
                measured.wall.append(wall)
                measured.cpu.append(cpu)


def measure_noop() -> dict[str, Measured]:
    """Run five steps that are as they were."""
    ways = list_ways(*WAYS)
    with tempfile.TemporaryDirectory() as name:
        commands = {}
        for way in (one for one, measured in ways.items() if not measured.reason):
            folder = Path(name, way)
            make_project(folder)
            commands[way] = WAYS[way](folder, FIVE)
            first = run_all(commands[way], folder)
            if way == "papermill":  # it runs everything again
                ways[way] = Measured([first[0]], [first[1]], "no cache")
        in_turn(5, ways, lambda way: run_all(commands[way], Path(name, way)))
    return ways


def measure_eight() -> dict[str, Measured]:
    """Run eight steps for the first time, each with the three imports."""
    ways = list_ways(*WAYS)

    def measure(way: str) -> tuple[float, float]:
        with tempfile.TemporaryDirectory() as name:
            make_project(Path(name, "project"))
            return run_all(WAYS[way](Path(name, "project"), EIGHT), Path(name, "project"))

    in_turn(1, ways, measure)
    return ways


_EVENTS = """
import json, time
from mlops_nb import api
ended = []
api.run_pipeline("nb.ipynb", verify=False,
    on_progress=lambda event: event.kind == "step_finished" and ended.append(time.perf_counter()))
print(json.dumps([after - before for before, after in zip(ended[1:], ended[2:])]), file=open("times", "w"))
"""


def measure_warm() -> dict[str, Measured]:
    """Run single steps with the three imports; ours: from the end of one step to that of the next."""
    ways = list_ways("ours", "papermill")

    def measure(way: str) -> tuple[float, float]:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name, "project")
            make_project(folder)
            commands = WAYS[way](folder, EIGHT)
            if way == "papermill":
                first, second = commands[:1], commands[1:2]
                run_all(first, folder)
                return run_all(second, folder)
            _, cpu = run_all([[sys.executable, "-c", _EVENTS]], folder)
            times = json.loads((folder / "times").read_text(encoding="utf-8"))
            return statistics.median(times), cpu / len(EIGHT.steps)

    in_turn(1, ways, measure)
    return ways


def measure_compile() -> dict[str, Measured]:
    """Read a notebook of 100 cells as a pipeline, from the shell."""
    ways = list_ways("ours", "Kale")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name, "project")
        make_project(folder)
        write_cells(folder / "nb.ipynb", list_cells(100))
        strict = [
            (source.replace("%matplotlib inline\n", ""), tag) for source, tag in list_cells(100)
        ]
        write_cells(folder / "kale.ipynb", strict)
        kale = PEERS["Kale"].python
        commands = {
            "ours": [[*OURS, "pipeline", "nb.ipynb"]],
            "Kale": [[str(kale and kale.with_name("kale")), "--nb", "kale.ipynb"]],
        }
        in_turn(3, ways, lambda way: run_all(commands[way], folder))
    return ways


def measure_outputs(count: int) -> dict[str, Measured]:
    """Run cells that print a megabyte each, all of one step."""
    ways = list_ways("ours", "papermill")
    step = Step("main", "print('x' * 1_000_000)")

    def measure(way: str) -> tuple[float, float]:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name, "project")
            make_project(folder)
            cells = [(step.source, "step:main" if n == 0 else "") for n in range(count)]
            write_cells(folder / "nb.ipynb", cells)
            words = [*OURS, "run", "nb.ipynb", "--no-verify"]
            if way == "papermill":
                words = [*PAPERMILL, "nb.ipynb", "out.ipynb"]
            return run_all([words], folder)

    in_turn(1, ways, measure)
    return ways


ROWS: tuple[tuple[str, str, str, Callable[[], dict[str, Measured]]], ...] = (
    ("noop", "5 steps, nothing has changed", "0.25 s", measure_noop),
    ("warm", "one more step with the three imports", "0.6 s", measure_warm),
    ("compile", "compile 100 cells", "0.5 s", measure_compile),
    ("outputs", "20 cells of 1 MB output", "", lambda: measure_outputs(20)),
    ("outputs", "60 cells of 1 MB output", "3 x that of 20", lambda: measure_outputs(60)),
    ("eight", "8 steps with the three imports, first time", "papermill / 5", measure_eight),
)


def main() -> None:
    """Print the table."""
    wanted = next(
        (w.split(",") for b, w in zip(sys.argv, sys.argv[1:], strict=False) if b == "--only"), []
    )
    found = {}
    print(
        f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d %H:%M} UTC, Python {platform.python_version()}, {os.cpu_count()} cores, "
        f"load {os.getloadavg()[0]:.1f}; papermill {version('papermill')}, "
        + ", ".join(PEERS[name].title for name in ("DVC", "Snakemake", "Kale") if name in PEERS)
    )
    columns = [*WAYS, "Kale"]
    print("\n| wall (CPU), medians | budget | " + " | ".join(columns) + " |")
    print("| --- | ---: |" + " ---: |" * len(columns))
    for key, title, budget, measure in ROWS:
        if wanted and key not in wanted:
            continue
        ways = found[title] = measure()
        cells = [ways[name].show(ways["ours"]) if name in ways else "" for name in columns]
        print(f"| {title} | {budget} | " + " | ".join(cells) + " |", flush=True)
    print(f"\nload at the end {os.getloadavg()[0]:.1f}")
    if "--json" in sys.argv:
        print(json.dumps({t: {n: vars(m) for n, m in ways.items()} for t, ways in found.items()}))


if __name__ == "__main__":
    main()
