"""The routes of data and environment."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from mlops_nb.config import load_settings
from mlops_nb.data import fingerprint, store_frame
from mlops_nb.store import Store
from mlops_nb.tracking import start_run
from tests.server.conftest import Ask


def use(store: Store, notebook: Path, name: str, rows: int, numpy: str, seed: str) -> str:
    """Record a run that used a frame of some rows in an environment."""
    meta = {"notebook": str(notebook)}
    run = start_run(store, load_settings(), name, meta=meta, is_active=False)
    frame = pd.DataFrame({"<b>age</b>": range(rows), "name": ["x"] * rows})
    run.log_dataset(store_frame(store, frame, "people", role="X"))
    target = fingerprint(frame["name"], "target", "y")
    assert target is not None
    run.log_dataset(target)
    document = {"packages": {"numpy": numpy, "six": "1"}, "imported": {"numpy": numpy}}
    run.log_environment(store.objects.put_json(document))
    run.set_tags({"seed.set.np.random.seed": seed})
    run.end("finished")
    return run.run_id


async def test_versions_and_environments_of_a_notebook(
    ask: Ask, store: Store, jp_root_dir: Path
) -> None:
    """The same content is one version, whoever used it; the last used comes first."""
    book = jp_root_dir / "a.ipynb"
    use(store, book, "one", 3, "1.0", "7")
    use(store, book, "two", 3, "1.0", "7")
    last = use(store, book, "three", 4, "2.0", "8")
    use(store, jp_root_dir / "b.ipynb", "elsewhere", 5, "2.0", "8")
    code, body = await ask("data", notebook="a.ipynb")
    assert code == 200
    assert (body["run_count"], body["dataset_count"], body["environment_count"]) == (3, 2, 2)
    people = body["datasets"][0]
    assert (people["name"], people["version_count"]) == ("people", 2)
    newest, oldest = people["versions"]
    assert (newest["shape"], newest["run_id"], newest["is_kept"]) == ([4, 2], last, True)
    assert newest["columns"][0][0] == "<b>age</b>"
    assert (oldest["run_count"], oldest["run_name"], oldest["roles"]) == (2, "two", ["X"])
    assert body["datasets"][1]["versions"][0]["is_kept"] is False
    assert [each["run_count"] for each in body["environments"]] == [1, 2]
    _, body = await ask("data", notebook="a.ipynb", scope="store")
    assert (body["run_count"], body["datasets"][0]["version_count"]) == (4, 3)


async def test_profile_reads_kept_bytes_only(ask: Ask, store: Store, jp_root_dir: Path) -> None:
    """Columns of kept data are described; of other data, and of paths, nothing is read."""
    run_id = use(store, jp_root_dir / "a.ipynb", "one", 3, "1.0", "7")
    _, body = await ask("data", notebook="a.ipynb")
    people, target = (each["versions"][0]["fingerprint"] for each in body["datasets"])
    code, profile = await ask("data", "profile", run=run_id, fingerprint=people)
    assert (code, profile["rows"], profile["column_count"]) == (200, 3, 2)
    assert profile["columns"][0]["mean"] == 1.0
    for asked in (target, "/etc/passwd", ""):
        code, problem = await ask("data", "profile", run=run_id, fingerprint=asked)
        assert code == 404
        assert problem["hint"]


async def test_environments_differ_in_what_matters(
    ask: Ask, store: Store, jp_root_dir: Path
) -> None:
    """Packages and seeds are compared; what happened to be imported is not."""
    book = jp_root_dir / "a.ipynb"
    one = use(store, book, "one", 3, "1.0", "7")
    two = use(store, book, "two", 3, "2.0" * 1000, "8")
    code, body = await ask("environment", before=one, after=two)
    assert (code, body["count"]) == (200, 2)
    first, second = body["rows"]
    assert (first["group"], first["key"], first["before"]) == ("packages", "numpy", "1.0")
    assert len(first["after"]) == 300
    assert (second["group"], second["before"], second["after"]) == ("seeds", "7", "8")
    assert (await ask("environment", before=one, after=one))[1] == {"rows": [], "count": 0}


@pytest.mark.parametrize(
    ("route", "params", "status"),
    [
        (["data"], {"notebook": "../../etc/passwd"}, 400),
        (["data", "profile"], {"run": "nobody", "fingerprint": "x"}, 404),
        (["data", "profile"], {"run": "x"}, 400),
        (["environment"], {"before": "nobody", "after": "nobody"}, 404),
    ],
)
async def test_bad_questions_are_refused(
    route: list[str], params: dict[str, str], status: int, ask: Ask
) -> None:
    """What is missing or unknown is told."""
    code, body = await ask(*route, **params)
    assert code == status
    assert body["message"]


async def test_empty_store_has_nothing(ask: Ask) -> None:
    """Before the first run all lists are empty."""
    code, body = await ask("data", notebook="a.ipynb")
    expected: dict[str, Any] = {"datasets": [], "dataset_count": 0, "environments": []}
    assert code == 200
    assert expected.items() <= body.items()
