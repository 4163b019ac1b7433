"""Chains of audit records: read them, find where one breaks, and remember how one ended."""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlops_nb.records import AuditRecord
from mlops_nb.store.objects import digest_bytes
from mlops_nb.store.remotenames import UUID

START = "0" * 64
_HEAD = re.compile(rb"([0-9]{20}) ([0-9a-f]{64})\n")
_FOREIGN = re.compile(rf"({UUID})\.(?:log|head)")
_TYPES: dict[str, type] = {
    "sequence": int,
    "user": str,
    "host": str,
    "event": str,
    "document": dict,
    "previous": str,
}


@dataclass(frozen=True, slots=True)
class Chain:
    """What a log, or its rest, holds.

    Attributes
    ----------
    records
        The records up to the first that does not continue the one before.
    digests
        Of their lines.
    head
        Digest of the last of them, or of the line before the first.
    end
        Offset behind the last whole line.
    broken
        Number of the line, from 0, at which the chain breaks; None where it is whole.
    """

    records: list[AuditRecord]
    digests: list[str]
    head: str
    end: int
    broken: int | None

    def fits(self, head: tuple[int, str], first: int = 0) -> bool:
        """Tell whether the record that was once the last is still there.

        Parameters
        ----------
        head
            Its number and digest.
        first
            Number of this part's first record.

        Returns
        -------
        bool
            False where the chain is shorter, or another record has its place.
        """
        place = head[0] - first
        return 0 <= place < len(self.digests) and self.digests[place] == head[1]


def _read_record(line: bytes) -> AuditRecord | None:
    try:
        fields: Any = json.loads(line)
        record = AuditRecord(**fields)
    except (ValueError, TypeError, RecursionError):
        return None
    good = all(type(getattr(record, name)) is kind for name, kind in _TYPES.items())
    return record if good and isinstance(record.at, int | float) and _is_time(record.at) else None


def _is_time(at: float) -> bool:
    return not isinstance(at, bool) and math.isfinite(at) and at >= 0


def read_chain(data: bytes, first: int = 0, previous: str = START) -> Chain:
    """Read records and check that each continues the one before.

    Parameters
    ----------
    data
        A log, or its part from the start of a line.
    first
        Number of the first record.
    previous
        Digest of the line before it.

    Returns
    -------
    Chain
        A line without its end is not looked at: its writer died before anyone was told.
    """
    end = data.rfind(b"\n") + 1
    records: list[AuditRecord] = []
    digests: list[str] = []
    broken = None
    for number, line in enumerate(data[:end].split(b"\n")[:-1], start=first):
        record = _read_record(line)
        if record is None or record.previous != previous or record.sequence != number:
            broken = number
            break
        previous = digest_bytes(line)
        records.append(record)
        digests.append(previous)
    return Chain(records, digests, previous, end, broken)


def find_chains(path: Path) -> list[Path]:
    """Give the logs of other stores that lie beside a store's own, and those whose head does."""
    try:
        matches = [_FOREIGN.fullmatch(entry.name) for entry in os.scandir(path.parent)]
    except OSError:
        return []
    return [path.with_name(f"{name}.log") for name in sorted({m[1] for m in matches if m})]


def format_head(sequence: int, digest: str) -> bytes:
    """Give what a head holds: number and digest of the last record, always of one length."""
    return b"%020d %s\n" % (sequence, digest.encode())


def write_head(stem: str, sequence: int, digest: str) -> None:
    """Remember the last record of a log beside it, so that a cut tail is noticed.

    The file has one length and is written over in place by one call: it costs no second wait for
    the disk. The log was synced before, so a head that is too old is all that a power cut leaves.

    Parameters
    ----------
    stem
        Path of the log without ``.log``.
    sequence, digest
        Number of its last record, and the digest of its line.
    """
    flags = os.O_WRONLY | os.O_CREAT | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
    handle = os.open(f"{stem}.head", flags, 0o644)
    try:
        os.write(handle, format_head(sequence, digest))
    finally:
        os.close(handle)


def read_head(path: Path) -> tuple[int, str] | None:
    """Read what `write_head` wrote for a log; None where it is missing or unreadable."""
    try:
        match = _HEAD.fullmatch(path.with_suffix(".head").read_bytes())
    except OSError:
        return None
    return (int(match[1]), match[2].decode()) if match else None


def find_faults(path: Path) -> Iterator[str]:
    """Tell what is wrong with one log.

    Parameters
    ----------
    path
        The log.

    Yields
    ------
    str
        One sentence for each fault.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        data = b""
    except OSError as error:
        yield f"{path.name} cannot be read ({error.strerror})"
        return
    chain = read_chain(data)
    if chain.broken is not None:
        yield f"{path.name}: line {chain.broken + 1} does not continue the one before it"
    head = read_head(path)
    if head is None:
        if chain.end:
            yield f"{path.name}: its .head file is missing or broken, so a cut end would not show"
    elif not chain.fits(head) and chain.broken is None:
        yield f"{path.name}: line {head[0] + 1}, which was its last, is no longer there"
