"""Installed packages are read from folder names and agree with what Python itself reports."""

from __future__ import annotations

import importlib.metadata
import json
from pathlib import Path

import pytest

from mlops_nb.capture.packages import (
    describe_distribution,
    list_distributions,
    list_imported,
    list_origins,
    normalize_name,
    read_path_key,
    strip_credentials,
)


def _install(
    folder: Path, name: str, version: str, origin: dict[str, object] | None = None
) -> None:
    info = folder / f"{name}-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Name: {name}\nVersion: {version}\n")
    if origin is not None:
        (info / "direct_url.json").write_text(json.dumps(origin))


def test_agrees_with_importlib_metadata() -> None:
    """Names and versions of everything installed here are those that importlib.metadata gives."""
    expected: dict[str, str] = {}
    for distribution in importlib.metadata.distributions():
        expected.setdefault(normalize_name(distribution.name), distribution.version)
    assert list_distributions() == expected


def test_first_folder_on_the_path_wins(tmp_path: Path) -> None:
    """A distribution that is installed twice has the version that an import would get."""
    first, second = tmp_path / "a", tmp_path / "b"
    first.mkdir()
    second.mkdir()
    _install(first, "My_Package", "2.0")
    _install(second, "my.package", "1.0")
    (first / "~half-1.0.dist-info").mkdir()
    assert list_distributions([str(first), str(second), "/nowhere"]) == {"my-package": "2.0"}


def test_key_changes_when_something_is_installed(tmp_path: Path) -> None:
    """The cheap key differs after an installation and is stable otherwise."""
    before = read_path_key([str(tmp_path), "/nowhere"])
    assert before == read_path_key([str(tmp_path)])
    _install(tmp_path, "new", "1")
    assert read_path_key([str(tmp_path)]) != before


def test_origins_keep_no_credentials(tmp_path: Path) -> None:
    """A package installed from a repository is listed with its address but not with the token."""
    _install(
        tmp_path,
        "mine",
        "0.1",
        {
            "url": "https://bob:ghp_secret@example.org/mine.git?token=x",
            "vcs_info": {"commit_id": "abc"},
        },
    )
    _install(tmp_path, "plain", "1.0")
    (tmp_path / "plain-1.0.dist-info" / "direct_url.json").write_text("not json")
    assert list_origins([str(tmp_path)]) == {
        "mine": {"url": "https://example.org/mine.git", "vcs_info": {"commit_id": "abc"}}
    }


def test_imported_names_the_distribution_behind_a_module() -> None:
    """A module whose name differs from its distribution's is found; one never imported is not."""
    imported = list_imported()
    assert imported["pytest"] == pytest.__version__
    assert "pytest-timeout" in imported  # its module is pytest_timeout
    assert set(imported) <= set(list_distributions())
    assert len(imported) < len(list_distributions())


def test_describes_one_distribution() -> None:
    """Version and installer of one distribution are read; an unknown one gives nothing."""
    described = describe_distribution("PyTest")
    assert described["version"] == pytest.__version__
    assert described["editable"] is False
    assert describe_distribution("no-such-distribution-anywhere") == {}


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://user:pw@host/x.git", "https://host/x.git"),
        ("https://token@host:8443/x.git", "https://host:8443/x.git"),
        ("https://a@b:c@host/x", "https://host/x"),
        ("https://host/x?private_token=1#frag", "https://host/x"),
        ("ssh://git@host/x.git", "ssh://git@host/x.git"),
        ("ssh://git:pw@host/x.git", "ssh://host/x.git"),
        ("git@host:team/x.git", "git@host:team/x.git"),
        ("/srv/git/x.git", "/srv/git/x.git"),
    ],
)
def test_strips_what_could_let_somebody_in(url: str, expected: str) -> None:
    """Passwords, tokens and query strings leave an address; host and path stay."""
    assert strip_credentials(url) == expected
