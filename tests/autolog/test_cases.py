"""Every case of the harm suite has a test that exists, or a reason."""

from __future__ import annotations

import ast
from pathlib import Path

from tests.autolog.cases import CASES, REASONS

TESTS = Path(__file__).parents[1]


def _list_tests(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {node.name for node in tree.body if isinstance(node, kinds)}


def test_every_case_has_a_test_or_a_reason() -> None:
    """The numbers are those of the research page, 1 to 110, and every test that is named is there."""
    assert set(CASES) | set(REASONS) == set(range(1, 111))
    known: dict[str, set[str]] = {}
    missing = []
    for number, names in CASES.items():
        for name in names:
            file, _, test = name.partition("::")
            if file not in known:
                path = TESTS / f"{file}.py"
                known[file] = _list_tests(path) if path.is_file() else set()
            if not test.startswith("test_") or test not in known[file]:
                missing.append((number, name))
    assert missing == []
