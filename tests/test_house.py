"""The house stays as it is drawn: small modules, short functions, light imports."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
MODULES = sorted(ROOT.glob("mlops_nb/**/*.py"))
LONGEST_MODULE = 400
LONGEST_FUNCTION = 50
HEAVY = (
    "pandas", "numpy", "sklearn", "torch", "matplotlib", "pyarrow", "papermill", "sqlalchemy",
    "nbformat", "nbconvert", "nbclient", "ipywidgets", "skops", "starlette", "uvicorn", "rich", "scipy",
)  # fmt: skip
PANEL = ROOT / "labextension" / "src"
LEAST_TESTED = 0.5
FORBIDDEN_NAMES = ("utils", "helpers", "common", "base", "manager", "misc")


def name_module(path: Path) -> str:
    """Name a module by its place in the project."""
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", MODULES, ids=name_module)
def test_module_is_short(path: Path) -> None:
    """A module has at most 400 lines."""
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= LONGEST_MODULE, f"{lines} lines: split it by what it does"


def count_code_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Count a function's lines without its docstring."""
    total = (node.end_lineno or node.lineno) - node.lineno + 1
    first = node.body[0]
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
        total -= (first.end_lineno or first.lineno) - first.lineno + 1
    return total


@pytest.mark.parametrize("path", MODULES, ids=name_module)
def test_functions_are_short(path: Path) -> None:
    """A function has at most 50 lines of code."""
    long = {
        node.name: count_code_lines(node)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and count_code_lines(node) > LONGEST_FUNCTION
    }
    assert not long


def test_no_room_for_leftovers() -> None:
    """No module is named after what it is not."""
    assert not [path for path in MODULES if path.stem.strip("_") in FORBIDDEN_NAMES]


def test_every_test_says_what_it_holds() -> None:
    """Every test states the behaviour in one sentence."""
    silent = [
        f"{name_module(path)}::{node.name}"
        for path in sorted(ROOT.glob("tests/**/test_*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
        and not ast.get_docstring(node)
    ]
    assert not silent


def test_panel_is_tested() -> None:
    """The panel has a line of tests for every two lines of source, at the least."""
    tested = {True: 0, False: 0}
    for path in PANEL.glob("**/*.ts*"):
        tested["__tests__" in path.parts] += len(path.read_text(encoding="utf-8").splitlines())
    ratio = tested[True] / tested[False]
    assert ratio >= LEAST_TESTED, f"{tested[True]} lines of tests for {tested[False]}: {ratio:.2f}"


@pytest.mark.parametrize(
    "module", ["mlops_nb", "mlops_nb.api", "mlops_nb.kernel.extension", "mlops_nb.cli.main"]
)
def test_import_is_light(module: str) -> None:
    """Importing a door in a fresh interpreter loads none of the heavy packages."""
    code = f"import json, sys, {module}; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    loaded = {name.partition(".")[0] for name in json.loads(done.stdout)}
    assert not loaded & set(HEAVY)


def test_floors_hold() -> None:
    """An import only goes down, and no room stands outside the plan."""
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
