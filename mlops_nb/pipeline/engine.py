"""A papermill engine whose notebooks say what really happened.

``papermill in.ipynb out.ipynb --engine mlops``: the kernel learns id and tags of each cell, cells
tagged ``raises-exception`` do not end the run, a dead kernel leaves its cell failed and the rest
pending, files appear whole, and saving costs the same however large the notebook grows.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

# This module is loaded by papermill, or when a pipeline runs; its classes need their bases.
from nbclient.exceptions import (  # noqa: TID253
    CellExecutionError,
    CellTimeoutError,
    DeadKernelError,
)
from nbformat.v4 import new_output  # noqa: TID253
from papermill.clientwrap import PapermillNotebookClient  # noqa: TID253
from papermill.engines import (  # noqa: TID253
    NBClientEngine,
    papermill_engines,
)

from mlops_nb.pipeline import displays
from mlops_nb.pipeline.engine_manager import StepManager
from mlops_nb.pipeline.engine_run import (
    MARK,
    NotebookRun,
    describe_death,
    judge_fairly,
    make_kernel,
    terminate_in_order,
)
from mlops_nb.pipeline.kernels import StepKernel
from mlops_nb.pipeline.outcome import StepOutcome

_INPUT = "StdinNotImplementedError"


class StepClient(PapermillNotebookClient):  # type: ignore[misc]
    """Runs the cells of one notebook.

    Parameters
    ----------
    nb_man
        Keeps the records.
    outcome
        Filled while running.
    on_cell
        Called with the number of cells done and of all.
    kernel
        Tells how it died.
    around
        Gives for each cell what to hold while it runs.
    **options
        As nbclient takes them.
    """

    def __init__(
        self,
        nb_man: StepManager,
        outcome: StepOutcome,
        on_cell: Callable[[int, int], None] | None = None,
        kernel: StepKernel | None = None,
        around: Callable[[Any], AbstractContextManager[None]] | None = None,
        **options: Any,
    ) -> None:
        super().__init__(nb_man, **options)
        self.around = around or (lambda cell: nullcontext())
        self.outcome, self.on_cell, self.kernel = outcome, on_cell, kernel

    def execute(self, **options: Any) -> Any:
        """Run the notebook.

        Parameters
        ----------
        **options
            As nbclient's ``setup_kernel`` takes them.

        Returns
        -------
        NotebookNode
            The notebook.
        """
        self.reset_execution_trackers()
        with self.setup_kernel(**options):
            self.papermill_execute_cells()
            displays.note_places(self.nb, self._display_id_map)
            if not (self.outcome.died or self.outcome.timed_out):  # else nobody answers
                answer = self.wait_for_reply(self.kc.kernel_info())
                self.nb.metadata["language_info"] = answer["content"]["language_info"]
                self.set_widgets_metadata()
        return self.nb

    def papermill_execute_cells(self) -> None:
        """Run cell after cell until one fails."""
        total = len(self.nb.cells)
        for index, cell in enumerate(self.nb.cells):
            if cell.cell_type != "code":
                continue
            self.nb_man.cell_start(cell, index)
            try:
                self._execute(cell, index)
            except CellExecutionError as error:
                reason = f"{error.ename}: {error.evalue}"
                if error.ename == _INPUT:
                    reason = "it asks for input, and nobody is there: make the value a parameter"
                self._fail(cell, index, reason)
                self.outcome.interrupted = error.ename == "KeyboardInterrupt"
                if error.ename == "SystemExit":
                    code = error.evalue
                    self.outcome.exit_code = int(code) if code.lstrip("-").isdigit() else 1
                    if code in ("", "0", "None"):
                        self.outcome.exit_code = 0
                return
            except CellTimeoutError:
                self.outcome.timed_out = True
                self._fail(cell, index, "it took longer than allowed", "CellTimeoutError")
                return
            except DeadKernelError:
                self.outcome.died = True
                self._fail(cell, index, describe_death(self.kernel), "DeadKernelError")
                return
            except BaseException as error:
                self._fail(cell, index, type(error).__name__)
                raise
            finally:
                self.nb_man.cell_complete(cell, cell_index=index)
            if self.on_cell is not None:
                self.on_cell(index + 1, total)

    def _execute(self, cell: Any, index: int) -> None:
        metadata = dict(cell.metadata)
        metadata.pop("papermill", None)
        own = metadata.get("mlops", {})
        identity = own.get("source_cell_id") or cell.get("id")
        # nbclient sends no metadata; what the session sends by default reaches the kernel's hooks.
        self.kc.session.metadata = {"cellId": identity, **metadata}
        try:
            counts = own.get("kind", "cell") == "cell"
            with self.around(cell):
                self.execute_cell(cell, index, store_history=counts)
        finally:
            self.kc.session.metadata = {}

    def _update_display_id(self, display_id: str, msg: Any) -> None:
        displays.note_update(self.nb, display_id, msg)
        super()._update_display_id(display_id, msg)

    def _fail(self, cell: Any, index: int, reason: str, shown_as: str = "") -> None:
        self.outcome.error, self.outcome.cell = reason, index
        if shown_as:  # nothing else would tell the reader of the notebook
            error = {"ename": shown_as, "evalue": reason, "traceback": [f"{shown_as}: {reason}"]}
            cell.outputs.append(new_output("error", **error))
        self.nb_man.cell_exception(cell, cell_index=index)


class MLOpsEngine(NBClientEngine):  # type: ignore[misc]
    """The engine ``mlops``."""

    @classmethod
    def execute_notebook(
        cls,
        nb: Any,
        kernel_name: str,
        output_path: str | None = None,
        progress_bar: Any = True,
        log_output: bool = False,
        autosave_cell_every: int = 30,
        **options: Any,
    ) -> Any:
        """Run a notebook.

        Parameters
        ----------
        nb
            The notebook node, changed in place.
        kernel_name
            Kernelspec to use where no ``kernel`` is given.
        output_path
            Where papermill saves it.
        progress_bar, log_output, autosave_cell_every
            As papermill's.
        **options
            ``kernel`` (a `StepKernel`), ``outcome``, ``on_cell``, ``around``, ``save_path``, and
            nbclient's.

        Returns
        -------
        NotebookNode
            With outputs and papermill's records.
        """
        local = output_path and "://" not in output_path and Path(output_path).suffix == ".ipynb"
        manager = StepManager(
            nb,
            options.pop("save_path", None) or (output_path if local else None),
            output_path=output_path,
            progress_bar=progress_bar,
            log_output=log_output,
            autosave_cell_every=autosave_cell_every,
        )
        nb.metadata.papermill["engine"] = MARK
        manager.notebook_start()
        run = None
        try:
            if any(options.get(name) is not None for name in ("kernel", "km")):
                cls.execute_managed_notebook(manager, kernel_name, log_output=log_output, **options)
            else:
                run = NotebookRun(nb, options.get("input_path"))
                _run_alone(cls, run, manager, kernel_name, log_output=log_output, **options)
        finally:
            manager.cleanup_pbar()
            manager.notebook_complete()
            if run is not None:
                run.end(manager.save_path)
        return manager.nb

    @classmethod
    def nb_kernel_name(cls, nb: Any, name: str | None = None) -> str:
        """Give the kernel of a notebook; one that names none runs with this interpreter.

        Parameters
        ----------
        nb
            The notebook node.
        name
            What the user asks for.

        Returns
        -------
        str
            A kernelspec.
        """
        return str(name or nb.metadata.get("kernelspec", {}).get("name") or "python3")

    @classmethod
    def nb_language(cls, nb: Any, language: str | None = None) -> str:
        """Give the language of a notebook; one that names none is Python.

        Parameters
        ----------
        nb
            The notebook node.
        language
            What the user asks for.

        Returns
        -------
        str
            As kernelspecs name it.
        """
        spec, info = nb.metadata.get("kernelspec", {}), nb.metadata.get("language_info", {})
        return str(language or spec.get("language") or info.get("name") or "python")

    @classmethod
    def execute_managed_notebook(cls, nb_man: StepManager, kernel_name: str, **options: Any) -> Any:
        """Run the cells of a notebook.

        Parameters
        ----------
        nb_man
            Keeps the records.
        kernel_name
            Kernelspec to use where no ``kernel`` is given.
        **options
            As for `execute_notebook`.

        Returns
        -------
        NotebookNode
            The notebook.
        """
        kernel: StepKernel | None = options.pop("kernel", None)
        if kernel is not None and kernel.km is None:
            kernel.start()
        start_timeout = options.pop("start_timeout", 60)
        execution_timeout = options.pop("execution_timeout", None)
        options.pop("input_path", None)
        if execution_timeout:
            options["timeout"] = execution_timeout
        outcome = options.pop("outcome", None) or StepOutcome()
        if kernel is not None:
            options["km"] = kernel.km
        options.setdefault("shutdown_kernel", "immediate")
        client = StepClient(
            nb_man,
            outcome,
            startup_timeout=start_timeout,
            kernel_name=kernel_name,
            kernel=kernel,
            **options,
        )
        if kernel is not None:
            client.kc = kernel.kc
        return client.execute()


def _run_alone(
    engine: type[MLOpsEngine],
    run: NotebookRun,
    manager: StepManager,
    kernel_name: str,
    **options: Any,
) -> None:
    """Run a notebook for papermill itself: in a kernel of its own, and with a run that tells."""
    outcome = options.setdefault("outcome", StepOutcome())
    with terminate_in_order():
        run.start()
        kernel = make_kernel(manager.nb, kernel_name, run.environment)
        kernel.start_timeout_s = options.get("start_timeout") or kernel.start_timeout_s
        try:
            engine.execute_managed_notebook(manager, kernel_name, kernel=kernel, **options)
            if not (outcome.died or outcome.timed_out):
                kernel.finish()
                kernel.leave()
            if not outcome.error or outcome.exit_code == 0:
                run.status = "finished"
        except (KeyboardInterrupt, SystemExit):
            run.status = "interrupted"
            raise
        finally:
            kernel.stop()


def register_engine() -> str:
    """Make the engine known to papermill in this process.

    Returns
    -------
    str
        Its name; papermill also finds it by entry point where the package is installed.
    """
    papermill_engines.register(MARK, MLOpsEngine)
    return MARK


judge_fairly()
