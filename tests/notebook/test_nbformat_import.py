"""The grammar of addresses is read when it is asked for, and works as ever."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from mlops_nb.notebook import nbformat_import

_PROGRAM = """
import json, sys
from mlops_nb.notebook.nbformat_import import import_nbformat

nbformat = import_nbformat()
import papermill
found = ["rfc3987_syntax" in sys.modules, "lark" in sys.modules]
node = nbformat.from_dict({"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
nbformat.validate(node)
import jsonschema

checker = jsonschema.FormatChecker(["iri"])
found += [checker.conforms("https://example.org/a", "iri"), checker.conforms("no address", "iri")]
import rfc3987_syntax

found += [rfc3987_syntax.is_valid_syntax("iri", "https://example.org/a"), "lark" in sys.modules]
found.append([type(each).__name__ for each in sys.meta_path].count("_Postponed"))
print(json.dumps(found))
"""


def test_grammar_is_read_when_it_is_asked_for() -> None:
    """Importing papermill reads no grammar; checks of addresses come out as without us."""
    pytest.importorskip("rfc3987_syntax", reason="older jsonschema")
    place = Path(nbformat_import.__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", _PROGRAM],
        cwd=place, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert json.loads(done.stdout) == [False, False, True, False, True, True, 0]


def test_stand_in_gives_every_name_of_the_grammar(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who imports it meanwhile, from another thread too, has all of it."""
    real = pytest.importorskip("rfc3987_syntax", reason="older jsonschema")
    postponed = nbformat_import._Postponed()
    spec = postponed.find_spec("rfc3987_syntax")
    assert spec is not None
    assert postponed.find_spec("json") is None
    stand_in = type(sys)("rfc3987_syntax")
    monkeypatch.setitem(sys.modules, "rfc3987_syntax", real)
    postponed.exec_module(stand_in)
    assert stand_in.is_valid_syntax("iri", "https://example.org/a")
    assert stand_in.parse is not None
    with pytest.raises(AttributeError):
        _ = stand_in.__nonsense__
