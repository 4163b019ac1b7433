"""What a fit is given: captured and named before it begins, identified after it."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator
from dataclasses import replace
from types import CodeType
from typing import Any

from mlops_nb.autolog.callsites import find_site
from mlops_nb.autolog.captures import EXACT_BYTES, Capture, CaptureBook, Sample, copy_rows
from mlops_nb.autolog.frames import Spot
from mlops_nb.autolog.generators import name_state
from mlops_nb.autolog.snapshots import SnapshotQueue
from mlops_nb.capture.numpystate import State
from mlops_nb.data import fingerprint
from mlops_nb.tracking import Run

_LONGEST_NAME = 60
_MOST_CALLS = 256

# How the arguments of a call are written: by position, and by keyword.
_Call = tuple[list[str], dict[str, str]]
# A copy that is yet to be identified, its name and its role.
_Later = tuple[Capture, str, str]


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
        self._calls: dict[tuple[int, int], tuple[CodeType, _Call | None]] = {}

    def log(
        self,
        run: Run,
        given: dict[str, Any],
        spot: Spot | None,
        *,
        first: int = 0,
        state: State | None = None,
    ) -> Sample | None:
        """Record data as they are now.

        Parameters
        ----------
        run
            The run that uses them.
        given
            Arguments by role, in order.
        spot
            The user's call, which names them.
        first
            Place of the first of them among the call's arguments.
        state
            Of NumPy's generator, to be digested with them.

        Returns
        -------
        Sample or None
            Rows of the first.
        """
        call = None if spot is None else self._find_call(spot)
        kept: Sample | None = None
        later: list[_Later] = []
        for position, (role, obj) in enumerate(given.items(), first):
            name = "" if call is None else _read_name(call, position, role)
            capture = self._book.take(obj)
            if capture is None:
                add_data(run, self._queue, obj, name, role)
                sample = Sample(copy_rows(obj))
            else:
                later.append((capture, name, role))
                sample = capture.sample
            kept = kept or sample
        if later or state is not None:
            run.log_later(functools.partial(self._make, run, later, state))
        return kept

    def _find_call(self, spot: Spot) -> _Call | None:
        """Read how the user spells the arguments; here, because parsing may disturb a thread."""
        known = self._calls.get(spot.key)
        if known is None or known[0] is not spot.code:
            site = find_site(spot.frame)
            if len(self._calls) >= _MOST_CALLS:
                self._calls.clear()
            call = None if site is None else _spell_call(site.call)
            known = self._calls[spot.key] = (spot.code, call)
        return known[1]

    def _make(self, run: Run, later: list[_Later], state: State | None) -> Iterator[dict[str, Any]]:
        """Give the events of what was only captured; on a thread of ours, and never raising."""
        if state is not None:
            yield {"type": "tags", "tags": name_state(state)}
        for capture, name, role in later:
            try:
                record = capture.settle()
                if record is None:
                    continue
                record = replace(record, name=name, role=role)
                if self._queue is not None:
                    record = self._queue.add(capture.data, record, run, is_copied=True)
            except Exception as error:  # noqa: BLE001 - one run's matter
                yield {"type": "tags", "tags": {f"data.unknown.{role}": type(error).__name__}}
            else:
                yield {"type": "dataset", "dataset": record.to_json()}

    def finish_cell(self) -> None:
        """Remember no data from one cell to the next."""
        self._book.clear()
        self._calls.clear()


def _read_name(call: _Call, position: int, role: str) -> str:
    """Give what the user calls an argument, by its keyword or its position."""
    names, words = call
    named = words.get(role, "") if words else ""
    return named or (names[position] if position < len(names) else "")


def _spell_call(call: ast.Call) -> _Call:
    names: list[str] = []
    for node in call.args:
        if isinstance(node, ast.Starred):
            break
        names.append(_spell(node))
    return names, {word.arg: _spell(word.value) for word in call.keywords if word.arg}


def _spell(node: ast.AST) -> str:
    text = ast.unparse(node)
    return text if len(text) <= _LONGEST_NAME else ""
