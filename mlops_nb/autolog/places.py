"""Which runs each call in the source has begun: a model that nobody holds is known by its call.

What a loop has fitted by one call belongs together: a score of what all of them predicted, as of an
out-of-fold vector, is none of a single one's.
"""

from __future__ import annotations

import ast
import weakref
from dataclasses import dataclass, field
from types import CodeType, FrameType
from typing import Any

from mlops_nb.autolog.callsites import Tree, find_site
from mlops_nb.autolog.frames import Spot
from mlops_nb.capture.kinds import identify
from mlops_nb.tracking import Run

_MOST_PLACES = 256
_MOST_FITS = 200
_SEEDS = ("random_state", "seed")

# Where a call ends, how it is written, and the calls of the source around it.
_Key = tuple[int, int, str, int]


@dataclass(slots=True, eq=False)
class Place:
    """What one call has fitted, in the last cell that ran it.

    Attributes
    ----------
    key
        Where it stands.
    runs, params
        Of each fit, and the parameters as they are kept.
    changed
        Names of the parameters of the last fit that are no defaults.
    cell
        Where it ran.
    given
        How the arguments are written.
    total_s
        How long those took that belong together.
    first
        Where those begin that belong together: they have the same parameters, seeds apart.
    group
        The run of all of those, once there is one.
    past
        Those that belonged together before, in the same cell.
    """

    key: _Key
    runs: list[Run] = field(default_factory=list)
    params: list[dict[str, Any]] = field(default_factory=list)
    changed: str = ""
    cell: int | None = None
    given: tuple[str, ...] = ()
    first: int = 0
    total_s: float = 0.0
    group: Run | None = None
    past: list[Place] = field(default_factory=list)

    def holds(self, runs: list[Run]) -> bool:
        """Tell whether runs are of those that belong together, of which there are several."""
        together = set(map(identify, self.runs[self.first :]))
        return len(together) > 1 and {identify(run) for run in runs} <= together

    def is_in(self, loops: list[ast.AST], tree: Tree) -> bool:
        """Tell whether the call stands in one of the loops of a source."""
        line, column = self.key[:2]
        if self.key[3] != _number_source(tree):
            return False
        # Of a comprehension the place, of a loop the body.
        return any(
            (getattr(loop, "lineno", 0), getattr(loop, "col_offset", 0)) < (line, column)
            and (line, column)
            <= (getattr(loop, "end_lineno", 0), getattr(loop, "end_col_offset", 0))
            for loop in loops
        )

    def is_like(self, params: dict[str, Any]) -> bool:
        """Tell whether a fit has the parameters of the others, seeds apart."""
        if self.first >= len(self.params):
            return True
        first = self.params[self.first]
        if first == params:
            return True
        if first.keys() != params.keys():
            return False
        return all(
            value is first[name] or value == first[name] or name.endswith(_SEEDS)
            for name, value in params.items()
        )

    def begin_part(self) -> None:
        """Let what belongs together begin with the next fit."""
        if len(self.runs) > self.first + 1:
            part = Place(self.key, self.runs[self.first :], self.params[self.first :], self.changed)
            part.cell, part.given, part.total_s = self.cell, self.given, self.total_s
            part.group = self.group
            self.past.append(part)
        self.first, self.total_s, self.group = len(self.runs), 0.0, None

    def list_parts(self) -> list[Place]:
        """Give everything that belongs together, oldest first."""
        return [*self.past, self]

    def read_common(self) -> dict[str, Any]:
        """Give the parameters in which all fits agree."""
        first, *others = self.params[self.first :]
        return {
            name: value
            for name, value in first.items()
            if all(name in each and repr(each[name]) == repr(value) for each in others)
        }


class FitPlaces:
    """The calls that have fitted something; holds nothing of the user's."""

    def __init__(self) -> None:
        self._keys: dict[tuple[int, int], tuple[weakref.ref[CodeType], _Key | None]] = {}
        self._places: dict[_Key, Place] = {}
        self._of: dict[str, Place] = {}  # by the run
        self._last: Place | None = None

    def note(
        self,
        spot: Spot | None,
        run: Run,
        params: dict[str, Any],
        changed: object,
        cell: int | None,
    ) -> None:
        """Note that a call has begun a run.

        Parameters
        ----------
        spot
            The user's call.
        run
            The run.
        params
            Its parameters.
        changed
            Names of those that are no defaults.
        cell
            That runs now.
        """
        if spot is None:
            return
        known = self._keys.get(spot.key)
        if known is None or known[0]() is not spot.code:
            if len(self._keys) >= _MOST_PLACES:
                self.clear()
            known = self._keys[spot.key] = weakref.ref(spot.code), self._open(spot.frame)
        key = known[1]
        if key is None:
            return
        place = self._places.get(key)
        if place is None:  # another thread has just made room
            place = self._places[key] = Place(key, cell=cell)
        # Without a cell nothing tells where one loop ends and the next begins.
        if place.cell != cell or cell is None or len(place.runs) >= _MOST_FITS:
            for each in place.runs:
                self._of.pop(each.run_id, None)
            place = self._places[key] = Place(key, cell=cell, given=place.given)
        if place.group is not None or not place.is_like(params):
            place.begin_part()
        place.runs.append(run)
        place.params.append(params)
        place.changed = str(changed)
        self._of[run.run_id] = place
        self._last = place

    def _open(self, frame: FrameType) -> _Key | None:
        site = find_site(frame)
        if site is None:
            return None
        key, call = _name_call(site.tree, site.call), site.call
        given = (*call.args, *(word.value for word in call.keywords))
        self._places[key] = Place(key, given=tuple(map(ast.unparse, given)))
        return key

    def add_time(self, run: Run, duration: float) -> None:
        """Add the time of a fit to that of its place, where it is the last one there."""
        place = self._last
        if place is not None and place.runs[-1] is run:
            place.total_s += duration

    def find(self, tree: Tree, call: ast.Call) -> list[Run]:
        """Give the runs that a call in the source has begun, oldest first."""
        place = self._places.get(_name_call(tree, call)) if self._places else None
        return [] if place is None else place.runs

    def find_of(self, run: Run) -> Place | None:
        """Give the call that has begun a run, and others beside it."""
        place = self._of.get(run.run_id)
        return place if place is not None and len(place.runs) > 1 else None

    def clear(self) -> None:
        """Forget everything."""
        self._last = None
        self._keys.clear()
        self._places.clear()
        self._of.clear()


def _name_call(tree: Tree, call: ast.Call) -> _Key:
    known: _Key | None = vars(call).get("key")  # a tree of ours never changes, and takes it along
    if known is None:
        end = call.end_lineno or 0, call.end_col_offset or 0
        known = vars(call)["key"] = *end, ast.unparse(call), _number_source(tree)
    return known


def _number_source(tree: Tree) -> int:
    """Tell a source from others by where its calls are."""
    known: int | None = vars(tree.module).get("number")
    if known is None:
        known = vars(tree.module)["number"] = hash(tuple(tree.calls))
    return known
