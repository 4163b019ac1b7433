"""What must be folders in a store: told at once, and not as an error of whatever comes first."""

from __future__ import annotations

from pathlib import Path

from mlops_nb.errors import StoreError

_FOLDERS = (
    "audit",
    "deleted",
    "gc",
    "keys",
    "late",
    "models",
    "packs",
    "pending",
    "runs",
    "sessions",
    "tmp",
)


def check_layout(root: Path) -> None:
    """Refuse a store in which something else lies where a folder must be.

    Parameters
    ----------
    root
        The store's folder.

    Raises
    ------
    StoreError
        A folder of the store is a file, or a link that leads nowhere.
    """
    wrong = [
        name
        for name in _FOLDERS
        if not (root / name).is_dir() and ((root / name).exists() or (root / name).is_symlink())
    ]
    if wrong:
        named = ", ".join(map(repr, wrong))
        found = f"{named} in it must be a folder, and is none"
        raise StoreError(root, found, "Move it away; the store makes the folder anew.")
