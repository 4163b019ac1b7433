"""Verbs that register the model of a run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_nb.api.places import read_store
from mlops_nb.errors import InvalidValueError, NotFoundError

if TYPE_CHECKING:
    from mlops_nb.records import ModelVersion

_HINT = (
    "A run keeps no model by itself, and the object is not in this process any more: register it "
    "in the notebook that trained it, or open the run's code as a notebook and run that."
)


def list_run_versions(run_id: str, *, start: Path | None = None) -> list[ModelVersion]:
    """List the versions that the model of a run was registered as.

    Parameters
    ----------
    run_id
        As for `get_run`.
    start
        Folder whose project's store is read, where it is not this process's.

    Returns
    -------
    list of ModelVersion
        By name and number.

    Raises
    ------
    RunNotFoundError
        There is no such run.
    """
    from mlops_nb.registry.again import list_run_versions as find

    store = read_store(start)
    return find(store, store.find_run(run_id))


def find_run_kernel(run_id: str, *, start: Path | None = None) -> str | None:
    """Name the kernel that recorded a run; it may have ended since.

    Parameters
    ----------
    run_id
        As for `get_run`.
    start
        Folder whose project's store is read, where it is not this process's.

    Returns
    -------
    str or None
        As Jupyter names it; None where no Jupyter server had started it.

    Raises
    ------
    RunNotFoundError
        There is no such run.
    """
    from mlops_nb.store.runmeta import read_meta

    store = read_store(start)
    session_id = store.read_run(store.find_run(run_id), with_cells=False).session_id
    meta = None if session_id is None else read_meta(store.root / "sessions" / session_id)
    kernel_id = None if meta is None else meta.get("kernel_id")
    return kernel_id if isinstance(kernel_id, str) else None


def register_run(
    run_id: str,
    *,
    name: str,
    alias: str | None = None,
    reason: str | None = None,
    start: Path | None = None,
) -> ModelVersion:
    """Register the model that a run has trained.

    Parameters
    ----------
    run_id
        As for `get_run`.
    name
        Name of the registered model; lower-case letters, digits, ``.``, ``_`` and ``-``.
    alias
        Moved to the new version where given.
    reason
        Why the alias moves; it stands in the record of the change.
    start
        Folder whose project's store is used, where it is not this process's.

    Returns
    -------
    ModelVersion
        Of the bytes that it was registered with before, else of the object that the run has
        trained, where that is still in this process.

    Raises
    ------
    RunNotFoundError, NotFoundError
        There is no such run, or its model is gone.
    InvalidValueError
        A name has the wrong form, or the run has trained several models; nothing is written.
    UnsafeModelError
        The model cannot be saved without code that nobody checked; nothing is written.
    """
    from mlops_nb import registry
    from mlops_nb.autolog.trained import find_models
    from mlops_nb.registry.again import list_run_versions as find
    from mlops_nb.registry.again import register_again

    store = read_store(start)
    run = store.read_run(store.find_run(run_id), with_cells=False)
    known = find(store, run.run_id)
    if known:
        version = register_again(store, _choose(known, name), name=name, alias=alias)
    else:
        models = find_models(run.run_id)
        if not models:
            raise NotFoundError("model of run", run.name, (), _HINT)
        if len(models) > 1:
            raise _miss_choice(type(model).__qualname__ for model in models)
        from mlops_nb import autolog

        example = autolog.example_of(models[0])
        if alias is not None:
            from mlops_nb.registry.versions import check_alias

            check_alias(alias)
        version = registry.register(store, models[0], name=name, run=run, example=example)
    if alias is None:
        return version
    registry.set_alias(store, name, alias, version.version, reason)
    return store.models.get(name, version.version)


def _choose(known: Sequence[ModelVersion], name: str) -> ModelVersion:
    """Choose the bytes that are meant: those of that name, else of the one model there is."""
    newest = {version.name: version for version in known}  # by number, so the last is left
    if name in newest:
        return newest[name]
    if len({version.digest for version in newest.values()}) > 1:
        raise _miss_choice(f"{each.name}/{each.version}" for each in newest.values())
    return next(iter(newest.values()))


def _miss_choice(models: Iterable[str]) -> InvalidValueError:
    hint = "Register the one that you mean: %mlops register VARIABLE --name NAME"
    return InvalidValueError("models of the run", ", ".join(models), "one model", hint)
