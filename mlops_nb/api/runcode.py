"""Verbs on the code of a run, as it ran."""

from __future__ import annotations

from pathlib import Path

from mlops_nb.api.places import read_store


def read_run_script(run_id: str, *, start: Path | None = None) -> tuple[str, str]:
    """Give the code of a run, as it ran, as a plain script.

    Parameters
    ----------
    run_id
        As for `get_run`.
    start
        Folder whose project's store is read, where it is not this process's.

    Returns
    -------
    name : str
        For its file: the run's name and the end of its id.
    source : str
        Every cell that the kernel had executed up to and with the run, in that order, as Python
        that runs without IPython; of a pipeline its notebook, with the run's parameters as defaults
        of its options.

    Raises
    ------
    RunNotFoundError, NotFoundError
        There is no such run, or its code was not kept.
    ExportError
        The code does what a script cannot; cell and line are named.
    """
    from mlops_nb.export.ran import name_code, write_run_script
    from mlops_nb.tracking.code import read_run_code

    store = read_store(start)
    run = store.read_run(store.find_run(run_id))
    return f"{name_code(run)}.py", write_run_script(read_run_code(store, run))


def export_run(
    run_id: str,
    output: str | Path | None = None,
    *,
    overwrite: bool = False,
    start: Path | None = None,
) -> Path:
    """Write the code of a run, as it ran, as a script; see `read_run_script`.

    Parameters
    ----------
    run_id
        As for `get_run`.
    output
        Where; named after the run in the working folder by default.
    overwrite
        Replace a file that this tool did not write.
    start
        Folder whose project's store is read, where it is not this process's.

    Returns
    -------
    Path
        What was written.

    Raises
    ------
    RunNotFoundError, NotFoundError, ExportError
        As for `read_run_script`, or a file is in the way; nothing is written.
    """
    from mlops_nb.export.script import check_target, put_script

    name, script = read_run_script(run_id, start=start)
    target = Path(name if output is None else output)
    check_target(target, Path(name), overwrite=overwrite)
    return put_script(script, target)
