"""The commands about the store as a whole, with their exit codes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from mlops_nb.store import Store

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
