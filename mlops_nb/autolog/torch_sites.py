"""Where a training loop calls ``backward`` and ``step``: the name of the loss, the loops around."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from types import CodeType, FrameType

from mlops_nb.autolog.callsites import Site, find_function, find_site
from mlops_nb.autolog.definitions import FUNCTIONS, last_definition

_EPOCH = re.compile(r"^(?:n_|i_)?(?:epoch|ep)s?(?:_?(?:i|n|no|num|idx|index|number))?$", re.I)
_LOOPS = (ast.For, ast.AsyncFor, ast.While)
_INSIDE = ("torch.utils.checkpoint", "torch.nn.", "torch.distributed", "torch._dynamo")
_DEFAULT = "loss"
_MOST_FRAMES = 12


@dataclass(frozen=True, slots=True, eq=False)
class LossSite:
    """One place in the source that calls ``backward``.

    Attributes
    ----------
    code
        Kept, so that no other code takes its identity while this is known.
    at
        Which instruction of it calls.
    name
        What the loss is called there.
    is_recorded
        False for a ``backward`` that the library runs for its own use.
    is_scaled
        Whether the loss went through a ``GradScaler`` first.
    loops
        The loops around the call, innermost first.
    branches
        The ``if`` statements around it.
    epoch
        Name of the global variable that counts the epochs around it, where there is one.
    """

    code: CodeType
    at: int
    name: str = _DEFAULT
    is_recorded: bool = True
    is_scaled: bool = False
    loops: tuple[ast.AST, ...] = ()
    branches: tuple[ast.AST, ...] = ()
    epoch: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class StepSite:
    """One place in the source that calls an optimizer's ``step``, as `LossSite`."""

    code: CodeType
    at: int
    loops: tuple[ast.AST, ...] = ()
    branches: tuple[ast.AST, ...] = ()
    epoch: str | None = None

    def shares_loop(self, other: StepSite) -> bool:
        """Tell whether two different calls are made in turn by one loop."""
        if self.code is not other.code or self.at == other.at or not self.loops or not other.loops:
            return False
        return self.loops[0] in other.loops or other.loops[0] in self.loops

    def follows_each(self, loss: LossSite) -> bool:
        """Tell whether each ``backward`` is followed by this step: no gradients are gathered."""
        if self.code is not loss.code or not self.loops or not loss.loops:
            return False
        is_same = self.loops[0] is loss.loops[0]
        return is_same and all(branch in loss.branches for branch in self.branches)


def find_loss_site(frame: FrameType) -> LossSite:
    """Describe the call of ``backward`` that a frame executes.

    Parameters
    ----------
    frame
        The frame that called it.

    Returns
    -------
    LossSite
        Named ``loss`` where the source says no more.
    """
    code, at = frame.f_code, frame.f_lasti
    if str(frame.f_globals.get("__name__")).startswith(_INSIDE):
        return LossSite(code, at, is_recorded=False)
    site = find_site(frame)
    if site is None:
        return LossSite(code, at)
    node = _find_loss(site.call)
    name, is_scaled = _name_value(node)
    if isinstance(node, ast.Name) and not is_scaled:
        function = find_function(site.tree, frame)
        scope: ast.AST = site.tree.module if function is None else function
        given = last_definition(scope, node.id, node.lineno)
        if _is_scaling(given):
            name, is_scaled = _name_value(given)
    loops, branches = list_around(site)
    epoch = _find_epoch(loops)
    epoch = epoch if code.co_name == "<module>" else None
    return LossSite(code, at, name, True, is_scaled, loops, branches, epoch)


def find_step_site(frame: FrameType) -> StepSite:
    """Describe the call of ``step`` that a frame executes."""
    site = find_site(frame)
    if site is None:
        return StepSite(frame.f_code, frame.f_lasti)
    loops, branches = list_around(site)
    return StepSite(frame.f_code, frame.f_lasti, loops, branches, _find_epoch(loops))


def find_turn_site(frames: list[FrameType]) -> StepSite:
    """Describe the call by which a loop comes to a step: of ``step``, or of a function that steps.

    Parameters
    ----------
    frames
        From the call of ``step`` up to the cell.

    Returns
    -------
    StepSite
        In the innermost frame that has a loop around its call.
    """
    sites = [find_step_site(frame) for frame in frames]
    return next((site for site in sites if site.loops), sites[0])


def find_user_frame(frame: FrameType | None) -> FrameType | None:
    """Give the innermost frame that is not torch's own."""
    while frame is not None and str(frame.f_globals.get("__name__")).startswith("torch."):
        frame = frame.f_back
    return frame


def list_user_frames(frame: FrameType | None) -> list[FrameType]:
    """Give the frames from a call up to the cell or script it was made by, a few at most."""
    found: list[FrameType] = []
    while frame is not None and len(found) < _MOST_FRAMES:
        found.append(frame)
        if frame.f_code.co_name == "<module>":
            break
        frame = frame.f_back
    return found


def list_around(site: Site) -> tuple[tuple[ast.AST, ...], tuple[ast.AST, ...]]:
    """Give the loops and the branches around a call, innermost first, within its function."""
    loops: list[ast.AST] = []
    branches: list[ast.AST] = []
    for node in site.parents():
        if isinstance(node, FUNCTIONS):
            break
        if isinstance(node, _LOOPS):
            loops.append(node)
        elif isinstance(node, ast.If):
            branches.append(node)
    return tuple(loops), tuple(branches)


def name_epoch(loop: ast.AST) -> str | None:
    """Give the variable that counts epochs in a loop, by its name; else None."""
    target = getattr(loop, "target", None)
    if isinstance(target, ast.Tuple) and target.elts:
        target = target.elts[0]  # for epoch, ... in enumerate(...)
    return target.id if isinstance(target, ast.Name) and _EPOCH.match(target.id) else None


def _find_epoch(loops: tuple[ast.AST, ...]) -> str | None:
    return next((name for name in map(name_epoch, loops) if name is not None), None)


def _find_loss(call: ast.Call) -> ast.AST:
    """Give what ``backward`` is called on: ``loss.backward()``, ``autograd.backward(loss)``."""
    func = call.func
    if not isinstance(func, ast.Attribute):
        return call.args[0] if call.args else call
    owner = func.value
    name = owner.attr if isinstance(owner, ast.Attribute) else getattr(owner, "id", "")
    if name == "autograd" and call.args:
        return call.args[0]
    return owner


def _is_scaling(node: ast.AST | None) -> bool:
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "scale"
        and bool(node.args)
    )


def _name_value(node: ast.AST | None) -> tuple[str, bool]:
    """Name an expression by the variable it is made of; tell whether a scaler made it."""
    if isinstance(node, ast.Call):
        if _is_scaling(node):
            return _name_value(node.args[0])[0], True
        if isinstance(node.func, ast.Attribute) and node.func.attr in {"mean", "sum"}:
            return _name_value(node.func.value)
        return _DEFAULT, False
    name = _DEFAULT
    if isinstance(node, ast.Name):
        name = node.id
    elif isinstance(node, ast.Attribute):
        name = node.attr
    elif isinstance(node, ast.Subscript):
        key = getattr(node.slice, "value", None)
        name = key if type(key) is str else _name_value(node.value)[0]
    elif isinstance(node, ast.UnaryOp):
        name = _name_value(node.operand)[0]
    elif isinstance(node, ast.BinOp):
        name = _choose_name(node)
    return name, False


def _choose_name(node: ast.BinOp) -> str:
    """Name a sum or quotient by the part that calls itself a loss, else by its first part."""
    names = [_name_value(side)[0] for side in (node.left, node.right)]
    if isinstance(node.op, (ast.Add, ast.Sub)) and len(set(names)) > 1:
        return _DEFAULT  # several terms: no one of them is what is minimized
    return next((name for name in names if "loss" in name.lower()), names[0])
