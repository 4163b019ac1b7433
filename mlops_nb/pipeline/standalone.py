"""What lets a step notebook run by itself, in any kernel: its specification, kept by the store."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mlops_nb.config import load_settings
from mlops_nb.errors import StepFailedError
from mlops_nb.pipeline.contentfile import find_file
from mlops_nb.pipeline.digests_text import digest_text
from mlops_nb.pipeline.sealing import read_key, read_signed, sign_document
from mlops_nb.pipeline.specification import StepSpecification, read_document

_STORES = "stores.json"
_MOST_STORES = 64


@dataclass(frozen=True, slots=True)
class Kept:
    """What a step notebook continues with when nobody has prepared its kernel.

    Attributes
    ----------
    given
        The specification, with the folders of the store as it stands now.
    folder
        The notebook's folder.
    fused_with
        The step whose kernel it ran in, empty where it had its own.
    """

    given: StepSpecification
    folder: str
    fused_with: str = ""


def _find_place(steps: Path, run_id: str, step: str) -> Path:
    return steps / "specs" / f"{digest_text(run_id, step)}.json"


def keep(steps: Path, key_folder: Path, run_id: str, step: str, kept: Kept) -> None:
    """Keep what a step notebook needs to run again by itself.

    Parameters
    ----------
    steps
        Folder of the step cache.
    key_folder
        Folder of its key.
    run_id, step
        Which.
    kept
        What to find later.
    """
    document = {"given": kept.given.to_json(), "folder": kept.folder, "fused_with": kept.fused_with}
    target = _find_place(steps, run_id, step)
    target.parent.mkdir(parents=True, exist_ok=True)
    _write_whole(target, sign_document(document, read_key(key_folder)))


def _write_whole(target: Path, data: bytes) -> None:
    temporary = target.with_name(f".{target.name}.{os.getpid()}.{secrets.token_hex(4)}")
    temporary.write_bytes(data)
    temporary.replace(target)


def note_store(root: Path, cache: Path) -> None:
    """Note a store for step notebooks that lie outside its project.

    Parameters
    ----------
    root
        Folder of the store.
    cache
        Folder of what this machine may forget.
    """
    known = _read_stores(cache)
    if known[:1] == [str(root)]:
        return
    with contextlib.suppress(OSError):
        cache.mkdir(parents=True, exist_ok=True)
        listed = list(dict.fromkeys([str(root), *known]))[:_MOST_STORES]
        _write_whole(cache / _STORES, json.dumps(listed).encode())


def _read_stores(cache: Path) -> list[str]:
    try:
        found = json.loads((cache / _STORES).read_bytes())
    except (OSError, ValueError):
        return []
    return [each for each in found if isinstance(each, str)] if isinstance(found, list) else []


def _list_stores() -> Iterator[Path]:
    """Give stores that a notebook in this kernel may belong to, the nearest first."""
    settings = load_settings(Path.cwd())
    yield settings.store
    opened = os.environ.get("JPY_SESSION_NAME", "")  # the notebook, where Jupyter tells it
    if opened:
        yield load_settings(Path(opened).absolute().parent).store
    yield from map(Path, _read_stores(settings.cache))


def open_step(run_id: str, step: str) -> StepSpecification:
    """Go to the notebook's folder and find what a step notebook continues with.

    Parameters
    ----------
    run_id, step
        Which.

    Returns
    -------
    StepSpecification
        Everything that it names is there.

    Raises
    ------
    StepFailedError
        It is no longer kept, the store is not found from here, or the step cannot run alone.
    """
    kept = find(run_id, step)
    if kept.fused_with:
        reason = f"it ran in the kernel of {kept.fused_with!r}, whose values cannot leave it"
        raise StepFailedError(step, f"{reason}; run the pipeline with 'mlops-nb run'")
    try:
        os.chdir(kept.folder)
    except OSError as error:
        reason = f"the notebook's folder is gone ({error})"
        raise StepFailedError(step, f"{reason}; run the pipeline with 'mlops-nb run'") from None
    return kept.given


def find(run_id: str, step: str) -> Kept:
    """Find what a step notebook continues with.

    Parameters
    ----------
    run_id, step
        Which.

    Returns
    -------
    Kept
        Everything that it names is there.

    Raises
    ------
    StepFailedError
        It is no longer kept, or the store is not found from here.
    """
    asked = list(dict.fromkeys(_list_stores()))
    for root in asked:
        document = _read(_find_place(root / "steps", run_id, step), root)
        if document is None:
            continue
        components = root / "steps" / "components"
        given = replace(
            read_document(document["given"]), components=str(components), key_folder=str(root)
        )
        if _find_missing(given, components):
            break
        return Kept(given, document["folder"], document["fused_with"])
    raise StepFailedError(
        step,
        f"what it continues with (run {run_id!r}) is not in the stores {[str(p) for p in asked]}: "
        "it was removed, or the store is another one; run the pipeline again with 'mlops-nb run', "
        "or name the store in MLOPS_NB_STORE",
    )


def _read(path: Path, root: Path) -> Mapping[str, Any] | None:
    try:
        data = path.read_bytes()
    except OSError:
        return None
    found: Mapping[str, Any] | None = read_signed(data, read_key(root))
    return found


def _find_missing(given: StepSpecification, components: Path) -> str:
    """Find a file of the state that is gone; empty where none is."""
    files = {part.file for part in given.state.components} - {""}
    return next((name for name in sorted(files) if not find_file(components, name).is_file()), "")


def prune(steps: Path, key: bytes) -> int:
    """Remove what is kept for step notebooks whose values are gone.

    Parameters
    ----------
    steps
        Folder of the step cache.
    key
        Its key.

    Returns
    -------
    int
        Bytes that were freed.
    """
    freed = 0
    for path in (steps / "specs").glob("*.json"):
        with contextlib.suppress(OSError):
            document = read_signed(path.read_bytes(), key)
            given = None if document is None else read_document(document["given"])
            if given is None or _find_missing(given, steps / "components"):
                size = path.stat().st_size
                path.unlink()
                freed += size
    return freed
