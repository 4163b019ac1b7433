"""The ways to run a notebook that must all give the same, one small function each."""

from __future__ import annotations

import contextlib
import copy
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.conformance.observing import (
    CellOutput,
    Observed,
    read_files,
    read_output,
    read_values,
)
from tests.conformance.reading import Case

PROBE = Path(__file__).parent / "probe"
ROOT = Path(__file__).parents[2]
EDIT = "conformance_edit = 1"


@dataclass(slots=True)
class Place:
    """A folder in which one mode runs one notebook, with a store of its own."""

    root: Path
    rounds: int = field(default=0)

    @property
    def work(self) -> Path:
        """The notebook's folder."""
        return self.root / "work"

    @property
    def probe(self) -> Path:
        """Where the notebook's last cell writes to."""
        return self.root / "probe.json"

    def next_out(self) -> Path:
        """Give a new folder for executed steps."""
        self.rounds += 1
        return self.root / f"out{self.rounds}"

    def make_environment(self) -> dict[str, str]:
        """Give the variables that every run of the suite has."""
        return {
            "PYTHONHASHSEED": "0",
            "PYTHONPATH": os.pathsep.join([str(PROBE), str(ROOT)]),
            "MLOPS_NB_CONFORMANCE_OUT": str(self.probe),
            "MLOPS_NB_STORE": str(self.root / "store"),
            "MLOPS_NB_CACHE": str(self.root / "cache"),
        }

    @contextlib.contextmanager
    def entered(self) -> Iterator[None]:
        """Have these variables in this process, and with it in the kernels it starts."""
        before = dict(os.environ)
        os.environ.update(self.make_environment())
        self.probe.unlink(missing_ok=True)
        try:
            yield
        finally:
            os.environ.clear()
            os.environ.update(before)


def run_reference(case: Case, place: Place, addition: str = "") -> Observed:
    """Run a notebook top to bottom in one kernel, as Restart-and-Run-All does."""
    import nbclient
    import nbformat
    from jupyter_client.manager import AsyncKernelManager
    from jupyter_core.utils import run_sync
    from nbclient.exceptions import CellExecutionError

    path = case.write(place.work, addition)
    document = nbformat.read(path, 4)
    kept = [i for i, c in enumerate(document.cells) if not _is_skipped(c)]
    cells = []
    for index in kept:
        cell = copy.deepcopy(document.cells[index])
        cell.metadata["position"] = index
        if "#| raises-exception" in cell.source:
            cell.metadata["tags"] = [*cell.metadata.get("tags", []), "raises-exception"]
        cells.append(cell)
        tags = cell.metadata.get("tags", [])
        if case.params and ("parameters" in tags or "pipeline-parameters" in tags):
            source = "\n".join(f"{name} = {value!r}" for name, value in case.params.items())
            cells.append(nbformat.v4.new_code_cell(source))
    document.cells = cells
    with tempfile.TemporaryDirectory() as private, place.entered():
        # Sockets have short paths only.
        manager = AsyncKernelManager(transport="ipc", ip=str(Path(private, "k")))
        resources = {"metadata": {"path": str(place.work)}}
        client = nbclient.NotebookClient(document, km=manager, timeout=120, resources=resources)
        try:
            with contextlib.suppress(CellExecutionError):
                client.execute()
            _leave(manager)
        finally:
            if client.kc is not None:
                client.kc.stop_channels()
            run_sync(manager.shutdown_kernel)(now=True)
    ran = {
        cell.metadata["position"]: read_output(cell.outputs)
        for cell in cells
        if cell.cell_type == "code"
        and "position" in cell.metadata
        and cell.get("execution_count") is not None
    }
    return Observed(_drop_exit(ran), read_values(place.probe), read_files(place.work))


def _leave(manager: Any) -> None:
    """Let a kernel end by itself, so that what the notebook left for its end runs."""
    from jupyter_core.utils import run_sync

    run_sync(manager.request_shutdown)()
    for _ in range(100):
        if not run_sync(manager.is_alive)():
            break
        time.sleep(0.03)


def _is_skipped(cell: Any) -> bool:
    tags = {*cell.metadata.get("tags", [])}
    return bool(tags & {"skip", "skip-execution"}) or "#| skip" in cell.source


def _drop_exit(cells: dict[int, CellOutput]) -> dict[int, CellOutput]:
    # ``sys.exit(0)`` ends a notebook well; papermill and nbclient differ in how they show it.
    for cell in cells.values():
        if cell.raised and cell.raised[0] == "SystemExit":
            cell.raised = None
            cell.warned = ""
    return cells


def _observe(result: Any, place: Place, *, is_partial: bool = False) -> Observed:
    """Read what a pipeline has left."""
    import nbformat

    cells: dict[int, CellOutput] = {}
    for step in result.steps:
        if not step.notebook or (is_partial and not Path(step.notebook).exists()):
            continue
        for cell in nbformat.read(step.notebook, 4).cells:
            own = cell.metadata.get("mlops", {})
            if own.get("kind") == "cell" and cell.cell_type == "code":
                status = cell.metadata.get("papermill", {}).get("status")
                if status != "pending":
                    cells[own["index"]] = read_output(cell.outputs)
    values, files = read_values(place.probe), read_files(place.work)
    fused = tuple(step.name for step in result.steps if step.fused_with)
    return Observed(_drop_exit(cells), values, files, fused=fused, is_partial=is_partial)


def run_pipeline(case: Case, place: Place, addition: str = "", **options: Any) -> Any:
    """Run a notebook of the suite step by step."""
    from mlops_nb import pipeline
    from mlops_nb.config import load_settings
    from mlops_nb.store import open_store

    path = case.write(place.work, addition)
    with place.entered():
        return pipeline.run(
            path,
            params=case.params,
            out_dir=place.next_out(),
            store=lambda: open_store(place.root / "store", cache=place.root / "cache"),
            settings=load_settings(place.work),
            **options,
        )


def run_cold(case: Case, place: Place) -> Observed:
    """Run each step in a kernel of its own."""
    return _observe(run_pipeline(case, place), place)


def run_warm(case: Case, place: Place) -> Observed:
    """Run again: steps come from the cache."""
    run_pipeline(case, place)
    values = read_values(place.probe)
    again = _observe(run_pipeline(case, place), place, is_partial=True)
    again.values = again.values or values
    return again


def run_edited(case: Case, place: Place) -> Observed:
    """Run again with another last line: the steps before come from the cache."""
    run_pipeline(case, place)
    return _observe(run_pipeline(case, place, EDIT), place, is_partial=True)


def run_parallel(case: Case, place: Place) -> Observed:
    """Run two steps at once where they are proven to be independent."""
    return _observe(run_pipeline(case, place, jobs=2), place)


def run_dask(case: Case, place: Place) -> Observed:
    """Run each step in a process of its own, which a worker of a Dask cluster looks after."""
    from distributed import LocalCluster

    from mlops_nb.pipeline.executor_dask import connect

    options = {"n_workers": 1, "threads_per_worker": 2, "processes": False}
    with (
        LocalCluster(dashboard_address="127.0.0.1:0", **options) as cluster,
        connect(cluster.scheduler_address) as executor,
    ):
        return _observe(run_pipeline(case, place, executor=executor), place)


def run_resumed(case: Case, place: Place) -> Observed:
    """Kill the run with SIGKILL when its second step begins, then run again."""
    case.write(place.work)
    with place.entered():
        command = [sys.executable, "-W", "ignore", "-m", "tests.conformance.killed"]
        arguments = [case.name, str(place.root)]
        done = subprocess.run(
            [*command, *arguments], cwd=ROOT, capture_output=True, text=True, check=False
        )
    if done.returncode not in (-signal.SIGKILL, 0) and "mlops_nb.errors" not in done.stderr:
        raise AssertionError(f"the first run ended with {done.returncode}: {done.stderr[-400:]}")
    return _observe(run_pipeline(case, place), place, is_partial=True)


def run_script(case: Case, place: Place) -> Observed:
    """Run the exported script in a plain interpreter."""
    from mlops_nb import api

    path = case.write(place.work)
    script = place.work / "script.py"  # beside the local modules
    with place.entered():
        api.export_notebook(path, "script", script, params=case.params)
        done = subprocess.run(
            [sys.executable, str(script)],
            capture_output=True, text=True, check=False, cwd=place.work, timeout=120,
        )  # fmt: skip
    if done.returncode:
        raise AssertionError(f"the script failed: {done.stderr[-600:]}")
    files = {k: v for k, v in read_files(place.work).items() if k != script.name}
    return Observed(values=read_values(place.probe), files=files, printed=done.stdout)


Runner = Callable[[Case, Place], Observed]

MODES: dict[str, Runner] = {
    "cold": run_cold,
    "warm": run_warm,
    "edited": run_edited,
    "parallel": run_parallel,
    "dask": run_dask,
    "resumed": run_resumed,
    "script": run_script,
}
