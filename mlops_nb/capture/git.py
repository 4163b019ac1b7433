"""The state of the code as git sees it: commit, branch, remote and what is not committed."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import threading
from pathlib import Path
from typing import Any

from mlops_nb.capture.packages import strip_credentials

_TIMEOUT_S = 10.0
_NO_STATE: dict[str, Any] = {
    "commit": None,
    "branch": None,
    "remote": None,
    "root": None,
    "dirty": None,
    "diff": None,
    "diff_truncated": False,
    "untracked": None,
}


def _git(folder: Path, *arguments: str, limit_bytes: int = 1 << 20) -> tuple[bytes, bool] | None:
    """Run git without locks, hooks or external programs; None where it fails or takes too long."""
    environment = {
        **os.environ,
        "GIT_OPTIONAL_LOCKS": "0",  # a reader never refreshes the user's index
        "GIT_TERMINAL_PROMPT": "0",
        "LC_ALL": "C",
    }
    command = ["git", "-c", "core.fsmonitor=false", "-c", "core.quotePath=false", *arguments]
    try:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
    except OSError:
        return None
    timer = threading.Timer(_TIMEOUT_S, process.kill)
    timer.name = "mlops_nb-git"  # no thread of the notebook's
    # From 3.12 on a process that is ending starts no threads; its end bounds the wait as well.
    with contextlib.suppress(RuntimeError):
        timer.start()
    try:
        with process:
            assert process.stdout is not None
            output = process.stdout.read(limit_bytes + 1)
            truncated = len(output) > limit_bytes
            if truncated:
                process.kill()
        failed = process.returncode != 0 and not truncated
    finally:
        timer.cancel()
    return None if failed else (output[:limit_bytes], truncated)


def _git_line(folder: Path, *arguments: str) -> str | None:
    answer = _git(folder, *arguments)
    return None if answer is None else answer[0].decode("utf-8", "replace").strip() or None


def capture_git(
    folder: Path, *, max_diff_bytes: int = 4 << 20, max_untracked: int = 1000
) -> dict[str, Any]:
    """Read the git state of a folder; nothing is written, not even git's own index.

    Parameters
    ----------
    folder
        A folder inside a work tree, or anywhere else.
    max_diff_bytes
        The diff is cut here.
    max_untracked
        At most so many untracked files are named.

    Returns
    -------
    dict
        ``commit``, ``branch`` (None on a detached head), ``remote`` (without credentials),
        ``root``, ``dirty``, ``diff`` (``git diff HEAD --binary``), ``diff_truncated``,
        ``untracked``. All None where there is no git, no repository or no commit yet.
    """
    if shutil.which("git") is None or not folder.is_dir():
        return dict(_NO_STATE)
    root = _git_line(folder, "rev-parse", "--show-toplevel")
    if root is None:
        return dict(_NO_STATE)
    state = {**_NO_STATE, "root": root, "commit": _git_line(folder, "rev-parse", "HEAD")}
    state["branch"] = _git_line(folder, "symbolic-ref", "--short", "-q", "HEAD")
    remote = _git_line(folder, "config", "--get", "remote.origin.url")
    state["remote"] = None if remote is None else strip_credentials(remote)
    if state["commit"] is None:
        return state
    top = Path(root)
    options = ("--binary", "--no-ext-diff", "--no-textconv", "--no-color")
    diff = _git(top, "diff", "HEAD", *options, limit_bytes=max_diff_bytes)
    names = _git(top, "ls-files", "--others", "--exclude-standard", "-z")
    if diff is not None:
        state["diff"] = diff[0].decode("utf-8", "replace")
        state["diff_truncated"] = diff[1]
    if names is not None:
        listed = [name for name in names[0].decode("utf-8", "replace").split("\0") if name]
        state["untracked"] = sorted(listed)[:max_untracked]
    if diff is not None and names is not None:
        state["dirty"] = bool(diff[0]) or bool(state["untracked"])
    return state
