"""What a fit is given: captured before it begins, named and identified after it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import asdict, replace
from types import CodeType, FrameType
from typing import Any

from mlops_nb.autolog.callsites import find_site_at
from mlops_nb.autolog.captures import EXACT_BYTES, Capture, CaptureBook, Sample, copy_rows
from mlops_nb.autolog.snapshots import SnapshotQueue
from mlops_nb.data import fingerprint
from mlops_nb.tracking import Run

_LONGEST_NAME = 60


def add_data(run: Run, queue: SnapshotQueue | None, obj: Any, name: str, role: str) -> None:
    """Name data that a run uses, and have them kept; nothing where they are of no known kind.

    Parameters
    ----------
    run
        The run.
    queue
        Keeps them, after the cell; None for their fingerprint alone.
    obj
        The data.
    name, role
        What the user calls them, and what they are to the training.
    """
    record = fingerprint(obj, name, role, limit_bytes=EXACT_BYTES)
    if record is None:
        return
    if queue is not None:
        record = queue.add(obj, record, run)
    run.log_dataset(record)


class GivenData:
    """Records the data that fits are given.

    Parameters
    ----------
    queue
        Keeps them, after the cell; None for their fingerprints alone.
    """

    def __init__(self, queue: SnapshotQueue | None) -> None:
        self._queue = queue
        self._book = CaptureBook()

    def log(
        self, run: Run, given: dict[str, Any], frame: FrameType | None, *, first: int = 0
    ) -> Sample | None:
        """Record data as they are now.

        Parameters
        ----------
        run
            The run that uses them.
        given
            Arguments by role, in order.
        frame
            The user's frame, whose call names them.
        first
            Place of the first of them among the call's arguments.

        Returns
        -------
        Sample or None
            Rows of the first.
        """
        place = None if frame is None else (frame.f_code, frame.f_lasti)
        kept: Sample | None = None
        for position, (role, obj) in enumerate(given.items(), first):
            capture = self._book.take(obj)
            if capture is None:
                add_data(run, self._queue, obj, _read_name(place, position, role), role)
                sample = Sample(copy_rows(obj))
            else:
                self._log_later(run, capture, place, position, role)
                sample = capture.sample
            kept = kept or sample
        return kept

    def _log_later(
        self,
        run: Run,
        capture: Capture,
        place: tuple[CodeType, int] | None,
        position: int,
        role: str,
    ) -> None:
        def make() -> Iterator[dict[str, Any]]:
            try:
                record = capture.settle()
                if record is None:
                    return
                record = replace(record, name=_read_name(place, position, role), role=role)
                if self._queue is not None:
                    record = self._queue.add(capture.data, record, run, is_copied=True)
            except Exception as error:  # noqa: BLE001 - on a thread of ours, and one run's matter
                yield {"type": "tags", "tags": {f"data.unknown.{role}": type(error).__name__}}
            else:
                yield {"type": "dataset", "dataset": asdict(record)}

        run.log_later(make)

    def finish_cell(self) -> None:
        """Remember no data from one cell to the next."""
        self._book.clear()


def _read_name(place: tuple[CodeType, int] | None, position: int, role: str) -> str:
    """Read what the user calls an argument, by its keyword or its position."""
    site = find_site_at(*place) if place is not None else None
    if site is None:
        return ""
    for word in site.call.keywords:
        if word.arg == role:
            return _spell(word.value)
    before = site.call.args[: position + 1]
    if len(before) <= position or any(isinstance(node, ast.Starred) for node in before):
        return ""
    return _spell(before[position])


def _spell(node: ast.AST) -> str:
    text = ast.unparse(node)
    return text if len(text) <= _LONGEST_NAME else ""
