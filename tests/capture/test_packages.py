"""Installed packages are read from folder names and agree with what Python itself reports."""

from __future__ import annotations

import importlib.metadata
import json
import subprocess
import sys
from pathlib import Path

import pytest

import mlops_nb
from mlops_nb.capture.packages import (
    describe_distribution,
    list_distributions,
    list_imported,
    list_origins,
    normalize_name,
    read_installed,
    strip_credentials,
)

ROOT = Path(mlops_nb.__file__).parents[1]


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


def test_what_is_installed_later_is_seen(tmp_path: Path) -> None:
    """A folder that was read is read again after an installation into it, and an upgrade."""
    place = tmp_path / "site"
    place.mkdir()
    assert read_installed([str(place), "/nowhere"]) == {}
    _install(place, "new", "1")
    assert {name: each.version for name, each in read_installed([str(place)]).items()} == {
        "new": "1"
    }
    (place / "new-1.dist-info").rename(place / "new-2.dist-info")
    assert read_installed([str(place)])["new"].version == "2"


def _read_afresh(place: Path, cache: Path) -> dict[str, list[object]]:
    code = (
        "import json, pathlib, sys\n"
        "from mlops_nb.capture.packages import read_installed\n"
        "found = read_installed(sys.argv[1:2], pathlib.Path(sys.argv[2]))\n"
        "print(json.dumps(found))"
    )
    command = [sys.executable, "-c", code, str(place), str(cache)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    found: dict[str, list[object]] = json.loads(done.stdout)
    return found


def test_the_next_process_reads_one_file(tmp_path: Path) -> None:
    """What was read is remembered: without credentials, until something is installed."""
    place, cache = tmp_path / "site", tmp_path / "cache"
    place.mkdir()
    for number in range(12):
        _install(place, f"part{number}", "1", {"url": "https://bob:secret@example.org/x.git"})
        (place / f"part{number}-1.dist-info" / "RECORD").write_text(f"module{number}/a.py,,\n")
    first = _read_afresh(place, cache)
    assert first["part3"] == ["part3", "1", {"url": "https://example.org/x.git"}, ["module3"]]
    (kept,) = cache.iterdir()
    assert "secret" not in kept.read_text()
    # That it is this file which is read shows what it is made to say.
    kept.write_text(kept.read_text().replace("module3", "elsewhere"))
    assert _read_afresh(place, cache)["part3"][3] == ["elsewhere"]
    _install(place, "thirteenth", "1")
    assert _read_afresh(place, cache)["part3"][3] == ["module3"]
    kept.write_text("{half")
    assert "thirteenth" in _read_afresh(place, cache)


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
