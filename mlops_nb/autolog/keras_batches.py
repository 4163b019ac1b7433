"""Loops of the user's own over ``train_on_batch`` and ``test_on_batch``, on any backend.

Both look one function up to turn their results into plain numbers; what they gave is taken there.
A batch costs a look-up: the call is known by its place in the source, the model by itself.
"""

from __future__ import annotations

import ast
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

from mlops_nb.autolog.callsites import Site, find_function, find_site
from mlops_nb.autolog.definitions import FUNCTIONS, last_definition
from mlops_nb.autolog.frames import read_locals
from mlops_nb.autolog.models import is_data
from mlops_nb.autolog.naming import name_metric
from mlops_nb.autolog.nets import NetRecorder, find_net_user
from mlops_nb.autolog.peeking import NOTHING, peek
from mlops_nb.autolog.resultnames import is_result_name
from mlops_nb.autolog.training import Training, tidy_name
from mlops_nb.tracking import Run

CALLS = frozenset({"train_on_batch", "test_on_batch"})
_LOOPS = (ast.For, ast.AsyncFor, ast.While)
_MOST_CALLS = 256
_DEEPEST = 4

Describe = Callable[[Run, Any], None]


class _Loop:
    """A training by batches; several models that are trained in turn share it."""

    def __init__(self, training: Training) -> None:
        self.training = training
        self.models: list[weakref.ref[Any]] = []
        self.counts: dict[str, int] = {}
        self.tested = _Mean()

    def is_of(self, model: Any) -> bool:
        return any(each() is model for each in self.models)


class _Mean:
    """The mean of what several batches of a test gave."""

    def __init__(self) -> None:
        self._sums: dict[str, float] = {}
        self.count = 0

    def add(self, values: dict[str, float]) -> None:
        for name, value in values.items():
            self._sums[name] = self._sums.get(name, 0.0) + value
        self.count += 1

    def take(self) -> dict[str, float]:
        found = {name: value / self.count for name, value in self._sums.items()}
        self._sums, self.count = {}, 0
        return found


class _Call:
    """One call in the source with one model."""

    __slots__ = ("around", "at", "code", "label", "loop", "model", "site")

    def __init__(
        self, user: FrameType, site: Site | None, model: Any, loop: _Loop, label: str
    ) -> None:
        self.code, self.at = weakref.ref(user.f_code), user.f_lasti
        self.site, self.loop, self.label = site, loop, label
        self.model = weakref.ref(model)
        self.around = None if site is None else _find_around(site)

    def is_at(self, frame: FrameType, model: Any) -> bool:
        return (
            self.at == frame.f_lasti
            and self.code() is frame.f_code
            and self.model() is model
            and not self.loop.training.is_over
        )


class BatchLoops:
    """Records them as runs that end with their cell.

    Parameters
    ----------
    recorder
        Opens the runs.
    library
        Gives the library with its version.
    describe
        Says what is trained.
    """

    def __init__(
        self, recorder: NetRecorder, library: Callable[[], str], describe: Describe
    ) -> None:
        self._recorder, self._library, self._describe = recorder, library, describe
        self._calls: dict[tuple[int, int], _Call] = {}
        self._loops: list[_Loop] = []
        self._tested: list[tuple[weakref.ref[Any], _Mean]] = []

    def note(self, logs: dict[str, float], frame: FrameType) -> None:
        """Note what one batch gave.

        Parameters
        ----------
        logs
            Names and plain numbers.
        frame
            Of ``train_on_batch`` or ``test_on_batch``.
        """
        given = read_locals(frame)
        model = given.get("self")
        values = {name: value for name, value in logs.items() if type(value) in {int, float}}
        if model is None or self._recorder.session.is_paused:
            return
        if frame.f_code.co_name == "test_on_batch":
            self._find_test(model).add(values)
            return
        above = frame.f_back
        if above is None:
            return
        key = (id(above.f_code), above.f_lasti)
        call = self._calls.get(key)  # a loop does the same again and again
        if call is None or not call.is_at(above, model):
            call = self._open(above, model, given)
            if call is None:
                return
            if len(self._calls) >= _MOST_CALLS:
                self._calls.clear()
            self._calls[key] = call
        self._add(call, values)

    def _add(self, call: _Call, values: dict[str, float]) -> None:
        loop, label = call.loop, call.label
        training = loop.training
        step = loop.counts.get(label, 0)
        if loop.tested.count:
            self._flush_test(loop)
        loop.counts[label] = step + 1
        if step >= training.steps:
            training.steps = step + 1
        if label:
            values = {_name(name, label): value for name, value in values.items()}
        training.gather(step, values.items())
        training.last = time.perf_counter()

    # ------------------------------------------------------------------ tests
    def _find_test(self, model: Any) -> _Mean:
        for loop in self._loops:
            if loop.is_of(model):
                return loop.tested
        for reference, mean in self._tested:
            if reference() is model:
                return mean
        mean = _Mean()
        self._tested.append((weakref.ref(model), mean))
        return mean

    def _flush_test(self, loop: _Loop) -> None:
        values = loop.tested.take()
        if values:
            step = max(loop.training.steps - 1, 0)
            named = [(f"val_{name}", value) for name, value in values.items()]
            self._recorder.note(loop.training, step, named)

    # ------------------------------------------------------------------ one loop
    def _open(self, above: FrameType, model: Any, given: dict[str, Any]) -> _Call | None:
        user = find_net_user(above, "keras")
        if user is None:
            return None
        site = find_site(user)
        around = None if site is None else _find_around(site)
        loop = next((each for each in self._loops if each.is_of(model)), None)
        if loop is None:
            loop = self._find_host(site, around)
            if loop is not None:
                self._recorder.join(model, loop.training)
            else:
                loop = self._begin(user, model, given)
            if loop is None:
                return None
            loop.models.append(weakref.ref(model))
        label = "" if site is None else _find_label(site, user, around)
        return _Call(user, site, model, loop, label)

    def _find_host(self, site: Site | None, around: ast.AST | None) -> _Loop | None:
        """Find the training whose loop calls another model in turn."""
        for call in self._calls.values():
            is_beside = around is not None and call.around is around and call.site is not site
            if is_beside and call.loop in self._loops:
                return call.loop
        return None

    def _begin(self, user: FrameType, model: Any, given: dict[str, Any]) -> _Loop | None:
        training = self._recorder.begin(model, self._library(), "train_on_batch", user)
        if training is None:
            return None
        training.let_go()  # between two batches the user's own code runs
        self._describe(training.run, model)
        shape = getattr(given.get("x"), "shape", None)
        if shape:
            training.run.log_params({"batch_size": int(shape[0])})
        data = [(role, *_find_whole(user, place)) for role, place in (("X", 0), ("y", 1))]
        self._recorder.log_data(training.run, data)
        loop = _Loop(training)
        self._loops.append(loop)
        return loop

    # ------------------------------------------------------------------ the end of a cell
    def finish_cell(self, finish: Callable[[Training, Any], None]) -> None:
        """Close what the cell has trained.

        Parameters
        ----------
        finish
            Is given each training that is over, and its first model where that is still there.
        """
        here = threading.current_thread()
        for loop in list(self._loops):
            thread = loop.training.thread
            if thread is not here and thread.is_alive():
                continue
            self._loops.remove(loop)
            self._flush_test(loop)
            finish(loop.training, loop.models[0]())
        self._calls = {key: call for key, call in self._calls.items() if call.loop in self._loops}
        tested, self._tested = self._tested, []
        for reference, mean in tested:
            model = reference()
            if model is not None:
                self._recorder.log_later(model, "test_", mean.take())


def _name(name: str, label: str) -> str:
    if name == "loss" and is_result_name(label):
        return label
    return f"{name}/{label}"


def _find_around(site: Site) -> ast.AST | None:
    """Give the innermost loop or function around a call."""
    return next((node for node in site.parents() if isinstance(node, (*_LOOPS, *FUNCTIONS))), None)


def _list_beside(site: Site, around: ast.AST | None) -> Iterator[ast.Call]:
    for node in ast.walk(around) if around is not None else ():
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "train_on_batch":
            yield node
    if around is None:
        yield site.call


def _find_label(site: Site, user: FrameType, around: ast.AST | None) -> str:
    """Name a call where a loop makes several: by what it is assigned to, else by the model."""
    beside = list(_list_beside(site, around))
    if len(beside) < 2 or not isinstance(site.call.func, ast.Attribute):
        return ""
    named = name_metric(site, user, "")
    if named:
        return tidy_name(named)
    owner = ast.unparse(site.call.func.value)
    same = [each for each in beside if ast.unparse(getattr(each.func, "value", each)) == owner]
    place = next((n for n, each in enumerate(same) if each is site.call), 0)
    return tidy_name(f"{owner}.{place}" if place else owner)


def _is_within(node: ast.AST, site: Site) -> bool:
    """Tell whether something is made anew in the loop around a call."""
    loops = {id(each) for each in site.parents() if isinstance(each, _LOOPS)}
    around: ast.AST | None = node
    while around is not None:
        if id(around) in loops:
            return True
        around = site.tree.parents.get(around)
    return False


def _find_whole(user: FrameType, place: int) -> tuple[str, Any]:
    """Give name and value of what the batches are parts of: ``X`` of ``X[part]``."""
    site = find_site(user)
    if site is None:
        return "", None
    words = {word.arg: word.value for word in site.call.keywords}
    node: ast.AST | None = words.get("xy"[place])
    if node is None and place < len(site.call.args):
        node = site.call.args[place]
    scope = find_function(site.tree, user) or site.tree.module
    for _ in range(_DEEPEST):
        if isinstance(node, (ast.Subscript, ast.Attribute)):
            node = node.value
            continue
        if not isinstance(node, ast.Name):
            break
        definition = last_definition(scope, node.id, site.call.lineno)
        if not isinstance(definition, ast.Subscript):
            is_batch = definition is not None and _is_within(definition, site)
            value = NOTHING if is_batch else peek(node, read_locals(user), user.f_globals)
            if value is not NOTHING and is_data(type(value)) and hasattr(value, "shape"):
                return node.id, value
            break
        node = definition
    return "", None
