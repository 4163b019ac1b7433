"""Looking for the fits behind a score is bounded, safe in threads, and runs no code of the user."""

from __future__ import annotations

import ast
import sys
from types import FrameType
from typing import Any, cast

from mlops_nb.autolog import peeking
from mlops_nb.autolog.frames import Spot
from mlops_nb.autolog.models import KnownModels
from mlops_nb.autolog.places import FitPlaces
from mlops_nb.autolog.pooling import find_members
from mlops_nb.tracking import Run


class _Run:
    """Stands for a run; places know no more of one than its name."""

    def __init__(self, run_id: str) -> None:
        self.run_id = run_id


class _Counting(KnownModels):
    """Counts how many values it was asked for."""

    asked = 0

    def find(self, model: Any) -> Run | None:
        """Know nothing."""
        self.asked += 1
        return None


def _note(places: FitPlaces, frame: FrameType, runs: list[Run], cell: int) -> None:
    runs.append(cast("Run", _Run(f"{cell}, {len(runs)}")))
    places.note(Spot(frame), runs[-1], {"C": 1}, "C", cell)


def test_runs_of_one_call_are_known_by_it() -> None:
    """Those of the last cell that ran it; earlier ones are forgotten with all that is known of them."""
    places = FitPlaces()
    frame = sys._getframe()
    runs: list[Run] = []
    later: list[Run] = []
    for cell in (1, 1, 1):
        _note(places, frame, runs, cell)
    found = places.find_of(runs[0])
    assert found is not None
    assert found.holds(runs)
    for cell in (2, 2, 3, 3):
        _note(places, frame, later, cell)
    assert places.find_of(later[0]) is None
    assert places.find_of(later[3]) is places.find_of(later[2]) is not None
    places.clear()
    assert places.find_of(later[2]) is None


def test_numbers_are_not_asked_for_models() -> None:
    """A history or long lists of predictions in a dict are passed over; short lists are looked into."""
    known = _Counting()
    find_members({"loss": [0.5] * 100_000, "texts": ["a"] * 100_000}, known)
    assert known.asked == 0
    find_members([("name", object()), object()], known)
    assert known.asked == 3


def test_looking_runs_no_code_of_the_user() -> None:
    """An attribute is read from the object's own fields, past whatever its class does."""

    class Nosy:
        """Tells when its fields are asked for."""

        def __init__(self) -> None:
            self.model = 1

        def __getattribute__(self, name: str) -> Any:
            raise AssertionError(name)

    node = ast.parse("it.model", mode="eval").body
    assert peeking.peek(node, {"it": Nosy()}, {}) == 1
    assert peeking.peek(node, {}, {}) is peeking.NOTHING
