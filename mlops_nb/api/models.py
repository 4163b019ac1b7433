"""Verbs on registered models: register, name, load, serve."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_nb.api.places import get_store, read_store

if TYPE_CHECKING:
    from mlops_nb.records import AuditRecord, ModelSummary, ModelVersion, RunRecord


def register_model(
    model: Any,
    *,
    name: str,
    alias: str | None = None,
    run_id: str | None = None,
    example: Any = None,
) -> ModelVersion:
    """Register a fitted model with its lineage, in the safest flavor there is for it.

    Parameters
    ----------
    model
        A fitted estimator.
    name
        Name of the registered model; lower-case letters, digits, ``.``, ``_`` and ``-``.
    alias
        Moved to the new version where given.
    run_id
        The run that trained it; found by auto-logging where not given.
    example
        Rows of input, for the signature; what the model was fitted on is used where known.

    Returns
    -------
    ModelVersion
        With number, signature and lineage.

    Raises
    ------
    InvalidValueError
        A name has the wrong form; nothing is written.
    UnsafeModelError
        The model cannot be saved without code that nobody checked; nothing is written.
    """
    from mlops_nb import autolog, registry

    store = get_store()
    run: RunRecord | None = None
    found = run_id or autolog.run_of(model)
    if found:
        run = store.read_run(store.find_run(found))
    if example is None:
        example = autolog.example_of(model)
    return registry.register(store, model, name=name, alias=alias, run=run, example=example)


def list_models(name: str | None = None, *, start: Path | None = None) -> list[ModelVersion]:
    """Give every version of registered models, newest version first within a model.

    Parameters
    ----------
    name
        One model only; all by default.
    start
        Folder whose project's store is read, where it is not this process's.

    Returns
    -------
    list of ModelVersion
        A version whose record cannot be read is among them, with the flavor ``damaged``.

    Raises
    ------
    ModelNotFoundError
        There is no model of that name; near misses are named.
    """
    from mlops_nb import registry

    return registry.list_versions(read_store(start), name)


def summarize_models(
    limit: int = 50, offset: int = 0, *, start: Path | None = None
) -> list[ModelSummary]:
    """List registered models by name, a page at a time.

    Parameters
    ----------
    limit, offset
        A page: so many models after so many.
    start
        Folder whose project's store is read, where it is not this process's.

    Returns
    -------
    list of ModelSummary
        With the number of versions, the newest of them, and the aliases.
    """
    from mlops_nb import registry

    return registry.summarize_models(read_store(start), limit, offset)


def list_model_changes(name: str, *, start: Path | None = None) -> list[AuditRecord]:
    """List what was done with a model: registrations, and what its aliases named.

    Parameters
    ----------
    name
        The model.
    start
        Folder whose project's store is read, where it is not this process's.

    Returns
    -------
    list of AuditRecord
        Newest first; who, when, and the reason that was given.

    Raises
    ------
    ModelNotFoundError
        There is no model of that name.
    """
    from mlops_nb import registry

    return registry.list_changes(read_store(start), name)


def get_model(ref: str, *, start: Path | None = None) -> ModelVersion:
    """Find a model version.

    Parameters
    ----------
    ref
        ``name@alias``, ``name/3``, or ``name`` for the newest.
    start
        Folder whose project's store is read, where it is not this process's.

    Returns
    -------
    ModelVersion
        With signature, lineage and aliases.

    Raises
    ------
    ModelNotFoundError
        There is no such model, version or alias; near misses are named.
    """
    from mlops_nb import registry

    return registry.resolve(read_store(start), ref)


def set_alias(
    name: str, alias: str, version: int, reason: str | None = None, *, start: Path | None = None
) -> ModelVersion:
    """Let an alias of a model name a version; where it named another, that is a promotion.

    Parameters
    ----------
    name, alias
        The model and the alias.
    version
        The version it names from now on.
    reason
        Why; it stands in the record of the change, beside the version before.
    start
        Folder whose project's store is read, where it is not this process's.

    Returns
    -------
    ModelVersion
        The version.
    """
    from mlops_nb import registry

    store = read_store(start)  # only a store that is there holds a model
    registry.set_alias(store, name, alias, version, reason)
    return store.models.get(name, version)


def delete_alias(
    name: str, alias: str, reason: str | None = None, *, start: Path | None = None
) -> ModelVersion:
    """Take an alias of a model away; the version that it named stays.

    Parameters
    ----------
    name, alias
        The model and the alias.
    reason
        Why, for the record of the change.
    start
        Folder whose project's store is read, where it is not this process's.

    Returns
    -------
    ModelVersion
        The version that it named.

    Raises
    ------
    ModelNotFoundError
        There is no such model or alias; near misses are named.
    """
    from mlops_nb import registry

    store = read_store(start)
    registry.resolve(store, f"{name}@{alias}")  # an unknown name is told with near misses
    return store.models.get(name, store.models.delete_alias(name, alias, reason))


def load_model(ref: str) -> Any:
    """Load a registered model; its digest is verified before anything is parsed.

    Parameters
    ----------
    ref
        As for `get_model`.

    Returns
    -------
    object
        The model.
    """
    from mlops_nb import registry

    return registry.load(read_store(), ref)


def serve_model(
    ref: str,
    *,
    host: str = "127.0.0.1",
    port: int = 8000,
    token: str | None = None,
    on_ready: Callable[[str], None] | None = None,
    background: bool = False,
) -> Any:
    """Answer predictions of a registered model over HTTP.

    Parameters
    ----------
    ref
        As for `get_model`.
    host, port
        Where to listen; port 0 takes a free one.
    token
        Asked of every request; needed to listen beyond this machine.
    on_ready
        Called with the address once requests are answered.
    background
        Serve from a thread and return at once.

    Returns
    -------
    object
        A handle with ``url`` and ``stop()`` when in the background, else None at the end.
    """
    from mlops_nb import serving

    store = read_store()
    if background:
        return serving.start_in_background(store, ref, host=host, port=port, token=token)
    serving.serve(store, ref, host=host, port=port, token=token, on_ready=on_ready)
    return None
