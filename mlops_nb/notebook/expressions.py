"""Walks expressions in the order in which Python evaluates them; see ``walker`` for statements."""

from __future__ import annotations

import ast
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable

from mlops_nb.notebook.effects import USUAL_MODULES
from mlops_nb.notebook.flow import CellFlow, LateFlow, Opaque, ReasonKind
from mlops_nb.notebook.sharing import MAYBE, PART, SAME
from mlops_nb.notebook.values import (
    BUILTINS,
    HISTORY,
    NOTHING,
    PARAMETER,
    Found,
    Known,
    Value,
    merge,
)

Causes = dict[tuple[ReasonKind, str], tuple[str, ast.AST | None]]


class ExpressionWalker(ABC):
    """Keeps what is bound at the point reached, and gathers reads and changes."""

    def __init__(self, known: Known, *, is_cell: bool = True) -> None:
        self.known = known
        self.is_cell = is_cell
        self.found = Found()
        self.bound: set[str] = set()
        self.gone: set[str] = set()
        self.is_dead = False
        self.depth = 0  # above 0 the code may not run
        self.frames: list[dict[str, Value]] = []  # comprehensions, class bodies, locals
        self.comprehensions = 0
        self.leaving: list[
            tuple[set[str], set[str]]
        ] = []  # how 'break' and 'continue' leave a loop
        self.visited: set[tuple[object, bool]] = set()
        self.called: set[str] = set()
        self.yields = False
        self.line = 1
        self.causes: Causes | None = None  # kept only where somebody asks why
        self.rule = ""  # what is being concluded about a change
        self.node: ast.AST | None = None
        self.statement: ast.stmt | None = None

    def because(self, kind: ReasonKind, name: str, rule: str) -> None:
        """Keep why a name is read, bound or changed, the first time that it is."""
        if self.causes is not None:
            node = self.statement if kind in ("write", "delete") else self.node
            self.causes.setdefault((kind, name), (rule, node))

    # ------------------------------------------------------------------ names

    def load(self, name: str, *, is_call: bool = False) -> Value:
        """Read a name."""
        if is_call:
            self.called.add(name)
        for frame in reversed(self.frames):
            if name in frame:
                return frame[name]
        known = self.known
        is_builtin = name in BUILTINS and name not in known.names
        if name not in self.bound:
            if is_builtin and name not in self.found.written:
                return Value(path=name)
            if name in HISTORY and name not in known.names | self.found.written:
                self.add_opaque(f"{name} reads the output history")
            self.found.reads.add(name)
            self.because("read", name, "read")
        if known.late:
            self.apply_late(name, is_call=is_call)
        path = known.modules.get(name)
        if path is None and name not in known.names and name not in self.found.written:
            path = USUAL_MODULES.get(name)
        return Value({name: SAME}, (), path, name in known.iterators)

    def add_opaque(self, reason: str) -> None:
        """Note a place whose effect cannot be told."""
        self.found.opaque.append(Opaque(self.line, reason))

    def apply_late(self, name: str, *, is_call: bool) -> None:
        """Take over what functions do that a name may hold."""
        known = self.known
        holders = known.sharing.reach(name, MAYBE)
        mark = (name, True) if is_call else (holders, False)
        if mark in self.visited:
            return
        is_outermost = not self.visited  # each function once, or a graph of them takes forever
        self.visited.add(mark)
        for holder in holders:
            flows = known.late.get(holder, ())
            for flow in flows:
                is_surely = is_call and holder == name and len(flows) == 1
                self.apply_flow(flow, is_call=is_surely, holder=name)
        if is_outermost:
            self.visited.clear()

    def apply_flow(self, flow: LateFlow, *, is_call: bool, holder: str = "") -> None:
        """Take over what one function does, directly and through the functions it uses."""
        mark = (id(flow), is_call)
        if mark in self.visited:
            return
        is_outermost = not self.visited
        self.visited.add(mark)
        for name in flow.reads:
            if name not in self.bound and self.is_outer(name):
                self.found.late_reads.add(name)
                self.because("read", name, f"code behind {holder!r}, used here, reads it")
            if name in self.known.late or name in self.known.names:
                self.apply_late(name, is_call=is_call and name in flow.calls)
        self.rule = f"code behind {holder!r}, used here, changes it"
        for name in flow.mutates | flow.may_mutate:
            if self.is_outer(name) and not self.is_plain_function(name):
                self.change(Value({name: SAME}), is_sure=is_call and name in flow.mutates)
        self.apply_bindings(flow, is_sure=is_call and self.depth == 0)
        self.found.opaque += [Opaque(self.line, item.reason) for item in flow.opaque]
        if is_outermost:
            self.visited.clear()

    def apply_bindings(self, flow: LateFlow, *, is_sure: bool) -> None:
        """Take over the names that a function binds and unbinds."""
        for name in filter(self.is_outer, flow.writes | flow.maybe_writes):
            self.found.written.add(name)
            self.because("write", name, "a function used here binds it as 'global'")
            if is_sure and name in flow.writes:
                self.bound.add(name)
                self.gone.discard(name)
        self.found.deleted |= flow.deletes
        self.bound -= flow.deletes

    def is_plain_function(self, name: str) -> bool:
        """Tell a function that has no state of its own which calling it could change."""
        flows = self.known.late.get(name, ())
        return len(flows) == 1 and not flows[0].returns_code

    def is_outer(self, name: str) -> bool:
        """Tell whether a name of a function's body means a variable of the notebook."""
        if name.startswith(PARAMETER):
            return not self.is_cell
        is_known = name in self.known.names or name in self.found.written
        return is_known or name not in BUILTINS

    # ------------------------------------------------------------------ changes

    def change(self, value: Value, *, is_sure: bool = True, reach: int = SAME) -> None:
        """Note that a value is changed in place, and with it what shares it.

        A change of a part changes its holder. What is linked at least as strongly as ``reach``
        changes surely, what is linked more weakly may change.
        """
        sharing = self.known.sharing
        for name, strength in value.shares.items():
            is_direct = is_sure and strength >= PART
            for other in sharing.reach(name, reach) if is_direct else ():
                self.note_change(other, is_sure=True, through=name)
            for other in sharing.reach(name, MAYBE if is_direct else PART):
                self.note_change(other, is_sure=False, through=name)

    def note_change(self, name: str, *, is_sure: bool, through: str = "") -> None:
        """Note one changed variable, unless the cell itself has just made it."""
        if name in self.bound or name in self.known.modules:
            return
        (self.found.mutates if is_sure else self.found.may_mutate).add(name)
        if self.causes is not None:
            is_shared = through not in ("", name)
            shared = f", and it may share objects with {through!r}" if is_shared else ""
            self.because("change", name, self.rule + shared)

    # ------------------------------------------------------------------ expressions

    def visit(self, node: ast.expr | None) -> Value:
        """Evaluate an expression, giving what is known of its value."""
        if node is None:
            return NOTHING
        self.line = getattr(node, "lineno", self.line)
        self.node = node
        handler = _HANDLERS.get(type(node))
        if handler is not None:
            return handler(self, node)
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                self.visit(child)
        return NOTHING

    def visit_all(self, nodes: Iterable[ast.expr | None]) -> list[Value]:
        """Evaluate several expressions in order."""
        return [self.visit(node) for node in nodes]

    def visit_maybe(self, nodes: Iterable[ast.expr]) -> list[Value]:
        """Evaluate expressions that may not be reached."""
        before = set(self.bound)
        self.depth += 1
        values = self.visit_all(nodes)
        self.depth -= 1
        self.bound &= before
        return values

    def visit_name(self, node: ast.Name) -> Value:
        """Read a name."""
        return self.load(node.id)

    def visit_attribute(self, node: ast.Attribute) -> Value:
        """Read an attribute: a part of the object."""
        value = self.visit(node.value)
        path = f"{value.path}.{node.attr}" if value.path else None
        shares = {name: min(known, PART) for name, known in value.shares.items()}
        return Value(shares, value.late, path)

    def visit_subscript(self, node: ast.Subscript) -> Value:
        """Read an item: a part; a slice may be a view of the whole."""
        if (key := self.read_globals_key(node.value, node.slice)) is not None:
            return self.load(key)
        value = self.visit(node.value)
        self.visit(node.slice)
        limit = SAME if isinstance(node.slice, ast.Slice) else PART
        return merge([value], limit)

    def read_globals_key(self, base: ast.expr, key: ast.expr) -> str | None:
        """Give the name in ``globals()['name']``."""
        if not self.is_namespace(base):
            return None
        if isinstance(key, ast.Constant) and isinstance(key.value, str):
            return key.value
        self.visit(key)
        self.add_opaque("globals() with a computed name")
        return None

    def is_namespace(self, node: ast.expr) -> bool:
        """Tell ``globals()``, and at cell level ``locals()`` and ``vars()``."""
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and not node.args):
            return False
        names = ("globals", "locals", "vars") if self.is_cell and not self.frames else ("globals",)
        return node.func.id in names and node.func.id not in self.bound

    def visit_operands(self, node: ast.BoolOp) -> Value:
        """Evaluate ``and`` and ``or``: only the first operand surely runs."""
        first = self.visit(node.values[0])
        return merge([first, *self.visit_maybe(node.values[1:])])

    def visit_choice(self, node: ast.IfExp) -> Value:
        """Evaluate ``a if test else b``."""
        self.visit(node.test)
        return merge([*self.visit_maybe([node.body]), *self.visit_maybe([node.orelse])])

    def visit_compare(self, node: ast.Compare) -> Value:
        """Evaluate a comparison; ``'x' in globals()`` asks for x."""
        for operand in node.comparators:
            if self.is_namespace(operand) and isinstance(node.left, ast.Constant):
                if isinstance(node.left.value, str):
                    self.load(node.left.value)
                return NOTHING
        values = self.visit_all([node.left, *node.comparators])
        for kind, value in zip(node.ops, values[1:], strict=True):
            if isinstance(kind, ast.In | ast.NotIn):
                self.consume(value)
        return NOTHING

    def visit_container(self, node: ast.List | ast.Tuple | ast.Set) -> Value:
        """Evaluate a container, which holds its items."""
        return merge(self.visit_all(node.elts), PART)

    def visit_dict(self, node: ast.Dict) -> Value:
        """Evaluate a dict, which holds its values."""
        values = []
        for key, item in zip(node.keys, node.values, strict=True):
            self.visit(key)
            values.append(self.visit(item))
        return merge(values, PART)

    def visit_starred(self, node: ast.Starred) -> Value:
        """Evaluate ``*items``."""
        value = self.visit(node.value)
        self.consume(value)
        return merge([value], PART)

    def visit_walrus(self, node: ast.NamedExpr) -> Value:
        """Evaluate ``name := value``, which binds outside of comprehensions."""
        value = self.visit(node.value)
        frames, self.frames = self.frames, self.frames[: len(self.frames) - self.comprehensions]
        comprehensions, self.comprehensions = self.comprehensions, 0
        self.bind_name(node.target.id, value)
        self.frames, self.comprehensions = frames, comprehensions
        return value

    def visit_comprehension(
        self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp
    ) -> Value:
        """Evaluate a comprehension: its first source now, the rest in its own scope."""
        before = set(self.bound)
        source = self.visit(node.generators[0].iter)
        self.consume(source)
        self.frames.append({})
        self.comprehensions += 1
        self.depth += 1
        for index, part in enumerate(node.generators):
            if index:
                source = self.visit(part.iter)
            self.bind(part.target, merge([source], PART))
            self.visit_all(part.ifs)
        if isinstance(node, ast.DictComp):
            self.visit(node.key)
            item = self.visit(node.value)
        else:
            item = self.visit(node.elt)
        self.depth -= 1
        self.comprehensions -= 1
        self.frames.pop()
        self.bound &= before
        result = merge([item], PART)
        if isinstance(node, ast.GeneratorExp):
            return Value(result.shares, result.late, None, is_iterator=True)
        return result

    def consume(self, value: Value) -> None:
        """Note that reading an iterator uses it up, and those that it reads; not their items."""
        if not value.is_iterator:
            return
        self.rule = "reading the iterator uses it up"
        for name in value.shares:
            for other in self.known.sharing.reach(name, PART):
                if other in self.known.iterators:
                    self.note_change(other, is_sure=True)

    def visit_lambda(self, node: ast.Lambda) -> Value:
        """Evaluate a lambda as a value that may be called at once."""
        flow = self.define_lambda(node)
        self.apply_flow(flow, is_call=False)
        return Value(late=(flow,))

    def visit_yield(self, node: ast.Yield | ast.YieldFrom | ast.Await) -> Value:
        """Evaluate what a generator gives out, or what is awaited."""
        self.yields = self.yields or not isinstance(node, ast.Await)
        return merge([self.visit(node.value)])

    @abstractmethod
    def visit_call(self, node: ast.Call) -> Value:
        """Evaluate a call."""

    @abstractmethod
    def define_lambda(self, node: ast.Lambda) -> LateFlow:
        """Tell what a lambda does when it is called."""

    @abstractmethod
    def bind(self, target: ast.expr, value: Value) -> None:
        """Bind a target of an assignment, a loop or a pattern."""

    @abstractmethod
    def bind_name(self, name: str, value: Value, *, is_new: bool = True) -> None:
        """Bind a name."""

    def finish(self) -> CellFlow:
        """Give what was found in a cell."""
        found = self.found
        writes = frozenset(found.written & self.bound)
        deletes = frozenset(found.deleted & self.gone)
        return CellFlow(
            reads=frozenset(found.reads | found.late_reads),
            late_reads=frozenset(found.late_reads - found.reads),
            writes=writes,
            maybe_writes=frozenset(found.written - writes - deletes),
            mutates=frozenset(found.mutates),
            may_mutate=frozenset(found.may_mutate - found.mutates),
            deletes=deletes,
            maybe_deletes=frozenset(found.deleted - deletes - writes),
            opaque=tuple(dict.fromkeys(found.opaque)),
            functions=dict(found.functions),
            imports=dict(found.imports),
        )


_HANDLERS: dict[type[ast.AST], Callable[..., Value]] = {
    ast.Constant: lambda _walker, _node: NOTHING,
    ast.Name: ExpressionWalker.visit_name,
    ast.Attribute: ExpressionWalker.visit_attribute,
    ast.Subscript: ExpressionWalker.visit_subscript,
    ast.Call: lambda walker, node: walker.visit_call(node),
    ast.BoolOp: ExpressionWalker.visit_operands,
    ast.IfExp: ExpressionWalker.visit_choice,
    ast.Compare: ExpressionWalker.visit_compare,
    ast.List: ExpressionWalker.visit_container,
    ast.Tuple: ExpressionWalker.visit_container,
    ast.Set: ExpressionWalker.visit_container,
    ast.Dict: ExpressionWalker.visit_dict,
    ast.Starred: ExpressionWalker.visit_starred,
    ast.NamedExpr: ExpressionWalker.visit_walrus,
    ast.ListComp: ExpressionWalker.visit_comprehension,
    ast.SetComp: ExpressionWalker.visit_comprehension,
    ast.DictComp: ExpressionWalker.visit_comprehension,
    ast.GeneratorExp: ExpressionWalker.visit_comprehension,
    ast.Lambda: ExpressionWalker.visit_lambda,
    ast.Yield: ExpressionWalker.visit_yield,
    ast.YieldFrom: ExpressionWalker.visit_yield,
    ast.Await: ExpressionWalker.visit_yield,
}
