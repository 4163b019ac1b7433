"""What each cell reads, writes and changes: for one cell alone, or for all in notebook order.

Sound by default: what cannot be told counts as read and possibly changed, and what may run
anything is a barrier.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import replace

from mlops_nb.notebook.flow import CellFlow, LateFlow, Opaque
from mlops_nb.notebook.literals import NotLiteralError, read_literal
from mlops_nb.notebook.magics import CODE_CELL_MAGICS, DISPLAY_MAGICS, parse_cell, read_magic
from mlops_nb.notebook.values import Known
from mlops_nb.notebook.walker import Walker

__all__ = ["CellFlow", "FlowTable", "LateFlow", "Opaque", "analyze_cell", "analyze_cells"]


def _words(text: str) -> frozenset[str]:
    """Give the words of a table."""
    return frozenset(text.split())


# Calls that set up a session; with literal arguments they do nothing else.
_SETTINGS = _words(
    """
    warnings.filterwarnings warnings.simplefilter pd.set_option pandas.set_option
    pd.options.display plt.style.use sns.set_theme sns.set_style sns.set sns.set_palette
    sns.set_context np.set_printoptions torch.set_default_dtype torch.set_num_threads
    torch.set_printoptions logging.basicConfig matplotlib.use sklearn.set_config set_config
    """
)


class FlowTable:
    """Analyses cells one after the other, remembering what earlier ones defined.

    Functions of earlier cells are followed into the cells that mention them, transitively;
    variables that may hold one object change together.
    """

    def __init__(self) -> None:
        self._known = Known()

    def add(self, source: str) -> CellFlow:
        """Analyse the next cell.

        Parameters
        ----------
        source
            The cell as it stands in the notebook, magics included.

        Returns
        -------
        CellFlow
            Its effect, functions of earlier cells included.
        """
        flow = _analyze(source, self._known)
        self._known.names |= flow.writes | flow.maybe_writes
        self._known.names -= flow.deletes
        return flow


def analyze_cells(sources: Iterable[str]) -> tuple[CellFlow, ...]:
    """Analyse the cells of a notebook in order.

    Parameters
    ----------
    sources
        The code cells in the order in which they run.

    Returns
    -------
    tuple of CellFlow
        One per cell; late effects of functions are attributed to the cells that use them.
    """
    table = FlowTable()
    return tuple(table.add(source) for source in sources)


def analyze_cell(source: str, known_names: frozenset[str] = frozenset()) -> CellFlow:
    """Analyse one cell alone.

    Parameters
    ----------
    source
        The cell as it stands in the notebook, magics included.
    known_names
        Names that earlier cells define; only they can hide a builtin.

    Returns
    -------
    CellFlow
        Its effect, as far as the cell alone tells.
    """
    return _analyze(source, Known(names=set(known_names)))


def _analyze(source: str, known: Known) -> CellFlow:
    """Walk one cell; what cannot be parsed or is nested too deeply is a barrier."""
    walker = Walker(known)
    try:
        tree = parse_cell(source)
        walker.walk_statements(tree.body)
    except SyntaxError as error:
        return CellFlow(opaque=(Opaque(error.lineno or 1, f"syntax error: {error.msg}"),))
    except (RecursionError, MemoryError):
        return CellFlow(opaque=(Opaque(1, "nested too deeply to be analysed"),))
    return replace(walker.finish(), only_defines=all(map(_defines, tree.body)))


def _defines(statement: ast.stmt) -> bool:
    """Tell statements that compute nothing: imports, definitions, literal settings."""
    definitions = ast.Import | ast.ImportFrom | ast.FunctionDef | ast.AsyncFunctionDef
    if isinstance(statement, definitions | ast.ClassDef | ast.Pass):
        return True
    value = getattr(statement, "value", None)
    if isinstance(statement, ast.Assign | ast.AnnAssign):
        targets = getattr(statement, "targets", None) or [getattr(statement, "target", None)]
        is_named = all(isinstance(target, ast.Name) for target in targets)
        return is_named and (value is None or _is_literal(value) or isinstance(value, ast.Lambda))
    return isinstance(statement, ast.Expr) and (_is_setting(value) or _is_literal(value))


def _is_literal(node: ast.expr | None) -> bool:
    """Tell an expression that needs no name of the notebook."""
    if node is None:
        return False
    try:
        read_literal(node)
    except NotLiteralError:
        return False
    return True


def _is_setting(node: ast.expr | None) -> bool:
    """Tell a call that sets up the session with literal arguments, or a display magic."""
    if not isinstance(node, ast.Call):
        return False
    magic = read_magic(node)
    if magic is not None:
        return magic.name in DISPLAY_MAGICS - CODE_CELL_MAGICS
    given = [*node.args, *(item.value for item in node.keywords)]
    return ast.unparse(node.func) in _SETTINGS and all(map(_is_literal, given))
