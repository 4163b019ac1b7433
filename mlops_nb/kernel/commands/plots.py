"""Sub-commands that judge and draw: best, plot."""

from __future__ import annotations

from argparse import Namespace
from typing import Any

from mlops_nb import api
from mlops_nb.errors import UsageError
from mlops_nb.kernel.commands import Call, Command
from mlops_nb.kernel.commands.models import find_variable
from mlops_nb.kernel.parsing import Parser
from mlops_nb.kernel.summaries import format_param, list_changed, list_metrics, short_id
from mlops_nb.kernel.tables import Table
from mlops_nb.records import RunRecord
from mlops_nb.records.durations import format_duration

_BEST, _PLOT = "%mlops best", "%mlops plot"
_MAX_COLUMNS = 6
KINDS = (*api.RUN_PLOTS, *api.list_model_plots())
# What people call the data that a model has not seen, beside that which it was fitted on.
_HELD_OUT = ("test", "val", "valid", "validation", "holdout", "eval", "te")


def _configure_best(parser: Parser) -> None:
    parser.add_argument("metric", nargs="?", metavar="METRIC", help="what judges; found by default")
    way = parser.add_mutually_exclusive_group()
    way.add_argument("--min", action="store_true", help="less is better")
    way.add_argument("--max", action="store_true", help="more is better")
    _add_choice(parser)
    parser.add_argument("--top", type=int, default=5, help="show so many (5)")
    parser.add_argument("--frame", action="store_true", help="give a DataFrame")


def _add_choice(parser: Parser) -> None:
    parser.add_argument("--filter", help='only runs that fit, e.g. "params.C > 1"')
    parser.add_argument("--all", action="store_true", help="runs of all notebooks of the project")
    parser.add_argument("--limit", type=int, default=200, help="of the newest so many runs (200)")


def _best(call: Call) -> Any:
    given = call.arguments
    minimize = True if given.min else False if given.max else None
    runs = api.best_runs(
        given.metric, given.filter, minimize=minimize, limit=given.limit, notebook=_where(given)
    )
    metric = api.judge_by(runs, given.metric)
    table = _tabulate(runs[: max(1, given.top)], metric, len(runs))
    return table.to_dataframe() if given.frame else table


def _where(given: Namespace) -> str | None:
    return None if given.all else api.get_status()["notebook"]


def _tabulate(runs: list[RunRecord], metric: str, count: int) -> Table:
    """List the best runs: the metric, what they changed, then what else they reached."""
    best = runs[0].metrics[metric]
    changed = dict.fromkeys(key for run in runs for key in list_changed(run))
    differing = [key for key in changed if len({repr(run.params.get(key)) for run in runs}) > 1]
    params = differing[:_MAX_COLUMNS]
    others = dict.fromkeys(key for run in runs for key in list_metrics(run) if key != metric)
    metrics = list(others)[: max(0, _MAX_COLUMNS - len(params))]
    rows = [
        (
            short_id(run.run_id),
            run.name,
            run.metrics[metric],
            run.metrics[metric] - best if at else None,
            *(format_param(run.params[key]) if key in run.params else None for key in params),
            *(run.metrics.get(key) for key in metrics),
            format_duration(run.duration_s),
        )
        for at, run in enumerate(runs)
    ]
    columns = ["run", "name", metric, "to the best", *params, *metrics, "duration"]
    title = f"best by {metric} of {count} run{'s' if count > 1 else ''}"
    return Table(columns, rows, title, strong=[0])


def _configure_plot(parser: Parser) -> None:
    parser.add_argument(
        "words",
        nargs="*",
        metavar="[KIND] [RUN ...]",
        help=f"{', '.join(KINDS)}; then runs, or a variable that holds a model",
    )
    parser.add_argument(
        "--metric", action="append", default=[], metavar="KEY", help="what is drawn; repeatable"
    )
    parser.add_argument(
        "--param", action="append", default=[], metavar="KEY", help="against what; repeatable"
    )
    parser.add_argument("--data", nargs=2, metavar=("X", "Y"), help="variables to judge a model by")
    parser.add_argument("--plotly", action="store_true", help="to zoom in and point at")
    _add_choice(parser)


def _plot(call: Call) -> Any:
    given = call.arguments
    words = list(given.words)
    kind = words.pop(0) if words and words[0] in KINDS else "curves"
    if kind in api.RUN_PLOTS:
        if given.data:
            raise UsageError(_PLOT, f"--data is for models, not for {kind}")
        return _plot_runs(given, kind, words)
    if given.metric or given.param or given.filter or given.plotly:
        raise UsageError(_PLOT, f"--metric, --param, --filter and --plotly are not for {kind}")
    if len(words) > 1:
        raise UsageError(_PLOT, f"{kind} draws one model; given: {', '.join(map(repr, words))}")
    names = call.shell.user_ns
    model, run = _find_model(kind, words, names)
    features, target = _find_data(kind, given.data, names, run)
    return api.plot_model(model, kind, features, target)


def _plot_runs(given: Namespace, kind: str, words: list[str]) -> Any:
    if words:
        runs = [api.get_run(word) for word in words]
    elif kind == "curves" and not given.filter:
        runs = [api.get_run("latest")]
    else:
        runs = api.list_runs(given.filter, None, given.limit, notebook=_where(given))
    return api.plot_runs(
        runs, kind, metrics=given.metric, params=given.param, interactive=given.plotly
    )


def _find_model(kind: str, words: list[str], names: dict[str, Any]) -> tuple[Any, RunRecord | None]:
    """Find the model that a variable or a run names, or the one fitted last."""
    if words and words[0].partition(".")[0] in names:
        model = find_variable(names, words[0])
        known = [run_id for each, run_id in api.list_fitted() if each is model]
        return model, api.get_run(known[0]) if known else None
    run = api.get_run(words[0]) if words else None
    fitted = [pair for pair in api.list_fitted(run.run_id if run else None) if _can_judge(pair[0])]
    if not fitted:
        whose = f"of run {run.name!r} " if run else ""
        problem = f"no fitted model {whose}is in this notebook any more"
        raise UsageError(_PLOT, problem, f"Name a variable: {_PLOT} {kind} model")
    model, run_id = fitted[0] if run else fitted[-1]
    return model, run or api.get_run(run_id)


def _can_judge(model: Any) -> bool:
    return hasattr(model, "predict")


def _find_data(
    kind: str, data: list[str] | None, names: dict[str, Any], run: RunRecord | None
) -> tuple[Any, Any]:
    """Find the data to judge a model by: as named, else what was held out, by its usual names."""
    if data:
        return find_variable(names, data[0]), find_variable(names, data[1])
    used = {each.role: each.name for each in run.datasets if each.name} if run else {}
    pairs = _guess_pairs(used.get("X", "X_train"), used.get("y", "y_train"))
    if kind in {"learning", "importance"}:
        pairs.insert(0, (used.get("X", "X"), used.get("y", "y")))
    for first, second in pairs:
        if names.get(first) is not None and names.get(second) is not None:
            return names[first], names[second]
    if kind == "importance":
        return None, None
    tried = ", ".join(" and ".join(pair) for pair in pairs[:3])
    problem = f"no data for {kind} were found; looked for {tried}"
    raise UsageError(_PLOT, problem, f"Name them: {_PLOT} {kind} model --data X_test y_test")


def _guess_pairs(first: str, second: str) -> list[tuple[str, str]]:
    """Give names of held-out data as they usually go with those of the data fitted on."""
    pairs = []
    for word in _HELD_OUT:
        pairs += [
            (first.replace(old, word), second.replace(old, word))
            for old in ("train", "tr", "fit")
            if old in first and old in second
        ]
        pairs.append((f"X_{word}", f"y_{word}"))
    return list(dict.fromkeys(pairs))


COMMANDS = {
    "best": Command(_configure_best, _best, positions=("metric", "none")),
    "plot": Command(
        _configure_plot,
        _plot,
        positions=("plot", "drawn"),
        options=(("--data", "variable"), ("--metric", "metric"), ("--param", "param")),
    ),
}
