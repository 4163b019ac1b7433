"""What a notebook sets on libraries is found, read and set again."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mlops_nb.pipeline.patches import capture_patches, find_patches, restore_patches

IMPORTS = {"pd": "pandas", "DataFrame": "pandas.DataFrame", "json": "json"}
FOUND = {
    "pd.DataFrame.rows = 1": ("pandas.DataFrame.rows",),
    "DataFrame.rows = 1": ("pandas.DataFrame.rows",),
    "def f():\n    pd.x, json.y = 1, 2": ("pandas.x", "json.y"),
    "json.decoder.BACKSLASH['q'] = 1": ("json.decoder.BACKSLASH[]",),
    "pd.x += 1": ("pandas.x",),
    "df.x = 1\ndf['a'] = 2\nx = pd.y\npd['z'] = 1": (),
    "%matplotlib inline\npd.a = 1": ("pandas.a",),
    "this is not Python": (),
}


@pytest.mark.parametrize("source", FOUND)
def test_assignments_to_libraries_are_found(source: str) -> None:
    """Attributes and items set on what was imported are found, wherever in the cell."""
    assert find_patches(source, IMPORTS) == FOUND[source]


def test_values_are_set_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """An attribute of a module, one of a class and an item of a dict come back."""
    items: dict[str, Any] = {"q": 1}
    monkeypatch.setattr(json, "mine", 5, raising=False)
    monkeypatch.setattr(json.JSONEncoder, "wide", property(lambda self: 7), raising=False)
    monkeypatch.setattr(json, "table", items, raising=False)
    paths = ("json.mine", "json.JSONEncoder.wide", "json.table[]", "json.gone", "unknown.x")
    values = capture_patches(paths)
    assert set(values) == {"json.mine", "json.JSONEncoder.wide", "json.table[]"}
    monkeypatch.setattr(json, "mine", 0)
    monkeypatch.setattr(json.JSONEncoder, "wide", None)
    items.clear()
    restore_patches(values)
    assert json.mine == 5  # type: ignore[attr-defined]
    assert json.JSONEncoder().wide == 7  # type: ignore[attr-defined]
    assert items == {"q": 1}
