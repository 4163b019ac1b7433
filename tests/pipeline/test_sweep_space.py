"""What a person writes is read as a typed space, or refused with what would be right."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_nb.errors import ParameterError, ParameterNotFoundError, UsageError
from mlops_nb.pipeline.sweep_plan import read_plan
from mlops_nb.pipeline.sweep_space import (
    Choice,
    Dimension,
    FloatRange,
    IntRange,
    count_points,
    read_space,
    read_words,
)
from mlops_nb.pipeline.sweep_words import split_list
from tests.pipeline.sweeping import make, write_pipeline


def read(folder: Path, **space: Any) -> list[Dimension]:
    """Read a space for the notebook of these tests."""
    return list(read_space(write_pipeline(folder).parameters, space))


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("C", "log:0.01:10", FloatRange("C", 0.01, 10.0, is_log=True)),
        ("C", "lin:-1:1e3", FloatRange("C", -1.0, 1000.0)),
        ("C", "0.5:2", FloatRange("C", 0.5, 2.0)),
        ("C", " .5 : 2. ", FloatRange("C", 0.5, 2.0)),
        ("depth", "int:2:8", IntRange("depth", 2, 8)),
        ("depth", "int:2:9:3", IntRange("depth", 2, 8, 3)),
        ("depth", "int:-8:-2", IntRange("depth", -8, -2)),
        ("depth", "logint:1:1000", IntRange("depth", 1, 1000, is_log=True)),
        ("C", "int:1:3", IntRange("C", 1, 3)),
        ("C", "0.1,1,10", Choice("C", (0.1, 1.0, 10.0))),
        ("C", "lin:0:1:3", Choice("C", (0.0, 0.5, 1.0), is_ordered=True)),
        ("kernel", "rbf,linear", Choice("kernel", ("rbf", "linear"))),
        ("kernel", "linear", Choice("kernel", ("linear",))),
        ("depth", "2,4", Choice("depth", (2, 4))),
        ("name", "1:2", Choice("name", ("1:2",))),
        ("name", "http://a:80/,b", Choice("name", ("http://a:80/", "b"))),
        ("name", "list:log:1:2", Choice("name", ("log:1:2",))),
        ("name", "'a,b',c", Choice("name", ("a,b", "c"))),
        ("layers", "[1, 2],[3]", Choice("layers", ([1, 2], [3]))),
        ("depth", range(2, 9, 2), IntRange("depth", 2, 8, 2)),
        ("depth", range(8, 1, -2), IntRange("depth", 2, 8, 2)),
        ("C", [0.1, 1], Choice("C", (0.1, 1.0))),
        ("C", 3, Choice("C", (3.0,))),
    ],
)
def test_a_range_is_read(tmp_path: Path, name: str, text: Any, expected: Dimension) -> None:
    """Each form gives its dimension, with values of the parameter's type."""
    found = read(tmp_path, **{name: text})
    assert found == [expected]
    assert repr(found) == repr([expected])  # 1 is no 1.0


def test_points_of_a_log_range_lie_at_equal_ratios(tmp_path: Path) -> None:
    """The ends are exact, what lies between is as many times as large each time."""
    (found,) = read(tmp_path, C="log:0.01:10:4")
    assert isinstance(found, Choice)
    assert found.values[0] == 0.01
    assert found.values[-1] == 10.0
    assert found.values[1:3] == pytest.approx([0.1, 1.0])


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("C", "log:0:1", "above 0"),
        ("C", "log:-1:1", "above 0"),
        ("C", "2:1", "below the upper"),
        ("C", "1:1", "below the upper"),
        ("C", "lin:0:inf", "finite"),
        ("C", "0:nan", "finite"),
        ("C", "log:1", "LOW:HIGH"),
        ("C", "log:a:b", "with numbers"),
        ("C", "lin:0:1:1", "2 points or more"),
        ("C", "lgo:0.1:1", "Did you mean 'log'?"),
        ("C", "exp:0.1:1", "no kind of range 'exp'"),
        ("C", "fast", "a float"),
        ("C", "", "none of them empty"),
        ("C", "1,,2", "none of them empty"),
        ("C", "1,1.0", "twice"),
        ("C", [], "divided by commas"),
        ("C", range(3, 3), "not empty"),
        ("depth", "0.5:2", "an int"),
        ("depth", "2:8", "depth=int:2:8"),
        ("depth", "log:1:8", "depth=logint:1:8"),
        ("depth", "int:2:8.5", "whole numbers"),
        ("depth", "int:8:2", "below the upper"),
        ("depth", "int:2:8:0", "step of 1"),
        ("depth", "logint:0:8", "1 or more"),
        ("depth", "logint:1:8:2", "logint:LOW:HIGH"),
        ("depth", "2,b", "an int"),
        ("kernel", "rbf,poly", "one of 'rbf', 'linear'"),
        ("kernel", "int:1:3", "one of 'rbf', 'linear'"),
    ],
)
def test_what_cannot_be_read_is_refused(tmp_path: Path, name: str, text: Any, told: str) -> None:
    """The parameter and what would be right are named, with exit code 3."""
    with pytest.raises(ParameterError) as caught:
        read(tmp_path, **{name: text})
    assert told in str(caught.value)
    assert repr(name) in str(caught.value)
    assert caught.value.exit_code == 3


def test_a_slip_in_a_name_is_told(tmp_path: Path) -> None:
    """A parameter that the notebook lacks is answered with the one that was meant."""
    with pytest.raises(ParameterNotFoundError, match="'depth'") as caught:
        read(tmp_path, C="log:0:1", dpeth="int:2:8")
    assert caught.value.exit_code == 3


def test_words_are_split() -> None:
    """A word is a name and a range; anything else is told."""
    assert read_words(["C=log:0.1:1", "name=a=b"]) == {"C": "log:0.1:1", "name": "a=b"}
    for words, told in ((["C"], "NAME=RANGE"), (["=1"], "NAME=RANGE"), (["C=1", "C=2"], "twice")):
        with pytest.raises(UsageError, match=told):
            read_words(words)


@given(st.lists(st.text(alphabet="ab ,'[](){}\"", max_size=6), min_size=1, max_size=4))
def test_lists_never_lose_a_letter(parts: list[str]) -> None:
    """Whatever is written, splitting takes away nothing but commas, blanks and quotes."""
    text = ",".join(parts)
    found = split_list(text)
    assert [c for c in "".join(found) if c not in " ,'\""] == [c for c in text if c not in " ,'\""]


def test_points_are_counted(tmp_path: Path) -> None:
    """A range of floats has no number of points."""
    assert count_points(read(tmp_path, depth="int:2:8", kernel="rbf,linear")) == 14
    assert count_points(read(tmp_path, depth="int:2:8", C="0:1")) is None


def test_a_plan_is_read_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is written goes on as it was, every value with its type, and no secret is in it."""
    monkeypatch.setenv("TOKEN", "quite-a-secret")
    space = {"C": "log:0.01:10", "kernel": "rbf,linear", "depth": "int:1:9:2", "layers": [[1], [2]]}
    made = make(tmp_path, space, seed=3, sampler="random", params={"name": "secret:TOKEN"})
    assert read_plan(made.to_json()) == made
    assert "quite-a-secret" not in made.to_json()
    points = make(tmp_path, {"C": "lin:0:1:3"}, sampler="grid")
    assert read_plan(points.to_json()) == points
    assert points.trials == 3
