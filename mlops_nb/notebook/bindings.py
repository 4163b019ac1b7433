"""Walks statements that bind, change and delete names."""

from __future__ import annotations

import ast

from mlops_nb.notebook.calls import CallWalker
from mlops_nb.notebook.flow import LateFlow
from mlops_nb.notebook.sharing import PART, SAME
from mlops_nb.notebook.values import NOTHING, Value, join_late, merge

_EXITS = frozenset({"exit", "quit", "sys.exit", "os._exit"})


class BindingWalker(CallWalker):
    """Adds assignments, imports and other simple statements to the walk."""

    def bind(self, target: ast.expr, value: Value) -> None:
        """Bind a target of an assignment, a loop or a pattern."""
        if isinstance(target, ast.Name):
            self.bind_name(target.id, value)
        elif isinstance(target, ast.Tuple | ast.List):
            self.consume(value)
            for item in target.elts:
                self.bind(item, merge([value], PART))
        elif isinstance(target, ast.Starred):
            self.bind(target.value, value)
        elif isinstance(target, ast.Subscript | ast.Attribute):
            if isinstance(target, ast.Subscript):
                key = self.read_globals_key(target.value, target.slice)
                if key is not None:
                    self.bind_name(key, value)
                    return
                if self.is_namespace(target.value):
                    return
            holder = self.visit(target.value)
            if isinstance(target, ast.Subscript):
                self.visit(target.slice)
            self.node = target
            self.rule = (
                "an item of it is assigned"
                if isinstance(target, ast.Subscript)
                else "an attribute of it is assigned"
            )
            self.change(holder)
            self.hold(holder, [value])

    def bind_name(self, name: str, value: Value, *, is_new: bool = True) -> None:
        """Bind a name in the scope reached, to something new unless it keeps what it shares."""
        if self.frames and (self.is_cell or self.comprehensions or name in self.frames[0]):
            frame = self.frames[-1]
            if not self.is_cell and not self.comprehensions:
                frame = self.frames[0]
                value = merge([value, frame.get(name, NOTHING)])
            frame[name] = value
            return
        known = self.known
        self.found.written.add(name)
        self.because("write", name, "bound here")
        self.bound.add(name)
        self.gone.discard(name)
        if self.depth == 0 and is_new:
            known.sharing.cut(name)
            known.modules.pop(name, None)
            known.late.pop(name, None)
            known.iterators.discard(name)
            self.found.functions.pop(name, None)
        for other, strength in value.shares.items():
            known.sharing.link(name, other, strength)
        if value.late:
            known.late[name] = join_late(known.late.get(name, ()), value.late)
        if value.is_iterator:
            known.iterators.add(name)

    def unbind(self, name: str) -> None:
        """Delete a name."""
        if any(name in frame for frame in self.frames):
            return
        self.found.deleted.add(name)
        self.because("delete", name, "unbound here")
        if name not in self.bound and name not in self.found.written:
            self.found.reads.add(name)
        self.bound.discard(name)
        self.gone.add(name)

    # ------------------------------------------------------------------ simple statements

    def walk_assign(self, node: ast.Assign) -> None:
        """Walk ``a = b = value``."""
        if isinstance(node.value, ast.Lambda) and isinstance(node.targets[0], ast.Name):
            flow = self.define_lambda(node.value)
            for target in node.targets:
                self.bind(target, Value(late=(flow,)))
                if isinstance(target, ast.Name):
                    self.note_function(target.id, flow)
            return
        if self.bind_pairwise(node):
            return
        value = self.visit(node.value)
        for target in node.targets:
            self.bind(target, value)
        names = [target.id for target in node.targets if isinstance(target, ast.Name)]
        for name in names[1:]:  # a = b = [] makes one object with two names
            if not self.frames:
                self.known.sharing.link(names[0], name, SAME)

    def bind_pairwise(self, node: ast.Assign) -> bool:
        """Walk ``a, b = b, a``, keeping apart what shares with what."""
        target, value = node.targets[0], node.value
        if not (isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple)):
            return False
        starred = any(isinstance(item, ast.Starred) for item in [*target.elts, *value.elts])
        if len(node.targets) > 1 or starred or len(target.elts) != len(value.elts):
            return False
        for item, known in zip(target.elts, self.visit_all(value.elts), strict=True):
            self.bind(item, known)
        return True

    def walk_augmented(self, node: ast.AugAssign) -> None:
        """Walk ``a += b``: a list or an array changes in place, a number is bound anew."""
        target = node.target
        if not isinstance(target, ast.Name):
            self.visit(target)
            self.bind(target, self.visit(node.value))
            return
        before = self.load(target.id)
        value = self.visit(node.value)
        self.consume(value)
        self.node, self.rule = node, "an augmented assignment may change it in place"
        self.change(before, is_sure=False)
        if not self.frames:
            self.found.may_mutate.discard(target.id)  # it is written, which says more
        self.bind_name(target.id, merge([before, merge([value], PART)]), is_new=False)

    def walk_annotated(self, node: ast.AnnAssign) -> None:
        """Walk ``a: T = value``; without a value nothing is bound."""
        if self.is_cell and not self.known.has_lazy_annotations:
            self.visit(node.annotation)
        if node.value is not None:
            self.bind(node.target, self.visit(node.value))

    def walk_expression(self, node: ast.Expr) -> None:
        """Walk an expression statement; ``sys.exit()`` ends the path."""
        self.visit(node.value)
        if isinstance(node.value, ast.Call) and ast.unparse(node.value.func) in _EXITS:
            self.is_dead = True

    def walk_delete(self, node: ast.Delete) -> None:
        """Walk ``del``: of a name, or of a part, which changes the holder."""
        for target in node.targets:
            names = target.elts if isinstance(target, ast.Tuple | ast.List) else [target]
            for item in names:
                if isinstance(item, ast.Name):
                    self.unbind(item.id)
                elif isinstance(item, ast.Subscript | ast.Attribute):
                    if isinstance(item, ast.Subscript) and self.is_namespace(item.value):
                        key = self.read_globals_key(item.value, item.slice)
                        if key is not None:
                            self.unbind(key)
                        continue
                    holder = self.visit(item.value)
                    self.node, self.rule = node, "a part of it is deleted"
                    self.change(holder)
                    if isinstance(item, ast.Subscript):
                        self.visit(item.slice)

    def walk_import(self, node: ast.Import | ast.ImportFrom) -> None:
        """Walk imports, noting the path behind each name."""
        origin = "." * getattr(node, "level", 0) + (getattr(node, "module", "") or "")
        for item in node.names:
            if item.name == "*":
                self.add_opaque(f"from {origin} import *")
                continue
            if item.name == "__main__" and isinstance(node, ast.Import):
                self.add_opaque("import __main__")
            if isinstance(node, ast.ImportFrom):
                name, path = item.asname or item.name, f"{origin}.{item.name}"
                if origin == "__future__":
                    self.known.has_lazy_annotations |= item.name == "annotations"
            else:
                name = item.asname or item.name.partition(".")[0]
                path = item.name if item.asname else name
            self.bind_name(name, NOTHING)
            if not any(name in frame for frame in self.frames):
                self.known.modules[name] = path
                self.found.imports[name] = path

    def walk_return(self, node: ast.Return) -> None:
        """Walk ``return``."""
        value = self.visit(node.value)
        if value.late:
            self.yields = True
        self.is_dead = True

    def walk_raise(self, node: ast.Raise) -> None:
        """Walk ``raise``."""
        self.visit_all([node.exc, node.cause])
        self.is_dead = True

    def walk_assert(self, node: ast.Assert) -> None:
        """Walk ``assert``."""
        self.visit(node.test)
        if node.msg is not None:
            self.visit_maybe([node.msg])

    def walk_type_alias(self, node: ast.stmt) -> None:
        """Walk ``type A = ...`` of Python 3.12, whose value is evaluated later."""
        name = getattr(node, "name", None)
        if isinstance(name, ast.Name):
            self.bind_name(name.id, NOTHING)

    def note_function(self, name: str, flow: LateFlow) -> None:
        """Keep what a function of the cell does under its name."""
        if not self.frames:
            self.found.functions[name] = flow
