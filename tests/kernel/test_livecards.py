"""A card is begun while its cell runs, told again now and then, and is the final card in the end."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from mlops_nb import api
from mlops_nb.kernel import livecards
from mlops_nb.kernel.cardboard import CardBoard
from mlops_nb.kernel.cards import MEDIA_TYPE
from mlops_nb.kernel.extension import find_extension
from mlops_nb.kernel.livecards import can_be_live
from mlops_nb.records import ProgressRecord

HALF = ProgressRecord(5, 10, 2.0, "fold")


class Screen:
    """Keeps what is published, as a front end would."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []

    def publish(self, **message: Any) -> None:
        """Take a message."""
        self.messages.append(message)

    @property
    def last(self) -> dict[str, Any]:
        """The document of the latest card."""
        document: dict[str, Any] = self.messages[-1]["data"][MEDIA_TYPE]["runs"][0]
        return document


@pytest.fixture
def screen() -> Screen:
    """Give a screen."""
    return Screen()


@pytest.fixture
def board(screen: Screen, monkeypatch: pytest.MonkeyPatch) -> CardBoard:
    """Give a board whose first telling comes at once, and every later one too."""
    monkeypatch.setattr(livecards, "FIRST_S", 0.0)
    monkeypatch.setattr(livecards, "_LONGEST_S", 0.0)
    api.open_session()
    return CardBoard(SimpleNamespace(display_pub=screen))


def test_card_is_told_and_ends_as_the_final_one(board: CardBoard, screen: Screen) -> None:
    """It shows progress while the cell runs; at the end the same place shows the result."""
    index = api.begin_cell("...")
    assert index is not None
    run = api.start_run("folds")
    board.live.see(run.run_id, HALF)
    assert screen.messages == []  # no cell that somebody looks at
    board.live.begin()
    board.live.see(run.run_id, HALF)
    assert screen.last["status"] == "running"
    assert screen.last["progress"] == {"n": 5, "total": 10, "rate": 2.0, "description": "fold"}
    assert "fold 5/10 · 2/s" in screen.messages[-1]["data"]["text/plain"]
    assert "<progress value='0.500'" in screen.messages[-1]["data"]["text/html"]
    api.log_metric("acc", 0.75)
    board.live.see(run.run_id, None)
    assert screen.last["metrics"] == {"acc": 0.75}
    api.end_run()
    board.show(api.end_cell(index))
    assert screen.last["status"] == "finished"
    assert screen.last["progress"] is None
    assert "<progress" not in screen.messages[-1]["data"]["text/html"]
    assert [each["update"] for each in screen.messages] == [False, True, True]
    assert len({each["transient"]["display_id"] for each in screen.messages}) == 1
    board.live.see(run.run_id, HALF)
    assert len(screen.messages) == 3


def test_next_run_of_the_cell_takes_the_card(board: CardBoard, screen: Screen) -> None:
    """Where one run follows another in a cell, one card tells of the one that goes on."""
    board.live.begin()
    first = api.start_run("first")
    board.live.see(first.run_id, HALF)
    first.end()
    board.live.see(first.run_id, HALF)
    second = api.start_run("second")
    board.live.see(second.run_id, None)
    assert [each["update"] for each in screen.messages] == [False, True]
    assert screen.last["name"] == "second"


def test_tellings_are_rare(
    board: CardBoard, screen: Screen, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A card is not begun at once, and not told again at once."""
    run = api.start_run("r")
    monkeypatch.setattr(livecards, "FIRST_S", 1000.0)
    board.live.begin()
    board.live.see(run.run_id, HALF)
    assert screen.messages == []
    monkeypatch.setattr(livecards, "FIRST_S", 0.0)
    board.live.see(run.run_id, HALF)
    monkeypatch.setattr(livecards, "FIRST_S", 1000.0)
    monkeypatch.setattr(board.live, "_began", -5000.0)
    board.live.see(run.run_id, HALF)
    assert len(screen.messages) == 1


def test_a_cell_that_clears_its_output_gets_its_card_at_the_end(
    board: CardBoard, screen: Screen
) -> None:
    """After clear_output no card flickers in between, and the final one is shown anew."""
    index = api.begin_cell("...")
    assert index is not None
    board.live.begin()
    run = api.start_run("r")
    board.live.see(run.run_id, HALF)
    board.live.clear()
    board.live.see(run.run_id, HALF)
    run.end()
    board.show(api.end_cell(index))
    assert [each["update"] for each in screen.messages] == [False, False]


def test_a_card_that_fails_stops_by_itself(
    loaded: Callable[..., Any],
    shell: Any,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """What goes wrong on the thread is told once; the thread, cells and final cards go on."""
    hooks = find_extension(shell).hooks  # type: ignore[union-attr]
    assert hooks is not None
    monkeypatch.setattr(hooks._cards.live, "see", lambda *_: 1 / 0)  # type: ignore[union-attr]
    for _ in range(2):
        hooks._see_run("r", None)
    assert capfd.readouterr().err.count("cards of cells that still run stopped") == 1
    loaded("with mlops.start_run('r'): pass")
    assert "run r · finished" in capfd.readouterr().out


def test_unloading_ends_the_thread(loaded: Callable[..., Any]) -> None:
    """After %unload_ext nothing looks at runs any more."""
    loaded("run = mlops.start_run('open')")
    assert "mlops_nb-sampler" in {each.name for each in threading.enumerate()}
    loaded("%unload_ext mlops_nb")
    for thread in threading.enumerate():
        if thread.name == "mlops_nb-sampler":  # it was told, and nobody waits long for it
            thread.join(120)
            assert not thread.is_alive()


@pytest.mark.parametrize(
    ("shell", "cell_id", "parent", "expected"),
    [
        (SimpleNamespace(kernel=1), "abc", "", True),
        (SimpleNamespace(kernel=1), None, "", False),
        (SimpleNamespace(), "abc", "", False),
        (SimpleNamespace(kernel=1), "abc", "01900000", False),
    ],
)
def test_only_a_front_end_sees_live_cards(
    shell: Any, cell_id: str | None, parent: str, expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not in terminals, papermill's kernels and steps of pipelines: their outputs stay the same."""
    monkeypatch.setenv("MLOPS_NB_PARENT_RUN", parent)
    assert can_be_live(shell, cell_id) is expected


def test_hostile_progress_is_text(board: CardBoard, screen: Screen) -> None:
    """A bar's description is escaped, and numbers that JSON lacks are words."""
    run = api.start_run("r")
    board.live.begin()
    board.live.see(run.run_id, ProgressRecord(float("nan"), 3, None, "<img src=x>"))
    assert "<img src=x>" not in screen.messages[-1]["data"]["text/html"]
    assert screen.last["progress"]["n"] == "nan"
