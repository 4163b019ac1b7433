"""Tables: escaped in HTML, aligned in text."""

from __future__ import annotations

import pytest

from mlops_nb.kernel.tables import Message, Table, format_value
from mlops_nb.records.durations import format_duration

EVIL = "<script>alert('x')</script>\"&"


def test_every_text_is_escaped() -> None:
    """Names, values and titles that users log cannot become markup."""
    markup = Table([EVIL], [[EVIL], [1.5]], title=EVIL)._repr_html_()
    assert "<script" not in markup
    assert markup.count("&lt;script&gt;") == 3
    assert "<script" not in Table([EVIL], [], title=EVIL, empty=EVIL)._repr_html_()
    assert "<script" not in Message(EVIL)._repr_html_()


def test_text_is_aligned() -> None:
    """Columns line up, and a value stays on its line."""
    table = Table(["a", "long name"], [["x", 1], ["a\nb", None]])
    assert repr(table).split("\n") == ["a    long name", "x    1", "a b"]
    assert repr(Table(["a"], [], empty="None yet.")) == "None yet."


def test_short_values_stay_on_their_line() -> None:
    """An id or a time is never broken at its hyphens, while prose may be."""
    markup = Table(["started"], [["2026-11-21 23:17:08"], ["word " * 20]])._repr_html_()
    styles = [part.split("'>")[0] for part in markup.split("<td style='")[1:]]
    assert ["nowrap" in style for style in styles] == [True, False]


def test_numbers_stand_right() -> None:
    """A column of numbers, and its head, is aligned by the last digit; missing ones change nothing."""
    rows: list[list[object]] = [["a", 1, 0.5, True], ["b", None, "x", None]]
    markup = Table(["name", "step", "mixed", "flag"], rows)._repr_html_()
    columns = [part.split("'>")[0] for part in markup.split("<th scope='col' style='")[1:]]
    assert ["right" in style for style in columns] == [False, True, False, False]
    assert markup.count("text-align:right") == 3


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (True, "True"),
        (0.1 + 0.2, "0.3"),
        (float("nan"), "nan"),
        (float("-inf"), "-inf"),
        (1234567, "1234567"),
        ("x" * 500, "x" * 119 + "…"),
    ],
)
def test_values_are_short(value: object, text: str) -> None:
    """Values are written the way people read them."""
    assert format_value(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, ""), (0.0342, "34 ms"), (3.14, "3.1 s"), (125, "2 min 05 s"), (3725, "1 h 02 min")],
)
def test_durations_are_said_as_people_do(seconds: float | None, text: str) -> None:
    """A duration comes in the unit that fits."""
    assert format_duration(seconds) == text
