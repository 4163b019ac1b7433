"""Compares values of the notebook and of its pipeline in depth, and names the first difference."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mlops_nb.pipeline import comparing_memory, comparing_values
from mlops_nb.pipeline.comparing_classes import find_twin_classes, name_types
from mlops_nb.pipeline.comparing_kinds import find_comparer
from mlops_nb.pipeline.comparing_parts import (
    PLAIN,
    DifferenceKind,
    Pair,
    Part,
    Unequal,
    Unsure,
    get_bits,
    shorten,
)

_LONGEST_PATH = 200
_Path = tuple[Any, str]  # the path before, and what leads on from there


@dataclass(frozen=True, slots=True)
class Difference:
    """The first place where two values are not the same.

    Attributes
    ----------
    path
        How to get there from the name: ``model.coef_[0, 3]``.
    kind
        What differs: ``type``, ``shape``, ``dtype``, ``value``, ``key``, ``length``, ``order``,
        ``sharing`` (the same object in one, two in the other), ``code``, ``flags``, or
        ``not comparable`` where nothing differs that can be seen without changing the value.
    reference, pipeline
        Both sides as short text.
    """

    path: str
    kind: DifferenceKind
    reference: str
    pipeline: str

    def __str__(self) -> str:
        """Give the difference as one line."""
        if self.kind == "not comparable":
            return f"{self.path} cannot be compared: {self.reference}"
        return (
            f"{self.path} ({self.kind}): {self.reference} in the notebook, "
            f"{self.pipeline} in the pipeline"
        )


@dataclass(frozen=True, slots=True)
class Findings:
    """What a comparison has found.

    Attributes
    ----------
    difference
        The first difference, None where there is none.
    uncompared
        Path and reason of each value that cannot be compared without changing it. It is never
        counted as equal.
    """

    difference: Difference | None
    uncompared: tuple[tuple[str, str], ...] = ()


def find_difference(
    reference: Any, pipeline: Any, *, tolerance: float | None = None, name: str = "value"
) -> Difference | None:
    """Find the first place where two values differ.

    Neither value is changed or consumed, and no comparison of the values' own (``__eq__``) is
    asked: floats are equal by their bits (any NaN is equal to any other), containers by order,
    objects by their state, functions by their code, and what shares an object or memory in one
    must share it in the other.

    Parameters
    ----------
    reference
        The value that is right.
    pipeline
        The value to check.
    tolerance
        Relative difference that floats may have; by default none.
    name
        What the path begins with.

    Returns
    -------
    Difference or None
        None only where everything could be compared and is the same.
    """
    findings = compare_names({name: reference}, {name: pipeline}, tolerance=tolerance)
    if findings.difference is None and findings.uncompared:
        path, reason = findings.uncompared[0]
        return Difference(path, "not comparable", reason, reason)
    return findings.difference


def compare_names(
    reference: Mapping[str, Any],
    pipeline: Mapping[str, Any],
    *,
    tolerance: float | None = None,
    places: Mapping[str, str] | None = None,
) -> Findings:
    """Compare what names hold, with what they share among one another.

    Parameters
    ----------
    reference
        Values by name, as they should be.
    pipeline
        Values by name, to check.
    tolerance
        Relative difference that floats may have; by default none.
    places
        Folders of the reference run, each with the folder it stands for: texts are equal when
        they are after the first are replaced by the second.

    Returns
    -------
    Findings
        The first difference in the order of `reference`, and what could not be compared.
    """
    walk = _Walk(tolerance, places or {})
    difference = walk.follow(_compare_name_tables(reference, pipeline))
    if difference is None:
        unshared = comparing_memory.find_unshared(walk.memory)
        if unshared is not None:
            difference = _make_difference(unshared[0], unshared[1])
    return Findings(difference, tuple((_render(path), why) for path, why in walk.unsure))


def _compare_name_tables(
    reference: Mapping[str, Any], pipeline: Mapping[str, Any]
) -> Iterator[Part]:
    for name, value in reference.items():
        if name in pipeline:
            yield Pair(name, value, pipeline[name])
        else:
            yield Unequal("key", shorten(value), "no such name", name)
    for name, value in pipeline.items():
        if name not in reference:
            yield Unequal("key", "no such name", shorten(value), name)


def _render(path: Any) -> str:
    suffixes = []
    while path:
        path, suffix = path
        suffixes.append(suffix)
    text = "".join(reversed(suffixes))
    half = _LONGEST_PATH // 2
    return text if len(text) <= _LONGEST_PATH else f"{text[:half]} ... {text[-half:]}"


def _make_difference(path: Any, found: Unequal) -> Difference:
    rendered = _render((path, found.suffix))
    return Difference(rendered, found.kind, found.reference, found.pipeline)


class _Walk:
    """One comparison under way; it keeps its own stack, so that depth is no limit."""

    def __init__(self, tolerance: float | None, places: Mapping[str, str]) -> None:
        self.tolerance = tolerance
        self.unsure: list[tuple[Any, str]] = []
        self.memory: list[tuple[Any, Any, Any]] = []
        self._places = dict(places)
        self._path: Any = ()
        self.twins: tuple[dict[int, int], dict[int, int]] = ({}, {})
        self.met: dict[int, Any] = {}  # where an object of the reference was first seen
        self.met_pipeline: dict[int, Any] = {}
        self.compared: set[tuple[int, int]] = set()
        self.kept: list[Any] = []  # no address may be used twice

    def follow(self, parts: Iterator[Part]) -> Difference | None:
        """Compare part after part, each with all that it leads to."""
        stack: list[tuple[Any, Iterator[Part]]] = [((), parts)]
        while stack:
            path, iterator = stack[-1]
            self._path = path
            part = next(iterator, None)
            if part is None:
                stack.pop()
            elif isinstance(part, Unequal):
                return _make_difference(path, part)
            elif isinstance(part, Unsure):
                self.unsure.append(((path, part.suffix), part.reason))
            else:
                entered = self._enter(part, (path, part.suffix))
                if isinstance(entered, Unequal):
                    return _make_difference((path, part.suffix), entered)
                if entered is not None:
                    stack.append(((path, part.suffix), entered))
        return None

    def _enter(self, pair: Pair, path: _Path) -> Iterator[Part] | Unequal | None:
        first, second = pair.reference, pair.pipeline
        kind = type(first)
        if kind is not type(second):
            twin = find_twin_classes(kind, type(second))
            if twin is None:
                return Unequal("type", *name_types(first, second))
            return self._enter_instances(twin, first, second, path)
        if kind in PLAIN:
            return comparing_values.check_plain(self, first, second)
        if kind is float:
            same = self.is_same_float(first, second)
            return None if same else Unequal("value", repr(first), repr(second))
        return self._enter_object(first, second, path)

    def _enter_instances(
        self, classes: Pair, first: Any, second: Any, path: _Path
    ) -> Iterator[Part] | Unequal | None:
        entered = self._enter_object(first, second, path)
        if entered is None or isinstance(entered, Unequal):
            return entered
        return _chain(classes, entered)

    def _enter_object(
        self, first: Any, second: Any, path: _Path
    ) -> Iterator[Part] | Unequal | None:
        ids = (id(first), id(second))
        if ids in self.compared:
            return None
        if comparing_values.has_identity(first):
            unshared = self._note_twins(*ids, path)
            if unshared is not None:
                return unshared
        self.compared.add(ids)
        self.kept.append((first, second))
        if first is second:
            return None
        return find_comparer(type(first))(self, first, second)

    def _note_twins(self, first: int, second: int, path: _Path) -> Unequal | None:
        forth, back = self.twins
        if first in forth:  # with another object, or the pair would count as compared
            where = _render(self.met[first])
            return Unequal("sharing", f"the same object as {where}", "an object of its own")
        if second in back:
            where = _render(self.met_pipeline[second])
            return Unequal("sharing", "an object of its own", f"the same object as {where}")
        forth[first], back[second] = second, first
        self.met[first] = self.met_pipeline[second] = path
        return None

    def is_same_text(self, reference: str, pipeline: str) -> bool:
        """Tell whether two texts are equal but for the folder that they were made in."""
        if reference == pipeline:
            return True
        for old, new in self._places.items():
            reference = reference.replace(old, new)
        return bool(self._places) and reference == pipeline

    def is_same_float(self, reference: float, pipeline: float) -> bool:
        """Tell whether two floats are equal, by bits or within the tolerance."""
        if get_bits(reference) == get_bits(pipeline):
            return True
        if self.tolerance is None:
            return False
        if reference == pipeline:  # infinities, and zeros of either sign
            return True
        difference = abs(reference - pipeline)
        return difference <= self.tolerance * max(abs(reference), abs(pipeline)) < float("inf")

    def is_equal(self, reference: Any, pipeline: Any) -> bool:
        """Try two values; nothing of the trial is remembered."""
        trial = copy.copy(self)
        trial.unsure, trial.memory = [], []
        trial.twins = (dict(self.twins[0]), dict(self.twins[1]))
        trial.met, trial.met_pipeline = dict(self.met), dict(self.met_pipeline)
        trial.compared, trial.kept = set(self.compared), []
        return trial.follow(iter([Pair("", reference, pipeline)])) is None and not trial.unsure

    def note_memory(self, reference: Any, pipeline: Any) -> None:
        """Remember two arrays whose memory others may share."""
        self.memory.append((self._path, reference, pipeline))


def _chain(first: Part, rest: Iterator[Part]) -> Iterator[Part]:
    yield first
    yield from rest
