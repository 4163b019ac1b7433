"""Which model a metric speaks of: follows the names in the call back to a fitted estimator."""

from __future__ import annotations

import ast
from types import FrameType, FunctionType
from typing import Any

from mlops_nb.autolog.callsites import (
    Site,
    Tree,
    find_function,
    find_site,
    read_history,
)
from mlops_nb.autolog.definitions import (
    find_argument,
    has_fit,
    last_definition,
    list_fills,
    list_parts,
)
from mlops_nb.autolog.frames import read_locals
from mlops_nb.autolog.models import KnownModels
from mlops_nb.autolog.peeking import NOTHING, peek
from mlops_nb.autolog.pooling import (
    find_finished_loop,
    find_members,
    gives_pool,
    list_loops,
    number,
    pair,
)
from mlops_nb.autolog.ways import Answer, keep_answer, keep_way
from mlops_nb.tracking import Run

_MOST_STEPS = 80


class ModelSearch:
    """One search for the model behind the arguments of a call.

    Parameters
    ----------
    known
        The models that runs have fitted.

    Attributes
    ----------
    is_unsure : bool
        Whether some name could not be followed to its end: the value may still be a model's. Where
        this is False and nothing was found, the call has to do with no fitted model.
    several : Run or None
        One of several that belong together and have all given the value.
    is_pooled : bool
        Whether a loop that is over has put the value together, of one model or of several.

    Notes
    -----
    Values are only looked up, never computed: variables, plain instance attributes, and members of
    built-in dicts, lists and tuples. No code of the user runs.
    """

    def __init__(self, known: KnownModels) -> None:
        self._known = known
        self._steps = 0
        self._seen: set[tuple[int, str]] = set()
        self._scopes: dict[int, dict[str, Any]] = {}
        self._groups: list[dict[Any, Run]] = []
        self._keys: list[Any] = []
        self._running: set[int] = set()
        self._start: FrameType | None = None
        self._way: list[tuple[ast.AST, bool]] | None = None
        self._looked: list[tuple[ast.AST, Any]] = []
        self._is_fluid = False
        self.is_unsure = False
        self.several: Run | None = None
        self.is_pooled = False
        self._pools: dict[int, Run] = {}
        self._mixed: set[int] = set()  # those places whose parts no key tells apart
        self._begun: Run | None = None

    def find(self, frame: FrameType) -> Run | None:
        """Find the run whose model gave the arguments of the call that a frame executes.

        Parameters
        ----------
        frame
            The user's frame.

        Returns
        -------
        Run or None
            The run; None where none was found or several are equally likely.
        """
        site = find_site(frame)
        if site is None:
            self.is_unsure = True
            return None
        self._start, self._way = frame, []
        run = self._find(site, frame)
        if run is not None and self._way is not None:
            keep_way(site, frame, self._way)
        elif not self._is_fluid and not self._groups:
            answer = Answer(run, self.is_unsure, self.is_pooled)
            keep_answer(site, frame, self._known, self._looked, answer)
        return run

    def _find(self, site: Site, frame: FrameType) -> Run | None:
        self._running.update(id(node) for node in site.parents())
        values: list[ast.AST] = [*site.call.args, *(word.value for word in site.call.keywords)]
        # The second argument of a metric is the prediction; it decides where both have a model.
        for value in [*values[1:2], *values[:1], *values[2:]]:
            run = self._follow(value, frame, site.tree)
            if run is not None:
                return run
        if isinstance(site.call.func, ast.Attribute):
            run = self._follow(site.call.func.value, frame, site.tree)
            if run is not None:
                return run
        run = self._choose()
        if run is None and not self._groups and any(map(has_fit, values)):
            self.is_unsure = True  # nobody holds that model, and none was fitted since
        return run

    def _choose(self) -> Run | None:
        """Decide between the models of a collection by the names that run beside the value."""
        self._way = None
        runs = {id(run): run for group in self._groups for run in group.values()}
        if len(runs) == 1 and not self._pools:
            return next(iter(runs.values()))
        for group in self._groups:
            for key in self._keys:
                if key in group and not self._is_mixed(group[key]):
                    return group[key]
        if runs or self._pools:
            self.is_unsure = False  # certainly one of these, and not to be guessed
        self._pool(list(runs.values()))
        if len(self._pools) == 1:
            self.several = next(iter(self._pools.values()))
        return None

    def _is_mixed(self, run: Run) -> bool:
        """Tell whether all fits of a call have given the value, of which a run is the last one."""
        return id(self._known.places.find_of(run)) in self._mixed

    def _pool(self, runs: list[Run]) -> None:
        """Note that runs have given a value together, where one loop has fitted all of them."""
        place = self._known.places.find_of(runs[-1]) if runs else None
        if place is not None and place.holds(runs):
            self._pools[id(place)] = runs[-1]

    # ------------------------------------------------------------------ expressions
    def _follow(self, node: ast.AST, frame: FrameType, tree: Tree) -> Run | None:
        self._steps += 1
        if self._steps > _MOST_STEPS:
            self.is_unsure = True
            return None
        if isinstance(node, ast.Name):
            loop = find_finished_loop(node, tree, self._running)
            if loop is not None:  # the variable has moved on: only what was looped over is known
                return self._follow(loop.iter, frame, tree)
        run, is_group = self._look(node, frame)
        if run is not None or is_group:
            return run
        if isinstance(node, ast.Name):
            return self._follow_name(node.id, frame, tree, node.lineno)
        if isinstance(node, (ast.Dict, ast.List, ast.Tuple)):
            return self._follow_members(node, frame, tree)
        return self._follow_parts(node, frame, tree)

    def _follow_parts(self, node: ast.AST, frame: FrameType, tree: Tree) -> Run | None:
        run = None
        if isinstance(node, ast.Subscript):
            key = node.slice
            if not (isinstance(key, ast.Name) and find_finished_loop(key, tree, self._running)):
                self._add_key(key, frame)
        elif isinstance(node, ast.Call):
            run = self._find_begun(node, tree)
        elif isinstance(node, ast.Attribute):  # self.predictions[fold] = ...
            scope = find_function(tree, frame) or tree.module
            run = self._follow_fills(ast.unparse(node), scope, frame, tree)
        for child in () if run is not None else list_parts(node):
            run = self._follow(child, frame, tree)
            if run is not None:
                break
        return run

    def _find_begun(self, call: ast.Call, tree: Tree) -> Run | None:
        """Give the run that this very call has begun, of a model that has no name maybe."""
        runs = self._known.places.find(tree, call)
        if not runs:
            return None
        self._way = None
        if len(runs) > 1 and not self._is_running(call, tree):
            self._groups.append(number(runs))
            self._pool(runs)
            self._begun = runs[-1]
            return None
        return runs[-1]

    def _is_running(self, node: ast.AST, tree: Tree) -> bool:
        """Tell whether all the loops around a node are at what is computed of it now."""
        return all(id(loop) in self._running for loop in list_loops(node, tree))

    def _look(self, node: ast.AST, frame: FrameType) -> tuple[Run | None, bool]:
        """Look a node's value up: the run of a model, or whether it is a collection of models."""
        value = self._peek(node, frame)
        if frame is not self._start:
            self._way = None
        else:
            self._looked.append((node, value))
            if self._way is not None:
                self._way.append((node, value is not NOTHING))
        if value is NOTHING:
            return None, False
        run = self._known.find(value)
        if run is not None or not self._collect(value):
            return run, False
        self._way = None
        return None, True

    def _follow_members(
        self, node: ast.Dict | ast.List | ast.Tuple, frame: FrameType, tree: Tree
    ) -> Run | None:
        """Follow each member of a literal; several models are told apart by key or position."""
        self._way = None
        members: list[tuple[Any, ast.AST]]
        if isinstance(node, ast.Dict):
            pairs = zip(node.keys, node.values, strict=True)
            members = [(getattr(key, "value", None), value) for key, value in pairs]
        else:
            members = list(enumerate(node.elts))
        found = {key: self._follow(member, frame, tree) for key, member in members}
        group = {key: run for key, run in found.items() if run is not None}
        if len({id(run) for run in group.values()}) == 1 and len(members) == 1:
            return next(iter(group.values()))
        if group:
            self._groups.append(group)
        return None

    def _add_key(self, node: ast.AST, frame: FrameType) -> None:
        is_negative = isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub)
        node = node.operand if isinstance(node, ast.UnaryOp) else node
        key = node.value if isinstance(node, ast.Constant) else self._peek(node, frame)
        key = -key if is_negative and type(key) is int else key
        if type(key) in {str, int}:
            self._keys.append(key)

    def _peek(self, node: ast.AST, frame: FrameType) -> Any:
        """Look a value up without running any code; `NOTHING` where that is not possible."""
        return peek(node, self._read_scope(frame), frame.f_globals)

    def _read_scope(self, frame: FrameType) -> dict[str, Any]:
        if id(frame) not in self._scopes:
            self._scopes[id(frame)] = read_locals(frame)
        return self._scopes[id(frame)]

    def _collect(self, value: Any) -> bool:
        """Note the models inside a collection, by key where it has keys; tell if there are any."""
        group = find_members(value, self._known)
        if group:
            self._groups.append(group)
        return bool(group)

    # ------------------------------------------------------------------ names
    def _follow_name(self, name: str, frame: FrameType, tree: Tree, line: int) -> Run | None:
        if (id(frame), name) in self._seen:
            return None
        self._seen.add((id(frame), name))
        function = find_function(tree, frame)
        is_local = function is not None and name in frame.f_code.co_varnames
        scope: ast.AST = function if function is not None and is_local else tree.module
        definition = last_definition(scope, name, line if is_local or function is None else None)
        if definition is not None:
            return self._follow_definition(name, scope, definition, frame, tree)
        if is_local:
            return self._follow_parameter(name, frame)
        return self._follow_global(name, frame)

    def _follow_definition(
        self, name: str, scope: ast.AST, node: ast.AST, frame: FrameType, tree: Tree
    ) -> Run | None:
        if isinstance(node, (ast.For, ast.AsyncFor, ast.comprehension)):
            loop = tree.parents.get(node) if isinstance(node, ast.comprehension) else node
            if id(loop) in self._running:
                for target in ast.walk(node.target):
                    if isinstance(target, ast.Name):
                        self._add_key(target, frame)
            return self._follow(node.iter, frame, tree)
        run = self._follow(node, frame, tree)
        return run if run is not None else self._follow_fills(name, scope, frame, tree)

    def _follow_fills(self, name: str, scope: ast.AST, frame: FrameType, tree: Tree) -> Run | None:
        """Follow what was put into a collection later: ``d[k] = v``, ``d.append(v)``."""
        group: dict[Any, Run] = {}
        for key, value in list_fills(scope, name):
            self._begun = self._way = None
            self._is_fluid = True  # the same container holds something else the next time
            run = self._follow(value, frame, tree)
            loops = list_loops(value, tree)
            if not self._is_running(value, tree):
                self.is_pooled = True
                run = self._begun if run is None else run
                place = None if run is None else self._known.places.find_of(run)
                if run is not None and place is not None and place.is_in(loops, tree):
                    filled = self._read_scope(frame).get(name, frame.f_globals.get(name))
                    found = pair(filled, place.runs)
                    self._groups += [found] if found else []
                    self._pool([run])
                    if not found and place.holds([run]):
                        self._mixed.add(id(place))
                    if found or place.holds([run]):
                        continue
            if run is not None:
                fixed = key.value if isinstance(key, ast.Constant) else None
                group[fixed if fixed is not None else ("put", id(value))] = run
        if group:
            self._groups.append(group)
        return None

    def _follow_parameter(self, name: str, frame: FrameType) -> Run | None:
        """Go on with what the caller gave for a parameter."""
        above = frame.f_back
        site = find_site(above) if above is not None else None
        value = find_argument(site, frame, name) if site is not None else None
        if above is None or site is None or value is None:
            self.is_unsure = True
            return None
        self._running.update(id(node) for node in site.parents())
        return self._follow(value, above, site.tree)

    def _follow_global(self, name: str, frame: FrameType) -> Run | None:
        """Go on in earlier cells, or inside a function of the user that may use a model."""
        value = frame.f_globals.get(name, NOTHING)
        if isinstance(value, FunctionType):
            return self._follow_function(value)
        if isinstance(value, type) or type(value).__name__ in {
            "module",
            "builtin_function_or_method",
        }:
            return None
        for tree in read_history(frame, name):
            definition = last_definition(tree.module, name, None)
            if definition is not None:
                return self._follow_definition(name, tree.module, definition, frame, tree)
        if value is NOTHING and name not in self._read_scope(frame):
            return None  # a builtin, or bound inside a comprehension
        self.is_unsure = True
        return None

    def _follow_function(self, function: FunctionType) -> Run | None:
        self._way, self._is_fluid = None, True  # what it uses may change, and it stays the same
        module = function.__globals__.get("__name__", "")
        if module.partition(".")[0] in {"sklearn", "numpy", "pandas", "scipy"}:
            return None
        for name in function.__code__.co_names:
            run = self._known.find(function.__globals__.get(name, NOTHING))
            if run is not None:
                return run
        self.is_unsure = True
        self.is_pooled = self.is_pooled or gives_pool(function)
        return None
