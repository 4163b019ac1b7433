"""Checks everything that the chains of a store, their heads and its models say of one another."""

from __future__ import annotations

from mlops_nb.errors import StoreError
from mlops_nb.records import AuditReport
from mlops_nb.store.audit import AuditLog
from mlops_nb.store.auditchain import START, find_chains, find_faults, read_chain
from mlops_nb.store.models import ModelFolder


def check_audit(audit: AuditLog, models: ModelFolder) -> AuditReport:
    """Check the store's own chain, those that were pulled, and the models they tell of.

    Parameters
    ----------
    audit
        The store's chains.
    models
        Its registered models.

    Returns
    -------
    AuditReport
        With one sentence for each fault.
    """
    findings: list[str] = []
    count, head = 0, START
    for path in [audit.path, *find_chains(audit.path)]:
        findings += find_faults(path)
        try:
            chain = read_chain(path.read_bytes())
        except OSError:
            continue
        count += len(chain.records)
        if path == audit.path:
            head = chain.head
    try:
        findings += models.find_unrecorded()
    except StoreError as error:
        if not findings:
            findings.append(error.found)
    return AuditReport(count, "" if head == START else head, tuple(findings))
