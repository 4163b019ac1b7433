"""The git state is read exactly, without credentials and without touching the repository."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from mlops_nb.capture.git import capture_git


def _git(folder: Path, *arguments: str) -> str:
    command = ["git", "-c", "user.name=t", "-c", "user.email=t@example.org", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    _git(folder, "init", "-q", "-b", "trunk")
    (folder / "a.py").write_text("x = 1\n")
    _git(folder, "add", "a.py")
    _git(folder, "commit", "-q", "-m", "first")
    return folder


def test_clean_work_tree(repository: Path) -> None:
    """Commit, branch and root are git's own; nothing is dirty."""
    state = capture_git(repository)
    assert state["commit"] == _git(repository, "rev-parse", "HEAD")
    assert state["branch"] == "trunk"
    assert Path(state["root"]).samefile(repository)
    assert (state["dirty"], state["diff"], state["untracked"], state["remote"]) == (
        False,
        "",
        [],
        None,
    )


def test_dirty_work_tree_can_be_rebuilt_from_the_diff(repository: Path) -> None:
    """The diff, staged and unstaged, applies to the commit and gives the same files."""
    (repository / "a.py").write_text("x = 2\n")
    (repository / "b.bin").write_bytes(bytes(range(256)))
    _git(repository, "add", "b.bin")
    (repository / "größe ä.txt").write_text("u")
    state = capture_git(repository / ".")
    assert state["dirty"] is True
    assert state["untracked"] == ["größe ä.txt"]
    _git(repository, "stash", "-q")
    patch = repository.parent / "p.diff"
    patch.write_text(state["diff"])
    _git(repository, "apply", "--index", str(patch))
    assert (repository / "a.py").read_text() == "x = 2\n"
    assert (repository / "b.bin").read_bytes() == bytes(range(256))


def test_remote_has_no_credentials(repository: Path) -> None:
    """A token inside the remote's address is not read back."""
    _git(repository, "remote", "add", "origin", "https://bob:ghp_secret@example.org/p.git")
    assert capture_git(repository)["remote"] == "https://example.org/p.git"


def test_long_diff_is_cut(repository: Path) -> None:
    """A diff over the limit is cut there and says so."""
    (repository / "a.py").write_text("y = 2\n" * 10_000)
    state = capture_git(repository, max_diff_bytes=1000)
    assert len(state["diff"]) == 1000
    assert state["diff_truncated"] is True


def test_reading_changes_nothing(repository: Path) -> None:
    """Git's index is byte for byte the same after a read, even when its times are stale."""
    (repository / "a.py").touch()
    index = repository / ".git" / "index"
    before = index.read_bytes()
    capture_git(repository)
    assert index.read_bytes() == before


def test_no_repository_no_commit_no_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Outside a repository, without git and in a missing folder every field is None."""
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    outside = capture_git(tmp_path)
    assert outside["commit"] is None
    assert outside == capture_git(tmp_path / "missing")
    _git(tmp_path, "init", "-q", "-b", "trunk")
    fresh = capture_git(tmp_path)
    assert (fresh["commit"], fresh["branch"], fresh["diff"]) == (None, "trunk", None)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert capture_git(tmp_path) == outside


def test_git_is_read_while_the_process_ends(tmp_path: Path) -> None:
    """A process that is ending starts no threads any more, and its code is named all the same."""
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    code = (
        "import atexit, sys; from pathlib import Path; from mlops_nb.capture.git import capture_git\n"
        "atexit.register(lambda: print(capture_git(Path(sys.argv[1]))['root']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)],
        capture_output=True, text=True, check=False, cwd=Path(__file__).resolve().parents[2],
    )  # fmt: skip
    assert done.stdout.strip() == str(tmp_path), done.stderr
