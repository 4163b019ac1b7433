"""Compares the values between two steps: by digest, and in depth where these differ."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from mlops_nb.errors import StepFailedError
from mlops_nb.pipeline import items
from mlops_nb.pipeline.comparing import Difference
from mlops_nb.pipeline.state import Component, State

_PROGRAM = """
import importlib.util, sys
if importlib.util.find_spec("mlops_nb") is None:
    sys.path.append({parent!r})
from mlops_nb.pipeline import verify_loading
verify_loading.main({specification!r})
"""


@dataclass(frozen=True, slots=True)
class StateSide:
    """A state and where its values lie."""

    state: State
    components: Path
    key_folder: Path


@dataclass(slots=True)
class StateFindings:
    """What comparing two states has found.

    Attributes
    ----------
    differences
        By name; a name that is not among them is the same.
    uncompared
        Reason by path.
    """

    differences: dict[str, Difference] = field(default_factory=dict)
    uncompared: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StateComparer:
    """Compares states of two runs.

    Attributes
    ----------
    folder
        The notebook's folder, where its modules are.
    work
        Private folder for the request.
    places
        Folders of the reference run, each with the folder it stands for.
    may_lack
        Names that only one side may have: every step makes them again where it uses them.
    ignored
        Names that say nothing.
    tolerance
        Relative difference that floats may have.
    code
        Of the notebook: what it names of options of libraries is its own.
    """

    folder: Path
    work: Path
    places: Mapping[str, str]
    may_lack: frozenset[str] = frozenset()
    ignored: frozenset[str] = frozenset()
    tolerance: float | None = None
    code: str = ""

    def compare(self, pairs: Mapping[int, tuple[StateSide, StateSide]]) -> dict[int, StateFindings]:
        """Compare all values of pairs of states.

        Parameters
        ----------
        pairs
            Reference and pipeline after a step, by the step's position.

        Returns
        -------
        dict
            Findings by position. What could not be loaded is told as uncompared.
        """
        findings, tasks = {}, []
        for number, pair in sorted(pairs.items()):
            found, narrowed, unequal = self._compare_digests(*pair)
            findings[number] = found
            if unequal:
                tasks.append(_make_task(number, pair, narrowed, unequal))
        if tasks:
            for answer in self._ask(tasks):
                _take_answer(answer, findings[answer["number"]])
        return findings

    def _compare_digests(
        self, reference: StateSide, pipeline: StateSide
    ) -> tuple[StateFindings, tuple[State, State], list[tuple[str, ...]]]:
        """Find what is missing, and what must be looked at."""
        findings = StateFindings()
        lacked = self.ignored | (self.may_lack - set(pipeline.state.find_owners()))
        sides = (_narrow(reference.state, lacked), _narrow(pipeline.state, self.ignored))
        owners = [side.find_owners() for side in sides]
        reasons = {**pipeline.state.absent, **reference.state.absent}
        for name in sorted(set(owners[0]) ^ set(owners[1])):
            if name in self.may_lack:
                continue
            if name in reasons:
                findings.uncompared[name] = reasons[name]
            elif not items.is_pseudo(name):  # else only one of the kernels has loaded a module
                told = ["a value" if name in side else "no such name" for side in owners]
                findings.differences[name] = Difference(name, "key", told[0], told[1])
        unequal = [
            group
            for group in _list_groups(sides, set(owners[0]) & set(owners[1]))
            if not _has_same_digest(group, owners[0], owners[1])
        ]
        return findings, sides, unequal

    def _ask(self, tasks: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Load and compare in a process of its own."""
        request, answer = self.work / "request.json", self.work / "answer.json"
        document = {
            "tasks": tasks,
            "places": dict(self.places),
            "tolerance": self.tolerance,
            "code": self.code,
            "answer": str(answer),
        }
        request.write_text(json.dumps(document), encoding="utf-8")
        parent = str(Path(__file__).resolve().parents[2])
        program = _PROGRAM.format(parent=parent, specification=str(request))
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", program],
            cwd=self.folder,
            env=os.environ | {"PYTHONHASHSEED": "0", "MPLBACKEND": "agg"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
        if not answer.exists():
            last = done.stderr.decode(errors="replace").strip().splitlines()[-1:] or ["it died"]
            raise StepFailedError("verify", f"values could not be compared: {last[0]}")
        found: list[dict[str, Any]] = json.loads(answer.read_text(encoding="utf-8"))
        answer.unlink()
        return found


def _make_task(
    number: int,
    pair: tuple[StateSide, StateSide],
    narrowed: tuple[State, State],
    groups: list[tuple[str, ...]],
) -> dict[str, Any]:
    wanted = {name for group in groups for name in group} | {items.PROCESS}
    return {
        "number": number,
        "groups": groups,
        "sides": [
            {
                "state": _keep_only(state, wanted).to_json(),
                "components": str(side.components),
                "key_folder": str(side.key_folder),
            }
            for side, state in zip(pair, narrowed, strict=True)
        ],
    }


def _keep_only(state: State, names: set[str]) -> State:
    kept = tuple(part for part in state.components if names.intersection(part.names))
    return replace(state, components=kept)


def _take_answer(answer: Mapping[str, Any], findings: StateFindings) -> None:
    for found in answer["found"]:
        findings.uncompared |= dict(found["uncompared"])
        for name, told in found["differences"].items():
            findings.differences[name] = Difference(*told)
        if found["error"]:
            findings.uncompared[", ".join(found["names"])] = found["error"]


def _narrow(state: State, ignored: frozenset[str]) -> State:
    parts = []
    for part in state.components:
        names = tuple(n for n in part.names if n not in ignored and not n.startswith(items.CELLS))
        if names:
            # The digest is of all the names that the file brings.
            parts.append(part if names == part.names else replace(part, names=names, digest=""))
    return replace(state, components=tuple(parts))


def _list_groups(sides: tuple[State, State], common: set[str]) -> list[tuple[str, ...]]:
    """Group names that share a component on either side, in the reference's order."""
    leaders = {name: name for name in common}

    def find(name: str) -> str:
        while leaders[name] != name:
            name = leaders[name]
        return name

    for side in sides:
        for part in side.components:
            names = [name for name in part.names if name in common]
            for name in names[1:]:
                leaders[find(name)] = find(names[0])
    groups: dict[str, list[str]] = {}
    ordered = [name for name in sides[0].order if name in common]
    for name in [*ordered, *sorted(common - set(ordered))]:
        groups.setdefault(find(name), []).append(name)
    return [tuple(group) for group in groups.values()]


def _has_same_digest(
    group: tuple[str, ...], reference: Mapping[str, Component], pipeline: Mapping[str, Component]
) -> bool:
    """Tell whether one component on each side brings the very same names and digest."""
    first, second = reference[group[0]], pipeline[group[0]]
    same = set(first.names) == set(second.names) == set(group)
    return same and bool(first.digest) and first.digest == second.digest
