"""What the routes take as JSON: the type of each field, as `read_body` checks it."""

from __future__ import annotations

from mlops_nb.server.body import Changes

RUN_CHANGE: dict[str, type] = {"name": str, "tags": Changes}
ALIAS_CHANGE: dict[str, type] = {"version": int, "reason": str}
ALIAS_REMOVAL: dict[str, type] = {"reason": str}
PIPELINE_RUN: dict[str, type] = {
    "mode": str,
    "params": dict,
    "start_at": str,
    "stop_at": str,
    "only": str,
    "force": bool,
}
REPRODUCTION: dict[str, type] = {"anyway": bool}
REGISTRATION: dict[str, type] = {"name": str, "alias": str, "reason": str}
PREDICTION: dict[str, type] = {"inputs": list}
EXPORT: dict[str, type] = {"to": str}
