"""Conditions of steps: a small language of their own."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_nb.errors import InvalidValueError, NotFoundError
from mlops_nb.notebook.conditions import ConditionError, read_condition

VALUES: dict[str, Any] = {"acc": 0.93, "n": 5, "kind": "rf", "on": True, "none": None}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("acc > 0.9", True),
        ("0.5 < acc <= 0.9", False),
        ("acc > 0.9 and kind == 'rf'", True),
        ("acc > 0.95 or n == 5", True),
        ("not on", False),
        ("kind in ('rf', 'svm')", True),
        ("kind not in ['rf']", False),
        ("n in {1, 5}", True),
        ("'r' in kind", True),
        ("none is None", True),
        ("n is not None", True),
        ("n % 2 == 1 and n // 2 == 2 and n ** 2 == 25", True),
        ("-n + 2 * 3 - 1 == 0", True),
        ("n / 2 > 2.4", True),
        ("n", True),
        ("on and none", False),
        ("  n == 5  ", True),
        ("True", True),
        ("n == 5 or missing_never_evaluated == 1", None),
    ],
)
def test_conditions_give_what_python_would_give(text: str, expected: bool | None) -> None:
    """Comparisons, boolean words, membership and arithmetic mean what they mean in Python."""
    condition = read_condition(text)
    if expected is None:
        with pytest.raises(NotFoundError, match="no variable 'missing_never_evaluated'"):
            condition.holds(VALUES)
    else:
        assert condition.holds(VALUES) is expected


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("__import__('os')", 1),
        ("acc > f(x)", 7),
        ("a.b", 1),
        ("x[0] > 1", 1),
        ("[i for i in x]", 1),
        ("(lambda: 1)", 2),
        ("f'{x}'", 1),
        ("a if b else c", 1),
        ("n is 5", 1),
        ("x := 3", None),
        ("n == b'x'", 6),
        ("1j", 1),
        ("...", 1),
        ("{'a': 1}", 1),
        ("a @ b", 1),
        ("~a", 1),
        ("await x", 1),
        ("", None),
        ("a >", None),
        ("a; b", None),
        ("a\nb", None),
        ("x" * 2000, None),
        ("(" * 300 + "1" + ")" * 300, None),
    ],
)
def test_everything_else_is_refused_with_its_place(text: str, place: int | None) -> None:
    """What could run code is no condition; the character is told."""
    with pytest.raises(ConditionError) as caught:
        read_condition(text)
    if place is not None:
        assert f"at character {place} " in str(caught.value)


def test_only_scalars_are_compared() -> None:
    """A frame or a list has no truth; a single number of numpy has."""
    import numpy as np

    assert read_condition("acc > 0.5").holds({"acc": np.float64(0.6)})
    assert read_condition("acc > 0.5").holds({"acc": np.array(0.6)})
    for value in ([1], np.array([1.0]), {"a": 1}, object()):
        with pytest.raises(InvalidValueError, match="expected a number, a text"):
            read_condition("acc > 0.5").holds({"acc": value})


@pytest.mark.parametrize(
    "text", ["n / 0 > 1", "kind > 1", "kind * 3 == 1", "n ** 1000 > 1", "(0 - n) ** 0.5 > 1"]
)
def test_what_cannot_be_computed_is_an_error_with_the_values(text: str) -> None:
    """A condition that fails says which values it had; it never counts as false."""
    with pytest.raises(InvalidValueError, match="condition is"):
        read_condition(text).holds(VALUES)


def test_large_numbers_stay_bounded() -> None:
    """Powers cannot be nested into minutes of work."""
    condition = read_condition("((n ** 64) ** 64) ** 64 > 1")
    with pytest.raises(InvalidValueError, match="too large"):
        condition.holds({"n": 10})


@given(st.text(max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    """No text breaks the reader, and what it reads asks for names only."""
    try:
        condition = read_condition(text)
    except ConditionError:
        return
    assert all(name.isidentifier() for name in condition.names)
