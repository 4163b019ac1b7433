"""What a metric is called: by what the user does with the value, else by its function."""

from __future__ import annotations

import ast
import re
from types import FrameType

from mlops_nb.autolog.callnames import list_installed
from mlops_nb.autolog.callsites import Site, find_site
from mlops_nb.capture.kinds import identify

# What these return is the same number.
_SAME_VALUE = {"float", "round", "np.round", "numpy.round", "np.float64"}
# Where values go into a text.
_PERCENT = re.compile(r"%[-+ #0]*[\d.]*[a-zA-Z]")
_BRACES = re.compile(r"\{[^{}]*\}")
_LABEL = re.compile(r"([^\W\d][\w @%/-]*?)\s*[:=]?\s*$")
_LONGEST_LABEL = 40
_DEEPEST = 3
_MOST_NAMES = 512
# Of call sites that were asked for before; the number of one that is gone may be another's.
_names: dict[int, tuple[Site, str | None, bool]] = {}


def name_metric(site: Site | None, frame: FrameType, default: str, depth: int = 0) -> str:
    """Name the value of the call that a frame is executing.

    Parameters
    ----------
    site
        The call.
    frame
        The user's frame.
    default
        Name of the metric function.
    depth
        How many functions of the user have already returned the value on.

    Returns
    -------
    str
        The assigned variable, dict key, keyword, attribute, or the label printed before the value;
        `default` where there is none of these.

    Examples
    --------
    ``acc = accuracy_score(y, p)`` is ``acc``; ``scores["f1"] = f1_score(y, p)`` is ``f1``;
    ``print(f"AUC: {roc_auc_score(y, p):.3f}")`` is ``auc``.
    """
    if site is None:
        return default
    found = _names.get(identify(site))
    if found is None or found[0] is not site:
        if len(_names) >= _MOST_NAMES:
            _names.clear()
        found = _names[identify(site)] = (site, *_read_name(site))
    _, name, is_returned = found
    if is_returned:
        above = find_receiver(frame)
        if depth < _DEEPEST and above is not None:
            return name_metric(find_site(above), above, default, depth + 1)
    return name or default


def _read_name(site: Site) -> tuple[str | None, bool]:
    """Give what the source calls the value, and whether its function returns it."""
    node: ast.AST = site.call
    for parent in site.parents():
        if keeps_value(parent, node):
            node = parent
        elif isinstance(parent, ast.Return):
            return None, True
        else:
            return name_from(parent, node, site), False
    return None, False


def name_derived(site: Site | None, frame: FrameType) -> str | None:
    """Name the variable of a cell that a metric is turned into by arithmetic.

    Parameters
    ----------
    site
        The call.
    frame
        The user's frame.

    Returns
    -------
    str or None
        For example ``rmse`` in ``rmse = mean_squared_error(y, p) ** 0.5``; None where the value is
        kept as it is, or where the assignment is not at the level of the cell.
    """
    if site is None or frame.f_code.co_name != "<module>":
        return None
    is_changed = False
    for parent in site.parents():
        if isinstance(parent, (ast.BinOp, ast.UnaryOp, ast.Call)):
            is_changed = True
            continue
        if (
            isinstance(parent, ast.Assign)
            and is_changed
            and isinstance(parent.targets[0], ast.Name)
        ):
            return parent.targets[0].id
        return None
    return None


def find_receiver(frame: FrameType) -> FrameType | None:
    """Give the user's frame that a function returns to; None where a library has called it."""
    above = frame.f_back
    if above is None or frame.f_code.co_name.startswith("<"):
        return None
    return None if above.f_code.co_filename.startswith(list_installed()) else above


def keeps_value(parent: ast.AST, node: ast.AST) -> bool:
    """Say whether an expression gives the number that is in it: ``await``, ``round``."""
    if isinstance(parent, ast.Await):
        return True
    return (
        isinstance(parent, ast.Call)
        and bool(parent.args)
        and parent.args[0] is node
        and ast.unparse(parent.func) in _SAME_VALUE
    )


def name_from(parent: ast.AST, node: ast.AST, site: Site) -> str | None:
    """Give the name that a target, a key, a keyword or the words before it give a value."""
    if isinstance(parent, ast.Assign):
        return _name_target(parent.targets[-1])
    if isinstance(parent, (ast.AnnAssign, ast.NamedExpr)):
        return _name_target(parent.target)
    if isinstance(parent, ast.keyword):
        return parent.arg
    if isinstance(parent, ast.Dict):
        key = parent.keys[[id(v) for v in parent.values].index(id(node))]
        return _read_text(key)
    around = site.tree.parents.get(parent)
    if isinstance(parent, (ast.Tuple, ast.List)) and not isinstance(around, ast.BinOp):
        return _name_element(parent, node, site)
    return _read_label(parent, node, around)


def _read_label(parent: ast.AST, node: ast.AST, around: ast.AST | None) -> str | None:
    """Give the words before a value in what is printed or formatted."""
    if isinstance(parent, ast.FormattedValue):
        return _label_before(around.values, parent) if isinstance(around, ast.JoinedStr) else None
    if isinstance(parent, ast.Tuple) and isinstance(around, ast.BinOp):
        return _label_within(around.left, _PERCENT, parent.elts, node)
    if isinstance(parent, ast.BinOp) and isinstance(parent.op, ast.Mod):
        return _label_within(parent.left, _PERCENT, [parent.right], node)
    if isinstance(parent, ast.Call) and node in parent.args:
        if isinstance(parent.func, ast.Attribute) and parent.func.attr == "format":
            return _label_within(parent.func.value, _BRACES, parent.args, node)
        return _label_before(parent.args, node)
    return None


def _name_target(target: ast.AST) -> str | None:
    if isinstance(target, ast.Name):
        return None if target.id.strip("_") == "" else target.id
    if isinstance(target, ast.Attribute):
        return target.attr
    if isinstance(target, ast.Subscript):
        parts = target.slice.elts if isinstance(target.slice, ast.Tuple) else [target.slice]
        return _read_text(parts[-1])
    return None


def _name_element(parent: ast.Tuple | ast.List, node: ast.AST, site: Site) -> str | None:
    """Name a member of ``a, b = f(), g()`` by the target at its place."""
    around = site.tree.parents.get(parent)
    if not isinstance(around, ast.Assign):
        return None
    target = around.targets[-1]
    if isinstance(target, (ast.Tuple, ast.List)) and len(target.elts) == len(parent.elts):
        return _name_target(target.elts[[id(e) for e in parent.elts].index(id(node))])
    return None


def _read_text(node: ast.AST | None) -> str | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return _clean(node.value)
    return None


def _label_before(nodes: list[ast.expr], node: ast.AST) -> str | None:
    """Take the words directly before a printed value: ``"accuracy:"`` or ``f"accuracy = {..}"``."""
    at = [id(other) for other in nodes].index(id(node))
    before = nodes[at - 1] if at else None
    if not isinstance(before, ast.Constant) or not isinstance(before.value, str):
        return None
    return _find_label(before.value)


def _label_within(
    text: ast.AST, places: re.Pattern[str], values: list[ast.expr], node: ast.AST
) -> str | None:
    """Take the words before a value's place, as in ``"accuracy: %.3f" % value``."""
    at = [id(value) for value in values].index(id(node)) if node in values else -1
    if at < 0 or not isinstance(text, ast.Constant) or not isinstance(text.value, str):
        return None
    parts = places.split(text.value)
    return _find_label(parts[at]) if len(parts) == len(values) + 1 else None


def _find_label(text: str) -> str | None:
    last = re.split(r"[,;|\n(]", text)[-1]
    found = _LABEL.search(last)
    return _clean(found.group(1)).lower() if found and _clean(found.group(1)) else None


def _clean(text: str) -> str:
    return re.sub(r"\s+", "_", text.strip())[:_LONGEST_LABEL]
