"""Numbers that the user computes under a name that says they are a result: ``val_acc = ...``."""

from __future__ import annotations

import ast
import contextlib
import weakref
from collections.abc import Iterator
from types import FrameType, FunctionType
from typing import Any

from mlops_nb.autolog.callsites import Tree, find_site, parse_text, read_tree
from mlops_nb.autolog.definitions import FUNCTIONS, last_definition
from mlops_nb.autolog.frames import read_fields, read_locals
from mlops_nb.autolog.resultnames import is_held_out, is_result_name
from mlops_nb.autolog.torch_sites import list_around, name_epoch

_ARRAYS = {("numpy", "ndarray"), ("torch", "Tensor")}
_MOST_NAMES = 50
_MOST_OWNERS = 8
_MOST_POINTS = 100_000
_DEEPEST = 12


def read_number(value: Any) -> float | None:
    """Give a number that waits for no device; None for everything else, counts included."""
    if type(value) is float:
        return value
    # By its class first: attributes of anything else may be code of the user.
    if type(value).__module__.partition(".")[0] not in {"torch", "numpy"}:
        return None
    if getattr(value, "shape", None) != () or not hasattr(value, "dtype"):
        return None
    if "float" not in str(value.dtype) or not getattr(value, "is_cpu", True):
        return None
    number = value.item()
    return number if type(number) is float else None


class AssignedMetrics:
    """Reads results out of the variables of a training, after each epoch and after the cell."""

    def __init__(self) -> None:
        self._space: dict[str, Any] | None = None
        self._tree: Tree | None = None
        self._known: dict[str, Any] = {}
        self._places: dict[tuple[int, int], frozenset[str]] = {}
        self._owners: dict[int, weakref.ref[Any]] = {}
        self._returned: dict[str, list[str]] = {}
        # What one loop trains again and again has no part in what stands outside of that loop.
        self._outer: ast.AST | None = None
        self._scope: ast.AST | None = None

    def begin(self, frames: list[FrameType], *, is_new: bool) -> None:
        """Note which cell runs, and what its results are before the training.

        Parameters
        ----------
        frames
            From the call of ``step`` up to the cell.
        is_new
            Whether another training begins, not another optimizer of the same.
        """
        for frame in frames[:-1]:
            self._note_returned(frame)
        if not frames or frames[-1].f_code.co_name != "<module>":
            return
        if is_new:
            outer = _find_outer(frames[-1])
            self._scope = outer if outer is self._outer else None
            self._outer = outer
        if self._space is not None:
            return
        self._space, self._tree = frames[-1].f_globals, read_tree(frames[-1])
        if self._tree is not None:
            for name in list_results(self._tree.module):
                self._note(name, self._space.get(name))
        for frame in frames:
            if frame.f_code.co_varnames[:1] == ("self",) and frame.f_code.co_argcount:
                self._meet(read_locals(frame).get("self"))
        self._take_fields({})

    def read_epoch(self, frames: list[FrameType], *, has_loader: bool) -> dict[str, float]:
        """Give what was computed in the epoch that is over, as the next one begins.

        Parameters
        ----------
        frames
            From the call of ``step`` up to the cell.
        has_loader
            Whether the innermost loop goes over batches.
        """
        is_inside = not has_loader
        found: dict[str, float] = {}
        for frame in frames:
            names = self._find_complete(frame, is_inside=is_inside)
            if names is None:
                continue
            is_inside = True
            if names:
                values = read_locals(frame)
                for name in names:
                    self._take(name, values.get(name), found)
                break
        self._take_fields(found)
        return found

    def _note_returned(self, frame: FrameType) -> None:
        """Note what a function that runs the loop gives back, by the names it has there."""
        site = find_site(frame)
        function = (
            next((n for n in site.parents() if isinstance(n, FUNCTIONS)), None) if site else None
        )
        if function is not None and not isinstance(function, ast.Lambda):
            self._returned[frame.f_code.co_name] = _list_returned(function)

    def _meet(self, owner: Any) -> None:
        """Remember weakly an object whose method runs the loop, but for modules and the like."""
        fields = read_fields(owner)
        if fields and "_parameters" not in fields and len(self._owners) < _MOST_OWNERS:
            with contextlib.suppress(TypeError):  # there are no weak references to it
                self._owners.setdefault(id(owner), weakref.ref(owner))

    def _take_fields(self, found: dict[str, float]) -> None:
        """Take results on validation data that such objects keep: ``self.valid_acc``."""
        for owner in self._owners.values():
            for name, value in list(read_fields(owner()).items()):
                if type(name) is str and is_held_out(name) and is_result_name(name):
                    self._take(name, value, found)

    def _find_complete(self, frame: FrameType, *, is_inside: bool) -> frozenset[str] | None:
        """Name the results that a frame has finished for an epoch; None where it has no loop."""
        key = (id(frame.f_code), frame.f_lasti)
        if key in self._places:
            return self._places[key]
        site = find_site(frame)
        if site is None:
            return None
        loops, _ = list_around(site)
        if not loops:
            return None
        at = next((n for n, loop in enumerate(loops) if name_epoch(loop)), None)
        if at is None:
            # The innermost loop goes over batches, unless one further inside does.
            at = 0 if is_inside else 1
        names: frozenset[str] = frozenset()
        if at < len(loops):
            # What stands before has begun anew already; the statement of the call has not.
            inner = getattr(loops[at - 1], "end_lineno", None) if at else None
            names = list_results(loops[at], site.call.lineno if inner is None else inner + 1)
        self._places[key] = names
        return names

    def read_cell(self) -> dict[str, float]:
        """Give the results that the cell has left in its variables."""
        found: dict[str, float] = {}
        if self._space is not None and self._tree is not None:
            for name in list_results(self._scope or self._tree.module):
                self._take(name, self._space.get(name), found)
        self._take_fields(found)
        return found

    def read_histories(self, epochs: int) -> dict[str, list[float]]:
        """Give the lists of results that the cell has left: of epochs, as the user kept them.

        Parameters
        ----------
        epochs
            An array is such a list where it has just as many numbers: others hold data.
        """
        found: dict[str, list[float]] = {}
        if self._space is None or self._tree is None:
            return found
        scope = self._scope or self._tree.module
        kept = [(name, self._space.get(name)) for name in list_stored(scope)]
        kept += self._list_given_back(scope, self._space)
        for owner in self._owners.values():
            kept += list(read_fields(owner()).items())
        for name, value in kept:
            pairs = value.items() if type(value) is dict else [(name, value)]
            for key, part in list(pairs)[:_MOST_NAMES]:
                if type(key) is str and is_result_name(key):
                    numbers = [read_number(each) for each in _list_values(part, epochs)]
                    plain = [each for each in numbers if each is not None]
                    if len(plain) == len(numbers) > 1:
                        found[key] = plain
        return found

    def _list_given_back(self, module: ast.AST, space: dict[str, Any]) -> Iterator[tuple[str, Any]]:
        """Give what the loop's functions gave back under names that say less than theirs."""
        for name, node in _walk_assignments(module):
            call = getattr(node, "value", None)
            if not isinstance(call, ast.Call) or is_result_name(name):
                continue
            names = self._returned.get(ast.unparse(call.func).rpartition(".")[2], [])
            targets = node.targets[0] if isinstance(node, ast.Assign) else None
            value = space.get(name)
            if isinstance(targets, ast.Name):
                parts = value if len(names) > 1 and type(value) is tuple else (value,)
                if len(parts) == len(names):
                    yield from zip(names, parts, strict=True)
            elif isinstance(targets, ast.Tuple) and len(targets.elts) == len(names):
                for own, target in zip(names, targets.elts, strict=True):
                    if isinstance(target, ast.Name) and target.id == name:
                        yield own, value

    def end(self) -> None:
        """Let go of the cell."""
        self._returned.clear()
        self._space = self._tree = self._outer = self._scope = None
        self._known.clear()
        self._places.clear()
        self._owners.clear()

    def _note(self, name: str, value: Any) -> float | None:
        number = read_number(value)
        # A float may be kept: it holds nothing. A tensor may not.
        self._known[name] = value if type(value) is float else number
        return number

    def _take(self, name: str, value: Any, found: dict[str, float]) -> None:
        before = self._known.get(name)
        number = self._note(name, value)
        is_same = value is before if type(value) is float else number == before
        if number is not None and not is_same:
            found[name] = number


def _find_outer(frame: FrameType) -> ast.AST | None:
    """Give the outermost loop of a cell around what runs, unless it counts epochs."""
    site = find_site(frame)
    loops = list_around(site)[0] if site is not None else ()
    return loops[-1] if loops and not name_epoch(loops[-1]) else None


def _list_values(value: Any, epochs: int) -> list[Any]:
    """Give what a list or an array of one number an epoch holds; nothing of anything else."""
    if type(value) is list:
        return value[:_MOST_POINTS]
    kind = type(value)
    if (kind.__module__, kind.__name__) not in _ARRAYS or value.shape != (epochs,):
        return []
    is_plain = getattr(value, "is_cpu", True) and not getattr(value, "is_sparse", False)
    return value.tolist() if is_plain else []


def list_stored(scope: ast.AST) -> set[str]:
    """Name what is assigned in a scope, without the functions in it."""
    return {name for name, _ in _walk_assignments(scope)}


def list_results(scope: ast.AST, first_line: int = 0) -> frozenset[str]:
    """Name the results that a scope computes, all of them from a line on.

    Parameters
    ----------
    scope
        A loop, a function or a cell.
    first_line
        Names that are assigned before it are left out.

    Returns
    -------
    frozenset of str
        Those with a name that says so and more than constants assigned to them.
    """
    computed: set[str] = set()
    early: set[str] = set()
    for name, node in _walk_assignments(scope):
        if not is_result_name(name):
            continue
        line = getattr(node, "lineno", 0)
        if line < first_line:
            early.add(name)
        elif not isinstance(getattr(node, "value", None), ast.Constant):
            computed.add(name)
    return frozenset(sorted(computed - early)[:_MOST_NAMES])


def _list_returned(function: ast.AST) -> list[str]:
    """Name what a function gives back; empty where its returns do not agree or have no names."""
    found: set[tuple[str, ...]] = set()
    waiting = list(ast.iter_child_nodes(function))
    while waiting:
        node = waiting.pop()
        if isinstance(node, FUNCTIONS):
            continue
        if isinstance(node, ast.Return) and node.value is not None:
            parts = node.value.elts if isinstance(node.value, ast.Tuple) else [node.value]
            found.add(tuple(part.id if isinstance(part, ast.Name) else "" for part in parts))
        waiting.extend(ast.iter_child_nodes(node))
    return list(found.pop()) if len(found) == 1 else []


def _walk_assignments(scope: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    waiting = list(ast.iter_child_nodes(scope))
    while waiting:
        node = waiting.pop()
        if isinstance(node, FUNCTIONS):
            continue
        targets: list[ast.AST] = []
        if isinstance(node, ast.Assign):
            targets = list(node.targets)
        elif isinstance(node, (ast.AugAssign, ast.AnnAssign, ast.NamedExpr)):
            targets = [node.target]
        for target in targets:
            for part in ast.walk(target):
                if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
                    yield part.id, node
        waiting.extend(ast.iter_child_nodes(node))


# ---------------------------------------------------------------------- later cells
def read_later_cell(namespace: dict[str, Any]) -> dict[str, tuple[float, list[Any]]]:
    """Give the results of a cell that trained nothing, each with what it was computed from.

    Parameters
    ----------
    namespace
        The notebook's variables.

    Returns
    -------
    dict
        Number, and the objects that its expression mentions, by name.
    """
    cells = namespace.get("In")
    source = cells[-1] if type(cells) is list and cells else None
    tree = parse_text(source) if type(source) is str else None
    found: dict[str, tuple[float, list[Any]]] = {}
    if tree is None:
        return found
    for name in sorted(list_results(tree.module)):
        number = read_number(namespace.get(name))
        if number is not None:
            found[name] = number, _list_sources(tree.module, name, namespace)
    return found


def _list_sources(module: ast.Module, name: str, namespace: dict[str, Any]) -> list[Any]:
    """Give the objects behind a variable: in its expression, and in the functions that it calls."""
    waiting, seen = [name], {name}
    values: list[Any] = []
    while waiting and len(seen) < _DEEPEST * 4:
        current = waiting.pop()
        definition = last_definition(module, current, None)
        if isinstance(definition, (ast.For, ast.AsyncFor, ast.comprehension)):
            definition = definition.iter
        mentioned: set[str] = set()
        if definition is not None:
            mentioned = {node.id for node in ast.walk(definition) if isinstance(node, ast.Name)}
        value = namespace.get(current)
        if isinstance(value, FunctionType):
            mentioned |= set(value.__code__.co_names)
        elif current != name:
            values.append(value)
        waiting += sorted(mentioned - seen)
        seen |= mentioned
    return values
