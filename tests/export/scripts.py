"""Writes notebooks, exports them, and runs what comes out, as scripts and in IPython."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mlops_nb.export import export_script
from mlops_nb.notebook.document import (
    new_code_cell,
    new_notebook,
    write_notebook,
)

# Stand-ins for packages that an exported script must not need.
BLOCKED = "raise ImportError('an exported script must not need this')\n"

Cells = Sequence[str | tuple[str, str] | dict[str, Any]]


def build(folder: Path, cells: Cells, name: str = "model.ipynb") -> Path:
    """Write a notebook from sources; a pair is a source with its tag."""
    nodes = []
    for cell in cells:
        if isinstance(cell, dict):
            nodes.append(cell)
        elif isinstance(cell, tuple):
            nodes.append(new_code_cell(cell[0], [cell[1]]))
        else:
            nodes.append(new_code_cell(cell))
    return write_notebook(new_notebook(nodes), folder / name)


def run_script(
    script: Path, *arguments: str, name: str = "__main__", ok: bool = True
) -> tuple[dict[str, Any], str]:
    """Run a script in a fresh interpreter without IPython; give its variables and its output."""
    blocked = script.parent / "blocked"
    for package in ("IPython", "mlops_nb", "ipykernel"):
        (blocked / package).mkdir(parents=True, exist_ok=True)
        (blocked / package / "__init__.py").write_text(BLOCKED, encoding="utf-8")
    dump = script.parent / "dump.json"
    code = (
        "import json, runpy, sys\n"
        f"sys.path.insert(0, {str(blocked)!r})\n"
        f"sys.argv = [{str(script)!r}, *{list(arguments)!r}]\n"
        f"found = runpy.run_path({str(script)!r}, run_name={name!r})\n"
        "kept = {k: v for k, v in found.items() if isinstance(v, (int, float, str, list, dict))"
        " and not k.startswith('__')}\n"
        f"json.dump(kept, open({str(dump)!r}, 'w'), default=repr)\n"
    )
    environment = {k: v for k, v in os.environ.items() if k not in ("DISPLAY", "MPLBACKEND")}
    done = subprocess.run(
        [sys.executable, "-W", "error::SyntaxWarning", "-c", code],
        capture_output=True,
        text=True,
        cwd=script.parent,
        env=environment,
        check=False,
    )
    if not ok:
        assert done.returncode != 0
        return {}, done.stderr
    assert done.returncode == 0, done.stderr
    return json.loads(dump.read_text(encoding="utf-8")), done.stdout


def run_notebook(path: Path, names: Sequence[str]) -> dict[str, Any]:
    """Run a notebook in a real kernel and give some of its variables."""
    import nbformat
    from nbclient import NotebookClient

    node = nbformat.read(path, as_version=4)
    # A shell escape runs for real: a test must never change the machine's packages.
    assert not any(word in cell.source for cell in node.cells for word in ("pip ", "conda "))
    dump = path.parent / "kernel.json"
    code = "import json\njson.dump({" + ", ".join(f"{n!r}: {n}" for n in names) + "}, open("
    node.cells.append(nbformat.v4.new_code_cell(f"{code}{str(dump)!r}, 'w'))"))
    NotebookClient(
        node, kernel_name="python3", resources={"metadata": {"path": str(path.parent)}}
    ).execute()
    found: dict[str, Any] = json.loads(dump.read_text(encoding="utf-8"))
    return found


def run_ipython(folder: Path, cells: Sequence[str], names: Sequence[str]) -> dict[str, Any]:
    """Run cells in a fresh IPython shell, quicker than a kernel, and give some variables."""
    assert not any(word in cell for cell in cells for word in ("pip ", "conda "))
    code = (
        "import json, sys\n"
        "from IPython.core.interactiveshell import InteractiveShell\n"
        "shell = InteractiveShell.instance()\n"
        "cells, names, target = json.loads(sys.argv[1])\n"
        "for cell in cells: shell.run_cell(cell, store_history=False).raise_error()\n"
        "json.dump({n: shell.user_ns[n] for n in names}, open(target, 'w'))\n"
    )
    dump = folder / "ipython.json"
    given = json.dumps([list(cells), list(names), str(dump)])
    environment = os.environ | {"IPYTHONDIR": str(folder / "ipython")}
    command = [sys.executable, "-c", code, given]
    subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True)
    found: dict[str, Any] = json.loads(dump.read_text(encoding="utf-8"))
    return found


def export(folder: Path, cells: Cells, **arguments: Any) -> tuple[Path, str]:
    """Export a notebook built from sources; give the script and its text."""
    script = export_script(build(folder, cells), folder / "train.py", **arguments)
    return script, script.read_text(encoding="utf-8")
