"""Runs some rounds of a loop in this kernel, or takes over what other kernels made of them.

The cell runs as it stands, with one change that nobody sees: what is looped over goes through a
function of ours, which gives the rounds that are to run here.
"""

from __future__ import annotations

import ast
import builtins
import sys
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from mlops_nb.pipeline import items, lingering, rebuild, sealing, step, tracing
from mlops_nb.pipeline.reach import find_needed, find_words
from mlops_nb.pipeline.rounds_guard import Journal, UnprovenError
from mlops_nb.pipeline.rounds_order import MARK, RoundsOrder, read_order
from mlops_nb.pipeline.state import State, read_state

_TAKE, _RUNS = "__mlops_rounds__", "__mlops_round_runs__"
_FILLED = {"append": (list,), "item": (dict, OrderedDict, defaultdict)}

_state: dict[str, Any] = {}


class _Filled:
    """Stands for what rounds fill, and notes what they put into it; reading it stops them."""

    def __init__(self, name: str, kind: str, notes: list[Any], journal: Journal) -> None:
        self._name, self._kind, self._notes, self._journal = name, kind, notes, journal

    def append(self, value: Any) -> None:
        if self._kind != "append":
            self._stop()
        self._notes.append((self._name, value))

    def __setitem__(self, key: Any, value: Any) -> None:
        if self._kind != "item":
            self._stop()
        hash(key)
        self._notes.append((self._name, key, value))

    def _stop(self, *_: Any) -> Any:
        self._journal.stop(f"a round reads {self._name!r}, which rounds fill")

    __getattr__ = __getitem__ = __len__ = __iter__ = __contains__ = __bool__ = __repr__ = _stop
    __add__ = __iadd__ = __or__ = __ior__ = __reversed__ = __delitem__ = __call__ = _stop
    __eq__ = __ne__ = __lt__ = __gt__ = __format__ = __copy__ = __deepcopy__ = _stop
    __hash__ = object.__hash__
    __reduce_ex__ = _stop


class _Loop:
    """Changes the one loop of one cell before it is compiled; other code stays as it is."""

    def __init__(self, source: str, *, is_taken_over: bool) -> None:
        self.expected = ast.dump(ast.parse(rebuild.get_shell().transform_cell(source)))
        self.is_taken_over = is_taken_over

    def visit(self, tree: ast.Module) -> ast.Module:
        """Change a cell, as IPython asks of a transformer."""
        if ast.dump(tree) != self.expected:
            return tree
        for loop in tree.body:
            if isinstance(loop, ast.For):
                called = ast.Call(ast.Name(_TAKE, ast.Load()), [loop.iter], [])
                loop.iter = ast.copy_location(called, loop.iter)
                if self.is_taken_over:
                    asked = ast.Call(ast.Name(_RUNS, ast.Load()), [], [])
                    loop.body = [ast.copy_location(ast.If(asked, loop.body, []), loop)]
        return ast.fix_missing_locations(tree)


def _arm(order: RoundsOrder, take: Callable[[Any], Iterator[Any]], *, is_taken_over: bool) -> None:
    setattr(builtins, _TAKE, take)
    setattr(builtins, _RUNS, lambda: order.keeps_last)
    _state["loop"] = _Loop(order.source, is_taken_over=is_taken_over)
    rebuild.get_shell().ast_transformers.append(_state["loop"])


def disarm() -> None:
    """Let cells run as they stand again."""
    transformers = rebuild.get_shell().ast_transformers
    loop = _state.pop("loop", None)
    if loop in transformers:
        transformers.remove(loop)
    for name in (_TAKE, _RUNS):
        if hasattr(builtins, name):
            delattr(builtins, name)


def _publish_mark() -> None:
    """Part what is shown from here on from what was shown before."""
    sys.stdout.flush()
    sys.stderr.flush()
    rebuild.get_shell().display_pub.publish({MARK: {}, "text/plain": ""})


def _is_recorded() -> bool:
    tracking = sys.modules.get("mlops_nb.tracking")  # there only where something records
    return tracking is not None and tracking.current_session() is not None


def offer(path: str) -> None:
    """Write what other kernels need to run rounds of the loop that comes next.

    Parameters
    ----------
    path
        Of the order.
    """
    order = read_order(Path(path))
    reason = ""
    tracking = sys.modules.get("mlops_nb.tracking")
    if tracking is not None and tracking.active_run() is not None:
        reason = "a run is open, to which its rounds may log"
    found = lingering.find_lingering(step.get_given().repeated)
    if found and not reason:
        reason = next(iter(found.values()))
    report = step.dump() if not reason else None
    if report is not None:
        needed = find_needed([order.source], report.looked_up)
        for name, why in report.unpicklable.items():
            if needed is None or name in needed or not name.isidentifier():
                reason = f"{name} cannot leave this kernel: {why}"
    state = report.state if report is not None else State()
    order.answer({"reason": reason, "state": state.to_json(), "is_recorded": _is_recorded()})


class _Work:
    """The rounds of one process."""

    def __init__(self, order: RoundsOrder) -> None:
        self.order = order
        self.journal = Journal(Path(order.folder), Path(order.folder).parent)
        self.notes: list[Any] = []
        self.before: dict[str, Any] = {}
        self.total, self.items = -1, ""
        self.shared: Any = None
        self.is_done = self.was_drawing = False

    def take(self, iterable: Any) -> Iterator[Any]:
        """Give the items whose rounds run here."""
        from mlops_nb.pipeline.rounds_items import list_items

        order = self.order
        with tracing.paused():
            listed = list_items(iterable)
            self.total, self.items = len(listed), _digest(listed)
            first, last = order.find_part(self.total)
            self._prepare()
            figures, self.was_drawing = _list_figures(), _is_drawing()
            tracing.watch(self.journal)
        tracing.note_seeds()
        _publish_mark()
        for done, item in enumerate(listed[first:last]):
            self._tell(done)
            yield item
        self._tell(last - first)
        if _list_figures() != figures:
            self.journal.stop("a round leaves a figure open, which the next would go on with")
        for name, _ in order.collectors:  # whoever looks at variables after a cell finds their own
            rebuild.get_shell().user_ns[name] = self.before[name]
        self.is_done = True

    def _tell(self, done: int) -> None:
        with tracing.paused():
            Path(self.order.folder, "done").write_text(f"{done} {self.total}", encoding="utf-8")

    def _prepare(self) -> None:
        from mlops_nb.pipeline.rounds_crossing import index_shared

        order, namespace = self.order, rebuild.get_shell().user_ns
        if order.is_recorded != _is_recorded():
            self.journal.stop("runs are recorded in the kernel of the loop only")
        owners = step.get_given().state.find_owners()
        own = items.list_own_names(namespace)
        filled = [name for name, _ in order.collectors]
        self.shared = index_shared(namespace, sorted(own - {*filled, *order.binds}))
        for name, kind in order.collectors:
            value = namespace.get(name)
            if type(value) not in _FILLED[kind]:
                self.journal.stop(f"{name!r}, which rounds fill, is a {type(value).__name__}")
            owner = owners.get(name)
            if name not in order.binds and (owner is None or owner.names != (name,)):
                self.journal.stop(f"{name!r}, which rounds fill, is part of another variable")
        for name in (*filled, *order.leaves, *order.targets):
            if name in namespace:
                self.before[name] = namespace[name]
        for name in order.leaves:  # no round may find what the one before has left
            namespace.pop(name, None)
        for name, kind in order.collectors:
            namespace[name] = _Filled(name, kind, self.notes, self.journal)

    def collect(self) -> dict[str, Any]:
        """Take what rounds have made out of the namespace, which is then as it was."""
        namespace = rebuild.get_shell().user_ns
        found = {n: namespace[n] for n in self.order.maybe if n in namespace}
        filled = [name for name, _ in self.order.collectors]
        for name in (*filled, *self.order.leaves, *self.order.targets):
            namespace.pop(name, None)
        namespace.update(self.before)
        return found


def _digest(listed: list[Any]) -> str:
    from mlops_nb.pipeline.digests import DigestPickler

    try:
        return DigestPickler(rebuild.get_shell().user_ns).digest(listed)
    except Exception as error:
        raise UnprovenError(f"its items cannot be compared: {error}") from error


def _list_figures() -> list[int]:
    pyplot = sys.modules.get("matplotlib.pyplot")
    return list(pyplot.get_fignums()) if pyplot is not None else []


def _is_drawing() -> bool:
    return getattr(sys.modules.get("matplotlib.pyplot"), "_backend_mod", None) is not None


def work(path: str) -> None:
    """Prepare this kernel to run some rounds when the cell comes.

    Parameters
    ----------
    path
        Of the order.
    """
    _state["work"] = done = _Work(read_order(Path(path)))
    tracing.watch(done.journal)
    _arm(done.order, done.take, is_taken_over=False)


def hand_back() -> None:
    """Write what the rounds of this kernel have made, or why nobody can use it."""
    done: _Work = _state["work"]
    disarm()
    answer: dict[str, Any] = {"reason": done.journal.reason}
    answer |= {"total": done.total, "items": done.items}
    try:
        with tracing.paused():
            if not (answer["reason"] or done.is_done):
                done.journal.stop("its rounds did not come to their end")
            if not answer["reason"]:
                answer["made"] = _write(done)
    except UnprovenError as error:
        answer["reason"] = str(error)
    done.order.answer(answer)


def _write(done: _Work) -> dict[str, Any]:
    from mlops_nb.pipeline.rounds_crossing import ROUNDS, write_rounds

    given, namespace = step.get_given(), rebuild.get_shell().user_ns
    made = {ROUNDS: done.notes} | done.collect()
    report = step.dump()
    kept = (items.SEEDS, items.CELLS, items.HISTORY)
    changed = [n for n in report.changed if not n.startswith(kept) and n not in done.order.binds]
    changed += report.deleted
    if changed:
        changed.sort(key=lambda name: name not in find_words([done.order.source]))
        if changed[0] == items.OPTIONS and _is_drawing() and not done.was_drawing:
            done.journal.stop("a round draws the first figure, which chooses how all are drawn")
        done.journal.stop(f"a round changes {_describe(changed[0])}")
    lingering_on = report.unpicklable | lingering.find_lingering(given.repeated)
    if lingering_on:
        name, reason = next(iter(lingering_on.items()))
        done.journal.stop(f"a round leaves {name}: {reason}")
    others = {n: namespace[n] for n in items.list_own_names(namespace)} | items.collect_modules()
    key = sealing.read_key(Path(given.key_folder))
    part = write_rounds(made, namespace, others, done.shared, Path(given.components), key)
    return State((part,)).to_json()


def _describe(name: str) -> str:
    words = {items.OPTIONS: "options of libraries", items.PROCESS: "the folder or the environment"}
    if name.startswith(items.MODULE):
        return name.removeprefix(items.MODULE).replace(":", ".")
    return words.get(name) or repr(name.removeprefix(items.PATCH))


def accept(path: str) -> None:
    """Read what other kernels have made, and let the cell take it over when it comes.

    Parameters
    ----------
    path
        Of the order, which names what they have written.
    """
    from mlops_nb.pipeline.rounds_crossing import ROUNDS, read_rounds

    order, given = read_order(Path(path)), step.get_given()
    namespace = rebuild.get_shell().user_ns
    key = sealing.read_key(Path(given.key_folder))
    notes: list[Any] = []
    left: dict[str, Any] = {}
    links: list[tuple[Any, str]] = []
    with tracing.paused():
        for document in order.made:
            for part in read_state(document).components:
                values, found = read_rounds(part, namespace, Path(given.components), key)
                notes += values.pop(ROUNDS)
                left |= values
                links += found
    if links:
        from mlops_nb.tracking.links import link_object  # only where something was recorded

        for value, run_id in links:
            link_object(value, run_id)
    _arm(order, lambda iterable: _take_over(iterable, order, notes, left), is_taken_over=True)


def _take_over(
    iterable: Any, order: RoundsOrder, notes: list[Any], left: Mapping[str, Any]
) -> Iterator[Any]:
    """Fill what the rounds have filled, and give the item of the last round."""
    from mlops_nb.pipeline.rounds_items import list_items

    namespace = rebuild.get_shell().user_ns
    listed = list_items(iterable)
    with tracing.paused():
        if (len(listed), _digest(listed)) != (order.total, order.items):
            raise UnprovenError("the loop goes over other items here than elsewhere")
    _publish_mark()
    for name, *put in notes:
        if len(put) == 1:
            namespace[name].append(put[0])
        else:
            namespace[name][put[0]] = put[1]
    namespace.update(left)
    yield from listed[-1:]


def call(name: str, argument: str) -> None:
    """Call a function of this module, for the process that runs the steps.

    Parameters
    ----------
    name
        Of the function.
    argument
        Path of its order; empty for those that take none.
    """
    function = {"offer": offer, "work": work, "accept": accept}.get(name)
    if function is not None:
        function(argument)
    else:
        {"hand_back": hand_back, "disarm": disarm}[name]()
