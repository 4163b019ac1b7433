"""What was done to a store, as frozen records."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class TransferReport:
    """What a push or a pull did.

    Attributes
    ----------
    url
        The remote, without credentials.
    objects, sessions, runs, models, audits
        How many files of each kind were new or had grown.
    size_bytes
        How many bytes travelled.
    conflicts
        Files that are not the same here and there; each side keeps its own.
    damaged
        Names on the remote whose bytes are not what the name tells; they were not taken.
    """

    url: str
    objects: int = 0
    sessions: int = 0
    runs: int = 0
    models: int = 0
    audits: int = 0
    size_bytes: int = 0
    conflicts: tuple[str, ...] = ()
    damaged: tuple[str, ...] = ()

    @property
    def is_clean(self) -> bool:
        """Tell whether everything that should travel did."""
        return not self.conflicts and not self.damaged


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """One change of the store's state.

    Attributes
    ----------
    sequence
        Position in the log, from 0.
    event
        What happened: ``model.registered``, ``alias.set`` ...
    document
        What it happened to.
    at, user, host
        When, who and from where.
    previous
        Digest of the line before; zeros for the first.
    """

    sequence: int
    at: float
    user: str
    host: str
    event: str
    document: dict[str, Any]
    previous: str


@dataclass(frozen=True, slots=True)
class AuditReport:
    """What checking the audit log found.

    Attributes
    ----------
    records
        How many records the chains of the store hold together.
    head
        Digest of the last record of this store's own chain; empty where there is none.
    findings
        What is wrong, one sentence each; empty when every chain is whole.
    """

    records: int
    head: str
    findings: tuple[str, ...] = ()
