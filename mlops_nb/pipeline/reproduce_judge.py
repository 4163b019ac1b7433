"""Compares a run with the one that was made again: data, parameters, metrics, models."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from mlops_nb.errors import MLOpsError
from mlops_nb.pipeline.comparing import find_difference
from mlops_nb.records import ModelVersion, RunDifference, RunRecord, is_system
from mlops_nb.registry import load
from mlops_nb.registry.again import list_run_versions
from mlops_nb.store import Store

# What a run took is another each time.
_TIMES = ("_s", "_time")
_READ = " (read)"
_CHECKPOINTS = "checkpoints/"
# Measured as often as time allows, so at other steps each time.
_SAMPLED = "grad_norm"
_SHOWN = 12
_MOST_NAMED = 5


class Judge:
    """Compares runs of two stores.

    Parameters
    ----------
    old, new
        The stores.
    tolerance
        Relative difference that values of metrics may have; None for none, not in the last bit.

    Attributes
    ----------
    differences
        What is not the same, the inputs before the results.
    unchecked, remarks
        In words.
    """

    def __init__(self, old: Store, new: Store, tolerance: float | None) -> None:
        self._old, self._new, self._tolerance = old, new, tolerance
        self.differences: list[RunDifference] = []
        self.unchecked: list[str] = []
        self.remarks: list[str] = []

    def compare(self, before: RunRecord, after: RunRecord, label: str = "") -> None:
        """Compare two runs.

        Parameters
        ----------
        before, after
            The run, and the one that was made again.
        label
            Said before what differs, where it is of a run within the run.
        """
        known = {each.key for each in self.differences if each.group == "input"}
        found = [
            *_compare_status(before, after),
            *(row for row in _compare_data(before, after) if row.key[: -len(_READ)] not in known),
            *_compare_texts("param", before.params, after.params),
            *self._compare_metrics(before, after),
            *_compare_files(before, after, _CHECKPOINTS),
            *self._compare_models(before, after),
        ]
        for each in found:
            key = f"{label}{each.key}"
            self.differences.append(RunDifference(each.group, key, each.before, each.after))
        self._remark(before, after)

    def _compare_metrics(self, before: RunRecord, after: RunRecord) -> Iterator[RunDifference]:
        keys = [key for key in before.metrics if not _is_time(key)]
        keys += [key for key in after.metrics if key not in before.metrics and not _is_time(key)]
        for key in keys:
            one = self._old.read_metric_history(before.run_id, key) if key in before.metrics else []
            two = self._new.read_metric_history(after.run_id, key) if key in after.metrics else []
            if not one or not two:
                left = one[-1].value if one else None
                yield RunDifference("metric", key, left, two[-1].value if two else None)
                continue
            if key.partition("/")[0] == _SAMPLED:
                one, two = self._take_common(key, one, two)
            pairs = zip(one, two, strict=False)
            at = next((n for n, (a, b) in enumerate(pairs) if not self._is_same(a, b)), None)
            if at is not None:
                a, b = one[at], two[at]
                where = f"{key} (step {a.step})" if len(one) > 1 else key
                yield RunDifference("metric", where, a.value, b.value)
            elif len(one) != len(two):
                yield RunDifference("metric", key, f"{len(one)} values", f"{len(two)} values")

    def _take_common(self, key: str, one: Any, two: Any) -> tuple[Any, Any]:
        steps = {point.step for point in one} & {point.step for point in two}
        self.remarks.append(f"{key} is compared at the {len(steps)} steps that both have measured")
        return [p for p in one if p.step in steps], [p for p in two if p.step in steps]

    def _is_same(self, one: Any, two: Any) -> bool:
        if one.step != two.step:
            return False
        a, b = one.value, two.value
        if a == b or (math.isnan(a) and math.isnan(b)):
            return True
        return self._tolerance is not None and math.isclose(a, b, rel_tol=self._tolerance)

    def _compare_models(self, before: RunRecord, after: RunRecord) -> Iterator[RunDifference]:
        again = find_versions(self._new, after.run_id)
        for name, version in find_versions(self._old, before.run_id).items():
            label = f"{name}/{version.version}"
            if name not in again:
                self.unchecked.append(f"the model {label}: it could not be registered again")
            elif again[name].digest != version.digest:
                yield from self._compare_values(label, version, again[name])

    def _compare_values(
        self, label: str, before: ModelVersion, after: ModelVersion
    ) -> Iterator[RunDifference]:
        """Compare two models by what they hold: the same one may be saved as other bytes."""
        try:
            one, two = load(self._old, before), load(self._new, after)
        except MLOpsError as error:
            self.unchecked.append(f"the model {label}: {error.message}")
            return
        found = find_difference(one, two, tolerance=self._tolerance, name="model")
        if found is None:
            self.remarks.append(f"model {label} has the same values, saved as other bytes")
        elif found.kind == "not comparable":
            self.unchecked.append(f"the model {label}: {found.path}: {found.reference}")
        else:
            place = f"{label} {found.path} ({found.kind})"
            yield RunDifference("model", place, found.reference, found.pipeline)

    def _remark(self, before: RunRecord, after: RunRecord) -> None:
        times = [key for key in before.metrics if _is_time(key)]
        if times:
            self.remarks.append(f"times are not compared: {_list_names(times)}")
        states = [key for key in before.tags if key.startswith("seed.")]
        other = [key for key in states if before.tags[key] != after.tags.get(key)]
        if other:
            self.remarks.append(f"random numbers began elsewhere: {_list_names(other)}")
        one, two = _list_written(before), _list_written(after)
        changed = [name for name, mark in one.items() if mark and two.get(name) != mark]
        if changed:
            self.remarks.append(f"files with other bytes were written: {_list_names(changed)}")
        if before.dropped_records:
            self.unchecked.append(f"{before.dropped_records} damaged records of the run")


def _is_time(key: str) -> bool:
    return is_system(key) or key.endswith(_TIMES)


def _list_names(names: list[str]) -> str:
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return ", ".join(sorted(names)[:_MOST_NAMED]) + more


def _compare_status(before: RunRecord, after: RunRecord) -> Iterator[RunDifference]:
    one, two = before.tags.get("error"), after.tags.get("error")
    if before.status != after.status:
        ended = after.status if two is None else f"{after.status}: {two}"
        yield RunDifference("status", "of the run", before.status, ended)
    elif one != two:
        yield RunDifference("status", "error", one, two)


def _compare_data(before: RunRecord, after: RunRecord) -> Iterator[RunDifference]:
    """Compare data by content: what was read first, then what the run was given in memory.

    The key of a file that was read ends with `` (read)``.
    """
    one, two = _list_data(before), _list_data(after)
    for key, marks in sorted(one.items(), key=lambda item: item[0][0] != "read"):
        role, name = key
        others = two.get(key)
        if others is None:
            yield RunDifference("data", f"{name} ({role})", marks[-1][:_SHOWN], None)
        elif marks != others:
            yield RunDifference("data", f"{name} ({role})", marks[-1][:_SHOWN], others[-1][:_SHOWN])
    for role, name in two.keys() - one.keys():
        yield RunDifference("data", f"{name} ({role})", None, two[role, name][-1][:_SHOWN])


def _list_data(run: RunRecord) -> dict[tuple[str, str], list[str]]:
    found: dict[tuple[str, str], list[str]] = {}
    for data in run.datasets:
        if data.role != "written" and data.fingerprint:
            found.setdefault((data.role, data.name), []).append(data.fingerprint)
    return found


def _list_written(run: RunRecord) -> dict[str, str]:
    return {data.name: data.fingerprint for data in run.datasets if data.role == "written"}


def _compare_texts(
    group: str, before: dict[str, Any], after: dict[str, Any]
) -> Iterator[RunDifference]:
    for key in [*before, *(key for key in after if key not in before)]:
        one, two = before.get(key), after.get(key)
        is_nan = one != one and two != two  # noqa: PLR0124 - a parameter may be NaN
        if (key in before) != (key in after) or (one != two and not is_nan):
            yield RunDifference(group, key, one, two)


def _compare_files(before: RunRecord, after: RunRecord, folder: str) -> Iterator[RunDifference]:
    two = {each.path: each.digest for each in after.artifacts}
    for each in before.artifacts:
        if each.path.startswith(folder) and two.get(each.path) != each.digest:
            again = two.get(each.path)
            yield RunDifference("model", each.path, each.digest[:_SHOWN], again and again[:_SHOWN])


def find_versions(store: Store, run_id: str) -> dict[str, ModelVersion]:
    """Give the first version of each model that a run was registered as.

    Parameters
    ----------
    store
        Has the models.
    run_id
        The run.

    Returns
    -------
    dict
        By name.
    """
    found: dict[str, ModelVersion] = {}
    for version in list_run_versions(store, run_id):
        found.setdefault(version.name, version)
    return found
