"""Results of steps by the key of what they depend on; every record signed, every file verified."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlops_nb.errors import CorruptObjectError, NotFoundError, StoreError
from mlops_nb.pipeline import filestate, items
from mlops_nb.pipeline.contentfile import find_file
from mlops_nb.pipeline.digests_text import digest_text
from mlops_nb.pipeline.locking import lock_file
from mlops_nb.pipeline.sealing import open_component, read_key, read_signed, sign_document
from mlops_nb.pipeline.state import State
from mlops_nb.store import Store

_LARGEST_KEPT_BYTES = 256 * 2**20
_MOST_RECORDS = 8


@dataclass(frozen=True, slots=True)
class Found:
    """What the cache says about a step.

    Attributes
    ----------
    record
        The result to use, None where there is none.
    reason
        Why there is none, in words; where there is one, when it was made.
    """

    record: Mapping[str, Any] | None
    reason: str


class StepCache:
    """The results of steps in one store.

    Parameters
    ----------
    store
        Keeps executed notebooks and files that steps have written.
    folder
        Keeps records and components; ``steps`` in the store by default.
    """

    def __init__(self, store: Store, folder: Path | None = None) -> None:
        self.store = store
        self.folder = folder or store.root / "steps"
        self.components = self.folder / "components"
        self.components.mkdir(parents=True, exist_ok=True)
        self.key = read_key(store.root if folder is None else folder)

    # ------------------------------------------------------------------ places
    def _list_records(self, key: str) -> list[Path]:
        folder = self.folder / "records" / key[:2] / key
        with contextlib.suppress(OSError):
            return sorted(folder.iterdir(), reverse=True)
        return []

    def _find_latest(self, notebook: Path, step: str) -> Path:
        return self.folder / "latest" / digest_text(str(notebook.absolute()), step)

    def read(self, path: Path) -> Any | None:
        """Read a record.

        Parameters
        ----------
        path
            Its file.

        Returns
        -------
        dict or None
            None where it is gone, damaged, or not signed by this store.
        """
        try:
            return read_signed(path.read_bytes(), self.key)
        except (OSError, ValueError):
            return None

    @contextlib.contextmanager
    def locked(self, key: str) -> Iterator[None]:
        """Keep another run from executing the same step at the same time.

        Parameters
        ----------
        key
            Of the step.

        Yields
        ------
        None
            Whoever waits looks into the cache again.
        """
        folder = self.folder / "locks"
        folder.mkdir(exist_ok=True)
        with lock_file(folder / key):
            yield

    # ------------------------------------------------------------------ reading
    def read_latest(self, notebook: Path, step: str) -> Mapping[str, Any] | None:
        """Give the last record of a step, whatever it depended on.

        Parameters
        ----------
        notebook, step
            Which.

        Returns
        -------
        dict or None
            None where the step never ended well.
        """
        record: Mapping[str, Any] | None = self.read(self._find_latest(notebook, step))
        return record

    def find(
        self,
        key: str,
        state: State,
        sources: Mapping[str, list[str]],
        parameters: Mapping[str, str],
    ) -> Found:
        """Look for a result.

        Parameters
        ----------
        key
            From `keys.compute_key`.
        state
            What there is before the step.
        sources
            Digests of the code of all steps, for steps that ran in one kernel.
        parameters
            Values of all parameters as source.

        Returns
        -------
        Found
            A record all of whose conditions hold, or the first one that does not.
        """
        reason = ""
        for path in self._list_records(key):
            record = self.read(path)
            if record is None:
                continue
            broken = self._find_broken(record, state, sources, parameters)
            if not broken:
                with contextlib.suppress(OSError):
                    os.utime(path)  # the oldest are removed first
                return Found(record, f"as made on {record['created_at']}")
            reason = reason or broken
        return Found(None, reason)

    def _find_broken(
        self,
        record: Mapping[str, Any],
        state: State,
        sources: Mapping[str, list[str]],
        parameters: Mapping[str, str],
    ) -> str:
        conditions = record["conditions"]
        owners = state.find_owners()
        digests = {name: part.digest for name, part in owners.items()}
        if (
            conditions["seeds"]
            and digests.get(items.SEEDS, conditions["seeds"]) != (conditions["seeds"])
        ):
            return "the random numbers before it are others"
        for name, digest in conditions["inputs"].items():
            if digests.get(name) != digest:
                return f"{name!r} has changed"
        for name, text in conditions["parameters"].items():
            if parameters.get(name) != text:
                return f"parameter {name} changed"
        for step, code in conditions["steps"].items():
            if sources.get(step) != code:
                return f"the code of step {step!r}, which runs in the same kernel, has changed"
        for name in {part["file"] for part in record["state"]["components"]} - {""}:
            if not find_file(self.components, name).is_file():
                return "a value that it made is no longer kept"
        return _find_changed_file(record)

    def restore_files(self, record: Mapping[str, Any]) -> None:
        """Put the files that a step has written back where they are not as it left them.

        Parameters
        ----------
        record
            From `find`.

        Raises
        ------
        StoreError
            A file cannot be written, or what is kept of it is damaged.
        """
        for path, written in record["writes"].items():
            target = Path(path)
            if written is None:
                if target.is_file() and not record["conditions"]["reads"].get(path):
                    target.unlink()
            elif written.get("is_folder"):
                target.mkdir(parents=True, exist_ok=True)
            elif written["kept"] and not filestate.is_unchanged(path, written):
                target.parent.mkdir(parents=True, exist_ok=True)
                self.store.objects.copy_to(written["kept"], target)

    def copy_notebook(self, digest: str, target: Path) -> bool:
        """Write the executed notebook of a step.

        Parameters
        ----------
        digest
            From the record.
        target
            Where.

        Returns
        -------
        bool
            False where it is no longer kept.
        """
        try:
            content = self.store.objects.read_bytes(digest)
        except (CorruptObjectError, NotFoundError, StoreError):
            return False
        document = json.loads(content)
        document["metadata"].setdefault("mlops", {})["cached"] = True
        target.write_text(json.dumps(document, indent=1), encoding="utf-8")
        return True

    def read_values(self, state: State, names: frozenset[str]) -> dict[str, Any]:
        """Read plain values of a state: numbers, texts, truth values, None.

        Parameters
        ----------
        state
            The state.
        names
            Which; others are left out.

        Returns
        -------
        dict
            By name; names whose values are something else are left out.
        """
        from mlops_nb.pipeline.plain import read_plain

        owners = state.find_owners()
        found: dict[str, Any] = {}
        for name in names & set(owners):
            found |= read_plain(owners[name], self.components, self.key, name)
        return found

    def remove_damaged(self, state: State) -> frozenset[str]:
        """Remove files of values that are not as they were written.

        Parameters
        ----------
        state
            Names them.

        Returns
        -------
        frozenset of str
            The files; results that name them are not found any more.
        """
        damaged = set()
        for part in state.components:
            try:
                if part.file:
                    open_component(part, self.components, self.key)
            except CorruptObjectError:
                damaged.add(part.file)
                find_file(self.components, part.file).unlink(missing_ok=True)
        return frozenset(damaged)

    # ------------------------------------------------------------------ writing
    def keep_files(self, writes: Mapping[str, Any]) -> dict[str, Any]:
        """Keep the content of files that a step has written.

        Parameters
        ----------
        writes
            States by path, None for those that it removed.

        Returns
        -------
        dict
            The same with ``kept``: an object, empty where the file is too large.
        """
        kept: dict[str, Any] = {}
        for path, found in writes.items():
            if found is None:
                kept[path] = None
            elif found.get("is_folder") or found["stamp"][0] > _LARGEST_KEPT_BYTES:
                kept[path] = {**found, "kept": ""}
            else:
                kept[path] = {**found, "kept": self.store.objects.put_file(Path(path))[0]}
        return kept

    def write(self, key: str, notebook: Path, record: Mapping[str, Any]) -> None:
        """Keep the result of a step.

        Parameters
        ----------
        key
            From `keys.compute_key`.
        notebook
            The notebook.
        record
            JSON types.
        """
        data = sign_document(record, self.key)
        folder = self.folder / "records" / key[:2] / key
        folder.mkdir(parents=True, exist_ok=True)
        self._write_whole(folder / f"{time.time_ns():020d}.json", data)
        self.note(notebook, record)
        for path in self._list_records(key)[_MOST_RECORDS:]:
            path.unlink(missing_ok=True)

    def note(self, notebook: Path, record: Mapping[str, Any]) -> None:
        """Note what a step did last, whether its result is kept or not.

        Parameters
        ----------
        notebook
            The notebook.
        record
            JSON types.
        """
        latest = self._find_latest(notebook, str(record["step"]))
        latest.parent.mkdir(exist_ok=True)
        self._write_whole(latest, sign_document(record, self.key))

    @staticmethod
    def _write_whole(path: Path, data: bytes) -> None:
        temporary = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
        temporary.write_bytes(data)
        temporary.replace(path)

    def clear(self) -> int:
        """Remove every result.

        Returns
        -------
        int
            Bytes that were freed.
        """
        files = [p for p in self.folder.rglob("*") if p.is_file() and p.parent.name != "locks"]
        freed = sum(path.stat().st_size for path in files)
        for name in ("records", "latest", "components", "specs", "plans"):
            shutil.rmtree(self.folder / name, ignore_errors=True)
        self.components.mkdir(parents=True, exist_ok=True)
        return freed


def _find_changed_file(record: Mapping[str, Any]) -> str:
    conditions = record["conditions"]
    for path, known in conditions["reads"].items():
        if not filestate.is_unchanged(path, known):
            return f"the file {path!r} has changed"
    for path, known in conditions["lists"].items():
        if filestate.read_folder(path) != known:
            return f"the files in {path!r} are others"
    for path, known in conditions.get("searches", {}).items():
        if filestate.read_modules(path) != known:
            return f"the modules in {path!r} are others"
    for path in conditions["packages"]:
        if not os.path.isdir(path):  # noqa: PTH112 - a hundred are asked
            return f"the package {Path(path).name.removesuffix('.dist-info')!r} has changed"
    for path, written in record["writes"].items():
        if not written or written["kept"] or written.get("is_folder"):
            continue
        if not filestate.is_unchanged(path, written):
            return f"the file {path!r}, which it made, is not as it made it"
    return ""
