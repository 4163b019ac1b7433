"""Remembers what was verified: of which code, and with which parameters, data and packages."""

from __future__ import annotations

import contextlib
import os
import secrets
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from mlops_nb.notebook.giving import render_parameters
from mlops_nb.pipeline import filestate
from mlops_nb.pipeline.cache import StepCache
from mlops_nb.pipeline.context import Context
from mlops_nb.pipeline.digests_text import digest_text
from mlops_nb.pipeline.resolving import Resolved
from mlops_nb.pipeline.sealing import read_signed, sign_document
from mlops_nb.records import Verification

_MOST = 20


class Ledger:
    """What was verified of one code.

    Parameters
    ----------
    context
        Of the run.
    cache
        Keeps it, signed.
    code
        Digest of all that can be edited.
    """

    def __init__(self, context: Context, cache: StepCache, code: str) -> None:
        self.run_id, self.cache = context.run_id, cache
        self.file = cache.folder / "verified" / f"{code}.json"
        values = {one.name: one.default for one in context.pipeline.parameters}
        self.parameters = {
            name: digest_text(render_parameters({name: value}, ""))
            for name, value in sorted({**values, **context.values}.items())
        }

    def find(self) -> Verification | None:
        """Look for what was verified before.

        Returns
        -------
        Verification or None
            None where nothing was, or a module of the project or a package has changed since: that
            is to be verified as an edit is. What was verified with other parameters or other data
            is not verified for these.
        """
        entries = [entry for entry in self._read() if _has_same_code(entry)]
        if not entries:
            return None
        reasons = []
        for entry in entries:
            other = self._find_other(entry)
            if not other:
                return Verification(
                    entry["status"],
                    uncompared=tuple(entry["uncompared"]),
                    unstable=tuple(entry["unstable"]),
                    reason=f"as of run {entry['run_id'][-8:]}",
                )
            reasons.append(f"with {other}; run {entry['run_id'][-8:]} was verified with others")
        return Verification("not verified", reason=f"{reasons[0]}; mlops-nb verify compares it")

    def _find_other(self, entry: Mapping[str, Any]) -> str:
        known = entry["parameters"]
        names = [name for name, digest in self.parameters.items() if known.get(name) != digest]
        if names:
            return f"these parameters ({', '.join(names[:3])})"
        changed = [p for p, state in entry["data"].items() if not filestate.is_unchanged(p, state)]
        return f"these data ({changed[0]!r})" if changed else ""

    def keep(self, verification: Verification, done: Iterable[Resolved]) -> None:
        """Remember a verification.

        Parameters
        ----------
        verification
            Of this run.
        done
            Its results.
        """
        records = [resolved.record for resolved in done if resolved.record is not None]
        reads: dict[str, Any] = {}
        for record in records:
            for path, state in record["conditions"]["reads"].items():
                reads.setdefault(path, state)
        written = {path for record in records for path in record["writes"]}
        entry = {
            "status": verification.status,
            "uncompared": verification.uncompared,
            "unstable": verification.unstable,
            "run_id": self.run_id,
            "verified_at": time.time(),
            "parameters": self.parameters,
            "modules": {path: state for path, state in reads.items() if path.endswith(".py")},
            "data": {
                path: state
                for path, state in reads.items()
                if path not in written and not path.endswith(".py")
            },
            "packages": sorted({p for record in records for p in record["conditions"]["packages"]}),
        }
        document = {"entries": [entry, *self._read()][:_MOST]}
        temporary = self.file.with_name(f".{self.file.name}.{secrets.token_hex(4)}")
        with contextlib.suppress(OSError):  # it is verified again next time
            self.file.parent.mkdir(parents=True, exist_ok=True)
            temporary.write_bytes(sign_document(document, self.cache.key))
            temporary.replace(self.file)

    def _read(self) -> list[dict[str, Any]]:
        try:
            found = read_signed(self.file.read_bytes(), self.cache.key)
        except (OSError, ValueError):
            return []
        return list(found.get("entries", ())) if found is not None else []


def _has_same_code(entry: Mapping[str, Any]) -> bool:
    """Tell whether what is no cell is the same: modules of the project, installed packages."""
    if not all(map(os.path.isdir, entry["packages"])):
        return False
    return all(filestate.is_unchanged(str(Path(p)), s) for p, s in entry["modules"].items())
