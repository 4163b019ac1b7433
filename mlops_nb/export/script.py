"""A notebook as one plain Python script with the same results.

The script is module level code in notebook order, because only that is faithful: variables stay
global as they are in the kernel, so functions see them, ``globals()`` works, random numbers are
drawn in the same order, and ``runpy.run_path`` gives all variables to whoever compares. The oracle
is the notebook after Restart-and-Run-All with the same parameters.
"""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mlops_nb.errors import ExportError
from mlops_nb.export.cells import FALLBACKS, CellWriter, ScriptNeeds
from mlops_nb.export.options import write_parser
from mlops_nb.notebook.dataflow import CellFlow, FlowTable
from mlops_nb.notebook.document import Cell, NotebookDocument, replace_file
from mlops_nb.notebook.giving import resolve_parameters
from mlops_nb.notebook.magics import parse_cell
from mlops_nb.notebook.parameters import Parameter, read_parameters
from mlops_nb.notebook.tags import CellRole, read_roles

MARK = "# Written by mlops_nb export; changes here are lost with the next export."
_WIDTH = 79
_HEADLESS = """\
# Without a display figures are drawn into memory only.
if {sys}.platform == "linux" and not (
    {os}.environ.get("DISPLAY") or {os}.environ.get("WAYLAND_DISPLAY")
):
    {os}.environ["MPLBACKEND"] = "Agg"
    {warnings}.filterwarnings("ignore", message=".*non-interactive, and thus cannot be shown")"""


def export_script(
    notebook: Path | str,
    output: Path | str,
    params: Mapping[str, Any] | None = None,
    *,
    overwrite: bool = False,
) -> Path:
    """Write a notebook as a script that runs without IPython and gives the same results.

    Parameters
    ----------
    notebook
        The notebook; cells tagged ``skip`` are left out.
    output
        The script.
    params
        New defaults of its parameters.
    overwrite
        Replace a file that this function did not write.

    Returns
    -------
    Path
        The script.

    Raises
    ------
    ExportError
        Where a cell does what a script cannot, or the target is not ours; nothing is written.
    """
    document = NotebookDocument.load(notebook)
    target = Path(output)
    check_target(target, document.path, overwrite=overwrite)
    return put_script(write_script(document, params), target)


def write_script(document: NotebookDocument, params: Mapping[str, Any] | None = None) -> str:
    """Give a notebook as the text of a script.

    Parameters
    ----------
    document
        The notebook; cells tagged ``skip`` are left out.
    params
        New defaults of its parameters.

    Returns
    -------
    str
        Valid Python.

    Raises
    ------
    ExportError
        Where a cell does what a script cannot.
    """
    parameters = read_parameters(document, may_compute=False)
    for parameter in parameters:
        if parameter.enum:
            found = f"parameter {parameter.name!r} is a member of the class {parameter.enum!r}"
            hint = "A script reads options as texts and numbers: declare it as a Literal."
            raise ExportError(document.path, found, hint=hint)
    values = resolve_parameters(parameters, params)
    script = _ScriptWriter(document, parameters, values).write()
    try:
        compile(script, document.path.stem, "exec")
    except (SyntaxError, ValueError) as error:
        found = f"the script would not be valid Python ({getattr(error, 'msg', error)})"
        hint = "Code outside of functions cannot use 'await' in a script."
        raise ExportError(document.path, found, hint=hint) from None
    return script


def put_script(script: str, target: Path) -> Path:
    """Put a script in its place, all at once.

    Parameters
    ----------
    script
        Its text.
    target
        The file.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    ExportError
        It cannot be written.
    """
    try:
        replace_file(target, script.encode("utf-8", "backslashreplace"))
    except OSError as error:
        raise ExportError(target, f"cannot be written: {error.strerror}") from error
    return target


def check_target(target: Path, notebook: Path, *, overwrite: bool) -> None:
    """Refuse to write over what is not ours.

    Parameters
    ----------
    target
        Where a script shall come.
    notebook
        What it is made of, for the message.
    overwrite
        Replace a file that no export has written.

    Raises
    ------
    ExportError
        A file is in the way.
    """
    if target.is_dir() or target.suffix == ".ipynb":
        raise ExportError(notebook, f"cannot write the script to {str(target)!r}")
    if not target.exists() or overwrite:
        return
    with target.open("rb") as stream:
        head = stream.read(4096)
    if MARK.encode() not in head:
        hint = "Choose another file, or allow to overwrite it."
        raise ExportError(
            notebook, f"{str(target)!r} exists and was not written by an export", hint=hint
        )


class _ScriptWriter:
    """Puts the head and the cells of a script together."""

    def __init__(
        self,
        document: NotebookDocument,
        parameters: tuple[Parameter, ...],
        values: Mapping[str, Any],
    ) -> None:
        self._document, self._parameters, self._values = document, parameters, values
        self._roles = read_roles(document)
        self._flows: dict[int, CellFlow] = {}
        self._names: dict[int, frozenset[str]] = {}
        self._future: set[str] = set()
        self._analyze()
        # 'import os' of the notebook is no other 'os' than ours; IPython's display becomes ours.
        taken = {
            name
            for flow in self._flows.values()
            for name in flow.writes | flow.maybe_writes
            if not _is_ours(name, flow.imports.get(name, ""))
        }
        self._needs = ScriptNeeds(frozenset(taken))

    def _kept(self) -> list[tuple[Cell, CellRole]]:
        """List the cells that run in the script."""
        pairs = zip(self._document.cells, self._roles, strict=True)
        return [pair for pair in pairs if not pair[1].is_skipped and pair[0].kind == "code"]

    def _analyze(self) -> None:
        """Follow the names through the cells, refusing what depends on the session."""
        table, names = FlowTable(), frozenset[str]()
        for cell, role in self._kept():
            flow = table.add(cell.source)
            names |= flow.writes | flow.maybe_writes
            self._flows[cell.index], self._names[cell.index] = flow, names
            for item in flow.opaque:
                if "output history" in item.reason or "__main__" in item.reason:
                    found = f"line {item.line}: {item.reason}"
                    raise ExportError(self._document.path, found, cell.index)
            if role.raises_exception:
                found = "it is tagged 'raises-exception': a script would end there"
                hint = "Catch the exception in the cell, or tag it 'skip'."
                raise ExportError(self._document.path, found, cell.index, hint)

    def write(self) -> str:
        """Give the text of the script."""
        body = self._write_body()
        head = self._write_head()
        return "\n\n".join([*head, *body]).rstrip("\n") + "\n"

    # ------------------------------------------------------------------ cells

    def _write_body(self) -> list[str]:
        """Write the cells in order, with a header for each step."""
        blocks: list[str] = []
        step: str | None = None
        for cell, role in zip(self._document.cells, self._roles, strict=True):
            if cell.kind == "markdown":
                blocks += _write_headings(cell.source)
                continue
            if cell.index not in self._flows:
                continue
            text = self._write_parameters(cell) if role.is_parameters else self._write_cell(cell)
            if not text.strip():
                continue
            if role.step is not None and role.step != step:
                step = role.step
                blocks.append(f"# ---- step: {step} ".ljust(_WIDTH, "-"))
            blocks.append(text)
        return blocks

    def _write_cell(self, cell: Cell) -> str:
        """Write one cell, its __future__ imports set aside."""
        writer = CellWriter(cell, self._document.path, self._names[cell.index], self._needs)
        text = writer.write()
        lines = text.splitlines()
        if "__future__" not in text:
            return text
        for statement in ast.parse(text).body:
            if isinstance(statement, ast.ImportFrom) and statement.module == "__future__":
                self._future |= {item.name for item in statement.names}
                for number in range(statement.lineno - 1, statement.end_lineno or 0):
                    lines[number] = ""
        return "\n".join(lines).strip("\n")

    def _write_parameters(self, cell: Cell) -> str:
        """Write the parameters cell: its imports, and each name from its option."""
        imports = []
        for statement in parse_cell(cell.source).body:
            if isinstance(statement, ast.ImportFrom) and statement.module == "__future__":
                self._future |= {item.name for item in statement.names}
            elif isinstance(statement, ast.Import | ast.ImportFrom):
                imports.append(ast.unparse(statement))
        args = self._needs.name("args")
        lines = []
        for parameter in self._parameters:
            annotation = f": {parameter.annotation}" if parameter.annotation else ""
            comment = f"  # {parameter.help}" if parameter.help else ""
            lines.append(f"{parameter.name}{annotation} = {args}.{parameter.name}{comment}")
        return "\n".join([*imports, *lines])

    # ------------------------------------------------------------------ head

    def _write_head(self) -> list[str]:
        """Write what stands above the first cell."""
        name = self._document.path.name
        summary = f"The code of {name} as a plain script."
        needs = "It records what it does with mlops_nb, which must be installed."
        usage = "Run it with --help to see its parameters."
        more = [
            text
            for text, is_true in ((needs, self._needs.records), (usage, self._parameters))
            if is_true
        ]
        text = "\n\n".join([summary, *more])
        # A name may hold quotes or backslashes, which must not end the docstring.
        safe = text.replace("\\", "\\\\").replace('"', "'")
        head = [f'{MARK}\n"""{safe}{chr(10) if more else ""}"""']
        if self._future:
            head.append(f"from __future__ import {', '.join(sorted(self._future))}")
        blocks, imports = self._write_support()
        for module in self._needs.modules:
            alias = self._needs.name(module)
            imports.add(f"import {module}" + (f" as {alias}" if alias != module else ""))
        if imports:
            head.append("\n".join(sorted(imports, key=lambda line: (line[:4] == "from", line))))
        return head + blocks

    def _write_support(self) -> tuple[list[str], set[str]]:
        """Write what the cells need: drawing without display, own display, parameters."""
        blocks: list[str] = []
        imports: set[str] = set()
        if self._uses_matplotlib():
            modules = {module: self._needs.use(module) for module in ("os", "sys", "warnings")}
            blocks.append(_HEADLESS.format(**modules))
        taken = self._needs.taken
        own = [text for name, text in FALLBACKS.items() if name in self._needs.fallbacks - {*taken}]
        blocks += [f"\n{text}" for text in own]
        if self._parameters:
            function, args = self._needs.name("parse_args"), self._needs.name("args")
            name = self._document.path.name
            parser, imports = write_parser(self._parameters, self._values, name, function)
            blocks.append(f"\n{parser}")
            call = f'{function}() if __name__ == "__main__" else {function}([])'
            blocks.append(f"\n{args} = {call}")
        return blocks, imports

    def _uses_matplotlib(self) -> bool:
        """Tell whether figures may be drawn."""
        paths = {path for flow in self._flows.values() for path in flow.imports.values()}
        return any(path.split(".")[0] in ("matplotlib", "seaborn", "pylab") for path in paths)


def _is_ours(name: str, path: str) -> bool:
    """Tell whether an import gives what the head of the script would give too."""
    return name == path or path.startswith(("IPython.display.", "IPython.core.display."))


def _write_headings(source: str) -> list[str]:
    """Give the headings of a markdown cell as comments."""
    headings = []
    is_fenced = False
    for line in source.splitlines():
        is_fenced ^= line.lstrip().startswith("```")
        if line.startswith("#") and not is_fenced and line.lstrip("#").startswith(" "):
            text = textwrap.shorten(line.lstrip("#").strip(), _WIDTH - 2, placeholder=" ...")
            headings.append(f"# {text}")
    return headings
