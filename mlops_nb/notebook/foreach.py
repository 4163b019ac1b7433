"""The loop of a cell tagged ``foreach``: checked that its rounds do not depend on one another."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterable
from dataclasses import dataclass

from mlops_nb.errors import NotebookError
from mlops_nb.notebook.effects import USUAL_MODULES
from mlops_nb.notebook.flow import CellFlow
from mlops_nb.notebook.magics import parse_cell, read_magic
from mlops_nb.notebook.sharing import MAYBE
from mlops_nb.notebook.values import Known
from mlops_nb.notebook.walker import Walker

_FIX = "Without the tag 'foreach' the cell runs as the loop that it is."
_SHAPE = f"Such a cell holds one loop: for item in items: ... results[key] = value. {_FIX}"
_GOT = "<collected>"
_RANDOM = ("random.", "numpy.random.", "torch.rand", "torch.normal", "torch.multinomial")
# Members of those modules that carry a state of their own, or draw nothing.
_OWN_STATE = (
    "default_rng", "RandomState", "Generator", "SeedSequence", "Random", "SystemRandom", "PCG64",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Collector:
    """A variable that rounds fill: ``name[key] = value`` or ``name.append(value)``."""

    name: str
    kind: str


@dataclass(frozen=True, slots=True)
class ForeachLoop:
    """A loop whose rounds do not use what other rounds made.

    Attributes
    ----------
    cell
        Position of its cell.
    targets
        The loop's own variables.
    items
        The expression that is looped over, as source.
    line
        Line of ``for`` in the cell, from 1.
    collectors
        What rounds fill; merged in the order of the items it is what the loop leaves.
    reads
        Variables from before that a round reads.
    leaves
        Variables made anew in each round; after the loop they hold what the last round that bound
        them left.
    may_change
        Variables from before of which code unknown to us might change something in place. Rounds
        are proven independent only where these are found unchanged after each round.
    """

    cell: int
    targets: tuple[str, ...]
    items: str
    line: int
    collectors: tuple[Collector, ...]
    reads: tuple[str, ...] = ()
    leaves: tuple[str, ...] = ()
    may_change: tuple[str, ...] = ()


def check_loop(
    source: str,
    before: Iterable[str] = (),
    *,
    cell: int = 0,
    path: object = "notebook",
    is_rng_independent: bool = False,
) -> ForeachLoop:
    """Check that the rounds of a loop do not depend on one another.

    Parameters
    ----------
    source
        The cell tagged ``foreach``.
    before
        The code cells that run before it, in order.
    cell
        Its position, for error messages.
    path
        The notebook, for error messages.
    is_rng_independent
        Random numbers may be drawn, for the tags give them up as part of the result.

    Returns
    -------
    ForeachLoop
        What a round reads, fills and leaves.

    Raises
    ------
    NotebookError
        The cell has another shape, or a round uses what an earlier one made; the variable and the
        line are named.
    """
    check = _Check(path, cell, is_rng_independent)
    try:
        loop = check.find_loop(parse_cell(source))
    except SyntaxError as error:
        raise check.refuse(f"it cannot be read (line {error.lineno})") from None
    check.refuse_leaving(loop)
    known = _walk_before(before)
    body, collectors = check.take_collectors(loop)
    flow, known = _walk_round(loop, body, known)
    check.refuse_dependence(loop, flow, known, collectors)
    targets = {item.id for item in ast.walk(loop.target) if isinstance(item, ast.Name)}
    written = (flow.writes | flow.maybe_writes) - {_GOT}
    names = {each.name for each in collectors}
    return ForeachLoop(
        cell,
        tuple(sorted(targets)),
        ast.unparse(loop.iter),
        loop.lineno,
        collectors,
        tuple(sorted(flow.reads - names)),
        tuple(sorted(written - targets)),
        tuple(sorted(flow.may_mutate - names - set(flow.imports))),
    )


def _walk_before(sources: Iterable[str]) -> Known:
    """Learn what the cells above define."""
    known = Known()
    for source in sources:
        walker = Walker(known)
        try:
            walker.walk_statements(parse_cell(source).body)
        except (SyntaxError, RecursionError, MemoryError):
            continue
        flow = walker.finish()
        known.names |= flow.writes | flow.maybe_writes
        known.names -= flow.deletes
    return known


def _walk_round(loop: ast.For, body: list[ast.stmt], known: Known) -> tuple[CellFlow, Known]:
    """Analyse one round as a cell: the target is bound to an item, then the body runs."""
    item = ast.Subscript(loop.iter, ast.Constant(0), ast.Load())
    binding = ast.Assign([loop.target], item, lineno=loop.lineno)
    walker = Walker(known)
    walker.walk_statements([ast.fix_missing_locations(binding), *body])
    return walker.finish(), known


class _Check:
    """One check, with the place that errors name."""

    def __init__(self, path: object, cell: int, is_rng_independent: bool) -> None:
        self._path, self._cell = path, cell
        self._is_rng_independent = is_rng_independent

    def refuse(self, found: str, hint: str = _SHAPE) -> NotebookError:
        """Build the error of a loop that is not independent."""
        return NotebookError(self._path, f"tag 'foreach': {found}", self._cell, hint)

    def find_loop(self, tree: ast.Module) -> ast.For:
        """Find the one loop that the cell may hold."""
        body = [item for item in tree.body if not _is_text(item)]
        if len(body) != 1 or not isinstance(body[0], ast.For):
            wrong = next((item for item in body if not isinstance(item, ast.For)), None)
            if wrong is None and len(body) > 1:
                raise self.refuse(f"it holds a second loop (line {body[1].lineno})")
            if wrong is None:
                raise self.refuse("it holds no loop")
            shown = ast.unparse(wrong).splitlines()[0][:60]
            raise self.refuse(f"it holds more than a loop: {shown!r} (line {wrong.lineno})")
        loop = body[0]
        if loop.orelse:
            raise self.refuse(f"its loop has an 'else' (line {loop.orelse[0].lineno})")
        names = [item for item in ast.walk(loop.target) if isinstance(item, ast.expr)]
        if not all(isinstance(item, ast.Name | ast.Tuple | ast.List) for item in names):
            raise self.refuse(f"the loop binds {ast.unparse(loop.target)!r}; expected names")
        return loop

    def refuse_leaving(self, loop: ast.For) -> None:
        """Refuse what ends the loop early or asks the shell."""
        for statement in loop.body:
            if (leaving := _find_break(statement)) is not None:
                found = f"'break' (line {leaving.lineno}) lets one round decide about the next"
                raise self.refuse(found, _FIX)
            for node in ast.walk(statement):
                if read_magic(node) is not None:
                    line = getattr(node, "lineno", loop.lineno)
                    found = f"a round runs a magic or a command of the shell (line {line})"
                    raise self.refuse(found, _FIX)

    def take_collectors(self, loop: ast.For) -> tuple[list[ast.stmt], tuple[Collector, ...]]:
        """Take the statements that fill collectors out of the body, keeping what they compute."""
        own = {item.id for item in ast.walk(loop.target) if isinstance(item, ast.Name)}
        own |= {
            item.id
            for statement in loop.body
            for item in ast.walk(statement)
            if isinstance(item, ast.Name) and isinstance(item.ctx, ast.Store)
        }
        taker = _Taker(own)
        body = [taker.visit(copy.deepcopy(statement)) for statement in loop.body]
        kinds: dict[str, str] = {}
        for name, kind, line in taker.taken:
            if kinds.setdefault(name, kind) != kind:
                found = f"{name!r} is filled in two ways (line {line})"
                raise self.refuse(found, "Use one of name[key] = value and name.append(value).")
        return body, tuple(Collector(name, kind) for name, kind in kinds.items())

    def refuse_dependence(
        self, loop: ast.For, flow: CellFlow, known: Known, collectors: tuple[Collector, ...]
    ) -> None:
        """Refuse rounds that use what other rounds made."""
        if flow.opaque:
            place = flow.opaque[0]
            raise self.refuse(f"{place.reason} (line {place.line}) may do anything", _FIX)
        written = flow.writes | flow.maybe_writes
        for name in sorted(flow.reads & written):
            found = f"a round uses {name!r} of the round before (line {_find_line(loop, name)})"
            raise self.refuse(found, f"Collect values and combine them below the loop. {_FIX}")
        for name in sorted(flow.mutates | flow.deletes | flow.maybe_deletes):
            found = f"a round changes {name!r}, which is shared (line {_find_line(loop, name)})"
            raise self.refuse(found, f"Work on a copy made in the round. {_FIX}")
        for each in collectors:
            used = flow.reads & known.sharing.reach(each.name, MAYBE)
            if used:
                name = each.name if each.name in used else min(used)
                line = _find_line(loop, name, is_use=True)
                found = f"a round reads {name!r}, which earlier rounds filled (line {line})"
                raise self.refuse(found, f"Read it below the loop. {_FIX}")
        if not collectors:
            raise self.refuse("its rounds leave nothing: no 'name[key] = value' or '.append(...)'")
        if not self._is_rng_independent:
            self._refuse_random(loop, known)

    def _refuse_random(self, loop: ast.For, known: Known) -> None:
        """Refuse draws from the global generators: their order is part of the result."""
        for statement in loop.body:
            for node in ast.walk(statement):
                path = _find_path(node.func, known) if isinstance(node, ast.Call) else ""
                if path.startswith(_RANDOM) and path.rpartition(".")[2] not in _OWN_STATE:
                    line = getattr(node, "lineno", loop.lineno)
                    found = f"a round draws from the shared generator: {path} (line {line})"
                    hint = f"Make a generator in the round from its item. {_FIX}"
                    raise self.refuse(found, hint)


class _Taker(ast.NodeTransformer):
    """Replaces what fills collectors by the computation alone."""

    def __init__(self, own: set[str]) -> None:
        self._own = own
        self.taken: list[tuple[str, str, int]] = []

    def visit_Assign(self, node: ast.Assign) -> ast.stmt:
        """Take ``name[key] = value``."""
        target = node.targets[0]
        if len(node.targets) > 1 or not isinstance(target, ast.Subscript):
            return node
        if isinstance(target.value, ast.Name) and target.value.id not in self._own:
            self.taken.append((target.value.id, "item", node.lineno))
            return self._keep([node.value, target.slice], node)
        return node

    def visit_Expr(self, node: ast.Expr) -> ast.stmt:
        """Take ``name.append(value)``."""
        call = node.value
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute):
            holder = call.func.value
            is_append = call.func.attr == "append" and len(call.args) == 1 and not call.keywords
            if is_append and isinstance(holder, ast.Name) and holder.id not in self._own:
                self.taken.append((holder.id, "append", node.lineno))
                return self._keep([call.args[0]], node)
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.stmt:
        """Leave functions as they are."""
        return node

    def _keep(self, values: list[ast.expr], node: ast.stmt) -> ast.stmt:
        got = ast.Name(_GOT, ast.Store())
        kept = ast.Assign([got], ast.Tuple(values, ast.Load()))
        return ast.fix_missing_locations(ast.copy_location(kept, node))


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _find_break(node: ast.AST) -> ast.stmt | None:
    """Find a ``break`` of the loop itself, not of one within it."""
    if isinstance(node, ast.Break):
        return node
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
        return None
    inner = list(ast.iter_child_nodes(node))
    if isinstance(node, ast.For | ast.AsyncFor | ast.While):
        inner = list(node.orelse)
    return next((found for child in inner if (found := _find_break(child)) is not None), None)


def _find_line(loop: ast.For, name: str, *, is_use: bool = False) -> int:
    """Find the line of the body that names a variable; of changes the one that writes it."""
    found = [
        node
        for statement in loop.body
        for node in ast.walk(statement)
        if isinstance(node, ast.Name) and node.id == name
    ]
    if is_use:  # the places that fill it come first, what reads it is the last
        return found[-1].lineno if found else loop.lineno
    return found[0].lineno if found else loop.lineno


def _find_path(func: ast.expr, known: Known) -> str:
    """Give the dotted path of what is called, through the imports."""
    parts: list[str] = []
    while isinstance(func, ast.Attribute):
        parts.append(func.attr)
        func = func.value
    if not isinstance(func, ast.Name):
        return ""
    root = known.modules.get(func.id) or (
        "" if func.id in known.names else USUAL_MODULES.get(func.id, "")
    )
    return ".".join([root, *reversed(parts)]) if root else ""
