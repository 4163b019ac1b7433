"""Sources are parsed also where Python itself fails to at first."""

from __future__ import annotations

import builtins
from typing import Any

import pytest

from mlops_nb.autolog import callsites


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
