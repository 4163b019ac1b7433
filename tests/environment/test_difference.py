"""Two environments are compared key by key, most telling difference first."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from mlops_nb.environment import capture_environment, diff_environments


def test_differences_are_named_and_ordered() -> None:
    """Packages come before the machine; a missing side is None."""
    one = {"packages": {"a": "1", "b": "1"}, "machine": {"cpu": "x", "gpus": []}}
    other = {"packages": {"a": "2", "c": "3"}, "machine": {"cpu": "y", "gpus": []}}
    assert diff_environments(one, other) == [
        ("packages", "a", "1", "2"),
        ("packages", "b", "1", None),
        ("packages", "c", None, "3"),
        ("machine", "cpu", "x", "y"),
    ]


def test_nested_keys_are_joined() -> None:
    """A difference deep inside is named by its path."""
    rows = diff_environments({"threads": {"v": {"OMP": "1"}}}, {"threads": {"v": {}}})
    assert rows == [("threads", "v.OMP", "1", None)]


def test_an_environment_does_not_differ_from_itself() -> None:
    """Two captures in a row differ in nothing."""
    assert diff_environments(capture_environment(), capture_environment()) == []


_documents = st.dictionaries(
    st.sampled_from(["packages", "python", "x"]),
    st.one_of(st.none(), st.integers(), st.dictionaries(st.text(max_size=2), st.integers())),
)


@given(_documents, _documents)
def test_difference_is_symmetric_and_complete(one: dict[str, Any], other: dict[str, Any]) -> None:
    """The two directions name the same keys, and only equal documents have no difference."""
    forward = diff_environments(one, other)
    backward = diff_environments(other, one)
    assert [row[:2] for row in forward] == [row[:2] for row in backward]
    if one == other:
        assert forward == []
