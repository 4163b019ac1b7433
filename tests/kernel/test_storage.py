"""``%mlops`` on what is kept: runs are deleted and restored, aliases taken away."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from mlops_nb import api
from mlops_nb.errors import NotFoundError, UsageError

Run = Callable[..., Any]


def test_runs_are_deleted_and_restored(loaded: Run) -> None:
    """The table of deleted runs names the way back, and restoring shows the run."""
    loaded("with mlops.start_run('one'): mlops.log_metric('acc', 0.5)")
    assert loaded("%mlops restore").result.rows == ()
    shown = loaded("%mlops delete one --reason 'wrong data'").result
    assert shown.rows[0][1] == "one"
    assert shown.rows[0][2] == f"%mlops restore {shown.rows[0][0]}"
    assert api.list_runs() == []
    assert loaded("%mlops restore").result.rows[0][4:] == ("wrong data", "can be restored")
    assert loaded("%mlops restore one").result.rows[0][1] == "one"
    assert [run.name for run in api.list_runs()] == ["one"]
    with pytest.raises(NotFoundError):
        loaded("%mlops restore one").raise_error()


def test_the_store_is_counted_checked_and_collected(loaded: Run) -> None:
    """Each action of ``%mlops store`` gives the table of its verb; no word means stats."""
    loaded("with mlops.start_run('one'): mlops.log_metric('acc', 0.5)")
    digest = api.get_store().objects.put_bytes(b"of no use " * 3)

    def facts(line: str) -> dict[str, Any]:
        return dict(loaded(line).result.rows)

    assert facts("%mlops store") == facts("%mlops store stats")
    packs = facts("%mlops store")["packs"]
    assert packs >= 1
    assert facts("%mlops store verify")["damaged"] == 0
    assert facts("%mlops store verify --max-seconds 0")["checked packs"] == 1
    assert facts("%mlops store gc")["deleted packs"] == 0
    assert facts("%mlops store gc --grace-hours 0")["deleted packs"] >= 1
    assert not api.get_store().objects.has(digest)
    assert facts("%mlops store rebuild-index")["runs"] == 1


def test_damage_is_shown(loaded: Run) -> None:
    """A verification names each damaged object and its pack under the counts."""
    objects = api.get_store().objects
    digest = objects.put_bytes(b"x" * 10)
    ((name, record),) = objects.index.find(bytes.fromhex(digest))
    path = objects.packs.locate(name)
    data = bytearray(path.read_bytes())
    data[record.offset] ^= 1
    path.write_bytes(data)
    shown = repr(loaded("%mlops store verify").result)
    assert digest in shown
    assert "does not match its digest" in shown


@pytest.mark.parametrize("words", ["melt", "stats --grace-hours 1", "gc --max-seconds 1"])
def test_wrong_words_are_refused(loaded: Run, words: str) -> None:
    """An unknown action, and an option of another one, are usage errors."""
    with pytest.raises(UsageError):
        loaded(f"%mlops store {words}").raise_error()


def test_an_alias_is_taken_away(loaded: Run) -> None:
    """``%mlops alias`` takes a version or --delete."""
    loaded(
        "from sklearn.linear_model import LogisticRegression as M\nm = M().fit([[0.0], [1.0]], [0, 1])"
    )
    loaded("%mlops register m --name m --alias champion")
    with pytest.raises(UsageError, match="neither"):
        loaded("%mlops alias m champion").raise_error()
    with pytest.raises(UsageError, match="a version and"):
        loaded("%mlops alias m champion 1 --delete").raise_error()
    assert "was version 1" in repr(loaded("%mlops alias m champion --delete").result)
    assert api.get_model("m").aliases == ()
