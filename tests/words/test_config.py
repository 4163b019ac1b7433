"""Settings come from argument, environment, pyproject and default, in that order."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_nb.config import find_root, load_settings
from mlops_nb.errors import InvalidValueError, NotFoundError


def test_root_is_the_nearest_project(tmp_path: Path) -> None:
    """The store lies beside the nearest project, not in every folder a notebook is opened in."""
    (tmp_path / "project" / "notebooks" / "deep").mkdir(parents=True)
    (tmp_path / "project" / "pyproject.toml").touch()
    assert find_root(tmp_path / "project" / "notebooks" / "deep") == tmp_path / "project"


def test_a_folder_without_a_project_is_its_own_root(tmp_path: Path) -> None:
    """Without a project around it, the notebook's folder keeps the store."""
    assert find_root(tmp_path) == tmp_path


def test_order_of_sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An argument beats the environment, which beats pyproject, which beats the default."""
    monkeypatch.delenv("MLOPS_NB_STORE")
    assert load_settings(tmp_path).experiment == "default"
    (tmp_path / "pyproject.toml").write_text('[tool.mlops_nb]\nexperiment = "file"\nstore = "s"\n')
    assert load_settings(tmp_path).experiment == "file"
    assert load_settings(tmp_path).store == tmp_path / "s"
    monkeypatch.setenv("MLOPS_NB_EXPERIMENT", "environment")
    assert load_settings(tmp_path).experiment == "environment"
    assert load_settings(tmp_path, experiment="argument").experiment == "argument"


@pytest.mark.parametrize(
    ("text", "expected"), [("1", True), ("off", False), ("TRUE", True), ("", False)]
)
def test_switches_are_read(text: str, expected: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """The usual words for yes and no are understood."""
    monkeypatch.setenv("MLOPS_NB_DISABLED", text)
    assert load_settings().disabled is expected


def test_a_wrong_switch_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A word that is neither yes nor no is named, with what would be right."""
    monkeypatch.setenv("MLOPS_NB_CARDS", "maybe")
    with pytest.raises(InvalidValueError, match="'maybe'; expected one of 1, 0"):
        load_settings()


def test_unknown_settings_in_pyproject_are_named(tmp_path: Path) -> None:
    """A slip in pyproject is not passed over in silence."""
    (tmp_path / "pyproject.toml").write_text('[tool.mlops_nb]\nexperimnt = "x"\n')
    with pytest.raises(NotFoundError, match="Did you mean 'experiment'"):
        load_settings(tmp_path)


def test_a_broken_pyproject_breaks_nothing(tmp_path: Path) -> None:
    """A pyproject that cannot be read is its owner's business, not the kernel's."""
    (tmp_path / "pyproject.toml").write_text("[[[")
    assert load_settings(tmp_path).experiment == "default"
