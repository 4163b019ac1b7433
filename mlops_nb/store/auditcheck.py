"""Checks everything that the chains of a store, their heads and its models say of one another."""

from __future__ import annotations

import contextlib

from mlops_nb.errors import StoreError
from mlops_nb.records import AuditReport
from mlops_nb.store.audit import AuditLog
from mlops_nb.store.auditchain import Chain, find_chains, find_faults, read_chain
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
    chains: dict[str, Chain] = {}
    for path in [audit.path, *find_chains(audit.path)]:
        findings += find_faults(path)
        with contextlib.suppress(OSError):
            chains[path.stem] = read_chain(path.read_bytes())
    own = chains.get(audit.path.stem)
    findings += _find_lost(own, chains) if own is not None else []
    try:
        findings += models.find_unrecorded()
    except StoreError as error:
        if not findings:
            findings.append(error.found)
    count = sum(len(chain.records) for chain in chains.values())
    head = own.head if own is not None and own.records else ""
    return AuditReport(count, head, tuple(findings))


def _find_lost(own: Chain, chains: dict[str, Chain]) -> list[str]:
    """Tell which chains no longer hold what they held when they were pulled."""
    found = []
    for record in own.records:
        named = record.document.get("chains") if record.event == "store.pulled" else None
        for store_id, head in named.items() if isinstance(named, dict) else ():
            chain = chains.get(store_id)
            if chain is None:
                found.append(f"{store_id}.log, which was pulled, is gone")
            elif not chain.fits((head[0], head[1])) and chain.broken is None:
                found.append(f"{store_id}.log: line {head[0] + 1}, which was pulled, is not there")
    return list(dict.fromkeys(found))
