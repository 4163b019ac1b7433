"""The sub-command ``sweep``: try many values of a notebook's parameters, show table and plots."""

from __future__ import annotations

import base64
import io
from argparse import Namespace
from typing import TYPE_CHECKING, Any

from mlops_nb import api
from mlops_nb.errors import UsageError
from mlops_nb.kernel.commands import Call, Command
from mlops_nb.kernel.commands.pipelines import ALREADY
from mlops_nb.kernel.notebooks import find_notebook, is_being_run
from mlops_nb.kernel.parsing import Parser, split_pairs
from mlops_nb.kernel.tables import Markup, Shown, Table, format_value
from mlops_nb.records.durations import format_duration

if TYPE_CHECKING:
    from mlops_nb.pipeline.sweep_result import SweepResult

_COMMAND = "%mlops sweep"
_SHOWN = 20


def _configure(parser: Parser) -> None:
    parser.add_argument(
        "words",
        nargs="*",
        metavar="[NOTEBOOK] NAME=RANGE",
        help="log:LOW:HIGH, lin:LOW:HIGH, int:LOW:HIGH[:STEP], logint:LOW:HIGH, or a,b,c",
    )
    goal = parser.add_mutually_exclusive_group()
    goal.add_argument("--maximize", metavar="METRIC", help="what shall become large")
    goal.add_argument("--minimize", metavar="METRIC", help="what shall become small")
    parser.add_argument("--trials", type=int, help="how many; 20 by default")
    parser.add_argument("--sampler", help="tpe (default where Optuna is), random or grid")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--prune", action="store_true", help="end trials that lag behind")
    parser.add_argument("--jobs", type=int, default=1, help="trials at a time")
    parser.add_argument("--timeout", type=float, metavar="SECONDS", help="longest time in all")
    parser.add_argument("-p", "--param", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--resume", metavar="SWEEP", help="go on with one that was interrupted")


def _sweep(call: Call) -> Shown:
    __tracebackhide__ = True
    given = call.arguments
    try:
        result = _resume(given) if given.resume else _start(call)
    except KeyboardInterrupt as stopped:
        # What there is so far is shown; the interrupt goes on, so that Run All stops as well.
        part = getattr(stopped, "result", None)
        if part is not None:
            shown = show_sweep(part)
            call.shell.display_pub.publish(data=shown._repr_mimebundle_(), metadata={})
        raise
    return ALREADY if result is None else show_sweep(result)


def _start(call: Call) -> SweepResult | None:
    given = call.arguments
    words = list(given.words)
    named = words.pop(0) if words and words[0].endswith(".ipynb") else None
    notebook = named or find_notebook(call.shell)
    if notebook is None:
        problem = "this front end does not say which notebook it shows"
        raise UsageError(_COMMAND, problem, f"Name it: {_COMMAND} my_notebook.ipynb C=log:0.01:10")
    if is_being_run(notebook):
        return None
    return api.sweep_pipeline(
        notebook,
        words,
        maximize=given.maximize,
        minimize=given.minimize,
        sampler=given.sampler,
        trials=given.trials,
        seed=given.seed,
        prune=given.prune,
        params=split_pairs(_COMMAND, given.param),
        jobs=given.jobs,
        timeout=given.timeout,
        on_progress=_tell,
    )


def _resume(given: Namespace) -> SweepResult:
    if given.words:
        problem = "what it searches stands in the sweep; give no notebook and no range"
        raise UsageError(_COMMAND, problem)
    return api.resume_sweep(
        given.resume,
        trials=given.trials,
        jobs=given.jobs,
        timeout=given.timeout,
        on_progress=_tell,
    )


def _tell(event: Any) -> None:
    if event.kind != "ended":
        return
    trial = event.trial
    values = " ".join(f"{name}={format_value(value)}" for name, value in trial.params.items())
    result = format_value(trial.value) if trial.state == "finished" else trial.state
    line = f"[{event.done}/{event.total}] trial {trial.number} {result} {values}"
    error = f": {format_value(trial.error)}" if trial.error else ""
    print(f"{line} {format_duration(trial.duration_s)}{error}", flush=True)  # noqa: T201


def show_sweep(result: SweepResult) -> Shown:
    """Show a sweep: its best trials as a table, and plots of all.

    Parameters
    ----------
    result
        What came of it.

    Returns
    -------
    Shown
        Text for every front end, HTML with a picture for most.
    """
    names = [dimension.name for dimension in result.plan.space]
    rows = [
        (
            trial.number,
            trial.state,
            trial.value,
            *(trial.params[name] for name in names),
            format_duration(trial.duration_s),
            trial.run_id[-8:],
        )
        for trial in result.ranked[:_SHOWN]
    ]
    counted = ", ".join(f"{count} {state}" for state, count in result.counts.items() if count)
    more = f"; the best {_SHOWN} of them" if len(result.records) > _SHOWN else ""
    title = f"sweep {result.sweep_id} {result.status}: {counted or 'no trial'}{more}"
    has_best = [0] if result.best_trial is not None else []
    columns = ("trial", "state", result.plan.metric, *names, "duration", "run")
    table = Table(columns, rows, title, strong=has_best)
    return Markup(repr(table), table._repr_html_() + _draw(result))


def _draw(result: SweepResult) -> str:
    buffer = io.BytesIO()
    result.plot().savefig(buffer, format="png", dpi=80)
    picture = base64.b64encode(buffer.getvalue()).decode()
    names = "history, importance, trials and a slice a parameter"
    return f"<img alt='{names}' style='max-width:100%' src='data:image/png;base64,{picture}'/>"


COMMANDS = {
    "sweep": Command(_configure, _sweep, positions=("notebook", "none")),
}
