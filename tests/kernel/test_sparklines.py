"""Curves and progress in a line: in letters everywhere, as an image where there are images."""

from __future__ import annotations

import base64
import math
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree

import pytest

from mlops_nb import api
from mlops_nb.kernel.sparklines import (
    draw_blocks,
    draw_image,
    draw_progress,
    find_curve,
    thin_out,
)
from mlops_nb.records import ProgressRecord

NAN, INF = math.nan, math.inf


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ([0, 1, 2, 3, 4, 5, 6, 7], "▁▂▃▄▅▆▇█"),
        ([3, 2, 1], "█▅▁"),
        ([5, 5, 5], "▅▅▅"),
        ([0, NAN, 1, INF], "▁ █ "),
        ([NAN, NAN], "  "),
        ([-1e308, 1e308], "▅▅"),
        ([], ""),
    ],
)
def test_curve_in_letters(values: list[float], text: str) -> None:
    """The lowest value is the lowest letter, the highest the highest, and no number is a blank."""
    assert draw_blocks(values) == text


def test_long_curves_are_thinned_out() -> None:
    """Of many values a few are taken, the first and the last among them."""
    assert thin_out(list(range(1000)), 5) == [0, 250, 500, 749, 999]
    assert len(draw_blocks(list(range(1000)))) == 24


@pytest.mark.parametrize("values", [[1, 2, 3], [1, NAN, 3], [NAN], [2.0]])
def test_image_is_an_svg_in_its_page(values: list[float]) -> None:
    """The image is whole SVG without scripts, and its words are escaped."""
    image = draw_image(values, "<b>'loss'</b> ▁")
    assert image.startswith("<img alt='&lt;b&gt;&#x27;loss&#x27;&lt;/b&gt; ▁'")
    data = image.partition("base64,")[2].partition("'")[0]
    root = ElementTree.fromstring(base64.b64decode(data))
    assert root.tag.endswith("svg")
    assert "nan" not in base64.b64decode(data).decode()


@pytest.mark.parametrize(
    ("progress", "text"),
    [
        (ProgressRecord(5, 10, 2.0, "fold"), "|██████████          | fold 5/10 · 2/s · 2.5 s left"),
        (ProgressRecord(1, 3, 0.05), "|██████▋             | 1/3 · 20 s each · 40.0 s left"),
        (ProgressRecord(7, None, 3.0, "rows"), "rows 7 · 3/s"),
        (ProgressRecord(12, 10), "|████████████████████| 12/10"),
    ],
)
def test_progress_in_words(progress: ProgressRecord, text: str) -> None:
    """What is done of all, how fast, and how long it will take; only what is known is said."""
    assert draw_progress(progress)[0] == text


def test_progress_is_escaped() -> None:
    """What a user calls a bar is text, also in HTML."""
    assert "<i>" not in draw_progress(ProgressRecord(1, 2, None, "<i>x</i>"))[1]


def test_curve_of_a_run_is_the_one_that_tells_most(loaded: Callable[..., Any]) -> None:
    """A validation result comes before a loss; a metric of one value has no curve."""
    loaded(
        "with mlops.start_run('r'):\n"
        "    for i in range(4): mlops.log_metrics({'loss': 4 - i, 'val_acc': i, 'lr': 0.1})\n"
        "    mlops.log_metric('val_auc', 0.5)"
    )
    curve = find_curve(api.get_run("r"))
    assert curve is not None
    assert (curve.key, curve.count, curve.values) == ("val_acc", 4, (0, 1, 2, 3))
    assert curve.text == "▁▃▆█"
    loaded("with mlops.start_run('flat'):\n    mlops.log_metric('acc', 1)")
    assert find_curve(api.get_run("flat")) is None
