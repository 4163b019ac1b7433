"""The commands about the store as a whole, with their exit codes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from mlops_nb.store import Store
from tests.store.remoting import add_version

Ask = Callable[..., Any]


def test_verify_tells_damage_by_its_exit_code(ask: Ask, store: Store) -> None:
    """A whole store verifies with 0; damage is named and gives 1."""
    digest = store.objects.put_bytes(b"x" * 10)
    assert ask("store", "verify").code == 0
    found = ask("store", "verify", "--json")
    assert (found.code, found.json["damaged"], found.json["checked_packs"]) == (0, [], 1)
    (name,) = store.objects.packs.names()
    path = store.objects.packs.locate(name)
    path.write_bytes(path.read_bytes().replace(b"xx", b"xy", 1))
    told = ask("store", "verify")
    assert told.code == 1
    assert f"damaged: object {digest} in pack {name}" in told.out
    assert (
        ask("store", "verify", "--max-seconds", "0", "--json").json["damaged"][0]["digest"]
        == digest
    )


def test_collecting_and_counting(ask: Ask, store: Store) -> None:
    """Gc marks and deletes, stats counts, rebuild-index fills; each prints one document."""
    store.objects.put_bytes(b"of no use")
    assert ask("store", "stats", "--json").json["packs"] == 1
    assert ask("store", "gc", "--json").json["deleted_packs"] == 0
    assert ask("store", "gc", "--grace-hours", "0", "--json").json["deleted_packs"] == 1
    assert ask("store", "stats", "--json").json["packs"] == 0
    assert ask("store", "rebuild-index", "--json").json == {"runs": 0, "packs": 0}
    for words in (("gc",), ("stats",), ("rebuild-index",)):
        assert "packs" in ask("store", *words).out


@pytest.mark.parametrize("word", ["verify", "gc", "stats", "rebuild-index"])
def test_a_store_that_is_not_there_is_not_made(
    ask: Ask, word: str, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where nothing was recorded the commands answer, and make no store."""
    monkeypatch.setenv("MLOPS_NB_STORE", str(tmp_path / "none"))
    assert ask("store", word, "--json").code == 0
    assert not (tmp_path / "none").exists()


def test_wrong_words_are_refused(ask: Ask, store: Store) -> None:
    """A grace time below zero and an unknown sub-command are usage errors."""
    assert ask("store", "gc", "--grace-hours", "-1").code == 2
    assert ask("store", "melt").code == 2


def test_runs_are_deleted_and_restored(ask: Ask, store: Store) -> None:
    """Delete hides runs, restore lists them and puts them back; both speak JSON."""
    for name in ("one", "two"):
        store.start_run({"name": name, "experiment": "e"}).end("finished")
    told = ask("delete", "one", "--reason", "wrong data", "--json").json
    assert [(run["name"], run["reason"], run["is_kept"]) for run in told] == [
        ("one", "wrong data", True)
    ]
    assert [run["name"] for run in ask("runs", "--json").json] == ["two"]
    assert ask("delete", "one").code == 2
    assert "wrong data" in ask("restore").out
    assert ask("restore", "--json").json == told
    assert ask("restore", "nothing").code == 2
    assert ask("restore", "one", "--json").json["name"] == "one"
    assert len(ask("runs", "--json").json) == 2
    assert "deleted" in ask("delete", "one", "two").out
    assert "restored" in ask("restore", "two").out
    assert ask("restore", told[0]["run_id"][:30]).code == 0
    assert "No deleted runs." in ask("restore").err


def test_aliases_are_deleted_by_the_command(ask: Ask, store: Store) -> None:
    """An alias takes a version or --delete, never both nor neither; a reason is recorded."""
    add_version(store)
    assert ask("alias", "m", "champion", "1", "--reason", "first").code == 0
    assert ask("alias", "m", "champion").code == 2
    assert ask("alias", "m", "champion", "1", "--delete").code == 2
    gone = ask("alias", "m", "champion", "--delete", "--reason", "old")
    assert gone.out == "m@champion is gone; it was version 1\n"
    assert ask("alias", "m", "champion", "--delete", "--json").code == 2
    documents = [one["document"] for one in ask("audit", "list", "--json").json]
    assert [document.get("reason") for document in documents] == [None, "first", "old"]
