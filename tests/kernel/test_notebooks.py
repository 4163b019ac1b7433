"""``%mlops slice`` in a running shell."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mlops_nb.errors import NotFoundError
from mlops_nb.kernel.magics import perform
from mlops_nb.notebook.document import new_code_cell, new_notebook, write_notebook


def test_slice_is_a_table(shell: Any, tmp_path: Path) -> None:
    """Cells, their first lines and reasons; other cells are left out."""
    cells = [
        new_code_cell("a = 1"),
        new_code_cell("b = 2"),
        new_code_cell(f"\nc = a + 1  # {'x' * 80}"),
    ]
    path = write_notebook(new_notebook(cells), tmp_path / "nb.ipynb")
    shown = perform(shell, f"slice c {path}")
    assert shown is not None
    text = shown._repr_mimebundle_()["text/plain"]
    assert "c: 2 of 3 code cells" in text
    assert "a (line 1: bound here)" in text
    assert "b = 2" not in text
    with pytest.raises(NotFoundError, match="no variable 'zzz'"):
        perform(shell, f"slice zzz {path}")
