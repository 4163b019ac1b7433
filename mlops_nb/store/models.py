"""Versions and aliases of registered models: write-once files and a chain of changes."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from mlops_nb.errors import ModelNotFoundError, StoreError
from mlops_nb.records import FieldSignature, ModelVersion, Signature
from mlops_nb.store.audit import AuditLog
from mlops_nb.store.files import write_whole
from mlops_nb.store.runmeta import is_moment

DAMAGED = "damaged"
_VERSION_FILE = re.compile(r"([1-9]\d*)\.json")


class ModelFolder:
    """Registered models as ``models/<name>/<n>.json``.

    Creating the file is what gives a version its number, so two registrations at once never share
    one. Aliases are records of the audit log; the last one counts.

    Parameters
    ----------
    root
        The folder of the models.
    audit
        The store's chain of changes.
    """

    def __init__(self, root: Path, audit: AuditLog) -> None:
        self.root, self.audit = root, audit

    def create_version(self, fields: Mapping[str, Any]) -> ModelVersion:
        """Add the next version of a model.

        Parameters
        ----------
        fields
            Fields of `ModelVersion` but ``version`` and ``aliases``; the name has been checked.

        Returns
        -------
        ModelVersion
            With its number.
        """
        name = fields["name"]
        number = max(self.versions(name), default=0) + 1
        while True:
            version = ModelVersion(**{**fields, "version": number, "aliases": ()})
            document = asdict(version)
            del document["aliases"]
            text = json.dumps(document, ensure_ascii=False, indent=1)
            if write_whole(self.root / name / f"{number}.json", text.encode()):
                break
            number += 1
        said = {"name": name, "version": number, "digest": version.digest, "run_id": version.run_id}
        try:
            self.audit.append("model.registered", said)
        except BaseException:
            # Without its record a version would look as if somebody had put it in.
            (self.root / name / f"{number}.json").unlink(missing_ok=True)
            raise
        return version

    def names(self) -> list[str]:
        """Give the names of all models that have a version."""
        if not self.root.is_dir():
            return []
        return sorted(folder.name for folder in self.root.iterdir() if self.versions(folder.name))

    def versions(self, name: str) -> list[int]:
        """Give the version numbers of a model, oldest first; none for an unknown model."""
        folder = self.root / name
        if not folder.is_dir():
            return []
        matches = (_VERSION_FILE.fullmatch(path.name) for path in folder.iterdir())
        return sorted(int(match[1]) for match in matches if match)

    def _has(self, name: str) -> bool:
        """Tell whether there is such a model, without a look into every other one.

        By the listing, as a name such as ``..`` would lead to a folder that is no model.
        """
        if not self.root.is_dir():
            return False
        return any(each.name == name for each in self.root.iterdir()) and bool(self.versions(name))

    def get(self, name: str, version: int) -> ModelVersion:
        """Read a version.

        Raises
        ------
        ModelNotFoundError
            There is no such model or version.
        StoreError
            The record cannot be read.
        """
        if not self._has(name):
            raise ModelNotFoundError(name, self.names())
        path = self.root / name / f"{version}.json"
        known = self.versions(name)
        if version not in known:
            shown = [f"{name}/{number}" for number in known]
            raise ModelNotFoundError(f"{name}/{version}", shown, "model version")
        aliases = tuple(sorted(a for a, n in self.aliases(name).items() if n == version))
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
            signature = document.pop("signature")
            values = {**document, "datasets": tuple(document["datasets"])}
            found = ModelVersion(**values, signature=read_signature(signature), aliases=aliases)
            _check_version(found, name, version)
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            problem = f"{path.name} of model {name!r} cannot be read ({error})"
            raise StoreError(self.root.parent, problem, "Restore it from a backup.") from None
        return found

    def describe(self, name: str, version: int) -> ModelVersion:
        """Read a version for a list, which one bad file must not stop.

        Returns
        -------
        ModelVersion
            Of a version whose record cannot be read, one of the flavor `DAMAGED`, without a digest.
        """
        try:
            return self.get(name, version)
        except StoreError:
            aliases = tuple(sorted(a for a, n in self.aliases(name).items() if n == version))
            return ModelVersion(name, version, DAMAGED, "", 0, 0.0, aliases=aliases)

    def set_alias(self, name: str, alias: str, version: int, reason: str | None = None) -> None:
        """Let an alias name a version; which it named before is on record, and why it moves."""
        digest = self.get(name, version).digest
        before = self.aliases(name).get(alias)
        self.audit.append(
            "alias.set",
            {
                "name": name,
                "alias": alias,
                "version": version,
                "digest": digest,
                "before": before,
                **({"reason": reason} if reason else {}),
            },
        )

    def delete_alias(self, name: str, alias: str, reason: str | None = None) -> int:
        """Take an alias away and give the version that it named.

        Raises
        ------
        ModelNotFoundError
            The model has no such alias.
        """
        known = self.aliases(name)
        if alias not in known:
            raise ModelNotFoundError(alias, known, f"alias of model {name!r}")
        before = known[alias]
        digest = self._read_digest(name, before)
        document = {"name": name, "alias": alias, "before": before, "digest": digest}
        self.audit.append("alias.deleted", document | ({"reason": reason} if reason else {}))
        return before

    def aliases(self, name: str) -> dict[str, int]:
        """Give the aliases of a model and the versions they name.

        What was said in another store counts as well, where it was said of the same model.
        """
        found: dict[str, int] = {}
        for record, is_own in self.audit.merged():
            said = record.document
            if said.get("name") != name or record.event not in ("alias.set", "alias.deleted"):
                continue
            version = said.get("version" if record.event == "alias.set" else "before")
            # Two stores may have given one number to two models; an alias means the model.
            if not is_own and not self._is_same(name, version, said):
                continue
            if record.event == "alias.set":
                found[said["alias"]] = said["version"]
            else:
                found.pop(said["alias"], None)
        return found

    def _is_same(self, name: str, version: Any, said: Mapping[str, Any]) -> bool:
        if not isinstance(version, int) or not isinstance(said.get("alias"), str):
            return False
        digest = said.get("digest")
        return digest is not None and digest == self._read_digest(name, version)

    def _read_digest(self, name: str, version: int) -> str | None:
        try:
            text = (self.root / name / f"{version}.json").read_text(encoding="utf-8")
            digest = json.loads(text)["digest"]
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return digest if isinstance(digest, str) else None

    def find_unrecorded(self) -> list[str]:
        """Tell where the models and the log of changes do not tell the same.

        Returns
        -------
        list of str
            One sentence for each version without the record of its registration, and for each
            registration in this store whose version is gone or another.
        """
        said: set[tuple[Any, Any, Any]] = set()
        faults = []
        for record, is_own in self.audit.merged():
            if record.event != "model.registered":
                continue
            name, version, digest = (
                record.document.get(key) for key in ("name", "version", "digest")
            )
            said.add((name, version, digest))
            if is_own and self._read_digest(str(name), int(version or 0)) != digest:
                faults.append(f"model version {name}/{version} is gone or was replaced")
        faults += [
            f"model version {name}/{version} has no record of its registration"
            for name in self.names()
            for version in self.versions(name)
            if (name, version, self._read_digest(name, version)) not in said
        ]
        return faults


def _check_version(found: ModelVersion, name: str, version: int) -> None:
    if (found.name, found.version) != (name, version):
        raise ValueError(f"it tells of {found.name}/{found.version}")
    texts = (found.flavor, found.digest, found.model_class, found.user)
    is_right = all(isinstance(text, str) for text in texts) and is_moment(found.registered_at)
    if not is_right or type(found.size_bytes) is not int or not isinstance(found.metrics, dict):
        raise ValueError("a value of it has the wrong type")


def read_signature(document: dict[str, Any] | None) -> Signature | None:
    """Give a signature from its JSON form."""
    if document is None:
        return None
    inputs, outputs = (
        tuple(
            FieldSignature(
                **{
                    **entry,
                    "categories": tuple(entry["categories"])
                    if entry.get("categories") is not None
                    else None,
                }
            )
            for entry in document[side]
        )
        for side in ("inputs", "outputs")
    )
    return Signature(inputs, outputs, document["named"])
