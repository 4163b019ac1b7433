"""Walks a cell in the order in which it runs, functions apart from the cells that use them."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Sequence

from mlops_nb.notebook.branches import BranchWalker
from mlops_nb.notebook.flow import LateFlow
from mlops_nb.notebook.scopes import find_locals, list_parameters
from mlops_nb.notebook.sharing import SAME
from mlops_nb.notebook.values import NOTHING, PARAMETER, Known, Value, merge

Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


class Walker(BranchWalker):
    """Adds functions and classes to the walk."""

    def walk_statements(self, body: list[ast.stmt]) -> None:
        """Walk statements in order."""
        for statement in body:
            self.line = statement.lineno
            self.node = self.statement = statement
            handler = _HANDLERS.get(type(statement))
            if handler is not None:
                handler(self, statement)

    def walk_function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        """Walk ``def``: decorators, defaults and annotations now, the body when it is called."""
        decorators = self.visit_all(node.decorator_list)
        flow = self.define(node)
        if self.frames:
            self.take_nested(flow)
            self.bind_name(node.name, Value(late=(flow,)))
            return
        if node.decorator_list:  # a decorator may call the function at once
            self.apply_flow(flow, is_call=False)
        self.bind_name(node.name, Value(merge(decorators).shares, (flow,)))
        self.note_function(node.name, flow)

    def define_lambda(self, node: ast.Lambda) -> LateFlow:
        """Tell what a lambda does when it is called."""
        flow = self.define(node)
        if self.frames and not self.is_cell:
            self.take_nested(flow)
        return flow

    def define(self, node: Function) -> LateFlow:
        """Walk a function's defaults now and its body on its own."""
        arguments = node.args
        self.visit_all(arguments.defaults)
        self.visit_all(arguments.kw_defaults)
        if not isinstance(node, ast.Lambda) and not self.known.has_lazy_annotations:
            hidden = {item.name: NOTHING for item in getattr(node, "type_params", [])}
            self.frames.append(hidden)
            self.visit_all(item.annotation for item in list_parameters(arguments))
            self.visit(node.returns)
            self.frames.pop()
        return self.analyze_body(node)

    def analyze_body(self, node: Function) -> LateFlow:
        """Tell what the body of a function does to names outside of it."""
        outer = self.known
        inner = Walker(Known(set(outer.names), dict(outer.modules)), is_cell=False)
        inner.known.names |= self.found.written  # a builtin's name may be the notebook's own
        inner.known.has_lazy_annotations = True  # annotations of locals are never evaluated
        parameters = tuple(item.arg for item in list_parameters(node.args))
        local = dict.fromkeys(find_locals(node), NOTHING)
        local |= {name: Value({PARAMETER + name: SAME}) for name in parameters}
        # In a class body nested functions do not see the class's names; elsewhere the enclosing
        # function's locals are free names here and are taken out by the enclosing walker.
        inner.frames = [local]
        if isinstance(node, ast.Lambda):
            inner.visit(node.body)
        else:
            inner.walk_statements(node.body)
        found = inner.found
        mutated = {name.removeprefix(PARAMETER) for name in found.mutates if name[0] == PARAMETER}
        maybe = {name.removeprefix(PARAMETER) for name in found.may_mutate if name[0] == PARAMETER}
        is_async = isinstance(node, ast.AsyncFunctionDef)
        return LateFlow(
            reads=frozenset(found.reads | found.late_reads),
            calls=frozenset(inner.called & found.reads),
            writes=frozenset(found.written & inner.bound),
            maybe_writes=frozenset(found.written - inner.bound),
            mutates=_outside(found.mutates),
            may_mutate=_outside(found.may_mutate - found.mutates),
            deletes=frozenset(found.deleted),
            parameters=() if _takes_any(node.args) else parameters,
            mutated_parameters=frozenset(mutated),
            kept_parameters=frozenset(parameters) - mutated - maybe,
            returns_code=inner.yields or is_async or isinstance(node, ast.Lambda),
            opaque=tuple(found.opaque),
        )

    def take_nested(self, flow: LateFlow) -> None:
        """Count what a nested function does as what its surroundings may do."""
        self.yields = True
        self.found.opaque += flow.opaque
        for name in flow.reads:
            if not any(name in frame for frame in self.frames):
                self.found.late_reads.add(name)
        for name in flow.mutates | flow.may_mutate:
            self.change(self.find_value(name), is_sure=False)
        for name in flow.writes | flow.maybe_writes:
            if not any(name in frame for frame in self.frames):
                self.found.written.add(name)
        self.found.deleted |= {n for n in flow.deletes if not any(n in f for f in self.frames)}

    def find_value(self, name: str) -> Value:
        """Give what is known of a name without counting it as read."""
        for frame in reversed(self.frames):
            if name in frame:
                return frame[name]
        return Value({name: SAME})

    def walk_class(self, node: ast.ClassDef) -> None:
        """Walk ``class``: its body runs now in its own scope, its methods when they are called."""
        bases = self.visit_all([*node.decorator_list, *node.bases])
        bases += [self.visit(item.value) for item in node.keywords]
        is_nested = bool(self.frames)
        hidden = {item.name: NOTHING for item in getattr(node, "type_params", [])}
        self.frames.append(hidden)
        flows: list[LateFlow] = []
        for statement in node.body:
            if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
                self.visit_all(statement.decorator_list)
                flows.append(self.define(statement))
                self.frames[-1][statement.name] = NOTHING
            elif self.is_cell:
                self.walk_statements([statement])
            else:  # a class within a function: its names are its own
                self.frames[0] |= dict.fromkeys(find_locals(node), NOTHING)
                self.walk_statements([statement])
        self.frames.pop()
        flow = _join(flows)
        if is_nested:
            self.take_nested(flow)
        self.bind_name(node.name, Value(merge(bases).shares, (flow,)))
        self.note_function(node.name, flow)


def _outside(names: Iterable[str]) -> frozenset[str]:
    """Give the names that are not parameters."""
    return frozenset(name for name in names if not name.startswith(PARAMETER))


def _takes_any(arguments: ast.arguments) -> bool:
    """Tell whether positions cannot be matched with parameters."""
    return arguments.vararg is not None


def _join(flows: Sequence[LateFlow]) -> LateFlow:
    """Join the methods of a class: using an instance may call any of them."""
    return LateFlow(
        reads=frozenset().union(*(flow.reads for flow in flows)),
        maybe_writes=frozenset().union(*(flow.writes | flow.maybe_writes for flow in flows)),
        may_mutate=frozenset().union(*(flow.mutates | flow.may_mutate for flow in flows)),
        deletes=frozenset().union(*(flow.deletes for flow in flows)),
        returns_code=True,
        opaque=tuple(item for flow in flows for item in flow.opaque),
    )


_HANDLERS: dict[type[ast.AST], Callable[..., None]] = {
    ast.Assign: Walker.walk_assign,
    ast.AugAssign: Walker.walk_augmented,
    ast.AnnAssign: Walker.walk_annotated,
    ast.Expr: Walker.walk_expression,
    ast.Delete: Walker.walk_delete,
    ast.Import: Walker.walk_import,
    ast.ImportFrom: Walker.walk_import,
    ast.Return: Walker.walk_return,
    ast.Raise: Walker.walk_raise,
    ast.Assert: Walker.walk_assert,
    ast.If: Walker.walk_if,
    ast.For: Walker.walk_for,
    ast.AsyncFor: Walker.walk_for,
    ast.While: Walker.walk_while,
    ast.Break: Walker.walk_leave,
    ast.Continue: Walker.walk_leave,
    ast.With: Walker.walk_with,
    ast.AsyncWith: Walker.walk_with,
    ast.Try: Walker.walk_try,
    ast.TryStar: Walker.walk_try,
    ast.Match: Walker.walk_match,
    ast.FunctionDef: Walker.walk_function,
    ast.AsyncFunctionDef: Walker.walk_function,
    ast.ClassDef: Walker.walk_class,
}
if hasattr(ast, "TypeAlias"):
    _HANDLERS[ast.TypeAlias] = Walker.walk_type_alias
