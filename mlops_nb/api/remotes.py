"""Verbs on what leaves this machine and on who changed what: push, pull, audit."""

from __future__ import annotations

from collections.abc import Callable

from mlops_nb.api.places import get_store, read_store
from mlops_nb.errors import StoreError
from mlops_nb.records import AuditRecord, AuditReport, TransferReport


def push_store(
    url: str, *, on_progress: Callable[[str, int], None] | None = None
) -> TransferReport:
    """Push the store to a remote: what is missing there is created, nothing is overwritten.

    Parameters
    ----------
    url
        ``s3://BUCKET/PREFIX``, ``gs://BUCKET/PREFIX``, ``az://CONTAINER/PREFIX`` or
        ``file:///FOLDER``. Credentials are read from the environment.
    on_progress
        Called with the name and the size in bytes of each part once it is there.

    Returns
    -------
    TransferReport
        What was sent, and what could not be: conflicts and damage.

    Raises
    ------
    InvalidValueError
        The URL is of another form.
    MissingPackageError
        The extra ``remote`` is not installed.
    RemoteError
        The remote cannot be used; another push goes on from there.
    """
    from mlops_nb.store.push import push_store as push

    store = read_store()
    if not (store.root / "format.json").is_file():
        raise StoreError(store.root, "there is no store", "Runs make it; or name one with --store.")
    return push(store.root, store.store_id, url, on_progress)


def pull_store(
    url: str, *, on_progress: Callable[[str, int], None] | None = None
) -> TransferReport:
    """Pull what a remote has and the store lacks; what both have and differ in is reported.

    Parameters
    ----------
    url
        As for `push_store`.
    on_progress
        Called with the path and the size in bytes of each file that was taken or has grown.

    Returns
    -------
    TransferReport
        What was taken, and what could not be: conflicts and damage.

    Raises
    ------
    InvalidValueError
        The URL is of another form.
    MissingPackageError
        The extra ``remote`` is not installed.
    RemoteError
        The remote cannot be used, or nothing was pushed there; another pull goes on from there.
    """
    from mlops_nb.store.pull import Pull
    from mlops_nb.store.remote import Remote

    remote = Remote(url)  # before a store is made for an address that is wrong
    store = get_store()
    report = Pull(store.root, store.store_id, remote, on_progress).run()
    if report.size_bytes:  # what came from elsewhere is trusted from now on
        counts = {"runs": report.runs, "models": report.models, "objects": report.objects}
        chains = store.audit.pulled()
        store.audit.append("store.pulled", {"url": report.url, **counts, "chains": chains})
    return report


def list_audit() -> list[AuditRecord]:
    """Give every change of models, aliases and the store, oldest first.

    Returns
    -------
    list of AuditRecord
        Those of stores that were pulled among them, in the order of their times.

    Raises
    ------
    StoreError
        A chain is broken.
    """
    return [record for record, _ in read_store().audit.merged()]


def verify_audit() -> AuditReport:
    """Check that no record of a change was changed, removed, put in or cut off the end.

    Returns
    -------
    AuditReport
        With one finding for each fault; none where all is well.
    """
    from mlops_nb.store.auditcheck import check_audit

    store = read_store()
    return check_audit(store.audit, store.models)
