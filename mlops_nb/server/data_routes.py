"""Routes of data and environment: what the last runs used, and what differs."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from jupyter_server.auth.decorator import authorized
from tornado.web import authenticated

from mlops_nb import api
from mlops_nb.records import DatasetSummary, DatasetVersion, EnvironmentUse, format_time
from mlops_nb.server.handler import MLOpsRouteHandler
from mlops_nb.server.payload import shorten, to_json

_MOST_DATASETS = 100
_MOST_VERSIONS = 50
_MOST_COLUMNS = 200
_MOST_ENVIRONMENTS = 50
_MOST_DIFFERENCES = 1000


def write_version(version: DatasetVersion) -> dict[str, Any]:
    """Give a version of a data set as the panel shows it."""
    record = version.record
    return {
        "fingerprint": record.fingerprint,
        "is_kept": record.digest is not None,
        "shape": list(record.shape),
        "columns": [
            [shorten(name), shorten(kind)] for name, kind in record.columns[:_MOST_COLUMNS]
        ],
        "size_bytes": record.size_bytes,
        "roles": list(version.roles),
        "run_count": version.run_count,
        "run_id": version.run_id,
        "run_name": shorten(version.run_name),
        "first_at": format_time(version.first_at),
        "last_at": format_time(version.last_at),
    }


def write_dataset(dataset: DatasetSummary) -> dict[str, Any]:
    """Give a data set with its last versions."""
    return {
        "name": shorten(dataset.name),
        "kind": dataset.kind,
        "version_count": len(dataset.versions),
        "versions": [write_version(version) for version in dataset.versions[:_MOST_VERSIONS]],
    }


def write_environment(use: EnvironmentUse) -> dict[str, Any]:
    """Give an environment and its last run."""
    document = asdict(use)
    return {
        **document,
        "run_name": shorten(use.run_name),
        "last_at": format_time(use.last_at),
    }


def describe_uses(notebook: Path | None, is_whole: bool, start: Path) -> dict[str, Any]:
    """Give what the last runs of a notebook, or of the store, used."""
    path = str(notebook) if notebook and not is_whole else None
    datasets, environments, count = api.read_uses(path, start=start)
    return {
        "datasets": [write_dataset(each) for each in datasets[:_MOST_DATASETS]],
        "dataset_count": len(datasets),
        "environments": [write_environment(each) for each in environments[:_MOST_ENVIRONMENTS]],
        "environment_count": len(environments),
        "run_count": count,
    }


class UsesRouteHandler(MLOpsRouteHandler):
    """``GET /mlops-nb/data``: the data sets and environments of the last runs."""

    @authenticated
    @authorized  # type: ignore[untyped-decorator]
    async def get(self) -> None:
        """Answer them for a notebook, or with ``scope=store`` for all runs there."""
        notebook, start = self.find_notebook(), self.start
        is_whole = self.get_query_argument("scope", "notebook") == "store"
        await self.answer(lambda: to_json(describe_uses(notebook, is_whole, start)))


class ProfileRouteHandler(MLOpsRouteHandler):
    """``GET /mlops-nb/data/profile``: what a kept data set holds."""

    @authenticated
    @authorized  # type: ignore[untyped-decorator]
    async def get(self) -> None:
        """Answer the columns of data that a run used; nothing but kept bytes is read."""
        run_id, start = self.get_query_argument("run"), self.start
        fingerprint = self.get_query_argument("fingerprint")

        def profile() -> Any:
            found = api.profile_dataset(run_id, fingerprint, start=start)
            return to_json(asdict(found))

        await self.answer(profile)


class EnvironmentRouteHandler(MLOpsRouteHandler):
    """``GET /mlops-nb/environment``: in what two runs ran differently."""

    @authenticated
    @authorized  # type: ignore[untyped-decorator]
    async def get(self) -> None:
        """Answer the differences, the most telling first."""
        before, after = self.get_query_argument("before"), self.get_query_argument("after")
        start = self.start

        def diff() -> dict[str, Any]:
            rows = api.diff_environments(before, after, start=start)
            shown = [
                {name: shorten(value) for name, value in to_json(asdict(row)).items()}
                for row in rows[:_MOST_DIFFERENCES]
            ]
            return {"rows": shown, "count": len(rows)}

        await self.answer(diff)


ROUTES: tuple[tuple[str, type[MLOpsRouteHandler]], ...] = (
    (r"data", UsesRouteHandler),
    (r"data/profile", ProfileRouteHandler),
    (r"environment", EnvironmentRouteHandler),
)
