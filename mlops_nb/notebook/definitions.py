"""Statements that compute nothing: imports, definitions, settings. They may serve every step."""

from __future__ import annotations

import ast

from mlops_nb.notebook.literals import NotLiteralError, read_literal
from mlops_nb.notebook.magics import (
    CODE_CELL_MAGICS,
    DISPLAY_MAGICS,
    parse_cell,
    read_magic,
    to_python,
)


def _words(text: str) -> frozenset[str]:
    """Give the words of a table."""
    return frozenset(text.split())


# Calls that set up a session; with plain arguments they do nothing else.
_SETTINGS = _words(
    """
    warnings.filterwarnings warnings.simplefilter warnings.resetwarnings
    pd.set_option pandas.set_option pd.reset_option pd.options.display
    np.set_printoptions numpy.set_printoptions np.seterr numpy.seterr
    np.random.seed numpy.random.seed random.seed torch.manual_seed
    plt.style.use plt.rc plt.rcParams.update mpl.rcParams.update matplotlib.rcParams.update
    rcParams.update matplotlib.use mpl.use
    sns.set_theme sns.set_style sns.set sns.set_palette sns.set_context
    torch.set_default_dtype torch.set_num_threads torch.set_printoptions
    torch.use_deterministic_algorithms
    logging.basicConfig logging.disable logging.captureWarnings
    sklearn.set_config set_config os.environ.setdefault os.environ.update
    sys.path.append sys.path.insert tqdm.pandas
    """
)
# Where a setting is assigned.
_PLACES = (
    "plt.rcParams", "mpl.rcParams", "matplotlib.rcParams", "rcParams", "pd.options.",
    "pandas.options.", "os.environ", "torch.backends.", "sys.dont_write_bytecode",
)  # fmt: skip
# Calls whose value is no more than a name for a setting.
_MAKERS = _words(
    """
    logging.getLogger np.random.default_rng numpy.random.default_rng np.random.RandomState
    torch.device random.Random
    """
)


def is_definition(statement: ast.stmt) -> bool:
    """Tell statements that compute nothing.

    Parameters
    ----------
    statement
        A statement at the top of a cell.

    Returns
    -------
    bool
        True for imports, definitions, literals, and calls that only set up the session.
    """
    definitions = ast.Import | ast.ImportFrom | ast.FunctionDef | ast.AsyncFunctionDef
    if isinstance(statement, definitions | ast.ClassDef | ast.Pass):
        return True
    value = getattr(statement, "value", None)
    if isinstance(statement, ast.Assign | ast.AnnAssign):
        targets = getattr(statement, "targets", None) or [getattr(statement, "target", None)]
        if all(isinstance(target, ast.Name) for target in targets):
            return value is None or _is_cheap(value)
        return all(map(_is_place, targets)) and _is_plain(value)
    return isinstance(statement, ast.Expr) and (_is_setting(value) or _is_literal(value))


def find_work(source: str) -> str:
    """Find the first statement of a cell that computes something.

    Parameters
    ----------
    source
        The cell as it stands in the notebook.

    Returns
    -------
    str
        Its first line; empty where there is none.
    """
    lines = to_python(source).splitlines()
    try:
        body = parse_cell(source).body
    except SyntaxError:
        return next((line.strip() for line in source.splitlines() if line.strip()), "")
    for statement in body:
        if not is_definition(statement):
            return lines[statement.lineno - 1].strip()
    return ""


def _is_cheap(value: ast.expr) -> bool:
    """Tell values that take no work: literals, functions, generators, loggers."""
    if isinstance(value, ast.Call) and ast.unparse(value.func) in _MAKERS:
        return _has_plain_arguments(value)
    return _is_literal(value) or isinstance(value, ast.Lambda)


def _is_place(target: ast.expr | None) -> bool:
    """Tell the targets that hold a setting of a library."""
    if not isinstance(target, ast.Attribute | ast.Subscript):
        return False
    return ast.unparse(target).startswith(_PLACES)


def _is_literal(node: ast.expr | None) -> bool:
    """Tell an expression that needs no name of the notebook."""
    if node is None:
        return False
    try:
        read_literal(node)
    except NotLiteralError:
        return False
    return True


def _is_plain(node: ast.expr | None) -> bool:
    """Tell a literal or a dotted name such as ``logging.INFO``."""
    inner = node
    while isinstance(inner, ast.Attribute):
        inner = inner.value
    return isinstance(inner, ast.Name) or _is_literal(node)


def _has_plain_arguments(call: ast.Call) -> bool:
    """Tell a call that is given values only."""
    return all(map(_is_plain, [*call.args, *(item.value for item in call.keywords)]))


def _is_setting(node: ast.expr | None) -> bool:
    """Tell a call that sets up the session, or a display magic."""
    if not isinstance(node, ast.Call):
        return False
    magic = read_magic(node)
    if magic is not None:
        return magic.name in DISPLAY_MAGICS - CODE_CELL_MAGICS
    return ast.unparse(node.func) in _SETTINGS and _has_plain_arguments(node)
