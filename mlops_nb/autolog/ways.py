"""What a call spoke of before: in a loop the same names lead to the same model again.

A search for a model reads the syntax of cells, some hundreds of microseconds; a loop that computes
a metric a thousand times, as of samples drawn anew, goes the way of the first time.
"""

from __future__ import annotations

import ast
import contextlib
import weakref
from types import FrameType
from typing import Any, NamedTuple

from mlops_nb.autolog.callsites import Site
from mlops_nb.autolog.frames import read_locals
from mlops_nb.autolog.models import KnownModels
from mlops_nb.autolog.peeking import NOTHING, peek
from mlops_nb.autolog.pooling import find_members
from mlops_nb.capture.kinds import Kinds, identify
from mlops_nb.tracking import Run

_MOST_WAYS = 256
_LOOKED_UP = (ast.Name, ast.Attribute, ast.Subscript)  # all else has no value that can be peeked at
_PLAIN = Kinds(bool, int, float, str, type(None), type(NOTHING))
_HOLDING = Kinds(dict, list, tuple)
_COLLECTIONS = (dict, list, tuple, set, frozenset)
_LONGEST_TEXT = 100
_MOST_LOOKED = 1000
_OFTEN = 3

_Key = tuple[int, int]


class Answer(NamedTuple):
    """What a search has found, as `ModelSearch` says it."""

    run: Run | None
    is_unsure: bool
    is_pooled: bool


class _Kept(NamedTuple):
    site: Site
    fits: int
    values: list[tuple[ast.AST, Any]]
    answer: Answer
    times: int = 1

    @property
    def is_nothing(self) -> bool:
        """Whether no model has to do with the call, as was seen several times in a row."""
        return self.times >= _OFTEN and self.answer.run is None and not self.answer.is_unsure


# By call site and number of cells so far; the number of a site that is gone may be another's.
# What was looked up on the way to a model that has a name where the metric is computed.
_ways: dict[_Key, tuple[Site, list[tuple[ast.AST, bool]]]] = {}
# What else was found, for as long as the names stand for the very objects and nothing is fitted.
_answers: dict[_Key, _Kept] = {}


def find_again(site: Site | None, frame: FrameType, known: KnownModels) -> Answer | None:
    """Say what a call speaks of, as far as this was found before and is the same now.

    Parameters
    ----------
    site
        The call.
    frame
        The user's frame.
    known
        The models that runs have fitted.

    Returns
    -------
    Answer or None
        None where it was not asked for before, or something has changed: `ModelSearch` is to be
        asked.
    """
    if site is None:
        return None
    key = _name(site, frame)
    way, kept = _ways.get(key), _answers.get(key)
    if way is not None and way[0] is site:
        run = _go(way[1], frame, known)
        if run is not None:
            return Answer(run, is_unsure=False, is_pooled=False)
    if kept is None or kept.site is not site or kept.fits != known.fits:
        return None
    if kept.is_nothing:
        return kept.answer
    scope, outer = read_locals(frame), frame.f_globals
    for node, before in kept.values:
        value = _look(node, scope, outer)
        is_same = before() is value if type(before) is weakref.ref else _is_equal(before, value)
        if not is_same:
            return None
    return kept.answer


def _go(way: list[tuple[ast.AST, bool]], frame: FrameType, known: KnownModels) -> Run | None:
    scope, outer = read_locals(frame), frame.f_globals
    for node, is_known in way:
        value = _look(node, scope, outer)
        if (value is not NOTHING) is not is_known:
            return None
        if is_known:
            run = known.find(value)
            if run is not None:
                return run
            if type(value) in _HOLDING and not _is_plain(value, known):
                return None
    return None


def _is_plain(value: Any, known: KnownModels) -> bool:
    """Tell whether a collection is one of numbers or texts, or has no models for another reason."""
    if (
        type(value) is list
        and len(value) <= _MOST_LOOKED
        and all(type(each) in _PLAIN for each in value)
    ):
        return True
    return not find_members(value, known)


def _look(node: ast.AST, scope: dict[str, Any], outer: dict[str, Any]) -> Any:
    if type(node) is ast.Name:  # as most are
        return scope.get(node.id, outer.get(node.id, NOTHING))
    return peek(node, scope, outer)


def _is_equal(before: Any, value: Any) -> bool:
    return type(value) is type(before) and (value is before or value == before)


def keep_way(site: Site, frame: FrameType, way: list[tuple[ast.AST, bool]]) -> None:
    """Remember what led to a model.

    Parameters
    ----------
    site
        The call.
    frame
        The user's frame.
    way
        What was looked up there, in order, and whether it had a value; the last one is the model.
    """
    if len(_ways) >= _MOST_WAYS:
        _ways.clear()
    _ways[_name(site, frame)] = site, [step for step in way if isinstance(step[0], _LOOKED_UP)]


def keep_answer(
    site: Site,
    frame: FrameType,
    known: KnownModels,
    looked: list[tuple[ast.AST, Any]],
    answer: Answer,
) -> None:
    """Remember an answer that has taken another way than through names where it was asked.

    Parameters
    ----------
    site
        The call.
    frame
        The user's frame.
    known
        The models that runs have fitted.
    looked
        What was looked up there, and the values; not kept alive. Where one of them is a collection,
        nothing is remembered.
    answer
        What was found.
    """
    values: list[tuple[ast.AST, Any]] = []
    # All else that was looked up is what these were made of, and they are the same objects.
    own = set(map(identify, ast.walk(site.call)))
    for node, value in looked:
        if identify(node) not in own or not isinstance(node, _LOOKED_UP):
            continue
        kind = type(value)
        if issubclass(kind, _COLLECTIONS) or (kind is str and len(value) > _LONGEST_TEXT):
            return  # nothing tells whether models were put into it since
        if kind in _PLAIN:
            values.append((node, value))
            continue
        # What has no weak reference is no model that is known, and leads to none.
        with contextlib.suppress(TypeError):
            values.append((node, weakref.ref(value)))
    key = _name(site, frame)
    last = _answers.get(key)
    is_same = last is not None and last[:2] == (site, known.fits) and last.answer == answer
    times = 1 + last.times if last is not None and is_same else 1
    if len(_answers) >= _MOST_WAYS:
        _answers.clear()
    _answers[key] = _Kept(site, known.fits, values, answer, times)


def _name(site: Site, frame: FrameType) -> _Key:
    history = frame.f_globals.get("In")
    return identify(site), len(history) if isinstance(history, list) else 0


def forget_ways() -> None:
    """Forget everything."""
    _ways.clear()
    _answers.clear()
