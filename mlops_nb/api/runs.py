"""Verbs on runs: start, log, find, compare."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from mlops_nb.api.places import need_session, read_store
from mlops_nb.errors import InvalidValueError, NotFoundError, StoreError
from mlops_nb.records import Comparison, RunRecord
from mlops_nb.tracking import Run, reopen_run
from mlops_nb.tracking import active_run as active_run

if TYPE_CHECKING:
    import pandas as pd

T = TypeVar("T")


def start_run(
    name: str | None = None,
    experiment: str | None = None,
    tags: Mapping[str, Any] | None = None,
    *,
    nested: bool | None = None,
) -> Run:
    """Start a run and make it the active one.

    Parameters
    ----------
    name
        What people call it; made up where not given.
    experiment
        What it belongs to; the setting ``experiment`` by default.
    tags
        Set at the start.
    nested
        Whether it belongs to the run that is active now; by default, inside a ``with`` block.

    Returns
    -------
    Run
        A context manager with ``run_id``. Used without ``with`` it stays open until `end_run`, the
        next `start_run` or the end of the process.

    Examples
    --------
    >>> import mlops_nb as mlops
    >>> with mlops.start_run("baseline") as run:  # doctest: +SKIP
    ...     mlops.log_metric("accuracy", 0.93)
    """
    return need_session().start_run(name, experiment, dict(tags or {}), nested=nested)


def end_run(status: str = "finished") -> None:
    """End the active run, if there is one.

    Parameters
    ----------
    status
        ``finished``, ``failed`` or ``interrupted``.
    """
    run = active_run()
    if run is not None:
        run.end(status)  # type: ignore[arg-type]  # Run.end checks the word


def _begin(write: Callable[[Run], Any]) -> Run:
    """Start a run, but none for a write that one which records nothing refuses as well."""
    write(Run(None, "", "", None))
    return need_session().start_run()


def _log(write: Callable[[Run], T]) -> T:
    """Write to the active run; one is started where none is active."""
    return write(active_run() or _begin(write))


def log_metric(key: str, value: Any, step: int | None = None) -> None:
    """Log one value of a metric to the active run; a run is started where none is active.

    Parameters
    ----------
    key
        Name of the metric.
    value
        Any real scalar of Python, numpy or torch; NaN and infinities are kept.
    step
        Training step; one more than the metric's last by default, beginning at 0.

    Raises
    ------
    InvalidValueError
        Key, value or step has the wrong form; nothing is written.
    """
    (active_run() or _begin(lambda r: r.log_metric(key, value, step))).log_metric(key, value, step)


def log_metrics(metrics: Mapping[str, Any], step: int | None = None) -> None:
    """Log values of several metrics for one step; see `log_metric`."""
    (active_run() or _begin(lambda r: r.log_metrics(metrics, step))).log_metrics(metrics, step)


def log_param(key: str, value: Any) -> None:
    """Log one parameter to the active run; a run is started where none is active.

    Parameters
    ----------
    key
        Name of the parameter.
    value
        JSON types keep their type, anything else is kept as its ``repr``.

    Raises
    ------
    InvalidValueError
        The key has the wrong form; nothing is written.
    """
    _log(lambda run: run.log_params({key: value}))


def log_params(params: Mapping[str, Any]) -> None:
    """Log several parameters to the active run; see `log_param`."""
    _log(lambda run: run.log_params(params))


def set_tag(key: str, value: Any) -> None:
    """Set a tag of the active run; a run is started where none is active."""
    _log(lambda run: run.set_tags({key: value}))


def set_tags(tags: Mapping[str, Any]) -> None:
    """Set several tags of the active run; a run is started where none is active."""
    _log(lambda run: run.set_tags(tags))


def log_artifact(path: str | Path, name: str | None = None) -> str:
    """Keep a file or folder with the active run; a run is started where none is active.

    Parameters
    ----------
    path
        The file or folder; it is copied.
    name
        Name within the run; the file's own by default.

    Returns
    -------
    str
        Digest of the file.

    Raises
    ------
    NotFoundError
        There is no such file.
    InvalidValueError
        The name leads out of the run.
    """
    return _log(lambda run: run.log_artifact(path, name))


def log_figure(figure: Any, name: str) -> str:
    """Keep a matplotlib figure with the active run.

    Parameters
    ----------
    figure
        Anything with ``savefig``.
    name
        Name within the run; its ending tells the format, ``.png`` where it has none.

    Returns
    -------
    str
        Digest of the picture.
    """
    from io import BytesIO

    target = name if Path(name).suffix else f"{name}.png"
    buffer = BytesIO()
    figure.savefig(buffer, format=Path(target).suffix[1:], bbox_inches="tight")
    return _log(lambda run: run.log_bytes(buffer.getvalue(), target))


def list_runs(
    filter: str | None = None,
    order_by: list[str] | None = None,
    limit: int = 50,
    offset: int = 0,
    *,
    notebook: str | None = None,
    start: Path | None = None,
) -> list[RunRecord]:
    """Find runs as records.

    Parameters
    ----------
    filter
        Expression in MLflow's syntax: ``metrics.acc > 0.9 and params.model = 'rf'``.
    order_by
        For example ``["metrics.acc DESC"]``; newest first by default.
    limit, offset
        A page: so many runs after so many.
    notebook
        Only runs of the notebook at this path.
    start
        Folder whose project's store is read, where it is not this process's.

    Returns
    -------
    list of RunRecord
        Without their cells.
    """
    store = read_store(start)
    if notebook is None:
        return store.search(filter, order_by, limit, offset)
    from mlops_nb.store.search import compile_filter

    # By itself first: what is wrong is told in the caller's words, and every bracket closes in it.
    compile_filter(filter)
    # Quotes are doubled as in SQL; the parser turns the value into a placeholder.
    own = "attributes.notebook = '" + notebook.replace("\\", "\\\\").replace("'", "''") + "'"
    text = f"({filter}) and {own}" if filter and filter.strip() else own
    return store.search(text, order_by, limit, offset)


def search_runs(
    filter: str | None = None,
    order_by: list[str] | None = None,
    limit: int = 1000,
) -> pd.DataFrame:
    """Find runs as a table.

    Parameters
    ----------
    filter
        Expression in MLflow's syntax: ``metrics.acc > 0.9 and params.model = 'rf'``.
    order_by
        For example ``["metrics.acc DESC"]``; newest first by default.
    limit
        At most so many runs.

    Returns
    -------
    pandas.DataFrame
        One row a run with MLflow's columns: ``run_id``, ``experiment_id``, ``status`` (in upper
        case), ``artifact_uri``, ``start_time``, ``end_time`` (UTC), then ``params.*`` (text),
        ``metrics.*`` and ``tags.*``; ``tags.mlflow.runName`` is the run's name.

    Raises
    ------
    InvalidValueError
        An expression cannot be read.
    """
    from mlops_nb.api.tables import make_runs_table

    return make_runs_table(list_runs(filter, order_by, limit), read_store().root)


def get_run(run_id: str, *, start: Path | None = None) -> RunRecord:
    """Read a run.

    Parameters
    ----------
    run_id
        Its id, the beginning or end of it, its name, or ``latest``.
    start
        Folder whose project's store is read, where it is not this process's.

    Returns
    -------
    RunRecord
        With its cells.

    Raises
    ------
    RunNotFoundError
        Nothing fits; near misses are named.
    InvalidValueError
        More than one run fits.
    """
    store = read_store(start)
    return store.read_run(store.find_run(run_id))


def read_artifact(run_id: str, path: str, *, start: Path | None = None) -> bytes:
    """Read an artifact of a run, verified.

    Parameters
    ----------
    run_id
        As for `get_run`.
    path
        The artifact's name within the run.
    start
        Folder whose project's store is read, where it is not this process's.

    Returns
    -------
    bytes
        The artifact.

    Raises
    ------
    RunNotFoundError, NotFoundError
        There is no such run, or it has no such artifact.
    CorruptObjectError
        The stored bytes are not those that were logged.
    """
    store, run = read_store(start), get_run(run_id, start=start)
    for artifact in run.artifacts:
        if artifact.path == path:
            return store.objects.read_bytes(artifact.digest)
    known = [artifact.path for artifact in run.artifacts]
    raise NotFoundError("artifact", path, known, f"Asked of run {run.run_id}.")


def compare_runs(
    *run_ids: str, beside: Literal["best", "previous"] = "best", start: Path | None = None
) -> Comparison:
    """Put runs side by side, differences first.

    Parameters
    ----------
    *run_ids
        As for `get_run`; by default the newest. One is put beside another of its kind.
    beside
        Which other of its name, notebook and experiment: the best, or the last before it.
    start
        Folder whose project's store is read, where it is not this process's.

    Returns
    -------
    Comparison
        Rows of parameters, metrics, data, environment, code and tags.

    Raises
    ------
    InvalidValueError
        One run is given, and there is no such other.
    """
    from mlops_nb.api import sessions, tables

    sessions.wait_for_environment()  # both runs are to be read with it, or none
    compare = {"best": tables.compare_with_best, "previous": tables.compare_with_previous}
    if beside not in compare:
        raise InvalidValueError("run to compare with", beside, " or ".join(compare))
    store = read_store(start)
    runs = [get_run(run_id, start=start) for run_id in run_ids or ("latest",)]
    return tables.compare_records(store, runs) if len(runs) > 1 else compare[beside](store, runs[0])


def edit_run(
    run_id: str,
    *,
    name: str | None = None,
    tags: Mapping[str, Any] | None = None,
    start: Path | None = None,
) -> RunRecord:
    """Give a recorded run another name, or tags; what it measured stays as it is.

    Parameters
    ----------
    run_id
        As for `get_run`.
    name
        What people call it from now on.
    tags
        Set beside those it has; one of the same name takes the new value, None takes it away.
    start
        Folder whose project's store is read, where it is not this process's.

    Returns
    -------
    RunRecord
        As it is now.

    Raises
    ------
    RunNotFoundError
        There is no such run.
    InvalidValueError
        A name or tag has the wrong form, and nothing is written; or more than one run fits.
    StoreError
        The store cannot be written.
    """
    store = read_store(start)
    found = store.find_run(run_id)
    for write in (Run(None, "", "", None), reopen_run(store, found)):  # first a check, without log
        if write is not None:
            write.set_tags(tags or {})
            if name is not None:
                write.rename(name)
    record = store.read_run(found)
    if name is not None and record.name != name:  # a full disk, say: a run in progress goes on
        raise StoreError(
            store.root, "the change could not be written", "Is the disk full, or read-only?"
        )
    return record
