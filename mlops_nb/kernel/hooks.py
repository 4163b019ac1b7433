"""The hooks of a session: what happens before a cell, after it, and when it displays something."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlops_nb import api
from mlops_nb.kernel.cardboard import CardBoard
from mlops_nb.kernel.cells import (
    RunningCell,
    find_execution,
    is_recordable,
    list_names,
    read_metadata,
    read_status,
    read_written,
)
from mlops_nb.kernel.figures import FigureTap, read_figure
from mlops_nb.kernel.guard import Guard
from mlops_nb.kernel.livecards import can_be_live

if TYPE_CHECKING:
    from mlops_nb.records import ProgressRecord


class CellHooks:
    """Hands cells, their figures and their ends to the recorders, each behind its own guard.

    Parameters
    ----------
    shell
        The running IPython shell.
    cards
        Shows what was recorded; None for no cards.

    Attributes
    ----------
    guards : dict
        The guard of each recorder by name: ``cells``, ``figures``, ``output``, ``cards``,
        ``live``, ``autolog``.
    """

    def __init__(self, shell: Any, cards: CardBoard | None) -> None:
        self._shell = shell
        self._cards = cards
        self._stack: list[RunningCell] = []
        self._tap: FigureTap | None = None
        self.guards = {
            # Runs that no cell would ever close must not be opened either.
            "cells": Guard("cells", on_stop=api.disarm_autolog),
            "figures": Guard("figures", on_stop=self._close_tap),
            "output": Guard("output"),
            "cards": Guard("cards"),
            "live": Guard("cards of cells that still run"),
            "autolog": Guard("fits"),
        }

    def install(self) -> None:
        """Begin to listen; the cell that is running now counts as begun."""
        self._shell.events.register("pre_run_cell", self.before_cell)
        self._shell.events.register("post_run_cell", self.after_cell)
        self._tap = self.guards["figures"].call(
            FigureTap, self._shell, self._see_bundle, self._see_clear
        )
        if self._cards is not None:
            api.watch_runs(self._see_run)
        self.guards["autolog"].call(api.arm_autolog)
        info, _ = find_execution()
        if info is not None:
            self.before_cell(info)

    def remove(self) -> None:
        """Stop listening and leave the shell as it was."""
        for event, function in (
            ("pre_run_cell", self.before_cell),
            ("post_run_cell", self.after_cell),
        ):
            if function in self._shell.events.callbacks[event]:
                self._shell.events.unregister(event, function)
        self._close_tap()
        api.watch_runs(None)
        self._stack.clear()

    def before_cell(self, info: Any = None, *_: object) -> None:
        """Note that a cell begins.

        Parameters
        ----------
        info
            IPython's ``ExecutionInfo``.
        """
        cell = RunningCell(info)
        self._stack.append(cell)
        cell.index = self.guards["cells"].call(self._begin, info, cell)

    def after_cell(self, result: Any = None, *_: object) -> None:
        """Note that a cell has ended, keep its figures and show what was recorded.

        Parameters
        ----------
        result
            IPython's ``ExecutionResult``.
        """
        cell = self._pop(getattr(result, "info", None))
        if cell is None or cell.index is None:
            return  # an empty cell ends without having begun
        self.guards["figures"].call(self._keep_figures, cell, result)
        self.guards["output"].call(self._keep_output, cell)
        records = self.guards["cells"].call(self._end, cell.index, result)
        if self._cards is not None:
            self.guards["cards"].call(self._cards.show, records or [])

    def _begin(self, info: Any, cell: RunningCell) -> int | None:
        cell_id, tags = read_metadata(self._shell, info)
        if not is_recordable(info, tags):
            return None
        _, count = find_execution()
        if count is None:
            count = self._shell.execution_count
        if self._cards is not None and can_be_live(self._shell, cell_id):
            self._cards.live.begin()
        cell.count, cell.written = count, len(read_written(self._shell, count))
        return api.begin_cell(info.raw_cell, cell_id, tags, count)

    def _end(self, index: int, result: Any) -> list[Any]:
        status, error = read_status(result)
        return api.end_cell(index, status, error, self._shell.user_ns)

    def _pop(self, info: Any) -> RunningCell | None:
        """Take the cell off the stack, and with it nested ones that never reported their end."""
        at = self._find(info)
        if at is None:
            return None
        cell = self._stack[at]
        self._stack[at:] = [each for each in self._stack[at + 1 :] if each.thread != cell.thread]
        return cell

    def _find(self, info: Any) -> int | None:
        """Find the cell that a result speaks of."""
        places = range(len(self._stack) - 1, -1, -1)
        for at in places:
            if self._stack[at].info is info:
                return at
        # Where IPython itself was interrupted it makes a new object for the same execution.
        source = getattr(info, "raw_cell", None)
        for at in places:
            if source is not None and getattr(self._stack[at].info, "raw_cell", None) == source:
                return at
        return None

    def _see_run(self, run_id: str, progress: ProgressRecord | None) -> None:
        # On the thread that looks at runs.
        if self._cards is not None:
            self.guards["live"].call(self._cards.live.see, run_id, progress)

    def _see_clear(self) -> None:
        if self._cards is not None:
            self.guards["live"].call(self._cards.live.clear)

    def _see_bundle(self, bundle: dict[str, Any]) -> None:
        # What a nested execution shows belongs to the cell around it that is recorded.
        for cell in reversed(self._stack):
            if cell.index is not None:
                self.guards["figures"].call(self._add_figure, cell, bundle)
                return

    def _add_figure(self, cell: RunningCell, bundle: dict[str, Any]) -> None:
        figure = read_figure(bundle)
        if figure is not None:
            cell.figures.add(figure)

    def _keep_figures(self, cell: RunningCell, result: Any) -> None:
        if self._tap is None or not self._tap.sees_results:
            self._add_last_value(cell, getattr(result, "result", None))
        if cell.figures.figures and not api.touched_runs():
            # A plot of models that earlier cells fitted belongs to the runs of those models.
            names = list_names(getattr(cell.info, "transformed_cell", None) or "")
            api.touch_runs_of([self._shell.user_ns.get(name) for name in names])
        for number, figure in enumerate(cell.figures.figures, 1):
            name = f"cell-{cell.index}-figure-{number}.{figure.suffix}"
            api.attach_output(figure.data, figure.media_type, name)

    def _keep_output(self, cell: RunningCell) -> None:
        if api.touched_runs():
            api.keep_output(read_written(self._shell, cell.count)[cell.written :])

    def _add_last_value(self, cell: RunningCell, value: object) -> None:
        """Draw a figure that is the cell's value where no hook saw it drawn."""
        names = {f"{kind.__module__}.{kind.__qualname__}" for kind in type(value).__mro__}
        if "matplotlib.figure.Figure" not in names:
            return
        data = self._shell.display_formatter.formatters["image/png"](value)
        if data is not None:
            self._add_figure(cell, {"image/png": data})

    def _close_tap(self) -> None:
        if self._tap is not None:
            self._tap.close()
            self._tap = None
