"""Walks branches and loops, keeping what is surely bound whichever way the code takes."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence

from mlops_nb.notebook.bindings import BindingWalker
from mlops_nb.notebook.sharing import PART
from mlops_nb.notebook.values import NOTHING, Value, merge


class BranchWalker(BindingWalker):
    """Adds compound statements to the walk."""

    def walk_paths(self, paths: Sequence[Callable[[], None]], *, is_exhaustive: bool) -> None:
        """Walk alternatives; afterwards only what all living ones bound is surely bound."""
        bound, gone, was_dead = set(self.bound), set(self.gone), self.is_dead
        ends: list[tuple[set[str], set[str]]] = [] if is_exhaustive else [(bound, gone)]
        self.depth += 1
        for path in paths:
            self.bound, self.gone, self.is_dead = set(bound), set(gone), False
            path()
            if not self.is_dead:
                ends.append((self.bound, self.gone))
        self.depth -= 1
        if ends:
            self.bound = set.intersection(*(end[0] for end in ends))
            self.gone = set.intersection(*(end[1] for end in ends))
            self.is_dead = was_dead
        else:  # no path goes on; what follows does not run
            self.bound, self.gone, self.is_dead = bound, gone, True

    def walk_if(self, node: ast.If) -> None:
        """Walk ``if``."""
        self.visit(node.test)
        self.walk_paths(
            [lambda: self.walk_statements(node.body), lambda: self.walk_statements(node.orelse)],
            is_exhaustive=True,
        )

    def walk_for(self, node: ast.For | ast.AsyncFor) -> None:
        """Walk ``for``; its body may not run at all unless the items are literal."""
        items = self.visit(node.iter)
        self.consume(items)

        def run_body() -> None:
            self.bind(node.target, merge([items], PART))
            self.walk_statements(node.body)

        self.walk_loop(run_body, node, runs_once=_is_never_empty(node.iter))

    def walk_while(self, node: ast.While) -> None:
        """Walk ``while``; ``while True`` runs at least once."""
        self.visit(node.test)
        runs_once = isinstance(node.test, ast.Constant) and bool(node.test.value)
        self.walk_loop(lambda: self.walk_statements(node.body), node, runs_once=runs_once)

    def walk_loop(
        self, body: Callable[[], None], node: ast.For | ast.AsyncFor | ast.While, *, runs_once: bool
    ) -> None:
        """Walk the body of a loop, then its ``else``."""
        leaves_early = any(
            isinstance(item, ast.Break | ast.Continue)
            for statement in node.body
            for item in ast.walk(statement)
        )
        outer, self.leaving = self.leaving, []
        self.walk_paths([body], is_exhaustive=runs_once and not leaves_early)
        for bound, gone in self.leaving:
            self.bound &= bound
            self.gone &= gone
        self.leaving = outer
        if node.orelse:
            alternatives: list[Callable[[], None]] = [lambda: self.walk_statements(node.orelse)]
            self.walk_paths(alternatives, is_exhaustive=not leaves_early)

    def walk_leave(self, _node: ast.Break | ast.Continue) -> None:
        """Walk ``break`` and ``continue``: what follows in the body does not run on this path."""
        self.leaving.append((set(self.bound), set(self.gone)))
        self.is_dead = True

    def walk_with(self, node: ast.With | ast.AsyncWith) -> None:
        """Walk ``with``; under ``suppress`` the body may break off."""
        may_break_off = False
        for item in node.items:
            value = self.visit(item.context_expr)
            if item.optional_vars is not None:
                self.bind(item.optional_vars, value)
            text = ast.unparse(item.context_expr)
            may_break_off = may_break_off or "suppress" in text or "raises" in text
        if may_break_off:
            self.walk_paths([lambda: self.walk_statements(node.body)], is_exhaustive=False)
        else:
            self.walk_statements(node.body)

    def walk_try(self, node: ast.Try) -> None:
        """Walk ``try``: a handler can count only on what was bound before."""
        before = set(self.bound)
        deleted = set(self.found.deleted)

        def run_body() -> None:
            self.walk_statements(node.body)
            self.walk_statements(node.orelse)

        def run_handler(handler: ast.ExceptHandler) -> None:
            self.bound -= self.found.deleted - deleted
            self.visit(handler.type)
            if handler.name:
                self.bind_name(handler.name, NOTHING)
            self.walk_statements(handler.body)
            if handler.name:
                self.unbind(handler.name)

        def make_path(handler: ast.ExceptHandler) -> Callable[[], None]:
            return lambda: run_handler(handler)

        self.walk_paths([run_body, *map(make_path, node.handlers)], is_exhaustive=True)
        if node.finalbody:
            after, gone, is_dead = set(self.bound), set(self.gone), self.is_dead
            start = before & after
            self.bound, self.is_dead = set(start), False
            self.walk_statements(node.finalbody)
            unbound = self.gone | (start - self.bound) | _find_unbound(node.finalbody)
            self.bound |= after - unbound
            self.gone |= gone - self.bound
            self.is_dead = self.is_dead or is_dead

    def walk_match(self, node: ast.Match) -> None:
        """Walk ``match``; captures bind only where their pattern is reached."""
        subject = self.visit(node.subject)

        def make_path(case: ast.match_case) -> Callable[[], None]:
            def run_case() -> None:
                self.bind_pattern(case.pattern, subject)
                self.visit(case.guard)
                self.walk_statements(case.body)

            return run_case

        last = node.cases[-1]
        takes_all = isinstance(last.pattern, ast.MatchAs) and last.pattern.pattern is None
        self.walk_paths(
            [make_path(case) for case in node.cases], is_exhaustive=takes_all and not last.guard
        )

    def bind_pattern(self, pattern: ast.pattern, subject: Value) -> None:
        """Bind the captures of a pattern and read the names in it."""
        for node in ast.walk(pattern):
            if isinstance(node, ast.MatchValue):
                self.visit(node.value)
            elif isinstance(node, ast.MatchClass):
                self.visit(node.cls)
        for node in ast.walk(pattern):
            if isinstance(node, ast.MatchAs | ast.MatchStar) and node.name:
                self.bind_name(node.name, merge([subject], PART))
            elif isinstance(node, ast.MatchMapping):
                self.visit_all(node.keys)
                if node.rest:
                    self.bind_name(node.rest, merge([subject], PART))


def _find_unbound(body: list[ast.stmt]) -> set[str]:
    """Find the names that statements may delete, those of handlers among them."""
    found: set[str] = set()
    for item in (item for statement in body for item in ast.walk(statement)):
        if isinstance(item, ast.Name) and isinstance(item.ctx, ast.Del):
            found.add(item.id)
        elif isinstance(item, ast.ExceptHandler) and item.name:
            found.add(item.name)
    return found


def _is_never_empty(node: ast.expr) -> bool:
    """Tell items that are literally there: a non-empty display, or ``range`` of a number."""
    if isinstance(node, ast.List | ast.Tuple | ast.Set):
        return any(not isinstance(item, ast.Starred) for item in node.elts)
    if isinstance(node, ast.Constant):
        return isinstance(node.value, str | bytes) and bool(node.value)
    is_range = isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    if is_range and isinstance(node, ast.Call) and ast.unparse(node.func) == "range":
        numbers = [item.value for item in node.args if isinstance(item, ast.Constant)]
        if len(numbers) == len(node.args) and all(type(number) is int for number in numbers):
            return 0 < len(numbers) < 4 and bool(range(*map(int, map(str, numbers))))
    return False
