"""Errors say what happened, what was expected and how to go on."""

from __future__ import annotations

import inspect

import pytest

from mlops_nb import errors


@pytest.mark.parametrize(
    ("given", "known", "expected"),
    [
        ("acuracy", ["accuracy", "loss"], ("accuracy",)),
        ("BREAST-cancer", ["breast-cancer"], ("breast-cancer",)),
        ("br", ["breast-cancer", "zebra"], ("breast-cancer",)),
        ("zzz", ["accuracy"], ()),
        ("", ["accuracy"], ()),
    ],
)
def test_near_misses(given: str, known: list[str], expected: tuple[str, ...]) -> None:
    """What the user may have meant is found regardless of case and small slips."""
    assert errors.near_misses(given, known) == expected


def test_not_found_names_near_misses_and_next_step() -> None:
    """An unknown name is told with its near misses and the command that lists what exists."""
    error = errors.ModelNotFoundError("breast-canser", ["breast-cancer"])
    assert "'breast-canser'" in error.message
    assert "Did you mean 'breast-cancer'?" in error.message
    assert "mlops-nb models" in error.hint
    assert isinstance(error, LookupError)
    assert error.exit_code == 2
    assert error.status == 404


def test_not_found_lists_what_exists_when_nothing_is_near() -> None:
    """Without a near miss the first known names are listed."""
    error = errors.RunNotFoundError("qqqqqq", ["a", "b", "c", "d", "e", "f"])
    assert "Known: 'a', 'b', 'c', 'd', 'e' ..." in error.message


def test_not_found_says_that_nothing_exists() -> None:
    """With nothing to find, that is what is said."""
    assert "There is no model yet." in errors.ModelNotFoundError("m").message


def test_long_values_are_cut() -> None:
    """A huge value does not flood the message."""
    assert len(errors.InvalidValueError("x", "a" * 10_000, "less").message) < 400


def test_every_error_is_ours() -> None:
    """Every public exception has the one base, so that a door can translate them all."""
    classes = [
        value
        for name, value in vars(errors).items()
        if inspect.isclass(value) and issubclass(value, Exception) and not name.startswith("_")
    ]
    assert len(classes) > 8
    assert all(issubclass(value, errors.MLOpsError) for value in classes)


def test_parameter_errors_exit_with_three() -> None:
    """Scripts tell wrong parameters from other failures by exit code 3."""
    assert errors.ParameterError("C", "x", "a float").exit_code == 3
    assert errors.ParameterNotFoundError("C").exit_code == 3


def test_kernel_shows_two_lines() -> None:
    """IPython gets message and hint in place of a traceback, with the cell's line where known."""
    error = errors.UsageError("%mlops show", "no run given", "See: %mlops help show")
    assert error._render_traceback_() == [
        "UsageError: %mlops show: no run given.",
        "See: %mlops help show",
    ]
    try:
        exec(compile("\n\nraise error", "cell", "exec"), {"__name__": "__main__", "error": error})
    except errors.UsageError as raised:  # pytest.raises would add a frame of its own
        assert raised._render_traceback_()[0].endswith("(line 3 of the cell)")  # noqa: PT017
