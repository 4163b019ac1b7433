"""Reading and writing notebook files."""

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from mlops_nb.errors import NotebookError
from mlops_nb.notebook.document import (
    NotebookDocument,
    new_code_cell,
    new_markdown_cell,
    new_notebook,
    write_notebook,
)


def write(path: Path, node: Any) -> Path:
    """Write any JSON as a notebook file."""
    path.write_text(json.dumps(node), encoding="utf-8")
    return path


def test_written_notebook_is_valid_and_read_back(tmp_path: Path) -> None:
    """A written notebook passes nbformat's validation and reads back cell by cell."""
    source = 'x = 1\ny = "ä\\n😀"\n\nx'
    cells = [new_markdown_cell("# Title"), new_code_cell(source, tags=["step:load", "a", "a"])]
    path = write_notebook(new_notebook(cells), tmp_path / "n.ipynb")
    import nbformat

    nbformat.validate(nbformat.read(path, as_version=4))
    document = NotebookDocument.load(path)
    assert [cell.kind for cell in document.cells] == ["markdown", "code"]
    assert document.code_cells[0].source == source
    assert document.code_cells[0].tags == ("step:load", "a")
    assert document.code_cells[0].index == 1
    assert document.code_cells[0].cell_id == cells[1]["id"]


def test_written_notebook_is_byte_for_byte_what_nbformat_writes(tmp_path: Path) -> None:
    """Our writer and nbformat's give the same bytes, so that diffs stay small."""
    import nbformat

    node = new_notebook([new_code_cell("a\nb\n"), new_code_cell(""), new_markdown_cell("é")])
    ours = write_notebook(node, tmp_path / "ours.ipynb")
    nbformat.write(nbformat.from_dict(node), tmp_path / "theirs.ipynb")
    assert ours.read_bytes() == (tmp_path / "theirs.ipynb").read_bytes()


def test_duplicate_and_missing_cell_ids_are_replaced() -> None:
    """A notebook never holds the same cell id twice."""
    node = new_notebook([new_code_cell("1", cell_id="a"), new_code_cell("2", cell_id="a"), {}])
    ids = [cell["id"] for cell in node["cells"]]
    assert ids[0] == "a"
    assert len(set(ids)) == 3


def test_write_keeps_mode_and_writes_through_a_link(tmp_path: Path) -> None:
    """Replacing a file keeps its mode, its links and leaves no temporary file."""
    if sys.platform == "win32":
        pytest.skip("modes and links are POSIX")
    real = write(tmp_path / "real.ipynb", {})
    real.chmod(0o640)
    link = tmp_path / "link.ipynb"
    link.symlink_to(real)
    write_notebook(new_notebook([]), link)
    assert link.is_symlink()
    assert real.stat().st_mode & 0o777 == 0o640
    assert NotebookDocument.load(real).cells == ()
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["link.ipynb", "real.ipynb"]


def test_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A write that breaks off leaves the old bytes and no litter."""
    path = tmp_path / "n.ipynb"
    path.write_text("old", encoding="utf-8")

    def fail(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(NotebookError, match="No space left"):
        write_notebook(new_notebook([]), path)
    assert path.read_text(encoding="utf-8") == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_lone_surrogate_survives(tmp_path: Path) -> None:
    """Half a surrogate pair in a cell is written escaped instead of failing."""
    path = write_notebook(new_notebook([new_code_cell("s = '\ud800'")]), tmp_path / "n.ipynb")
    assert NotebookDocument.load(path).cells[0].source == "s = '\ud800'"


def test_missing_file_names_its_neighbour(tmp_path: Path) -> None:
    """A misspelt file name is answered with the notebook that exists."""
    write_notebook(new_notebook([]), tmp_path / "first_model.ipynb")
    with pytest.raises(NotebookError, match=r"Did you mean 'first_model.ipynb'\?"):
        NotebookDocument.load(tmp_path / "frist_model.ipynb")
    with pytest.raises(NotebookError, match=r"first_model\.ipynb"):
        NotebookDocument.load(tmp_path / "other.ipynb")
    with pytest.raises(NotebookError, match="no folder"):
        NotebookDocument.load(tmp_path / "no" / "n.ipynb")


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", "not valid JSON"),
        (b"<<<<<<< HEAD\n", "merge conflict"),
        (b"\xff\xfe\x00", "not UTF-8"),
        (b"[1, 2]", "without 'nbformat'"),
        (b'{"nbformat": 4}', "no list of cells"),
        (b'{"nbformat": 5, "cells": []}', "newer"),
        (b'{"nbformat": 4, "cells": [1]}', "not a cell"),
        (b'{"nbformat": 4, "cells": [{"cell_type": "x"}]}', "'x'"),
        (b'{"nbformat": 4, "cells": [{"cell_type": "code", "source": 3}]}', "not text"),
        (b'{"nbformat": 4, "cells": [{"cell_type":"code","metadata":{"tags":"a"}}]}', "list"),
        (b'{"nbformat": 4, "cells": [], "metadata": {"language_info": {"name": "R"}}}', "'R'"),
        (b'{"nbformat": 4, "cells": [], "metadata":{"kernelspec":{"language":"julia"}}}', "julia"),
        (b'{"nbformat": 3, "worksheets": 7}', "cannot be upgraded"),
        (b"[" * 100_000, "nested too deeply|not valid JSON"),
    ],
)
def test_what_is_not_a_notebook_is_refused(tmp_path: Path, content: bytes, found: str) -> None:
    """Every kind of broken file gives one clear error."""
    path = tmp_path / "n.ipynb"
    path.write_bytes(content)
    with pytest.raises(NotebookError, match=found):
        NotebookDocument.load(path)


def test_folder_is_refused(tmp_path: Path) -> None:
    """A folder in place of a file gives our error, not the system's."""
    with pytest.raises(NotebookError, match="cannot be read"):
        NotebookDocument.load(tmp_path)


def test_byte_order_mark_and_bare_metadata_are_accepted(tmp_path: Path) -> None:
    """A file with a byte order mark and without language is read as Python."""
    path = tmp_path / "n.ipynb"
    cell = b'{"cell_type": "code", "source": ["a\\n", "b"], "metadata": {}}'
    path.write_bytes(b'\xef\xbb\xbf{"nbformat": 4, "cells": [' + cell + b"]}")
    assert NotebookDocument.load(path).cells[0].source == "a\nb"


def test_notebook_of_format_3_is_upgraded(tmp_path: Path) -> None:
    """An old notebook is read as if it were of today's format."""
    cell = {"cell_type": "code", "input": ["x = 1\n", "x"], "outputs": [], "language": "python"}
    node = {
        "nbformat": 3,
        "nbformat_minor": 0,
        "metadata": {"name": ""},
        "worksheets": [{"cells": [cell], "metadata": {}}],
    }
    assert NotebookDocument.load(write(tmp_path / "n.ipynb", node)).cells[0].source == "x = 1\nx"


def test_refuses_to_write_what_is_not_a_notebook(tmp_path: Path) -> None:
    """A document of another form is not written."""
    with pytest.raises(NotebookError, match="refused"):
        write_notebook({"cells": []}, tmp_path / "n.ipynb")
    assert not list(tmp_path.iterdir())
