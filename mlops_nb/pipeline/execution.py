"""Executes one step in a kernel, and with it the steps that cannot be parted from it."""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from mlops_nb.errors import StepFailedError
from mlops_nb.notebook.document import write_notebook
from mlops_nb.notebook.nbformat_import import import_nbformat
from mlops_nb.notebook.secrets import redact_document
from mlops_nb.pipeline import cancelling, remains, standalone
from mlops_nb.pipeline.context import Chain, Context
from mlops_nb.pipeline.fanning import FanOut
from mlops_nb.pipeline.forkserver_imports import find_preload
from mlops_nb.pipeline.kernels import StepKernel
from mlops_nb.pipeline.outcome import StepOutcome
from mlops_nb.pipeline.packages import find_packages
from mlops_nb.pipeline.progress import Progress
from mlops_nb.pipeline.specification import StepSpecification
from mlops_nb.pipeline.specifying import specify_step
from mlops_nb.pipeline.standalone import Kept
from mlops_nb.pipeline.state import State, read_state
from mlops_nb.pipeline.stepbook import build_step
from mlops_nb.records import StepResult

_BACKOFF_S = 1.0
_ENGINE = "mlops_nb.pipeline.engine"


def _load_engine() -> None:
    """Load what is needed once the kernel is there, and takes seconds: papermill, and packages."""
    with contextlib.suppress(Exception):  # who uses it meets the error
        import_nbformat()
        importlib.import_module(_ENGINE)
        find_packages(())


class ChainRunner:
    """Runs a step in a kernel of its own, and goes on in it where something cannot leave it.

    Parameters
    ----------
    context
        Of the run.
    number
        The first step.
    state
        What there is before it.
    """

    def __init__(self, context: Context, number: int, state: State) -> None:
        self.context, self.first = context, number
        self.chain = Chain(state, state)
        self.kernel: StepKernel | None = None
        self.fan_out: FanOut | None = None
        self.fused_with: str | None = None
        self.reason: str | None = None
        self.count = state.execution_count

    def run(self) -> Chain:
        """Run it.

        Returns
        -------
        Chain
            One result for each step that was begun.
        """
        try:
            number = self.first
            while number < len(self.context.pipeline.steps):
                self._run_with_retries(number)
                if self.chain.is_failed or self.chain.has_exited or self.fused_with is None:
                    break
                number += 1
        finally:
            self._stop_kernel()
        return self.chain

    def _run_with_retries(self, number: int) -> None:
        options = self.context.pipeline.steps[number].options
        tries = 1 if self.fused_with else 1 + (options.retries or 0)
        for attempt in range(tries):
            outcome, result = self._run_step(number, attempt)
            last = attempt == tries - 1
            if not outcome.error or last or outcome.interrupted:
                break
            place = self.context.find_place(number)
            message = f"{result.name}: {result.error}; trying again ({attempt + 2} of {tries})"
            self.context.tell(Progress("notice", message=message, **place))
            self._keep_attempt(Path(result.notebook or ""), attempt)
            time.sleep(_BACKOFF_S * 2**attempt)
        self.chain.numbers.append(number)
        self.chain.results.append(result)
        shared = f"in the kernel of {result.fused_with!r}, {result.reason}"
        self.context.tell(
            Progress(
                "step_finished",
                status=result.status,
                duration_s=result.duration_s,
                message=result.error or (shared if result.fused_with else ""),
                **self.context.find_place(number),
            )
        )

    @staticmethod
    def _keep_attempt(target: Path, attempt: int) -> None:
        with contextlib.suppress(OSError):
            target.replace(target.with_name(f"{target.stem}.attempt{attempt + 1}.ipynb"))

    def _run_step(self, number: int, attempt: int) -> tuple[StepOutcome, StepResult]:
        context = self.context
        step = context.pipeline.steps[number]
        place = context.find_place(number)
        context.tell(Progress("step_started", **place))
        started = time.monotonic()
        target = context.out_dir / f"{number + 1:02d}-{step.name}.ipynb"
        outcome = StepOutcome()
        continued, why = self.fused_with, self.reason
        document = build_step(
            context.pipeline,
            number,
            context.values,
            run_id=context.run_id,
            continues=continued is not None,
        )
        write_notebook(document, target)
        try:
            self._start(number)
            self._execute(number, document, target, outcome)
            if outcome.exit_code == 0:
                outcome.error, self.chain.has_exited = "", True
            if not (outcome.error or outcome.died):
                self._take_report(number)
            elif not (outcome.died or outcome.timed_out):
                self._end_kernel()
        except StepFailedError as error:
            if not self.chain.has_exited:  # then it only could not tell what it has done
                outcome.error = error.reason
                outcome.died = self.kernel is not None and not self.kernel.is_alive()
        if outcome.error:
            self._stop_kernel()
        self._redact(target)
        result = StepResult(
            step.name,
            "failed" if outcome.error else "succeeded",
            str(target),
            duration_s=time.monotonic() - started,
            error=outcome.error or None,
            fused_with=continued,
            reason=why if continued else None,
            cause=outcome.cause,
        )
        del attempt
        return outcome, result

    def _redact(self, target: Path) -> None:
        if not self.context.secrets:
            return
        document = json.loads(target.read_text(encoding="utf-8"))
        write_notebook(redact_document(document, self.context.secrets), target)

    def _start(self, number: int) -> None:
        context = self.context
        if self.kernel is None:
            self.kernel = StepKernel(
                context.pipeline.path.absolute().parent,
                context.make_environment(),
                context.kernel_name,
                preload=context.preload,
                wanted=self._list_wanted(number),
            )
            cancelling.enlist(context.run_id, self.kernel)
            self.kernel.start(None if _ENGINE in sys.modules else _load_engine)
            remains.note_kernel(context.private, self.kernel.private)
        file = context.private / f"{number}.{os.getpid()}.step"
        before, above = self.chain.before, self.chain.numbers
        continues = self.fused_with is not None
        given = specify_step(context, number, before, above, continues=continues)
        given.write(file)
        self._keep(number, given)
        self.kernel.begin(file)

    def _keep(self, number: int, given: StepSpecification) -> None:
        """Keep what the executed notebook needs to run by itself later."""
        context = self.context
        steps, step = context.components.parent, context.pipeline.steps[number]
        kept = Kept(given, str(context.pipeline.path.absolute().parent), self.fused_with or "")
        if context.run_id:
            with contextlib.suppress(OSError):  # the run itself does not need it
                standalone.keep(steps, context.store_root, context.run_id, step.name, kept)
                standalone.note_store(context.store_root, context.settings.cache)

    def _list_wanted(self, number: int) -> list[str]:
        """List the modules that a step imports itself, of those a kernel may find imported."""
        source = self.context.sources[number]
        own = find_preload([*source.sources, *(one.source for one in source.definitions)])
        return [name for name in own if name in self.context.preload]

    def _execute(
        self, number: int, document: dict[str, Any], target: Path, outcome: StepOutcome
    ) -> None:
        nbformat = import_nbformat()
        import papermill
        from papermill.exceptions import PapermillExecutionError

        from mlops_nb.pipeline.engine import register_engine

        context = self.context
        place = context.find_place(number)

        def on_cell(done: int, total: int) -> None:
            context.tell(Progress("cell_finished", cells_done=done, cells_total=total, **place))

        limits = [context.timeout, context.pipeline.steps[number].options.timeout_s]
        limit = min((value for value in limits if value is not None), default=None)
        options: dict[str, Any] = {}
        deadline = None if limit is None else time.monotonic() + limit
        if deadline is not None:
            options["timeout_func"] = lambda cell: max(1, round(deadline - time.monotonic()))
        assert self.kernel is not None
        self.fan_out = FanOut(context, number, self.kernel, deadline)
        # papermill counts errors of cells that are tagged 'raises-exception' too; the engine has
        # told the truth.
        with contextlib.suppress(PapermillExecutionError):
            papermill.execute_notebook(
                nbformat.from_dict(document),
                None,
                engine_name=register_engine(),
                kernel_name=context.kernel_name or "python3",
                progress_bar=False,
                kernel=self.kernel,
                outcome=outcome,
                on_cell=on_cell,
                around=self.fan_out.around,
                save_path=str(target),
                **options,
            )

    def _take_report(self, number: int) -> None:
        assert self.kernel is not None
        self.kernel.report()
        file = self.context.private / f"{number}.json"
        found = json.loads(file.read_text(encoding="utf-8"))
        found = self.fan_out.add_to(found) if self.fan_out is not None else found
        file.unlink()
        self.chain.reports.append(found)
        is_last = number == len(self.context.pipeline.steps) - 1 or self.chain.has_exited
        blocking = found.get("blocking")
        if blocking:
            name, why = next(iter(blocking.items()))
            self.fused_with = self.context.pipeline.steps[number].name
            self.reason = f"because {name} cannot leave it: {why}"
            return
        self.fused_with = self.reason = None
        if "state" in found:
            self.chain.after = replace(
                read_state(found["state"]), execution_count=found["execution_count"]
            )
        self._end_kernel(is_last=is_last)

    def _end_kernel(self, is_last: bool = False) -> None:
        """End an idle kernel in good order."""
        if self.kernel is not None:
            self.kernel.finish()
            if is_last:
                self.kernel.leave()
        # Not so between steps: what a notebook has registered for its end, such as the removal of
        # temporary folders, must not run in the middle of it.
        self._stop_kernel()

    def _stop_kernel(self) -> None:
        """End the kernel at once, if one runs."""
        if self.kernel is not None:
            self.kernel.stop()
            cancelling.dismiss(self.context.run_id, self.kernel)
            self.kernel = None
