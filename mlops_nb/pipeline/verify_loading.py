"""Loads values of two runs into a process of their own and compares them in depth."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mlops_nb.pipeline import ambient, items, rebuild
from mlops_nb.pipeline.comparing import compare_names
from mlops_nb.pipeline.payloads import load_payload, open_payload
from mlops_nb.pipeline.reach import find_words
from mlops_nb.pipeline.sealing import read_key
from mlops_nb.pipeline.state import read_state


class _Side:
    """The values of one run, each component loaded once."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.state = read_state(document["state"])
        self.owners = self.state.find_owners()
        self.folder = Path(document["components"])
        self.key = read_key(Path(document["key_folder"]))
        self.namespace: dict[str, Any] = {"__name__": "__main__"}
        self._loaded: dict[int, dict[str, Any]] = {}

    def read(self, name: str) -> Any:
        part = self.owners[name]
        if id(part) not in self._loaded:
            payload = open_payload(part, self.folder, self.key)
            with rebuild.loading_into(self.namespace):
                values, _ = load_payload(part, payload)
            self._loaded[id(part)] = values
            variables = {n: v for n, v in values.items() if not items.is_pseudo(n)}
            self.namespace.update(variables)
        return self._loaded[id(part)][name]


def _leave_out_libraries(sides: list[dict[str, Any]], code: str) -> list[dict[str, Any]]:
    """Leave out what only one side has because a library was imported there and not yet here.

    Importing sets filters of warnings and levels of loggers, and gives options their defaults. What
    both sides have is compared, and filters and loggers that the notebook itself names.
    """
    words, quoted = find_words([code]), set(_QUOTED.findall(code))
    filters = [{_read_filter(entry) for entry in side.get("warnings", ())} for side in sides]
    loggers = [set(side.get("loggers", ())) for side in sides]
    kept = {one for one in filters[0] ^ filters[1] if _is_named(one, words, code)}
    kept |= filters[0] & filters[1]
    named = {name for name in loggers[0] ^ loggers[1] if not name or name in quoted}
    named |= loggers[0] & loggers[1]
    libraries = [side.get("libraries", {}) for side in sides]
    common = libraries[0].keys() & libraries[1].keys()
    return [
        side
        | {"libraries": {n: state for n, state in side.get("libraries", {}).items() if n in common}}
        | {"warnings": sorted(map(repr, found & kept))}
        | {"loggers": {n: state for n, state in side.get("loggers", {}).items() if n in named}}
        for side, found in zip(sides, filters, strict=True)
    ]


_Filter = tuple[str, str | None, str, str | None, int]
_QUOTED = re.compile(r"[\"']([\w.]+)[\"']")


def _read_filter(entry: Any) -> _Filter:
    action, text, kind, module, line = entry
    return action, _read_pattern(text), kind.__name__, _read_pattern(module), line


def _read_pattern(value: Any) -> str | None:
    text: str | None = getattr(value, "pattern", value)
    return text


def _is_named(found: _Filter, words: frozenset[str], code: str) -> bool:
    """Tell a filter that the notebook sets from one that a library sets for itself."""
    _, text, kind, module, _ = found
    if not words & {"warnings", "filterwarnings", "simplefilter"}:
        return False
    if text is not None or module is not None:
        return any(pattern in code for pattern in (text, module) if pattern)
    return kind == "Warning" or kind in words


def main(request: str) -> None:
    """Compare groups of names.

    Parameters
    ----------
    request
        File that `verify_states` has written.
    """
    document = json.loads(Path(request).read_text(encoding="utf-8"))
    answers = []
    for task in document["tasks"]:
        sides = [_Side(side) for side in task["sides"]]
        _prepare(sides[0])
        found = [_compare(group, sides, document) for group in task["groups"]]
        answers.append({"number": task["number"], "found": found})
    target = Path(document["answer"])
    temporary = target.with_suffix(".part")
    temporary.write_text(json.dumps(answers), encoding="utf-8")
    temporary.replace(target)


def _prepare(side: _Side) -> None:
    """Find modules where the notebook found them."""
    if items.PROCESS in side.owners:
        process = dict(side.read(items.PROCESS))
        process.pop("folder", None)
        ambient.prepare_imports(process)


def _compare(group: list[str], sides: list[_Side], request: Mapping[str, Any]) -> dict[str, Any]:
    answer: dict[str, Any] = {"names": group, "differences": {}, "uncompared": [], "error": ""}
    try:
        values = [{name: side.read(name) for name in group} for side in sides]
    except Exception as error:  # noqa: BLE001 - loading runs code of any library
        answer["error"] = f"it cannot be loaded: {' '.join(str(error).split())[:150]}"
        return answer
    if items.OPTIONS in group:
        options = _leave_out_libraries([side[items.OPTIONS] for side in values], request["code"])
        values = [{**v, items.OPTIONS: o} for v, o in zip(values, options, strict=True)]
    if group == [items.SEEDS]:  # each library by itself: one may be seeded and another not
        values = [{f"{items.SEEDS}{k}": v for k, v in side[items.SEEDS].items()} for side in values]
        common = set(values[0]) & set(values[1])
        values = [{k: v for k, v in side.items() if k in common} for side in values]
    remaining = list(values[0])
    while remaining:
        found = compare_names(
            {name: values[0][name] for name in remaining},
            {name: values[1][name] for name in remaining},
            tolerance=request["tolerance"],
            places=request["places"],
        )
        told = found.difference
        if told is None:
            answer["uncompared"] = list(found.uncompared)
            break
        name = next((n for n in remaining if _begins(told.path, n)), remaining[0])
        answer["differences"][name] = [told.path, told.kind, told.reference, told.pipeline]
        remaining.remove(name)
    return answer


def _begins(path: str, name: str) -> bool:
    rest = path[len(name) :]
    return path.startswith(name) and (not rest or not (rest[0].isalnum() or rest[0] == "_"))
