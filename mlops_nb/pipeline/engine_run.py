"""What the engine adds where papermill itself runs a notebook: a kernel, a run, a fair verdict."""

from __future__ import annotations

import contextlib
import functools
import itertools
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import papermill.execute as papermill_execute  # noqa: TID253 - loaded by papermill only
from papermill.log import logger  # noqa: TID253

from mlops_nb.config import load_settings
from mlops_nb.errors import MLOpsError
from mlops_nb.pipeline.forkserver_imports import find_preload
from mlops_nb.pipeline.kernels import StepKernel
from mlops_nb.records import RunStatus
from mlops_nb.store import open_store
from mlops_nb.tracking import Run, start_run

MARK = "mlops"
_count = itertools.count()
_SIGTERM_CODE = 128 + 15


def choose_kernel(nb: Any, name: str | None) -> str | None:
    """Choose the kernelspec for a notebook.

    Parameters
    ----------
    nb
        The notebook node.
    name
        The kernelspec that papermill names.

    Returns
    -------
    str or None
        None for the interpreter that runs this: for its own kernel, and with a notice in place of
        a Python kernel that is not installed here.
    """
    from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel

    if name in (None, "", "python3"):
        return None
    try:
        spec = KernelSpecManager().get_kernel_spec(name)
    except NoSuchKernel:
        named = nb.metadata.get("kernelspec", {})
        if named.get("name") != name or named.get("language", "python") != "python":
            return name  # asked for by the user, or not Python: its start tells what is missing
        logger.warning(
            "There is no kernel %r here; the notebook runs with %s", name, sys.executable
        )
        return None
    return None if spec.argv[:1] == [sys.executable] else name


class NotebookRun:
    """The run of a notebook that papermill executes, in the store of the notebook's folder.

    Nothing that goes wrong with it stops the notebook.

    Parameters
    ----------
    nb
        The notebook node.
    source
        What papermill has read; a local file or not.

    Attributes
    ----------
    status
        With which it will end.
    environment
        Variables for the kernel.
    """

    def __init__(self, nb: Any, source: object) -> None:
        # papermill also takes notebooks themselves, and addresses.
        is_local = isinstance(source, str) and "://" not in source and Path(source).is_file()
        self.nb, self.source = nb, Path(str(source)).absolute() if is_local else None
        self.status: RunStatus = "failed"
        self.record: Run | None = None
        self.environment: dict[str, str] = {}

    def start(self) -> None:
        """Start the run and prepare the kernel's environment."""
        with self._told("started"):
            folder = self.source.parent if self.source else Path.cwd()
            settings = load_settings(folder)
            if settings.disabled:
                return
            store = open_store(settings.store, cache=settings.cache, index=settings.index)
            self.record = start_run(
                store,
                settings,
                self.source.stem if self.source else "notebook",
                tags={"mlops.kind": "papermill"},
                nested=False,
                meta={"notebook": str(self.source or "")},
                is_active=False,
            )
            self.environment = {
                "MLOPS_NB_STORE": str(store.root),
                "MLOPS_NB_CACHE": str(settings.cache),
                "MLOPS_NB_EXPERIMENT": settings.experiment,
                "MLOPS_NB_PARENT_RUN": self.record.run_id,
            }
            if self.source:
                self.environment["MLOPS_NB_NOTEBOOK"] = str(self.source)
            plain = (str, int, float, bool, type(None))
            values = self.nb.metadata.get("papermill", {}).get("parameters", {})
            self.record.log_params(
                {k: v if isinstance(v, plain) else repr(v) for k, v in values.items()}
            )

    def end(self, target: str | None) -> None:
        """End the run.

        Parameters
        ----------
        target
            The executed notebook.
        """
        if self.record is None:
            return
        with self._told("ended"):
            try:
                if target and Path(target).is_file():
                    self.record.log_artifact(Path(target), Path(target).name)
            finally:
                self.record.end(self.status)

    @contextlib.contextmanager
    def _told(self, verb: str) -> Iterator[None]:
        try:
            yield
        except (MLOpsError, OSError) as error:
            logger.warning("The run of this notebook was not %s: %s", verb, error)


def make_kernel(nb: Any, name: str | None, environment: dict[str, str]) -> StepKernel:
    """Make the kernel for a whole notebook, in the current folder as papermill has it.

    Parameters
    ----------
    nb
        The notebook node.
    name
        The kernelspec that papermill names.
    environment
        Variables on top of this process's own.

    Returns
    -------
    StepKernel
        Not started yet.
    """
    preload = find_preload(cell.source for cell in nb.cells if cell.cell_type == "code")
    chosen = choose_kernel(nb, name)
    kernel = StepKernel(Path.cwd(), environment, chosen, preload=preload, wanted=preload)
    if next(_count) == 0 and load_settings().fork != "keep":
        kernel.fork = "off"  # a server pays back from the second notebook of a process
    return kernel


@contextlib.contextmanager
def terminate_in_order() -> Iterator[None]:
    """Let SIGTERM end this process through its ``finally`` clauses, if nobody else handles it."""
    is_free = (
        threading.current_thread() is threading.main_thread()
        and signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    )
    if not is_free:
        yield
        return

    def leave(number: int, frame: object) -> None:
        raise SystemExit(_SIGTERM_CODE)

    signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def describe_death(kernel: StepKernel | None) -> str:
    """Tell how a kernel died.

    Parameters
    ----------
    kernel
        Whose process has ended.

    Returns
    -------
    str
        For people.
    """
    provisioner = getattr(getattr(kernel, "km", None), "provisioner", None)
    process = getattr(provisioner, "process", None)
    code = process.poll() if process is not None else None
    if code is None:
        return "the kernel died"
    if code >= 0:
        return f"the kernel died: its process ended with code {code}"
    name = signal.Signals(-code).name
    hint = "; it may have run out of memory" if name == "SIGKILL" else ""
    return f"the kernel died of {name}{hint}"


def judge_fairly() -> None:
    """Make papermill's check after a run take errors for granted that a cell was expected to raise.

    papermill counts every error output, also of cells tagged ``raises-exception``. Notebooks of
    other engines are judged as before.
    """
    original = getattr(papermill_execute, "raise_for_execution_errors", None)
    if original is None or hasattr(original, "_mlops_original"):
        return

    @functools.wraps(original)
    def check(nb: Any, output_path: Any) -> None:
        is_ours = nb.metadata.get("papermill", {}).get("engine") == MARK
        if not is_ours or any(_has_failed(cell) for cell in nb.cells):
            original(nb, output_path)

    check._mlops_original = original  # type: ignore[attr-defined]  # noqa: SLF001
    papermill_execute.raise_for_execution_errors = check


def _has_failed(cell: Any) -> bool:
    if cell.metadata.get("papermill", {}).get("exception"):
        return True
    is_expected = "raises-exception" in cell.metadata.get("tags", [])
    return not is_expected and any(o.output_type == "error" for o in cell.get("outputs", []))
