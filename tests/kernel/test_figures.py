"""Figures of a cell: each once, within a byte budget."""

from __future__ import annotations

import base64
from types import SimpleNamespace
from typing import Any

import pytest

from mlops_nb.kernel import figures
from mlops_nb.kernel.figures import Figure, FigureBuffer, FigureTap, read_figure


def make_figure(number: int, size: int = 100) -> Figure:
    """Make a figure that differs from those with other numbers."""
    return Figure(str(number).encode().ljust(size, b"."), "image/png", "png")


@pytest.mark.parametrize(
    ("bundle", "data"),
    [
        ({"image/png": base64.b64encode(b"png").decode()}, b"png"),
        ({"image/jpeg": b"jpg"}, b"jpg"),
        ({"image/png": "not base64!", "image/jpeg": b"jpg"}, b"jpg"),
        ({"image/png": ""}, None),
        ({"image/png": 3}, None),
        ({"text/html": "<p>"}, None),
        ({"image/png": b"x" * (figures.MAX_FIGURE_BYTES + 1)}, None),
        ({"image/png": "x" * (figures.MAX_FIGURE_BYTES * 2)}, None),
    ],
)
def test_image_is_taken_from_what_is_displayed(bundle: dict[str, Any], data: bytes | None) -> None:
    """Base64 and bytes are read; what is no image, or too large, is left alone."""
    found = read_figure(bundle)
    assert (found.data if found else None) == data


def test_each_figure_is_kept_once() -> None:
    """The same figure shown again is kept once."""
    buffer = FigureBuffer()
    for number in (1, 2, 1, 2):
        buffer.add(make_figure(number))
    assert len(buffer.figures) == 2
    assert buffer.left_out == 0


def test_budget_of_a_cell_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """A cell that shows a thousand figures, or very large ones, keeps a bounded number."""
    buffer = FigureBuffer()
    for number in range(1000):
        buffer.add(make_figure(number))
    assert len(buffer.figures) == figures.MAX_CELL_FIGURES
    assert buffer.left_out == 1000 - figures.MAX_CELL_FIGURES
    monkeypatch.setattr(figures, "MAX_CELL_BYTES", 250)
    small = FigureBuffer()
    for number in range(5):
        small.add(make_figure(number))
    assert len(small.figures) == 2


def test_messages_pass_unchanged() -> None:
    """Whatever the message, the front end gets it as it was."""
    hooks: list[Any] = []
    publisher = SimpleNamespace(register_hook=hooks.append, unregister_hook=hooks.remove)
    shell = SimpleNamespace(display_pub=publisher, displayhook=object())
    seen: list[Any] = []
    tap = FigureTap(shell, seen.append)
    assert not tap.sees_results
    for message in (
        {"header": {"msg_type": "display_data"}, "content": {"data": {"a": 1}}},
        {"header": {"msg_type": "update_display_data"}, "content": {"data": {"a": 2}}},
        {},
        None,
    ):
        assert hooks[0](message) is message
    assert seen == [{"a": 1}]
    tap.close()
    assert hooks == []
