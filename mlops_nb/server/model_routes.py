"""Routes of registered models: which there are, what each version is, and what its aliases name."""

from __future__ import annotations

from typing import Any

from jupyter_server.auth.decorator import authorized
from tornado.web import authenticated

from mlops_nb import api
from mlops_nb.errors import InvalidValueError
from mlops_nb.records import AuditRecord, ModelVersion, format_time
from mlops_nb.server.bodies import ALIAS_CHANGE, ALIAS_REMOVAL
from mlops_nb.server.body import read_body
from mlops_nb.server.handler import MLOpsRouteHandler
from mlops_nb.server.payload import DEFAULT_LIMIT, MAX_LIMIT, shorten, to_json

_MAX_OFFSET = 10**9
_MAX_VERSION = 10**9
# What a page shows of a history and of a signature; a table may have any number of columns.
_MOST_CHANGES = 200
_MOST_FIELDS = 500
_LONGEST_REASON = 2000


def write_version(version: ModelVersion) -> dict[str, Any]:
    """Give a version as it stands in a list: without signature, and with the data counted.

    Parameters
    ----------
    version
        As read back from the store.

    Returns
    -------
    dict
        The fields of `ModelVersion.to_json` but ``signature``, and ``is_damaged``.
    """
    document: dict[str, Any] = to_json(version.to_json())
    del document["signature"]
    document["is_damaged"] = not version.digest
    return document


def write_whole_version(version: ModelVersion) -> dict[str, Any]:
    """Give a version with its signature, of which very many columns are cut.

    Parameters
    ----------
    version
        As read back from the store.

    Returns
    -------
    dict
        As `write_version` gives, with ``signature`` and ``input_count``.
    """
    signature: dict[str, Any] | None = to_json(version.to_json()["signature"])
    count = 0
    if signature is not None:
        count = len(signature["inputs"])
        for side in ("inputs", "outputs"):
            signature[side] = signature[side][:_MOST_FIELDS]
    return {**write_version(version), "signature": signature, "input_count": count}


def write_change(record: AuditRecord) -> dict[str, Any]:
    """Give a change of a model as it stands in its history.

    Parameters
    ----------
    record
        From the log of changes.

    Returns
    -------
    dict
        ``event``, ``at``, ``user``, and ``alias``, ``version``, ``before``, ``reason`` where the
        change has them.
    """
    said = record.document
    known = {key: shorten(to_json(said.get(key))) for key in ("alias", "version", "before")}
    return {
        "event": record.event,
        "at": format_time(record.at),
        "user": record.user,
        **known,
        "reason": str(said.get("reason") or ""),
    }


class ModelsRouteHandler(MLOpsRouteHandler):
    """``GET /mlops-nb/models``: a page of registered models, by name."""

    @authenticated
    @authorized  # type: ignore[untyped-decorator]
    async def get(self) -> None:
        """Answer the models of the store, one page at a time."""
        start = self.start
        limit = self.read_argument("limit", DEFAULT_LIMIT, 1, MAX_LIMIT)
        offset = self.read_argument("offset", 0, 0, _MAX_OFFSET)

        def list_page() -> dict[str, Any]:
            # One more than asked for tells whether there is a next page.
            found = api.summarize_models(limit + 1, offset, start=start)
            models = [
                {
                    "name": model.name,
                    "version_count": model.version_count,
                    "newest": write_version(model.newest),
                    "aliases": model.aliases,
                }
                for model in found[:limit]
            ]
            return {
                "models": models,
                "limit": limit,
                "offset": offset,
                "has_more": len(found) > limit,
            }

        await self.answer(list_page)


class ModelRouteHandler(MLOpsRouteHandler):
    """``GET /mlops-nb/models/<name>``: a model's versions and what was done with them."""

    @authenticated
    @authorized  # type: ignore[untyped-decorator]
    async def get(self, name: str) -> None:
        """Answer a page of versions, newest first, and the newest changes.

        Parameters
        ----------
        name
            The model.
        """
        start = self.start
        limit = self.read_argument("limit", DEFAULT_LIMIT, 1, MAX_LIMIT)
        offset = self.read_argument("offset", 0, 0, _MAX_OFFSET)

        def describe() -> dict[str, Any]:
            versions = api.list_models(name, start=start)
            changes = api.list_model_changes(name, start=start)
            return {
                "name": name,
                "versions": [write_version(each) for each in versions[offset : offset + limit]],
                "version_count": len(versions),
                "offset": offset,
                "limit": limit,
                "aliases": {alias: each.version for each in versions for alias in each.aliases},
                "changes": [write_change(record) for record in changes[:_MOST_CHANGES]],
                "change_count": len(changes),
            }

        await self.answer(describe)


class VersionRouteHandler(MLOpsRouteHandler):
    """``GET /mlops-nb/models/<name>/versions/<number>``: one version with its signature."""

    @authenticated
    @authorized  # type: ignore[untyped-decorator]
    async def get(self, name: str, number: str) -> None:
        """Answer one version.

        Parameters
        ----------
        name, number
            The model, and the version's number.
        """
        start, wanted = self.start, read_version(number)
        await self.answer(
            lambda: write_whole_version(api.get_model(f"{name}/{wanted}", start=start))
        )


class AliasRouteHandler(MLOpsRouteHandler):
    """``PUT``, ``DELETE /mlops-nb/models/<name>/aliases/<alias>``: promote and roll back."""

    @authenticated
    @authorized  # type: ignore[untyped-decorator]
    async def put(self, name: str, alias: str) -> None:
        """Let the alias name a version.

        Parameters
        ----------
        name, alias
            The model and the alias.
        """
        start = self.start
        sent = read_body(self.request.body, ALIAS_CHANGE)
        version = sent.get("version")
        if version is None or not 1 <= version <= _MAX_VERSION:
            raise InvalidValueError("version", version, "a whole number from 1")
        reason = read_reason(sent)
        await self.answer(
            lambda: write_version(api.set_alias(name, alias, version, reason, start=start))
        )

    @authenticated
    @authorized  # type: ignore[untyped-decorator]
    async def delete(self, name: str, alias: str) -> None:
        """Take the alias away; the version that it named stays.

        Parameters
        ----------
        name, alias
            The model and the alias.
        """
        start = self.start
        reason = read_reason(read_body(self.request.body, ALIAS_REMOVAL))
        await self.answer(lambda: write_version(api.delete_alias(name, alias, reason, start=start)))


def read_version(number: str) -> int:
    """Read the number of a version where it stands in the address.

    Parameters
    ----------
    number
        As it was sent.

    Returns
    -------
    int
        The number; whether there is such a version is not known yet.

    Raises
    ------
    InvalidValueError
        It is no whole number, or one of very many digits.
    """
    if not (number.isascii() and number.isdigit() and len(number) < 10):
        raise InvalidValueError("version", number, "a whole number")
    return int(number)


def read_reason(sent: dict[str, Any]) -> str | None:
    """Give the reason that was sent; it goes into a log that nobody can shorten later.

    Parameters
    ----------
    sent
        As `read_body` gives it.

    Returns
    -------
    str or None
        Without blanks around; None where there is none.

    Raises
    ------
    InvalidValueError
        It is too long.
    """
    reason = str(sent.get("reason", "")).strip()
    if len(reason) > _LONGEST_REASON:
        raise InvalidValueError("length of the reason", len(reason), f"<= {_LONGEST_REASON}")
    return reason or None


ROUTES: tuple[tuple[str, type[MLOpsRouteHandler]], ...] = (
    (r"models", ModelsRouteHandler),
    (r"models/([^/]+)", ModelRouteHandler),
    (r"models/([^/]+)/versions/([^/]+)", VersionRouteHandler),
    (r"models/([^/]+)/aliases/([^/]+)", AliasRouteHandler),
)
