"""Artifacts of a run: their bytes are kept first, then the run names them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_nb.errors import InvalidValueError
from mlops_nb.tracking.values import is_readable

if TYPE_CHECKING:
    from mlops_nb.store.objects import ObjectFolder

# Not every system's table knows it, and reading the table takes longer than a short run.
_NOTEBOOK = "application/x-ipynb+json"


def describe_artifact(
    name: str, digest: str, size_bytes: int, media_type: str | None = None
) -> dict[str, Any]:
    """Give the event that names an artifact.

    Parameters
    ----------
    name
        Name within the run.
    digest, size_bytes
        Of its bytes.
    media_type
        By the name's ending where not given.

    Returns
    -------
    dict
        What the run's log takes.
    """
    if not media_type and name.endswith(".ipynb"):
        media_type = _NOTEBOOK
    elif not media_type:
        from mimetypes import guess_type  # loads what few kernels need

        media_type = guess_type(name)[0]
    return {
        "type": "artifact",
        "path": name,
        "digest": digest,
        "size_bytes": size_bytes,
        "media_type": media_type or "application/octet-stream",
    }


def keep_files(objects: ObjectFolder, names: list[str], files: list[Path]) -> list[dict[str, Any]]:
    """Keep many files in as few packs as they fit in.

    Parameters
    ----------
    objects
        Where their bytes go.
    names, files
        The name of each within the run, and where it is now.

    Returns
    -------
    list of dict
        The events that name them: every byte is on the disk by now.
    """
    with objects.batch():
        kept = [objects.put_file(file) for file in files]
    return [describe_artifact(name, *found) for name, found in zip(names, kept, strict=True)]


def check_artifact_name(name: str) -> str:
    """Give an artifact's name, checked: relative, within the run, no tricks.

    Raises
    ------
    InvalidValueError
        It is empty, absolute, or has a part that leads elsewhere.
    """
    parts = str(name).replace("\\", "/").split("/")
    bad = any(part in ("", ".", "..") or not is_readable(part) for part in parts)
    if bad or ":" in parts[0] or len(str(name)) > 1000:
        raise InvalidValueError("artifact name", name, "a relative name such as plots/roc.png")
    return "/".join(parts)
