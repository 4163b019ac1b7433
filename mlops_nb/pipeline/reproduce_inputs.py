"""Files that a run has read: whether the same bytes lie there today, and what can be put back."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from mlops_nb.data.files import EXACT_BYTES, FileIdentities, read_stamp
from mlops_nb.data.fingerprint import SAMPLED
from mlops_nb.errors import InvalidValueError
from mlops_nb.pipeline.reproduce_remains import note_originals
from mlops_nb.records import DatasetRecord, RunDifference, RunRecord
from mlops_nb.store import Store

_DIGEST_LETTERS = 64
_SHOWN = 12


@dataclass(slots=True)
class Inputs:
    """What was found.

    Attributes
    ----------
    differences
        Files of which other bytes lie there, or none, and which the store cannot give back.
    elsewhere
        The same of files that other cells have read, of which nothing tells that the run uses them.
    restorable
        Files whose bytes the store has, by their name below the notebook's folder.
    unchecked
        In words.
    count
        Files that are the same, byte for byte.
    """

    differences: list[RunDifference] = field(default_factory=list)
    elsewhere: list[RunDifference] = field(default_factory=list)
    restorable: dict[str, str] = field(default_factory=dict)
    unchecked: list[str] = field(default_factory=list)
    count: int = 0


def check_inputs(store: Store, runs: Iterable[RunRecord], folder: Path) -> Inputs:
    """Compare the files that runs and the cells before them have read with those of today.

    Parameters
    ----------
    store
        May have the bytes of a file that is another today.
    runs
        With their cells.
    folder
        Of their notebook; names of files below it are relative to it.

    Returns
    -------
    Inputs
        Nothing was written.
    """
    found, identities = Inputs(), FileIdentities()
    seen: set[tuple[str, str]] = set()
    for run in runs:
        made = _list_made(run)
        own = {(data.name, data.fingerprint) for data in run.datasets}
        cells = [data for cell in run.cells for data in cell.datasets]
        for data in (*run.datasets, *cells):
            key = (data.name, data.fingerprint)
            if data.role != "read" or not data.call or key in seen:
                continue
            seen.add(key)
            if data.name in made:
                continue  # the code makes it itself, and will again
            _check(store, data, folder, identities, found, is_own=key in own)
    return found


def _list_made(run: RunRecord) -> set[str]:
    """Name the files that the code had written before it first read them."""
    first: dict[str, str] = {}
    for cell in run.cells:
        for data in cell.datasets:  # in the order in which they were opened
            first.setdefault(data.name, data.role)
    return {name for name, role in first.items() if role == "written"}


def _check(
    store: Store,
    data: DatasetRecord,
    folder: Path,
    identities: FileIdentities,
    found: Inputs,
    *,
    is_own: bool,
) -> None:
    if data.kind != "file" or not data.fingerprint:
        found.unchecked.append(f"{_name_kind(data)} {data.name!r}: its content was not recorded")
        return
    is_sampled = data.fingerprint.startswith(SAMPLED)
    place = folder / data.name
    now = identities.find(str(place), limit_bytes=0 if is_sampled else EXACT_BYTES)
    if now is not None and now[0] == data.fingerprint:
        found.count += 1
        if is_sampled:
            found.unchecked.append(f"all of {data.name!r}: only parts of it were recorded")
        return
    is_below = not Path(data.name).is_absolute() and ".." not in Path(data.name).parts
    is_digest = len(data.fingerprint) == _DIGEST_LETTERS
    if is_below and is_digest and store.objects.has(data.fingerprint):
        found.restorable[data.name] = data.fingerprint
        return
    after = None if now is None else (now[0][:_SHOWN] or "not readable")
    difference = RunDifference("input", data.name, data.fingerprint[:_SHOWN], after)
    (found.differences if is_own else found.elsewhere).append(difference)


def _name_kind(data: DatasetRecord) -> str:
    words = {"url": "the address", "sql": "the query", "files": "the files in"}
    return words.get(data.kind, "the file")


def restore_inputs(store: Store, inputs: Inputs, folder: Path) -> list[str]:
    """Put what the store has in the place of what lies there, in a copy of the folder.

    Parameters
    ----------
    store
        Has the bytes.
    inputs
        From `check_inputs`.
    folder
        The copy.

    Returns
    -------
    list of str
        Names of the files.
    """
    for name, digest in inputs.restorable.items():
        target = folder / name
        _make_own(target.parent, folder)
        target.unlink(missing_ok=True)  # a link leads to the user's own file
        store.objects.copy_to(digest, target)
    return sorted(inputs.restorable)


def _make_own(place: Path, folder: Path) -> None:
    """Make a folder in the copy, where a link led to a folder of the user's: with links in it."""
    for part in reversed([place, *place.parents]):
        if not part.is_relative_to(folder) or part == folder:
            continue
        if part.is_symlink():
            entries = list(part.iterdir()) if part.is_dir() else []
            real = part.resolve()
            part.unlink()
            part.mkdir()
            for entry in entries:
                (part / entry.name).symlink_to(real / entry.name)
        part.mkdir(exist_ok=True)


class Guard:
    """Keeps the files that the code has written from being changed by writing them again.

    It works in a copy of its folder; but a path may be absolute in the code.

    Parameters
    ----------
    runs
        With their cells.
    folder
        Of their notebook.
    """

    def __init__(self, runs: Iterable[RunRecord], folder: Path) -> None:
        written: set[str] = set()
        for run in runs:
            cells = [data for cell in run.cells for data in cell.datasets]
            for data in (*run.datasets, *cells):
                if data.role == "written" and data.kind == "file":
                    written.add(os.path.normpath(folder / data.name))
        self.paths = sorted(written)
        self.outside = [path for path in self.paths if not Path(path).is_relative_to(folder)]
        self._kept: dict[str, tuple[object, Path]] = {}

    def keep(self, folder: Path) -> None:
        """Copy the files that are there.

        Parameters
        ----------
        folder
            Where to.
        """
        folder.mkdir()
        for number, path in enumerate(self.paths):
            if Path(path).is_file():
                stamp, copy = read_stamp(path), folder / str(number)
                shutil.copy2(path, copy)
                self._kept[path] = (stamp, copy)
        note_originals(folder, {path: copy for path, (_, copy) in self._kept.items()})

    def put_back(self) -> list[str]:
        """Put back what was changed.

        Returns
        -------
        list of str
            Paths of the files that were put back.

        Raises
        ------
        InvalidValueError
            One could not be; its content is kept, and where that is is told.
        """
        changed = [path for path, (stamp, _) in self._kept.items() if read_stamp(path) != stamp]
        failed: list[tuple[str, OSError]] = []
        for path in changed:
            copy = self._kept[path][1]
            try:
                Path(path).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(copy, path)
                shutil.copystat(copy, path)
            except OSError as error:  # the others are put back all the same
                failed.append((path, error))
        if failed:
            kept = Path(tempfile.mkdtemp(prefix="mlops-nb-kept-"))
            for path, _ in failed:
                shutil.copy2(self._kept[path][1], kept / Path(path).name)
            path, why = failed[0]
            expected = f"a place where the file can be put back ({why.strerror})"
            hint = f"The code has changed it; what it was lies in {str(kept)!r}."
            raise InvalidValueError("changed file", path, expected, hint)
        return changed
