"""Runs the rounds of a step's loop at once, where it is proven that they do not depend on another.

The kernel of the step is not touched before all is proven: where it is not, what other kernels did
to files is taken back, and the cell runs as the loop that it is.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import os
import secrets
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_nb.errors import MLOpsError, StepFailedError
from mlops_nb.notebook.foreach import ForeachLoop
from mlops_nb.pipeline import cancelling, rounds_guard
from mlops_nb.pipeline.definitions import (
    find_mentioned,
    list_definitions,
    list_settings_cells,
)
from mlops_nb.pipeline.kernels import StepKernel
from mlops_nb.pipeline.keys import find_needed
from mlops_nb.pipeline.progress import Progress
from mlops_nb.pipeline.reach import find_words, reaches_all
from mlops_nb.pipeline.rounds_evidence import find_conflict, find_unseen
from mlops_nb.pipeline.rounds_order import RoundsOrder
from mlops_nb.pipeline.rounds_process import (
    Part,
    RoundsProcess,
    find_shown,
    is_mark,
    join_outputs,
    join_reports,
    read_done,
)
from mlops_nb.pipeline.specification import StepSpecification
from mlops_nb.pipeline.specifying import specify_step
from mlops_nb.pipeline.state import State, read_state

if TYPE_CHECKING:
    from mlops_nb.pipeline.context import Context

_POLL_S, _GRACE_S = 0.2, 5.0


class _UnprovenError(Exception):
    """The loop runs as it stands; the text says why."""


class FanOut:
    """The loop of one step.

    Parameters
    ----------
    context
        Of the run.
    number
        Position of the step from 0.
    kernel
        That of the step.
    deadline
        When the step must have ended, on the monotonic clock.
    """

    def __init__(
        self, context: Context, number: int, kernel: StepKernel, deadline: float | None
    ) -> None:
        self.context, self.number, self.kernel = context, number, kernel
        self.deadline = deadline
        self.step = context.pipeline.steps[number]
        self.loop = self.step.options.foreach or ForeachLoop(-1)
        self.folder = context.private / f"rounds-{number}-{secrets.token_hex(4)}"
        self.made: list[Part] = []
        self.reports: list[dict[str, Any]] = []

    @contextlib.contextmanager
    def around(self, cell: Any) -> Iterator[None]:
        """Run rounds elsewhere before the loop's cell, and show below it what they have shown.

        Parameters
        ----------
        cell
            Any cell of the step, as the executed notebook has it.

        Yields
        ------
        None
            While the cell runs.
        """
        own = cell.metadata.get("mlops", {})
        if own.get("kind") != "cell" or own.get("index") != self.loop.cell:
            yield
            return
        shown = self._try_rounds(cell)
        try:
            yield
        finally:
            if shown is not None:
                with contextlib.suppress(StepFailedError):  # the cell has ended its kernel
                    self._call("disarm")
                below = find_shown(cell.outputs)
                above = cell.outputs[: len(cell.outputs) - len(below)]
                above = [one for one in above if not is_mark(one)]
                cell.outputs = join_outputs([above, *shown, below])
            shutil.rmtree(self.folder, ignore_errors=True)

    def add_to(self, report: dict[str, Any]) -> dict[str, Any]:
        """Add what rounds did elsewhere to the report of the step.

        Parameters
        ----------
        report
            Of the step's kernel.

        Returns
        -------
        dict
            Of both.
        """
        return join_reports(report, self.reports) if self.reports else report

    def _try_rounds(self, cell: Any) -> list[list[Any]] | None:
        with self.context.slots.borrowed() as free:
            if not free:
                return None
            shown: list[list[Any]] | None = None
            try:
                shown = self._run_rounds(cell, free + 1)
            except (_UnprovenError, MLOpsError, OSError) as reason:
                self._tell(f"{self.step.name} runs its rounds one after the other: {reason}")
            finally:
                if shown is None:
                    self._take_back()
        if cancelling.is_cancelled(self.context.run_id):
            raise StepFailedError(self.step.name, "the run was cancelled")
        return shown

    def _tell(self, message: str) -> None:
        place = self.context.find_place(self.number)
        self.context.tell(Progress("notice", message=message, **place))

    def _run_rounds(self, cell: Any, parts: int) -> list[list[Any]]:
        if self.loop.refusal:
            raise _UnprovenError(self.loop.refusal)
        if "raises-exception" in cell.metadata.get("tags", []):
            raise _UnprovenError("an error of its cell is expected")
        order = self._make_order()
        order.write()
        self._call("offer", order)
        offered = order.read_answer()
        if offered["reason"]:
            raise _UnprovenError(offered["reason"])
        order = replace(order, parts=parts, is_recorded=offered["is_recorded"])
        folders = [str(self.folder / f"part{part}") for part in range(parts)]
        orders = [replace(order, folder=each, part=part) for part, each in enumerate(folders)]
        self._execute_and_judge(cell, read_state(offered["state"]), orders)
        first = self.made[0].answer
        taken = tuple(part.answer["made"] for part in self.made)
        order = replace(order, total=first["total"], items=first["items"], made=taken)
        order.write()
        self._call("accept", order)
        self.reports = [part.report for part in self.made]
        self._tell(f"{self.step.name}: {order.total} rounds in {parts} processes")
        return [part.outputs for part in self.made]

    def _make_order(self) -> RoundsOrder:
        loop = self.loop
        return RoundsOrder(
            str(self.folder),
            loop.source,
            tuple((each.name, each.kind) for each in loop.collectors),
            tuple(name for name in loop.leaves if name not in loop.targets),
            loop.maybe,
            loop.targets,
            loop.binds,
            keeps_last=bool(set(loop.leaves) - set(loop.maybe)),
        )

    def _call(self, name: str, order: RoundsOrder | None = None) -> None:
        argument = str(order.path) if order is not None else ""
        self.kernel.call(
            f"import mlops_nb.pipeline.rounds as rounds; rounds.call({name!r}, {argument!r})"
        )

    # ------------------------------------------------------------------ elsewhere
    def _execute_and_judge(self, cell: Any, state: State, orders: list[RoundsOrder]) -> None:
        root = Path(os.path.realpath(self.context.pipeline.path.absolute().parent))
        given = self._specify(state)
        before = rounds_guard.read_folder(root, given.folders_left_out)
        reason = self._execute(cell, given, orders)
        folders = [Path(order.folder) for order in orders]
        reason = reason or find_conflict([part.report for part in self.made], folders)
        if len({(part.answer.get("total"), part.answer.get("items")) for part in self.made}) > 1:
            reason = reason or "its items are others in every process"
        after = rounds_guard.read_folder(root, given.folders_left_out)
        reason = reason or find_unseen(before, after, folders)
        if reason:
            raise _UnprovenError(reason)

    def _execute(self, cell: Any, given: StepSpecification, orders: list[RoundsOrder]) -> str:
        """Run all parts and give what went wrong first."""
        settings = [source for _, source in list_settings_cells(self.context.pipeline, self.number)]
        processes = [
            RoundsProcess(
                self.context, self._make_kernel(), given, order, cell, settings, self.deadline
            )
            for order in orders
        ]
        with concurrent.futures.ThreadPoolExecutor(len(processes), "mlops-rounds") as pool:
            futures = [pool.submit(process.run) for process in processes]
            try:
                return self._wait(futures, orders)
            finally:
                self._end(futures, processes)
                self.made = [future.result() for future in futures]

    def _wait(
        self, futures: list[concurrent.futures.Future[Part]], orders: list[RoundsOrder]
    ) -> str:
        """Wait until all have ended, or one has failed."""
        told = 0
        waiting = set(futures)
        while waiting:
            ended, waiting = concurrent.futures.wait(
                waiting, _POLL_S, concurrent.futures.FIRST_COMPLETED
            )
            found = [read_done(order.folder) for order in orders]
            done, total = sum(one for one, _ in found), max(total for _, total in found)
            if total > 0 and done != told:
                told = done
                place = self.context.find_place(self.number)
                event = Progress("round_finished", cells_done=done, cells_total=total, **place)
                self.context.tell(event)
            reason = next(
                (future.result().reason for future in ended if future.result().reason), ""
            )
            if reason:
                return reason
        return ""

    @staticmethod
    def _end(
        futures: list[concurrent.futures.Future[Part]], processes: list[RoundsProcess]
    ) -> None:
        """End what still runs: first as Ctrl-C does, so that it can tell what it has recorded."""
        for ending in (StepKernel.interrupt, StepKernel.kill):
            running = [p for f, p in zip(futures, processes, strict=True) if not f.done()]
            for process in running:
                ending(process.kernel)
            if running:
                concurrent.futures.wait(futures, _GRACE_S)

    def _make_kernel(self) -> StepKernel:
        context = self.context
        return StepKernel(
            context.pipeline.path.absolute().parent,
            context.make_environment(),
            context.kernel_name,
            preload=context.preload,
            wanted=self.kernel.wanted,
        )

    def _specify(self, state: State) -> StepSpecification:
        """Describe a kernel that begins where the loop begins."""
        context = self.context
        source = context.sources[self.number]
        words = find_mentioned(find_words([self.loop.source]), source.definitions)
        own = replace(source, words=words, reaches_all=reaches_all(self.loop.source))
        needed = find_needed(own, state, context.history)
        given = specify_step(context, self.number, state, (), continues=False)
        again = list_definitions(context.pipeline, self.number)
        return replace(
            given,
            needed=None if needed is None else tuple(sorted(needed)),
            late=(),
            later=(),
            repeated=tuple({word for one in again for word in one.words}),
            bound=(),
        )

    def _take_back(self) -> None:
        """Undo what the rounds did to files, and remove the runs that they recorded."""
        try:
            rounds_guard.undo(self.folder)
        except OSError as error:
            reason = f"what its rounds did to files cannot be taken back: {error}"
            raise StepFailedError(self.step.name, reason) from error
        runs = [run for part in self.made for run in part.report.get("runs", ())]
        if not runs:
            return
        from mlops_nb.store import open_store
        from mlops_nb.store.deletion import delete_run

        store = open_store(self.context.store_root, cache=self.context.settings.cache)
        for run in runs:
            with contextlib.suppress(MLOpsError, OSError):
                delete_run(store.root, store.audit, run, "its round ran again", force=True)
