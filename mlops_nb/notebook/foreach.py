"""The loop of a cell tagged ``foreach``: checked that its rounds do not depend on one another."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterable
from dataclasses import dataclass

from mlops_nb.errors import NotebookError
from mlops_nb.notebook.flow import CellFlow
from mlops_nb.notebook.foreach_shapes import (
    find_break,
    find_line,
    find_path,
    find_prepared,
    find_stored,
    has_continue,
    is_text,
)
from mlops_nb.notebook.magics import parse_cell, read_magic
from mlops_nb.notebook.sharing import MAYBE
from mlops_nb.notebook.values import Known
from mlops_nb.notebook.walker import Walker

_SHAPE = "Such a cell holds one loop: for item in items: ... results[key] = value."
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
    maybe
        Those of `leaves` that some rounds may not bind.
    binds
        What the statements above the loop bind, to constants and to new lists and dicts.
    source
        The cell.
    refusal
        Why rounds cannot run at once, empty where nothing that is written speaks against it.
    """

    cell: int
    targets: tuple[str, ...] = ()
    items: str = ""
    line: int = 0
    collectors: tuple[Collector, ...] = ()
    reads: tuple[str, ...] = ()
    leaves: tuple[str, ...] = ()
    may_change: tuple[str, ...] = ()
    maybe: tuple[str, ...] = ()
    binds: tuple[str, ...] = ()
    source: str = ""
    refusal: str = ""


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
        The notebook, for the error message.
    is_rng_independent
        Random numbers may be drawn, for the tags give them up as part of the result.

    Returns
    -------
    ForeachLoop
        What a round reads, fills and leaves; or with the reason why rounds cannot run at once: the
        cell has another shape, or a round uses what an earlier one made.

    Raises
    ------
    NotebookError
        The cell holds no loop.
    """
    check = _Check(cell, is_rng_independent)
    try:
        tree = parse_cell(source)
    except SyntaxError as error:
        return ForeachLoop(cell, refusal=f"it cannot be read (line {error.lineno})")
    if not any(isinstance(item, ast.For | ast.AsyncFor) for item in tree.body):
        raise NotebookError(path, "tag 'foreach': it holds no loop", cell, _SHAPE)
    try:
        return _describe_loop(check, tree, source, before)
    except _RefusalError as refusal:
        return ForeachLoop(cell, refusal=str(refusal))


def describe_loop(loop: ForeachLoop | None) -> str:
    """Say how the rounds of a loop may run.

    Parameters
    ----------
    loop
        The checked loop, None where there is none.

    Returns
    -------
    str
        A clause; empty where there is no loop.
    """
    if loop is None:
        return ""
    if loop.refusal:
        return f"its rounds run one after the other: {loop.refusal}"
    return "its rounds may run at once, with --jobs"


def _describe_loop(
    check: _Check, tree: ast.Module, source: str, before: Iterable[str]
) -> ForeachLoop:
    binds, loop = check.find_loop(tree)
    check.refuse_leaving(loop)
    known = _walk_before(before)
    known.names |= binds
    body, collectors = check.take_collectors(loop)
    flow, known = _walk_round(loop, body, known)
    check.refuse_dependence(loop, flow, known, collectors)
    targets = {item.id for item in ast.walk(loop.target) if isinstance(item, ast.Name)}
    written = (flow.writes | flow.maybe_writes) - {_GOT}
    # What stands behind a 'continue' counts as bound above: some rounds do not come so far.
    maybe = written if any(map(has_continue, loop.body)) else flow.maybe_writes
    names = {each.name for each in collectors}
    stored = {name for statement in loop.body for name in find_stored(statement)}
    return ForeachLoop(
        check.cell,
        tuple(sorted(targets)),
        ast.unparse(loop.iter),
        loop.lineno,
        collectors,
        tuple(sorted(flow.reads - names)),
        tuple(sorted(written - (targets - stored))),
        tuple(sorted(flow.may_mutate - names - set(flow.imports))),
        tuple(sorted((maybe & written) - targets)),
        tuple(sorted(binds)),
        source,
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


class _RefusalError(Exception):
    """Rounds cannot run at once; the text says why."""


class _Check:
    """One check."""

    def __init__(self, cell: int, is_rng_independent: bool) -> None:
        self.cell = cell
        self._is_rng_independent = is_rng_independent

    @staticmethod
    def find_loop(tree: ast.Module) -> tuple[set[str], ast.For]:
        """Find the one loop that the cell may hold, and what is made empty above it."""
        body = [item for item in tree.body if not is_text(item)]
        binds: set[str] = set()
        while body and (bound := find_prepared(body[0])):
            binds |= bound
            body = body[1:]
        if len(body) != 1 or not isinstance(body[0], ast.For):
            wrong = next((item for item in body if not isinstance(item, ast.For)), None)
            if wrong is None:
                raise _RefusalError(f"it holds a second loop (line {body[1].lineno})")
            shown = ast.unparse(wrong).splitlines()[0][:60]
            raise _RefusalError(f"it holds more than a loop: {shown!r} (line {wrong.lineno})")
        loop = body[0]
        if loop.orelse:
            raise _RefusalError(f"its loop has an 'else' (line {loop.orelse[0].lineno})")
        names = [item for item in ast.walk(loop.target) if isinstance(item, ast.expr)]
        if not all(isinstance(item, ast.Name | ast.Tuple | ast.List) for item in names):
            shown = ast.unparse(loop.target)
            raise _RefusalError(f"the loop binds {shown!r}; expected names")
        return binds, loop

    @staticmethod
    def refuse_leaving(loop: ast.For) -> None:
        """Refuse what ends the loop early or asks the shell."""
        for statement in loop.body:
            if (leaving := find_break(statement)) is not None:
                found = f"'break' (line {leaving.lineno}) lets one round decide about the next"
                raise _RefusalError(found)
            for node in ast.walk(statement):
                if read_magic(node) is not None:
                    line = getattr(node, "lineno", loop.lineno)
                    found = f"a round runs a magic or a command of the shell (line {line})"
                    raise _RefusalError(found)
                if isinstance(node, ast.Await | ast.AsyncFor | ast.AsyncWith):
                    line = node.lineno
                    raise _RefusalError(f"a round waits for something asynchronous (line {line})")

    @staticmethod
    def take_collectors(loop: ast.For) -> tuple[list[ast.stmt], tuple[Collector, ...]]:
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
                raise _RefusalError(found)
        return body, tuple(Collector(name, kind) for name, kind in kinds.items())

    def refuse_dependence(
        self, loop: ast.For, flow: CellFlow, known: Known, collectors: tuple[Collector, ...]
    ) -> None:
        """Refuse rounds that use what other rounds made."""
        if flow.opaque:
            place = flow.opaque[0]
            raise _RefusalError(f"{place.reason} (line {place.line}) may do anything")
        written = flow.writes | flow.maybe_writes
        for name in sorted(flow.reads & written):
            uses = "uses" if name in flow.writes else "may use"
            found = f"a round {uses} {name!r} of the round before (line {find_line(loop, name)})"
            raise _RefusalError(found)
        for name in sorted(flow.mutates | flow.deletes | flow.maybe_deletes):
            found = f"a round changes {name!r}, which is shared (line {find_line(loop, name)})"
            raise _RefusalError(found)
        for each in collectors:
            used = flow.reads & known.sharing.reach(each.name, MAYBE)
            if used:
                name = each.name if each.name in used else min(used)
                line = find_line(loop, name, is_use=True)
                found = f"a round reads {name!r}, which earlier rounds filled (line {line})"
                raise _RefusalError(found)
        if not self._is_rng_independent:
            self._refuse_random(loop, known)

    def _refuse_random(self, loop: ast.For, known: Known) -> None:
        """Refuse draws from the global generators: their order is part of the result."""
        for statement in loop.body:
            for node in ast.walk(statement):
                path = find_path(node.func, known) if isinstance(node, ast.Call) else ""
                if path.startswith(_RANDOM) and path.rpartition(".")[2] not in _OWN_STATE:
                    line = getattr(node, "lineno", loop.lineno)
                    found = f"a round draws from the shared generator: {path} (line {line})"
                    raise _RefusalError(found)


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
