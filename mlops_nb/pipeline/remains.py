"""The private folder of a run under way, and what a killed run has left of it."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from pathlib import Path

from mlops_nb.errors import RunNotFoundError
from mlops_nb.store import Store

# Where a run notes the private folder of its kernel, for whoever sweeps after it.
_NOTE = "kernel-folder"
KERNEL_PREFIX = "mlops-"


def make_boundaries(store: Store, run_id: str) -> Path:
    """Make the private folder for what crosses between steps.

    Parameters
    ----------
    store
        Keeps it.
    run_id
        The pipeline's run; empty where nothing can be recorded.

    Returns
    -------
    Path
        A temporary folder where the store cannot take it.
    """
    folder = store.root / "boundaries" / run_id
    try:
        folder.mkdir(parents=True, mode=0o700)
    except OSError:
        folder = Path(tempfile.mkdtemp(prefix=KERNEL_PREFIX)) / "boundaries" / "run"
        folder.mkdir(parents=True)
    return folder


def remove_boundaries(folder: Path, store: Store) -> None:
    """Remove what `make_boundaries` has made.

    Parameters
    ----------
    folder
        As it was given.
    store
        The store.
    """
    is_own = folder.is_relative_to(store.root)
    shutil.rmtree(folder if is_own else folder.parent.parent, ignore_errors=True)


def note_kernel(folder: Path, private: str) -> None:
    """Note the folder of a kernel's sockets, which outlives a run that is killed.

    Parameters
    ----------
    folder
        From `make_boundaries`.
    private
        The kernel's folder.
    """
    (folder / _NOTE).write_text(private, encoding="utf-8")


def sweep(store: Store) -> None:
    """Remove what runs have left whose process was killed.

    Parameters
    ----------
    store
        Runs that go on, here or on another machine, keep theirs.
    """
    with contextlib.suppress(OSError):
        for folder in sorted((store.root / "boundaries").iterdir()):
            if folder.is_dir() and not _is_running(store, folder.name):
                remove_kernel_folder(folder)
                shutil.rmtree(folder, ignore_errors=True)


def _is_running(store: Store, run_id: str) -> bool:
    try:
        return store.read_run(run_id).status == "running"
    except RunNotFoundError:
        return False


def remove_kernel_folder(folder: Path) -> None:
    """Remove the sockets of a kernel that was killed.

    Parameters
    ----------
    folder
        Where `note_kernel` has noted them; nothing happens where it did not.
    """
    try:
        private = Path((folder / _NOTE).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        return
    # Never more than a folder that a kernel of ours has made for itself.
    if private.parent == Path(tempfile.gettempdir()) and private.name.startswith(KERNEL_PREFIX):
        shutil.rmtree(private, ignore_errors=True)
