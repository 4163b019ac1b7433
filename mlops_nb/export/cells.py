"""One cell of a notebook as lines of a plain script."""

from __future__ import annotations

import ast
from collections.abc import Collection
from dataclasses import dataclass, field

from mlops_nb.errors import ExportError
from mlops_nb.export.edits import Edit, SourceText
from mlops_nb.export.shell import Translator, UntranslatableError
from mlops_nb.notebook.document import Cell
from mlops_nb.notebook.effects import MUTATING_METHODS, SELF_METHODS
from mlops_nb.notebook.magics import MagicCall, read_magic, to_python

# What the script defines itself, so that it runs without IPython.
FALLBACKS = {
    "display": '''def display(*values):
    """Print what the notebook showed."""
    for value in values:
        if value is not None:
            print(value)''',
    "clear_output": '''def clear_output(wait=False):
    """Leave earlier output as it is."""''',
    **{
        name: f'''def {name}(data=None, **_):
    """Give the text that the notebook showed formatted."""
    return data'''
        for name in ("HTML", "Markdown", "Latex", "Pretty")
    },
}
_NEEDS_FRONT_END = {"ipywidgets": "widgets need a notebook", "IPython": "it needs IPython"}
_SILENT_CALLS = frozenset({"print", "display", "exit", "quit", "input", "exec", "setattr"})
_PLOTTING = frozenset({"plt", "sns", "ax", "axs", "axes", "fig", "pyplot", "pylab"})


@dataclass(slots=True)
class ScriptNeeds:
    """What the lines of the cells need from the head of the script."""

    taken: Collection[str] = ()
    modules: set[str] = field(default_factory=set)
    fallbacks: set[str] = field(default_factory=set)
    records: bool = False  # the notebook's own code imports mlops_nb

    def use(self, module: str) -> str:
        """Give the name under which the script imports a module.

        Parameters
        ----------
        module
            A module of the standard library.

        Returns
        -------
        str
            The module's name, with an underscore where the notebook uses that name otherwise.
        """
        self.modules.add(module)
        return self.name(module)

    def name(self, wanted: str) -> str:
        """Give a name that the notebook does not use.

        Parameters
        ----------
        wanted
            The name without underscore.

        Returns
        -------
        str
            A free one.
        """
        while wanted in self.taken:
            wanted = f"_{wanted}"
        return wanted


class CellWriter:
    """Turns one cell into plain Python, its own text and comments kept where possible.

    Parameters
    ----------
    cell
        The cell.
    path
        The notebook, for error messages.
    names
        Variables of the notebook up to this cell.
    needs
        Gathers what the head of the script must hold.
    """

    def __init__(
        self, cell: Cell, path: object, names: Collection[str], needs: ScriptNeeds
    ) -> None:
        self._cell, self._path, self._names, self._needs = cell, path, names, needs

    def write(self) -> str:
        """Give the cell as lines of a script.

        Returns
        -------
        str
            Plain Python; empty where nothing is left.

        Raises
        ------
        ExportError
            Where the cell does what a script cannot; cell and line are named.
        """
        lines = self._cell.source.splitlines()
        while lines and (not lines[0].strip() or lines[0].lstrip().startswith("#|")):
            lines.pop(0)
        return self._translate("\n".join(lines)).strip("\n")

    def _fail(self, found: str, needle: str = "", line: int = 0) -> ExportError:
        """Build the error for a place in the cell."""
        for number, text in enumerate(self._cell.source.splitlines(), 1):
            if needle and needle in text:
                line = number
                break
        hint = "Change the cell, or tag it 'skip' to leave it out."
        return ExportError(self._path, f"line {line}: {found}", self._cell.index, hint)

    def _translate(self, source: str) -> str:
        """Turn code, magics included, into plain Python."""
        text = to_python(source)
        try:
            tree = ast.parse(text)
        except (SyntaxError, ValueError) as error:
            found = f"not valid Python ({getattr(error, 'msg', error)})"
            raise self._fail(found, line=getattr(error, "lineno", None) or 1) from None
        place = SourceText(text)
        self._check(tree)
        edits: list[Edit] = []
        self._edit_block(tree.body, place, edits, is_top=True)
        self._check_shell(tree, place, edits)
        edits += self._edit_last(tree, place)
        return place.apply(edits)

    def _edit_block(
        self, body: list[ast.stmt], place: SourceText, edits: list[Edit], *, is_top: bool = False
    ) -> None:
        """Prepare the changes in a block; one that would be left empty gets a ``pass``."""
        is_left = is_top
        for statement in body:
            text = self._rewrite(statement, place)
            if text is not None:
                is_comment = all(part.startswith("#") for part in text.splitlines())
                if is_comment and not is_left and statement is body[-1]:
                    text = f"{text}\npass".lstrip("\n")
                edits.append(place.replace(statement, text))
                is_left = is_left or not is_comment
                continue
            is_left = True
            for inner in _list_blocks(statement):
                self._edit_block(inner, place, edits)

    def _rewrite(self, statement: ast.stmt, place: SourceText) -> str | None:
        """Give new text for a statement of IPython's or ours, None for all others."""
        if isinstance(statement, ast.Import | ast.ImportFrom):
            return self._rewrite_import(statement)
        value = getattr(statement, "value", None)
        if not isinstance(statement, ast.Expr | ast.Assign) or value is None:
            return None
        magic = read_magic(value)
        if magic is None:
            return None
        target = ""
        if isinstance(statement, ast.Assign):
            target = "".join(f"{place.cut(item)} = " for item in statement.targets)
        try:
            return self._make_translator().write_statement(magic, target)
        except UntranslatableError as error:
            raise self._fail(str(error), _find_needle(magic)) from None

    def _make_translator(self) -> Translator:
        """Build the translator for this cell."""
        return Translator(self._names, self._needs.use, self._translate)

    def _rewrite_import(self, statement: ast.Import | ast.ImportFrom) -> str | None:
        """Drop imports of IPython's display functions for which the script has its own."""
        if not isinstance(statement, ast.ImportFrom) or not statement.module:
            return None
        names = {item.name for item in statement.names}
        if statement.module in ("IPython.display", "IPython.core.display"):
            unknown = names - set(FALLBACKS)
            if unknown or any(item.asname for item in statement.names):
                listed = ", ".join(sorted(unknown or names))
                found = f"IPython.display.{listed} needs IPython"
                raise self._fail(found, line=statement.lineno)
            self._needs.fallbacks |= names
            return ""
        return None

    def _check(self, tree: ast.Module) -> None:
        """Refuse what no script can do."""
        for node in ast.walk(tree):
            names: list[str] = []
            if isinstance(node, ast.Import):
                names = [item.name for item in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module != "IPython.display":
                names = [node.module or ""]
            for name in names:
                root = name.partition(".")[0]
                if root in _NEEDS_FRONT_END:
                    raise self._fail(f"imports {name}: {_NEEDS_FRONT_END[root]}", name)
                # Code that records by hand goes on to do so; only our magics are dropped.
                self._needs.records |= root == "mlops_nb"
            if isinstance(node, ast.Name) and node.id == "display":
                self._needs.fallbacks.add("display")

    def _check_shell(self, tree: ast.Module, place: SourceText, edits: list[Edit]) -> None:
        """Refuse uses of the shell that no rule has translated."""
        for node in ast.walk(tree):
            if isinstance(node, ast.Name) and node.id == "get_ipython":
                start = place.span(node)[0]
                if not any(edit.start <= start < edit.end for edit in edits):
                    found = "get_ipython() is used in code that a script cannot run"
                    raise self._fail(found, "get_ipython", node.lineno)

    def _edit_last(self, tree: ast.Module, place: SourceText) -> list[Edit]:
        """Show the value of a cell's last expression, as the notebook does."""
        last = tree.body[-1] if tree.body else None
        if not isinstance(last, ast.Expr) or read_magic(last.value) is not None:
            return []
        if place.rest_of_line(last).lstrip().startswith(";") or not _is_worth_showing(last.value):
            return []
        text = place.cut(last)
        if isinstance(last.value, ast.Call | ast.Await):
            self._needs.fallbacks.add("display")
            return [Edit(*place.span(last), f"display({text})")]
        return [Edit(*place.span(last), f"print({text})")]


def _list_blocks(statement: ast.stmt) -> list[list[ast.stmt]]:
    """List the blocks within a statement."""
    blocks = [getattr(statement, name, None) for name in ("body", "orelse", "finalbody")]
    blocks += [handler.body for handler in getattr(statement, "handlers", [])]
    blocks += [case.body for case in getattr(statement, "cases", [])]
    return [block for block in blocks if isinstance(block, list) and block]


def _is_worth_showing(node: ast.expr) -> bool:
    """Tell values from calls that are made for what they do."""
    if isinstance(node, ast.Constant):
        return not isinstance(node.value, str) and node.value is not Ellipsis
    if not isinstance(node, ast.Call):
        return not isinstance(node, ast.Yield | ast.YieldFrom)
    if isinstance(node.func, ast.Name):
        return node.func.id not in _SILENT_CALLS
    root: ast.expr = node.func
    while isinstance(root, ast.Attribute | ast.Subscript | ast.Call):
        root = root.func if isinstance(root, ast.Call) else root.value
    if isinstance(root, ast.Name) and root.id in _PLOTTING:
        return False
    method = node.func.attr if isinstance(node.func, ast.Attribute) else ""
    words = ast.unparse(node.func).split(".")
    if "plot" in words or method in ("hist", "boxplot", "show"):
        return False
    return method not in MUTATING_METHODS - SELF_METHODS


def _find_needle(magic: MagicCall) -> str:
    """Give the text by which a magic can be found in its cell."""
    marks = {"line": f"%{magic.name}", "cell": f"%%{magic.name}", "system": "!"}
    return marks.get(magic.kind, "!" if magic.kind == "capture_output" else "get_ipython")
