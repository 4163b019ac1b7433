"""Settings come from argument, environment, pyproject and default, in that order."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_nb.config import find_root, load_settings, show_index
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


URLS = {
    "postgresql://anna@db/team": "postgresql://anna@db/team",
    "postgres://db": "postgresql://db",
    "postgresql:///team?host=/run/postgresql&user=anna": "postgresql:///run/postgresql/team",
    "postgresql://[::1]:5432,db2:5433/team?sslmode=verify-full": "postgresql://[::1]:5432,db2:5433/team",
    "postgresql://anna@db:5432/team?options=-c%20role%3Dmlops": "postgresql://anna@db:5432/team",
}


@pytest.mark.parametrize("url", URLS)
def test_an_index_is_named_by_its_address(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The address of a team's index is taken as it is, and shown without its options."""
    monkeypatch.setenv("MLOPS_NB_INDEX", url)
    assert load_settings().index == url
    assert show_index(url) == URLS[url]


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://anna:s3cret@db/team", "postgresql://anna:s3cret@/team", "postgresql://:s3cret@db/team",
        "postgresql://db/team?password=s3cret", "postgresql://db/team?user=a&sslpassword=s3cret",
        "postgresql://db/team?PASSWORD=s3cret", "postgresql://db/team?pass%77ord=s3cret",
        "postgresql://anna:s3c/ret@db/team", "postgresql://anna:s3c#ret@db/team", "postgresql://anna:12?s3cret@db",
        "postgresql://anna:12/s3cret@db", "postgresql:anna:s3cret@db", "host=db password=s3cret", "s3cret",
        "mysql://anna:s3cret@db/team", "postgresql://anna:s3 cret@db", "postgresql://anna@db/team#s3cret",
        "postgresql://db/te\nam?x=s3cret", "postgresql://db:s3cret/team", "postgresql://[s3cret/team",
        "postgresql://anna%3As3cret@db/team",
    ],
)  # fmt: skip
def test_an_address_with_a_password_is_refused(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is or may be a password in the address is refused, and no part of it is told."""
    monkeypatch.setenv("MLOPS_NB_INDEX", url)
    with pytest.raises(InvalidValueError, match="without a password") as caught:
        load_settings()
    told = f"{caught.value} {caught.value.__dict__}"
    assert "s3c" not in told
    assert "cret" not in told
    assert "PGPASSWORD or ~/.pgpass" in told


def test_settings_of_an_index_in_pyproject(tmp_path: Path) -> None:
    """The address may stand in pyproject, where what is no text is refused."""
    path = tmp_path / "pyproject.toml"
    path.write_text('[tool.mlops_nb]\nindex = "postgresql://db/team"\n')
    assert load_settings(tmp_path).index == "postgresql://db/team"
    path.write_text("[tool.mlops_nb]\nindex = 5432\n")
    with pytest.raises(InvalidValueError, match="postgresql://USER@HOST/DATABASE"):
        load_settings(tmp_path)


@pytest.mark.parametrize(
    ("text", "seconds"), [("0", 0.0), ("off", 0.0), ("on", 5.0), ("2.5", 2.5), ("0.1", 0.1)]
)
def test_interval_of_samples(text: str, seconds: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is used is sampled every so many seconds, or not at all."""
    monkeypatch.setenv("MLOPS_NB_RESOURCES", text)
    assert load_settings().resources == seconds


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("RESOURCES", "0.01", "'0.01'; expected seconds from 0.1 to 3600"),
        ("RESOURCES", "often", "'often'; expected seconds"),
        ("RESOURCES", "nan", "'nan'; expected seconds"),
        ("OUTPUT_KB", "-1", "'-1'; expected a whole number"),
        ("OUTPUT_KB", "lots", "'lots'; expected a whole number"),
    ],
)
def test_wrong_numbers_are_refused(
    name: str, text: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A number that is none, or too small or large, is named with what would be right."""
    monkeypatch.setenv(f"MLOPS_NB_{name}", text)
    with pytest.raises(InvalidValueError, match=message):
        load_settings()
