"""Sources are parsed also where Python itself fails to at first, and searched once."""

from __future__ import annotations

import ast
import builtins
import textwrap
from collections.abc import Iterator
from typing import Any

import pytest

from mlops_nb.autolog import callsites, definitions
from tests.autolog.conftest import Notebook


@pytest.mark.parametrize(("failures", "is_read"), [(0, True), (2, True), (9, False)])
def test_parser_that_fails_for_no_reason(
    monkeypatch: pytest.MonkeyPatch, failures: int, is_read: bool
) -> None:
    """A parser that another thread has disturbed is asked again; at last there is no source."""
    left = [failures]

    def disturbed(*args: Any, **kwargs: Any) -> Any:
        if left[0]:
            left[0] -= 1
            raise SystemError("AST constructor recursion depth mismatch (before=243, after=29)")
        return builtins.compile(*args, **kwargs)

    monkeypatch.setattr(callsites, "compile", disturbed, raising=False)
    source = f"x = f({failures})"
    assert (callsites.parse_text(source) is not None) == is_read
    callsites.forget_sources()


def test_syntax_is_searched_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a name was given is found again without another walk, by name and line."""
    walks: list[ast.AST] = []
    original = definitions._walk_scope

    def count(scope: ast.AST) -> Iterator[ast.AST]:
        walks.append(scope)
        return original(scope)

    monkeypatch.setattr(definitions, "_walk_scope", count)
    scope = ast.parse("p = f(1)\np = g(2)\nd['k'] = p\n")
    for _ in range(3):
        first = definitions.last_definition(scope, "p", 1)
        last = definitions.last_definition(scope, "p", None)
        assert [ast.unparse(node) for node in (first, last) if node] == ["f(1)", "g(2)"]
        assert definitions.last_definition(scope, "q", None) is None
        fills = definitions.list_fills(scope, "d")
        assert [ast.unparse(value) for _, value in fills] == ["p"]
    assert len(walks) == 4


def test_functions_are_found_by_their_first_line() -> None:
    """Of functions with one name, and of one with a decorator, that which runs is found."""
    source = textwrap.dedent(
        """
        import functools, sys
        def same(): return sys._getframe()
        first = same()
        @functools.cache
        def same(): return sys._getframe()
        second = same()
        """
    )
    space: dict[str, Any] = {}
    exec(source, space)
    tree = callsites.parse_text(source)
    assert tree is not None
    found = [callsites.find_function(tree, space[name]) for name in ("first", "second")]
    assert [node.lineno for node in found if node] == [3, 6]
    callsites.forget_sources()


def test_a_metric_of_another_model_in_the_same_place(notebook: Notebook) -> None:
    """The way that led to a model once does not lead to it when the name is another's."""
    notebook.run(
        "from sklearn.metrics import r2_score\n"
        "one, two = Ridge().fit(X, y), Ridge(alpha=9).fit(X, y)\n"
        "for used in (one, one, two, y):\n"
        "    guess = used.predict(X) if used is not y else y\n"
        "    score = r2_score(y, guess)\n"
    )
    counts = [len(notebook.store.read_metric_history(r.run_id, "score")) for r in notebook.runs()]
    assert counts[0] == 2
    assert counts[1] >= 1
