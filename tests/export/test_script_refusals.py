"""What a script cannot do is refused, and nothing is lost by it."""

from pathlib import Path

import pytest

from mlops_nb.errors import ExportError, ParameterNotFoundError
from mlops_nb.export import export_script
from tests.export.scripts import build, export, run_script


@pytest.mark.parametrize(
    ("source", "line", "found"),
    [
        ("x = 1\n\n%%cython\n", 3, "%%cython|valid"),
        ("%%R\nx <- 1", 1, "%%R"),
        ("x = 1\n%run other.ipynb", 2, "%run"),
        ("%cd -", 1, "history"),
        ("x = 1\nshell = get_ipython()", 2, "get_ipython"),
        ("get_ipython().user_ns['x']", 1, "get_ipython"),
        ("%unheard x", 1, "%unheard"),
        ("a = %timeit -o x", 1, "%timeit"),
        ("%%capture out\nprint(1)", 1, "%%capture"),
        ("%%bash --bg\nls", 1, "--bg"),
        ("import ipywidgets as w", 1, "widgets"),
        ("from IPython import get_ipython", 1, "IPython"),
        ("from IPython.display import Audio", 1, "Audio"),
        ("1\n_ + 1", 2, "history"),
        ("x = = 1", 1, "valid Python"),
        ("import asyncio\nawait asyncio.sleep(0)", 0, "valid Python"),
    ],
)
def test_what_a_script_cannot_do_is_refused(
    tmp_path: Path, source: str, line: int, found: str
) -> None:
    """A refusal names cell and line, and nothing is written."""
    path = build(tmp_path, ["ok = 1", source])
    with pytest.raises(ExportError, match=found) as caught:
        export_script(path, tmp_path / "train.py")
    assert not (tmp_path / "train.py").exists()
    if line:
        assert caught.value.cell == 1
        assert f"line {line}:" in str(caught.value)


def test_cells_that_expect_an_error_are_refused(tmp_path: Path) -> None:
    """A script would end where the notebook goes on."""
    path = build(tmp_path, [("1/0", "raises-exception")])
    with pytest.raises(ExportError, match="raises-exception"):
        export_script(path, tmp_path / "train.py")


def test_failing_command_raises(tmp_path: Path) -> None:
    """A shell command that fails ends the script."""
    script, _ = export(tmp_path, ["!exit 7"])
    assert "exit status 7" in run_script(script, ok=False)[1]


def test_unknown_parameter_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    """A misspelt parameter is answered with the right name."""
    path = build(tmp_path, [("test_size = 1", "parameters")])
    with pytest.raises(ParameterNotFoundError, match="test_size"):
        export_script(path, tmp_path / "train.py", {"tset_size": 1})
    assert not (tmp_path / "train.py").exists()


def test_only_our_own_files_are_replaced(tmp_path: Path) -> None:
    """A script of ours is replaced, another file only when allowed."""
    path, target = build(tmp_path, ["x = 1"]), tmp_path / "train.py"
    target.write_text("precious = True\n", encoding="utf-8")
    with pytest.raises(ExportError, match="was not written by an export"):
        export_script(path, target)
    assert target.read_text(encoding="utf-8") == "precious = True\n"
    export_script(path, target, overwrite=True)
    export_script(build(tmp_path, ["x = 2"]), target)
    assert "x = 2" in target.read_text(encoding="utf-8")
    for wrong in (tmp_path, path):
        with pytest.raises(ExportError, match="cannot write"):
            export_script(path, wrong, overwrite=True)
    with pytest.raises(ExportError, match="cannot be written"):
        export_script(path, tmp_path / "no" / "train.py")
