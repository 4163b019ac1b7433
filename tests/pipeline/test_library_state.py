"""State that calls leave inside libraries is found, and nothing else is."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mlops_nb.pipeline import library_state
from mlops_nb.pipeline.patches import (
    capture_patches,
    find_calls,
    find_read,
    find_side_imports,
    select_calls,
)

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def forgetful(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let each test begin with nothing remembered, and leave the finders of imports alone."""
    for name in ("_before", "_asked"):
        monkeypatch.setattr(library_state, name, {})
    monkeypatch.setattr(library_state, "_counted", set())
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))


def test_calls_of_imported_functions_are_found() -> None:
    """Only calls through imports count, wherever they stand in a cell; they are no patches."""
    source = "m.add_type('a', '.a')\ndef f():\n    return d(1) + g(2)\nm.x\nlen('')"
    paths = find_calls(source, {"m": "mimetypes", "d": "dask.delayed"})
    assert select_calls(["json.x", *paths]) == ("mimetypes.add_type", "dask.delayed")
    assert capture_patches(paths) == {}


def test_imports_that_nobody_reads_are_found() -> None:
    """What is imported for its effect is found, also where it is deleted; what is used is not."""
    cell = (
        "import torch, shop_units, a.b\nfrom x.y import switch, used\ntorch.rand(used)\ndel switch"
    )
    found = find_side_imports(cell, find_read([cell, "a.b", "1 +"]))
    assert found == ("shop_units()", "a.b()", "x.y()", "x.y.switch()", "x.y.used()")


def test_registry_is_carried() -> None:
    """What a call has put into a dict of a module is found, and put into the same dict again."""
    library_state.begin(["shutil.register_archive_format", "json.dumps"])
    formats = vars(shutil)["_ARCHIVE_FORMATS"]
    shutil.register_archive_format("of-a-test", shutil.copy)
    try:
        found = library_state.collect_changed()
        assert list(found) == ["shutil"]
        assert list(found["shutil"]) == ["_ARCHIVE_FORMATS"]
        is_same, value = found["shutil"]["_ARCHIVE_FORMATS"]
        kept = {"_ARCHIVE_FORMATS": (is_same, dict(value))}
        shutil.unregister_archive_format("of-a-test")
        assert library_state.collect_changed() == {}
        library_state.restore_changed("shutil", kept)
        assert formats is vars(shutil)["_ARCHIVE_FORMATS"]
        assert "of-a-test" in formats
    finally:
        formats.pop("of-a-test", None)


def test_module_imported_later_is_compared_with_its_import() -> None:
    """A module that a cell imports is looked at as it came from its import, by its own loader."""
    program = (
        "import json, sys\n"
        "from mlops_nb.pipeline import library_state as state\n"
        "sys.modules.pop('mimetypes', None)\n"
        "state.begin(['mimetypes.add_type', 'threading.Thread'])\n"
        "import mimetypes, threading\n"
        "mimetypes.add_type('shop/bill', '.bill')\n"
        "threading.Thread(target=len)\n"
        "after = state.collect_changed()\n"
        "found = [sorted(after['mimetypes']), after['threading']['_counter'][1], sorted(after)]\n"
        "print(json.dumps([found, 'exec_module' in vars(mimetypes.__loader__)]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    (changed, count, modules), is_touched = json.loads(done.stdout)
    assert modules == ["mimetypes", "threading"]
    assert {"_db", "types_map"} <= {*changed}
    assert count == 2
    assert not is_touched
