"""The parts of running rounds at once, without kernels."""

from __future__ import annotations

import io
import itertools
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mlops_nb.errors import CorruptObjectError
from mlops_nb.pipeline.rounds_crossing import ROUNDS, index_shared, read_rounds, write_rounds
from mlops_nb.pipeline.rounds_evidence import find_conflict, find_unseen
from mlops_nb.pipeline.rounds_guard import (
    Journal,
    UnprovenError,
    read_changed,
    read_folder,
    undo,
)
from mlops_nb.pipeline.rounds_items import list_items
from mlops_nb.pipeline.rounds_order import RoundsOrder, read_order
from mlops_nb.pipeline.rounds_process import join_outputs, join_reports
from mlops_nb.pipeline.slots import Slots

KEY = b"k" * 32


def test_every_item_belongs_to_one_part(tmp_path: Path) -> None:
    """Parts follow one another without gaps, and the last round may stay with the loop."""
    order = RoundsOrder(str(tmp_path), "", (("a", "item"),), ("b",), (), ("c",), (), True, 0, 3)
    order.write()
    assert read_order(order.path) == order
    for keeps_last, total in itertools.product((True, False), range(9)):
        parts = [
            RoundsOrder("", "", (), (), (), (), (), keeps_last, part, 3).find_part(total)
            for part in range(3)
        ]
        count = max(0, total - keeps_last)
        assert [n for first, last in parts for n in range(first, last)] == [*range(count)]


@pytest.mark.parametrize(
    "make",
    [
        lambda: [1, 2],
        lambda: {"a": 1}.items(),
        lambda: zip("ab", enumerate([3, 4]), strict=False),
        lambda: itertools.islice([1, 2, 3], 2),
        lambda: {3, 1},
        lambda: itertools.product("ab", repeat=2),
        lambda: np.arange(3),
        lambda: pd.DataFrame({"a": [1, 2]}).iterrows(),
        lambda: iter([1, 2]),
    ],
)
def test_items_are_listed_ahead(make: Callable[[], Any]) -> None:
    """What runs nobody's code gives the same items at once."""
    found, expected = list_items(make()), list(make())
    assert str(found) == str(expected)


@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (lambda: (n for n in [1]), "a generator"),
        (lambda: map(str, [1]), "a map"),
        (lambda: itertools.chain([1], iter([2])), "itertools.chain"),
        (lambda: {object(), object()}, "a set"),
        (lambda: zip([1], (n for n in [1]), strict=False), "a zip"),
        (lambda: io.StringIO("a"), "StringIO"),
    ],
)
def test_items_that_somebody_computes_are_not(make: Callable[[], Any], kind: str) -> None:
    """A generator of the notebook may see what rounds have done."""
    with pytest.raises(UnprovenError, match=kind):
        list_items(make())


def test_what_rounds_did_to_files_is_undone(tmp_path: Path) -> None:
    """Files come back with their content, new ones vanish, and folders too."""
    work, shared, folder = tmp_path / "work", tmp_path / "all", tmp_path / "all" / "part"
    (work / "old").mkdir(parents=True)
    folder.mkdir(parents=True)
    (work / "a").write_text("first")
    (work / "link").symlink_to(work / "a")
    before = read_folder(work)
    journal = Journal(folder, shared)
    for name in ("a", "a", "link", "new", "new/file", "old"):
        journal.watch(str(work / name))
    (work / "a").write_text("second")
    Journal(folder, shared).watch(str(work / "a"))  # another process comes too late to keep it
    (work / "link").unlink()
    (work / "new").mkdir()
    (work / "new" / "file").write_text("x")
    changed = read_changed(folder)
    assert changed == [str(work / name) for name in ("a", "link", "new", "new/file", "a")]
    assert find_unseen(before, read_folder(work), [folder]) == ""
    (work / "unseen").write_text("")
    assert "unseen" in find_unseen(before, read_folder(work), [folder])
    (work / "unseen").unlink()
    (work / "old").rmdir()
    undo(shared)
    assert (work / "a").read_text() == "first"
    assert (work / "link").is_symlink()
    assert (work / "old").is_dir()
    assert not (work / "new").exists()
    assert list(read_folder(work) or ()) == list(before or ())
    with pytest.raises(UnprovenError, match="it asks"):
        journal.stop("it asks")


@pytest.mark.parametrize(
    ("first", "second", "told"),
    [
        ({}, {}, ""),
        ({"draws": True}, {}, "random generators"),
        ({}, {"outside": ["it uses the database 'x'"]}, "in a round it uses the database"),
        ({"outside": ["it changes '/w/a', which it has read"]}, {}, ""),
        ({"writes": {"/w/a": None}}, {"reads": {"/w/a": None}}, "use the file '/w/a'"),
        ({"writes": {"/w/a": None}}, {"writes": {"/w/a": None}}, "use the file '/w/a'"),
        ({"writes": {"/w/a": None}}, {"writes": {"/w/b": None}}, ""),
        ({"lists": {"/w": None}}, {"writes": {"/w/a": None}}, "lists the folder '/w'"),
    ],
)
def test_rounds_that_touch_the_same_are_found(
    tmp_path: Path, first: dict[str, Any], second: dict[str, Any], told: str
) -> None:
    """Draws, files and folders that two processes share speak against running at once."""
    folders = [tmp_path / "0", tmp_path / "1"]
    for folder, report in zip(folders, (first, second), strict=True):
        folder.mkdir()
        for path in report.get("writes", ()):
            Journal(folder, tmp_path).watch(path)
    found = find_conflict([first, second], folders)
    assert told in found
    assert bool(told) == bool(found)


def test_what_was_shown_is_put_together() -> None:
    """Text goes on in one piece where the loop would have printed it so."""
    out = {"output_type": "stream", "name": "stdout"}
    shown = {"output_type": "display_data", "data": {}}
    joined = join_outputs([[out | {"text": "a"}], [out | {"text": "b"}, shown], [], [shown]])
    assert joined == [out | {"text": "ab"}, shown, shown]


def test_what_was_done_is_put_together() -> None:
    """The step has read, written and recorded what its rounds have."""
    own = {"reads": {"a": 1}, "writes": {"w": 1}, "runs": ["r"], "packages": ["b"], "draws": False}
    part = {"reads": {"a": 2, "c": 3}, "writes": {"w": 2}, "runs": ["s"], "packages": ["a"]}
    found = join_reports(own, [part])
    assert (found["reads"], found["writes"]) == ({"a": 1, "c": 3}, {"w": 2})
    assert (found["runs"], found["packages"], found["draws"]) == (["r", "s"], ["b", "a"], False)


def test_what_rounds_give_is_tied_to_what_is_there(
    tmp_path: Path,
) -> None:
    """Objects from before come back as themselves, NaNs too; whatever else is shared is refused."""
    own = float("nan")
    namespace: dict[str, Any] = {"base": SimpleNamespace(x=[1]), "rows": [{"a": 1}], "own": own}
    shared = index_shared(namespace, namespace)
    made = {ROUNDS: [("out", namespace["base"]), ("out", namespace["rows"][0], own, {"b": 2})]}
    part = write_rounds(made, namespace, namespace, shared, tmp_path, KEY)
    values, links = read_rounds(part, namespace, tmp_path, KEY)
    first, second = values[ROUNDS]
    assert first[1] is namespace["base"]
    assert second[1] is namespace["rows"][0]
    assert second[2] is own
    assert (second[3], links) == ({"b": 2}, [])
    with pytest.raises(CorruptObjectError):
        read_rounds(part, namespace, tmp_path, b"x" * 32)
    deeper = {ROUNDS: [("out", [namespace["base"].x])]}
    with pytest.raises(UnprovenError, match="shares a part with 'base'"):
        write_rounds(deeper, namespace, namespace, shared, tmp_path, KEY)
    with pytest.raises(UnprovenError, match="cannot be carried"):
        write_rounds({ROUNDS: [(n for n in "ab")]}, {}, {}, shared, tmp_path, KEY)


def test_free_places_are_borrowed() -> None:
    """A loop takes the places that no step uses, and gives them back."""
    slots = Slots(3)
    with slots.held():
        with slots.borrowed() as first, slots.borrowed() as second:
            assert (first, second) == (2, 0)
        with slots.borrowed() as third:
            assert third == 2
