"""Runs a part of a loop's rounds in a kernel of their own, and tells what they did and showed."""

from __future__ import annotations

import contextlib
import copy
import json
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_nb.errors import StepFailedError
from mlops_nb.notebook.nbformat_import import import_nbformat
from mlops_nb.pipeline import cancelling
from mlops_nb.pipeline.kernels import StepKernel
from mlops_nb.pipeline.rounds_order import MARK, RoundsOrder
from mlops_nb.pipeline.specification import StepSpecification

if TYPE_CHECKING:
    from mlops_nb.pipeline.context import Context

_LOAD = "import mlops_nb.pipeline.step as step; step.load()"
# What a later message may change in outputs of rounds that ran elsewhere.
_UNPROVEN = "UnprovenError"
_UNSHOWN = frozenset(["clear_output", "update_display_data", "comm_open", "comm_msg"])


@dataclass(slots=True)
class Part:
    """What became of some rounds.

    Attributes
    ----------
    reason
        Why they cannot be used; empty where they can.
    outputs
        What they have shown.
    answer
        Of the kernel.
    report
        What its step would report.
    """

    reason: str = ""
    outputs: list[Any] = field(default_factory=list)
    answer: dict[str, Any] = field(default_factory=dict)
    report: dict[str, Any] = field(default_factory=dict)


class RoundsProcess:
    """A kernel that runs some rounds.

    Parameters
    ----------
    context
        Of the run.
    kernel
        Not started yet.
    given
        What there is before the rounds.
    order
        Which rounds.
    cell
        The loop, as the step's notebook has it.
    settings
        Sources of what every step runs again.
    deadline
        When they must have ended, on the monotonic clock.
    """

    def __init__(
        self,
        context: Context,
        kernel: StepKernel,
        given: StepSpecification,
        order: RoundsOrder,
        cell: Any,
        settings: list[str],
        deadline: float | None,
    ) -> None:
        self.context, self.kernel, self.order, self.deadline = context, kernel, order, deadline
        self.report = Path(order.folder, "report.json")
        self.given = replace(given, report=str(self.report))
        self.cell, self.settings = copy.deepcopy(cell), settings
        self.cell.outputs = []

    def run(self) -> Part:
        """Run them.

        Returns
        -------
        Part
            A failure is told here, not raised.
        """
        part = Part()
        cancelling.enlist(self.context.run_id, self.kernel)
        try:
            self.kernel.start()
            self._run(part)
        except StepFailedError as error:
            part.reason = part.reason or error.reason
        except Exception as error:  # noqa: BLE001 - the loop itself can always run
            part.reason = part.reason or f"{type(error).__name__}: {error}"
        finally:
            self.kernel.stop()
            cancelling.dismiss(self.context.run_id, self.kernel)
        return part

    def _run(self, part: Part) -> None:
        folder = Path(self.order.folder)
        self.order.write()
        self.given.write(folder / "step.json")
        self.kernel.begin(folder / "step.json")
        for source in self.settings:
            self.kernel.call(f"get_ipython().run_cell({source!r}, store_history=False)")
        self.kernel.call(_LOAD)
        self._call("work", str(self.order.path))
        part.reason = self._execute()
        part.outputs = find_shown(self.cell.outputs)
        if not self.kernel.is_alive():
            return
        self._call("hand_back")
        part.answer = self.order.read_answer()
        part.reason = part.reason or part.answer.get("reason", "it gave no answer")
        self.kernel.report()
        part.report = json.loads(self.report.read_text(encoding="utf-8"))
        self.kernel.finish()

    def _call(self, name: str, argument: str = "") -> None:
        self.kernel.call(
            f"import mlops_nb.pipeline.rounds as rounds; rounds.call({name!r}, {argument!r})"
        )

    def _execute(self) -> str:
        """Run the cell and give what went wrong."""
        from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

        client = _make_client(self.cell, self.kernel, self.deadline)
        own = self.cell.metadata.get("mlops", {})
        cell_id = own.get("source_cell_id") or self.cell.get("id")
        client.kc.session.metadata = {"cellId": cell_id, **self.cell.metadata}
        try:
            client.execute_cell(self.cell, 0, store_history=True)
        except CellExecutionError as error:
            if error.ename == _UNPROVEN:
                return str(error.evalue)
            return f"a round ends with {error.ename}: {error.evalue}"
        except CellTimeoutError:
            return "the time is over"
        except DeadKernelError:
            return "a round ends its process"
        finally:
            client.kc.session.metadata = {}
        return str(client.reason)


def _make_client(cell: Any, kernel: StepKernel, deadline: float | None) -> Any:
    nbformat = import_nbformat()
    from nbclient import NotebookClient

    class Client(NotebookClient):  # type: ignore[misc]
        """Notes what only a cell that runs as a whole can show."""

        reason = ""

        def process_message(self, msg: Any, cell: Any, cell_index: int) -> Any:
            if msg["msg_type"] in _UNSHOWN:
                self.reason = "a round changes what is shown already"
            return super().process_message(msg, cell, cell_index)

    options: dict[str, Any] = {}
    if deadline is not None:
        options["timeout"] = max(1, round(deadline - time.monotonic()))
    client = Client(nbformat.v4.new_notebook(cells=[cell]), km=kernel.km, **options)
    client.kc = kernel.kc
    client.reset_execution_trackers()
    return client


def find_shown(outputs: list[Any]) -> list[Any]:
    """Give what rounds have shown, without what stood above them.

    Parameters
    ----------
    outputs
        Of a cell whose rounds were marked.

    Returns
    -------
    list
        Outputs below the mark; none where there is no mark.
    """
    marks = [index for index, output in enumerate(outputs) if is_mark(output)]
    return outputs[marks[0] + 1 :] if marks else []


def is_mark(output: Any) -> bool:
    """Tell whether an output is the mark of the first round.

    Parameters
    ----------
    output
        As nbformat has it.

    Returns
    -------
    bool
        It is not for people.
    """
    return MARK in output.get("data", {})


def join_outputs(parts: list[list[Any]]) -> list[Any]:
    """Put outputs one behind the other as one cell would have shown them.

    Parameters
    ----------
    parts
        Outputs in the order of the rounds.

    Returns
    -------
    list
        Text that goes on in the same stream is one output.
    """
    joined: list[Any] = []
    for output in (output for part in parts for output in part):
        last = joined[-1] if joined else {"output_type": ""}
        is_text = output["output_type"] == last["output_type"] == "stream"
        if is_text and last["name"] == output["name"]:
            last["text"] += output["text"]
        else:
            joined.append(copy.deepcopy(output))
    return joined


def read_done(folder: str) -> tuple[int, int]:
    """Read how many rounds a process has ended, and how many items the loop has.

    Parameters
    ----------
    folder
        Of its order.

    Returns
    -------
    done, total : int
        0 and 0 before the first round.
    """
    with contextlib.suppress(OSError, ValueError):
        done, total = Path(folder, "done").read_text(encoding="utf-8").split()
        return int(done), int(total)
    return 0, 0


def join_reports(own: dict[str, Any], parts: list[dict[str, Any]]) -> dict[str, Any]:
    """Add what rounds did elsewhere to what the kernel of their loop has noted.

    Parameters
    ----------
    own
        Its report.
    parts
        Those of the rounds, in their order.

    Returns
    -------
    dict
        As if the step had done all of it.
    """
    joined = dict(own)
    for part in parts:
        for name, found in part.items():
            known = joined.get(name)
            if isinstance(found, dict):
                # What was read counts as it was first found, what was written as it was left.
                both = (known or {}, found) if name == "writes" else (found, known or {})
                joined[name] = {**both[0], **both[1]}
            elif isinstance(found, list):
                joined[name] = [*dict.fromkeys([*(known or ()), *found])]
    return joined
