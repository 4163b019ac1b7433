"""A verification says in one line what was proven, what not, and why."""

from __future__ import annotations

from mlops_nb.records import Verification


def test_results_read_as_one_line() -> None:
    """Status first, then what differs, what the notebook changes itself, what stays open."""
    assert str(Verification("verified")) == "verified"
    assert str(Verification("verified", reason="as of run 1")) == "verified: as of run 1"
    differs = Verification("not verified", "fit", "w[0]", "value", "1.0", "2.0")
    text = "not verified: after step 'fit', w[0] (value): 1.0 in the notebook, 2.0 in the pipeline"
    assert str(differs) == text
    partly = Verification("partly verified", uncompared=("g: a file",), unstable=("x", "y"))
    assert str(partly) == (
        "partly verified: the notebook itself gives different values each time: x, y; "
        "not compared: g: a file"
    )


def test_only_a_difference_is_a_difference() -> None:
    """What was not compared is not verified, and yet not found to differ."""
    assert Verification("not verified", "fit", "w").is_different
    assert not Verification("not verified", reason="only a part of the steps ran").is_different
    assert not Verification("verified").is_different
