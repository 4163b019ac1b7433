"""Who changed what: an append-only log whose records each carry the digest of the one before."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mlops_nb.errors import StoreError
from mlops_nb.records import AuditRecord
from mlops_nb.store.auditchain import find_chains, read_chain, read_head
from mlops_nb.store.auditwriter import ChainWriter, refuse_broken


class AuditLog:
    """The chain of changes of one store, and the chains that were pulled into it.

    Parameters
    ----------
    path
        The store's own log, one JSON object a line. Chains of other stores lie beside it as
        ``<store id>.log``, and beside each log its head.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._writer: ChainWriter | None = None
        self._newest = 0.0
        self._merged: tuple[tuple[object, ...], list[tuple[AuditRecord, bool]]] = ((), [])

    def append(self, event: str, document: Mapping[str, Any]) -> int:
        """Add a change.

        Parameters
        ----------
        event
            What happened.
        document
            JSON types: what it happened to.

        Returns
        -------
        int
            Number of the record, from 0; it is on the disk when this returns.

        Raises
        ------
        StoreError
            The chain is broken: nothing is added to a log that was tampered with.
        """
        if self._writer is None:
            self._writer = ChainWriter(self.path)
        return self._writer.append(event, document, self._newest)

    def records(self) -> list[AuditRecord]:
        """Read the store's own chain and check it.

        Returns
        -------
        list of AuditRecord
            Oldest first.

        Raises
        ------
        StoreError
            A record was changed, removed, put in or cut off the end: the message names the first
            bad line.
        """
        try:
            data = self.path.read_bytes()
        except FileNotFoundError:
            data = b""
        chain = read_chain(data)
        try:
            refuse_broken(self.path, chain)
        except StoreError:
            if self._writer is not None:
                self._writer.distrust()
            raise
        return chain.records

    def pulled(self) -> dict[str, list[Any]]:
        """Give where the chains of other stores end, by store: number and digest of the last."""
        heads = ((path.stem, read_head(path)) for path in find_chains(self.path))
        return {store_id: list(head) for store_id, head in heads if head is not None}

    def merged(self) -> list[tuple[AuditRecord, bool]]:
        """Read the store's own chain and those that were pulled, in the order of their times.

        Returns
        -------
        list of tuple
            Each record, and whether it was made in this store.

        Raises
        ------
        StoreError
            A chain is broken.
        """
        paths = [self.path, *find_chains(self.path)]
        stamps = tuple(_stamp_path(one) for path in paths for one in (path, _head_of(path)))
        if self._merged[0] != (*paths, *stamps):
            found = [(record, True) for record in self.records()]
            for path in paths[1:]:
                found += [(record, False) for record in AuditLog(path).records()]
            found.sort(key=lambda each: (each[0].at, each[0].previous, each[0].sequence))
            self._newest = found[-1][0].at if found else 0.0
            self._merged = ((*paths, *stamps), found)
        return self._merged[1]


def _head_of(path: Path) -> Path:
    return path.with_suffix(".head")


def _stamp_path(path: Path) -> tuple[int, ...]:
    try:
        status = path.stat()
    except OSError:
        return ()
    return (status.st_ino, status.st_size, status.st_mtime_ns)
