"""Keeps the result of steps that have run, with all that must hold for it to be used again."""

from __future__ import annotations

import contextlib
import datetime
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mlops_nb.errors import MLOpsError
from mlops_nb.pipeline.cache import StepCache
from mlops_nb.pipeline.context import Chain, Context
from mlops_nb.pipeline.items import CELLS, SEEDS
from mlops_nb.pipeline.keys import find_needed
from mlops_nb.pipeline.packages import find_packages
from mlops_nb.pipeline.progress import Progress

CACHE_DISABLED = "its tag says cache:disabled"


class Keeper:
    """Writes results into the cache.

    Parameters
    ----------
    context
        Of the run.
    cache
        Where results are kept.
    codes
        Digests of the code of each step.
    rendered
        All parameters as source.
    """

    def __init__(
        self,
        context: Context,
        cache: StepCache,
        codes: Mapping[str, list[str]],
        rendered: Mapping[str, str],
    ) -> None:
        self.context, self.cache, self.codes, self.rendered = context, cache, codes, rendered

    def keep(
        self, number: int, chain: Chain, key: str, parts: Mapping[str, Any]
    ) -> Mapping[str, Any] | None:
        """Keep a result, or note why it cannot be kept.

        Parameters
        ----------
        number
            Position of the first step from 0.
        chain
            The steps that ran in one kernel; none has failed.
        key, parts
            Of the first step, as it was before it ran.

        Returns
        -------
        dict or None
            What is known of the result, None where nothing could be written.
        """
        reason = self._find_obstacle(chain)
        steps = [self.context.pipeline.steps[n] for n in chain.numbers]
        record = self._describe(number, chain, parts, reason)
        if reason is not None:
            place = self.context.find_place(number)
            self.context.tell(
                Progress("notice", message=f"{steps[0].name} is not cached: {reason}.", **place)
            )
            with contextlib.suppress(OSError):  # for whoever asks why
                self.cache.note(self.context.pipeline.path.absolute(), record)
            return record
        try:
            record["writes"] = self.cache.keep_files(record["writes"])
            for entry, result in zip(record["chain"], chain.results, strict=True):
                content = Path(result.notebook or "").read_bytes()
                entry["notebook"] = self.cache.store.objects.put_bytes(content)
            self.cache.write(key, self.context.pipeline.path.absolute(), record)
        except (MLOpsError, OSError) as error:
            self.context.tell(Progress("notice", message=f"Nothing could be cached: {error}"))
            return None
        return record

    def _may_use(self, number: int, name: str) -> bool:
        source = self.context.sources[number]
        return source.reaches_all or name in source.words

    def _find_obstacle(self, chain: Chain) -> str | None:
        for number, report in zip(chain.numbers, chain.reports, strict=False):
            options = self.context.pipeline.steps[number].options
            if options.is_cached is False:
                return CACHE_DISABLED
            if report.get("outside") and not options.is_cached:
                return f"{report['outside'][0]} (tag it cache:enabled to keep it all the same)"
        if len(chain.reports) < len(chain.numbers):
            return "the notebook ended itself"
        return None

    def _describe(
        self, number: int, chain: Chain, parts: Mapping[str, Any], reason: str | None
    ) -> dict[str, Any]:
        reports = chain.reports
        name = self.context.sources[number].name
        return {
            "step": name,
            "notebook": str(self.context.pipeline.path.absolute()),
            "created_at": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            "run_id": self.context.run_id,
            "parts": parts,
            "uncached": reason,
            "conditions": self._list_conditions(number, chain),
            "chain": [
                {"step": r.name, "duration_s": r.duration_s, "notebook": ""} for r in chain.results
            ],
            "before": chain.before.to_json(),
            "state": chain.after.to_json(),
            "changed": sorted({n for report in reports for n in report.get("changed", ())}),
            "deleted": sorted({n for report in reports for n in report.get("deleted", ())}),
            "draws": any(report.get("draws") for report in reports),
            "outside": [text for report in reports for text in report.get("outside", ())],
            "writes": {k: v for report in reports for k, v in report.get("writes", {}).items()},
            "runs": [run for report in reports for run in report.get("runs", ())],
            "has_exited": chain.has_exited,
            "code": self.codes[name],
        }

    def _list_conditions(self, number: int, chain: Chain) -> dict[str, Any]:
        """List what must hold beside the key for a result to be used again."""
        reports, sources = chain.reports, self.context.sources
        owners = chain.before.find_owners()
        seeds = owners.get(SEEDS)
        draws = any(report.get("draws") for report in reports)
        further: dict[str, str | None] = {}
        for position in chain.numbers[1:]:
            needed = find_needed(sources[position], chain.before, self.context.history)
            names = owners if needed is None else needed
            further |= {
                n: owners[n].digest for n in names if n in owners and not n.startswith(CELLS)
            }
        modules = {p: s for report in reports for p, s in report.get("modules", {}).items()}
        reads = _first_of(report.get("reads", {}) for report in reports)
        packages = {name for report in reports for name in report.get("packages", ())}
        return {
            "seeds": seeds.digest if seeds is not None and draws else None,
            "reads": reads | modules,
            "lists": _first_of(report.get("lists", {}) for report in reports),
            "searches": _first_of(report.get("searches", {}) for report in reports),
            "packages": [] if self.context.kernel_name else find_packages(packages),
            "inputs": further,
            "parameters": {
                name: text
                for name, text in self.rendered.items()
                for n in chain.numbers[1:]
                if number == 0 and self._may_use(n, name)
            },
            "steps": {sources[n].name: self.codes[sources[n].name] for n in chain.numbers[1:]},
        }


def _first_of(mappings: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for mapping in mappings:
        for key, value in mapping.items():
            found.setdefault(key, value)
    return json.loads(json.dumps(found)) if found else {}
