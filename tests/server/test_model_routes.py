"""The routes of registered models: what they tell, and what promoting and rolling back do."""

from __future__ import annotations

import json
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from mlops_nb.records import FieldSignature, Signature
from mlops_nb.store import Store
from tests.server.conftest import Ask

Send = Callable[..., Awaitable[tuple[int, Any]]]


def add_version(store: Store, name: str = "iris", **fields: Any) -> int:
    """Register a version whose bytes nobody reads."""
    inputs = (FieldSignature("age", "int64", 1.0, 90.0), FieldSignature("<b>kind</b>", "category"))
    wanted = {
        "name": name,
        "flavor": "skops",
        "digest": "d" * 64,
        "size_bytes": 2048,
        "registered_at": time.time(),
        "model_class": "sklearn.linear_model.LogisticRegression",
        "signature": Signature(inputs, (FieldSignature("y", "int64"),)),
        "metrics": {"accuracy": 0.9, "loss": float("nan")},
        "datasets": ("f" * 64,),
        **fields,
    }
    return store.models.create_version(wanted).version


async def test_models_come_in_pages_by_name(ask: Ask, store: Store) -> None:
    """Each line names the newest version and the aliases, and no signature travels with it."""
    for name in ("rain", "iris", "wind"):
        add_version(store, name)
    add_version(store, "iris", user="Ada")
    store.models.set_alias("iris", "champion", 1)
    code, body = await ask("models", limit=2)
    assert code == 200
    assert [(each["name"], each["version_count"]) for each in body["models"]] == [
        ("iris", 2),
        ("rain", 1),
    ]
    first = body["models"][0]
    assert first["aliases"] == {"champion": 1}
    assert (first["newest"]["version"], first["newest"]["user"]) == (2, "Ada")
    assert first["newest"]["metrics"] == {"accuracy": 0.9, "loss": "NaN"}
    assert "signature" not in first["newest"]
    assert body["has_more"]
    _, rest = await ask("models", limit=2, offset=2)
    assert ([each["name"] for each in rest["models"]], rest["has_more"]) == (["wind"], False)


async def test_store_without_models_is_no_error(ask: Ask) -> None:
    """Where nothing was registered the list is empty, and asking makes no store."""
    assert (await ask("models"))[1]["models"] == []
    code, body = await ask("models", "iris")
    assert (code, body["error"]) == (404, "ModelNotFoundError")


async def test_model_tells_its_versions_and_history(ask: Ask, store: Store) -> None:
    """Versions stand newest first, and each change with its reason and the version before."""
    for _ in range(3):
        add_version(store)
    store.models.set_alias("iris", "champion", 1)
    store.models.set_alias("iris", "champion", 3, "better on <i>holdout</i>")
    code, body = await ask("models", "iris", limit=2)
    assert code == 200
    assert [each["version"] for each in body["versions"]] == [3, 2]
    assert (body["version_count"], body["aliases"]) == (3, {"champion": 3})
    newest = body["changes"][0]
    assert (newest["event"], newest["alias"], newest["before"]) == ("alias.set", "champion", 1)
    assert newest["reason"] == "better on <i>holdout</i>"
    assert body["change_count"] == 5
    code, whole = await ask("models", "iris", "versions", "3")
    assert [each["name"] for each in whole["signature"]["inputs"]] == ["age", "<b>kind</b>"]
    assert (whole["input_count"], whole["aliases"]) == (2, ["champion"])


async def test_damaged_version_stops_no_list(ask: Ask, store: Store) -> None:
    """A version whose record cannot be read is listed as such, and asked for it says why."""
    add_version(store)
    path = store.root / "models" / "iris" / "1.json"
    path.chmod(0o600)
    path.write_text("{")
    for parts in ((), ("iris",)):
        code, body = await ask("models", *parts)
        assert code == 200
    assert body["versions"][0]["is_damaged"]
    code, body = await ask("models", "iris", "versions", "1")
    assert (code, body["error"]) == (409, "StoreError")


async def test_promotion_and_rollback_are_on_record(ask: Ask, send: Send, store: Store) -> None:
    """An alias moves to a version and back, each with its reason, and can be taken away."""
    add_version(store)
    add_version(store)
    for version, reason in ((1, ""), (2, "promotion"), (1, "it got worse")):
        code, body = await send(
            "PUT", "models", "iris", "aliases", "champion", version=version, reason=reason
        )
        assert (code, body["version"], body["aliases"]) == (200, version, ["champion"])
    code, body = await send("DELETE", "models", "iris", "aliases", "champion")
    assert (code, body["aliases"]) == (200, [])
    _, body = await ask("models", "iris")
    assert body["aliases"] == {}
    told = [(each["event"], each["version"], each["reason"]) for each in body["changes"][:4]]
    assert told == [
        ("alias.deleted", None, ""),
        ("alias.set", 1, "it got worse"),
        ("alias.set", 2, "promotion"),
        ("alias.set", 1, ""),
    ]


WRONG: list[tuple[str, object, int]] = [
    ("iris/aliases/champion", {"version": 9}, 404),
    ("nobody/aliases/champion", {"version": 1}, 404),
    ("iris/aliases/v3", {"version": 1}, 400),
    ("iris/aliases/champion", {}, 400),
    ("iris/aliases/champion", {"version": 0}, 400),
    ("iris/aliases/champion", {"version": True}, 400),
    ("iris/aliases/champion", {"version": 1, "reason": "x" * 3000}, 400),
    ("iris/aliases/champion", {"version": 1, "extra": "x"}, 400),
    ("..%2f..%2fmodels/aliases/champion", {"version": 1}, 404),
]


async def test_wrong_promotions_write_nothing(jp_fetch: Any, store: Store) -> None:
    """Each is refused with what was wrong, and the log of changes is as it was."""
    add_version(store)
    before = len(store.audit.records())
    for route, sent, status in WRONG:
        answer = await jp_fetch(
            "mlops-nb/models", route, method="PUT", body=json.dumps(sent), raise_error=False
        )
        assert answer.code == status, route
        assert json.loads(answer.body)["message"]
    assert len(store.audit.records()) == before


@pytest.mark.parametrize("name", ["..", "%2e%2e", "iris%2f1", "a" * 5000, "<img src=x>", "\u202e"])
async def test_no_name_leads_out_of_the_models(ask: Ask, store: Store, name: str) -> None:
    """What is no model is not found, whatever its name would be on a disk."""
    add_version(store)
    code, body = await ask("models", name)
    assert code == 404
    assert "versions" not in body
    assert (await ask("models", "iris", "versions", "1e3"))[0] == 400
