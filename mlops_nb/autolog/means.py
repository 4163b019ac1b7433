"""Means over the fits of a loop, as of a cross-validation by hand: ``np.mean(scores)``.

A mean is known by its value: the user's code is not followed. Where a variable of the cell holds
the mean of what one metric gave for each fit, or a list of the cell holds these values and the cell
takes a mean, the run of all these fits has it.
"""

from __future__ import annotations

import ast
import math
import re
import statistics
from collections.abc import Iterator
from typing import Any

from mlops_nb.autolog.assigned import list_stored, read_number
from mlops_nb.autolog.callsites import parse_text
from mlops_nb.autolog.definitions import last_definition
from mlops_nb.autolog.fits import FitRecorder
from mlops_nb.autolog.places import Place
from mlops_nb.autolog.resultnames import is_result_name
from mlops_nb.tracking import Run, Session

_MOST_NOTED = 10_000
_MOST_NAMES = 200
_MOST_MEMBERS = 50
_MOST_METRICS = 20
_MEAN = re.compile(r"(?:\b|_)mean\s*\(")
_EXACT = 1e-9


class FoldMeans:
    """Finds the means that a cell has taken over the fits of a loop.

    Parameters
    ----------
    session
        Knows the source of the cell.
    fits
        Knows which calls have fitted what, and opens the run of all.
    """

    def __init__(self, session: Session, fits: FitRecorder) -> None:
        self._session, self._fits = session, fits
        self._noted: list[tuple[Run, str, float]] = []

    def note(self, run: Run, name: str, number: float) -> None:
        """Note a metric of one fit; it costs next to nothing."""
        if len(self._noted) < _MOST_NOTED:
            self._noted.append((run, name, number))

    def finish_cell(self, namespace: dict[str, Any] | None) -> None:
        """Log the means with the runs of all fits, now that variables have their values."""
        noted, self._noted = self._noted, []
        cell = self._session.cell
        source = None if cell is None else self._session.read_source(cell)
        if len(noted) < 2 or namespace is None or not source:
            return
        tree = parse_text(source)
        if tree is None:
            return
        has_mean = _MEAN.search(source) is not None
        stored = sorted(list_stored(tree.module))[:_MOST_NAMES]
        values = {name: namespace[name] for name in stored if name in namespace}
        for place, name, series in self._list_series(noted):
            found = dict(_find_means(values, name, series, tree.module, is_named=has_mean))
            if len(found) > 1:
                found.pop(f"mean_{name}", None)  # the user has a name for it
            if found:
                group = self._fits.open_group(place, namespace.get)
                for key, value in found.items():
                    group.log_metric(key, value)

    def _list_series(
        self, noted: list[tuple[Run, str, float]]
    ) -> Iterator[tuple[Place, str, list[float]]]:
        """Give what one metric gave for each of the fits that belong together."""
        known: dict[tuple[str, str], float] = {
            (run.run_id, name): number for run, name, number in noted
        }
        places: dict[int, tuple[Place, dict[str, None]]] = {}
        for run, name, _ in noted:
            place = self._fits.known.places.find_of(run)
            if place is not None:
                places.setdefault(id(place), (place, {}))[1][name] = None
        for place, names in places.values():
            for part in place.list_parts():
                ids = [run.run_id for run in part.runs[part.first :]]
                for name in list(names)[:_MOST_METRICS]:
                    series = [known[each, name] for each in ids if (each, name) in known]
                    if len(series) == len(ids) > 1:
                        yield part, name, series


def _find_means(
    values: dict[str, Any], metric: str, series: list[float], module: ast.AST, *, is_named: bool
) -> Iterator[tuple[str, float]]:
    """Give the variables that hold the mean or the spread of a series, and the mean of a list."""
    mean = statistics.fmean(series)
    spreads = (statistics.pstdev(series), statistics.stdev(series))
    is_flat = max(series) == min(series)  # then any 1.0 would be its mean
    for name, value in values.items():
        number = read_number(value)
        if number is not None and (is_result_name(name) or is_named):
            definition = last_definition(module, name, None)
            is_computed = isinstance(definition, (ast.Call, ast.BinOp, ast.Tuple, ast.Subscript))
            is_spread = not is_flat and any(_is_near(number, each) for each in spreads)
            if is_computed and (is_spread or (_is_near(number, mean) and not is_flat)):
                yield name, number
        elif type(value) is dict and len(value) <= _MOST_MEMBERS and is_named and not is_flat:
            numbers = map(read_number, value.values())
            if any(each is not None and _is_near(each, mean) for each in numbers):
                yield f"mean_{metric}", mean
        elif is_named and type(value) is list and len(value) == len(series):
            pairs = zip(map(read_number, value), series, strict=True)
            if all(one is not None and _is_near(one, other) for one, other in pairs):
                yield f"mean_{metric}", mean


def _is_near(one: float, other: float) -> bool:
    return math.isclose(one, other, rel_tol=_EXACT)
