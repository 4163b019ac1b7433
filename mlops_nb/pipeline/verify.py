"""Proves that a pipeline gives what its notebook gives, or names the first place where not."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from mlops_nb.errors import MLOpsError
from mlops_nb.notebook.secrets import redact
from mlops_nb.pipeline import items
from mlops_nb.pipeline.cache import StepCache
from mlops_nb.pipeline.comparing import Difference
from mlops_nb.pipeline.context import Context
from mlops_nb.pipeline.progress import Progress
from mlops_nb.pipeline.resolving import Resolved
from mlops_nb.pipeline.state import State, merge_states
from mlops_nb.pipeline.verify_folder import Mirror, make_mirror
from mlops_nb.pipeline.verify_outputs import (
    FileSide,
    compare_files,
    compare_outputs,
    read_outputs,
)
from mlops_nb.pipeline.verify_reference import (
    Reference,
    Segment,
    list_segments,
    run_reference,
)
from mlops_nb.pipeline.verify_states import StateComparer, StateFindings, StateSide
from mlops_nb.records import StepResult, Verification

# How a notebook fixes the random numbers of a library. Where it does not, they are others in
# every kernel, and only what is drawn from them can be compared.
_ALL_SEEDS = r"|seed_everything|set_seed|seed_all|set_all_seeds|fix_seed"
_SEEDING = {
    "random": re.compile(r"(?<!np\.)(?<!numpy\.)\brandom\.(seed|setstate)" + _ALL_SEEDS),
    "numpy": re.compile(r"(np|numpy)\.random\.(seed|set_state)|from numpy\.random" + _ALL_SEEDS),
    "torch": re.compile(r"manual_seed|set_rng_state" + _ALL_SEEDS),
}


_MOST_REFERENCES = 4
_LONGEST_S = 120.0  # a notebook that takes longer runs at most twice
_ANYWHERE = -1  # what belongs to a cell or a file, not to a boundary


@dataclass(frozen=True, slots=True)
class _Place:
    """Something that can be compared: a value after a step, a cell's output, a file."""

    number: int
    key: str
    difference: Difference


@dataclass(slots=True)
class Evidence:
    """What the pipeline has left to compare.

    Attributes
    ----------
    states
        After a step, by the step's position; steps that share a kernel with the next have none.
    results
        Of all steps.
    files
        States of the files that steps have written, by path.
    writers
        Position of the step that wrote each.
    """

    states: dict[int, State]
    results: Sequence[StepResult]
    files: dict[str, Any] = field(default_factory=dict)
    writers: dict[str, int] = field(default_factory=dict)


def collect_evidence(
    total: int, done: Mapping[int, Resolved], results: Sequence[StepResult]
) -> Evidence:
    """Collect what the steps of a run have left.

    Parameters
    ----------
    total
        How many steps there are.
    done
        Their results by the position of the first step of each kernel.
    results
        What became of them.

    Returns
    -------
    Evidence
        To compare with the notebook's own.
    """
    evidence = Evidence({}, results)
    state = State()
    for number in sorted(done):
        resolved = done[number]
        state = merge_states(state, resolved.before, resolved.after)
        last = max(resolved.numbers)
        if last < total - 1:
            evidence.states[last] = state
        written = (resolved.record or {}).get("writes", {})
        evidence.files |= written
        evidence.writers |= dict.fromkeys(written, last)
    return evidence


class Verifier:
    """Compares one run of a pipeline with the notebook run as one.

    Parameters
    ----------
    context
        Of the run.
    cache
        Has the values between the steps.
    tolerance
        Relative difference that floats may have; by default none.
    """

    def __init__(self, context: Context, cache: StepCache, tolerance: float | None = None) -> None:
        self.context, self.cache, self.tolerance = context, cache, tolerance
        self.work = context.private / "verify"
        self.mirror: Mirror | None = None
        self.references: list[Reference] = []
        self.uncompared: dict[str, None] = {}
        self.unstable: dict[str, None] = {}
        self.differing: dict[int, frozenset[str]] = {}
        self.spent_s = 0.0
        self.skipped: frozenset[str] = frozenset()

    def prepare(self) -> None:
        """Copy the notebook's folder as it is now, before the pipeline changes it."""
        folder = self.context.pipeline.path.absolute().parent
        left_out = [self.context.store_root, self.context.out_dir, self.context.settings.cache]
        self.mirror = make_mirror(folder, self.work / "folder", left_out)

    def check(self, evidence: Evidence) -> Verification:
        """Run the notebook as one and compare.

        Parameters
        ----------
        evidence
            Of a run that finished.

        Returns
        -------
        Verification
            Nothing of the store or of the notebook's folder is changed.
        """
        started = time.monotonic()
        skipped = [result.name for result in evidence.results if result.status == "skipped"]
        self.skipped = frozenset(skipped)
        try:
            found = self._check(evidence)
        finally:
            shutil.rmtree(self.work, ignore_errors=True)
        return replace(
            found,
            path=redact(found.path, self.context.secrets),
            reference=redact(found.reference, self.context.secrets),
            pipeline=redact(found.pipeline, self.context.secrets),
            duration_s=time.monotonic() - started,
        )

    def _check(self, evidence: Evidence) -> Verification:
        self.context.tell(Progress("notice", message="verifying: the notebook runs as one"))
        reference = self._run_reference()
        if reference.error:
            name = self._name(reference.failed_in)
            error = f"fails with {reference.error}"
            return Verification("not verified", name, "the notebook", "value", error, "no error")
        for place in self._list_differences(reference, evidence):
            if self._is_unstable(place):
                if not place.key.startswith(items.SEEDS):  # what was drawn from them tells
                    self.unstable[place.difference.path] = None
                continue
            told = place.difference
            return Verification(
                "not verified",
                self._name(place.number),
                told.path,
                told.kind,
                told.reference,
                told.pipeline,
                tuple(self.uncompared),
                tuple(self.unstable),
            )
        self.uncompared |= {
            f"{path}: it is too large to be copied, and the run changed it": None
            for path in reference.mirror.find_changed()
        }
        whole = not self.uncompared and not self.unstable
        return Verification(
            "verified" if whole else "partly verified",
            uncompared=tuple(self.uncompared),
            unstable=tuple(self.unstable),
        )

    def _name(self, number: int) -> str:
        return self.context.pipeline.steps[number].name

    def _run_reference(self) -> Reference:
        assert self.mirror is not None  # made by prepare
        number = len(self.references) + 1
        # By another path, so that what depends on the path is not taken for what the code gives.
        mirror = self.mirror.clone(self.work / ("again" * (number - 1) or "first"))
        folder = self.work / f"run{number}"
        started = time.monotonic()
        made = run_reference(self.context, mirror, folder, self.skipped)
        self.spent_s = time.monotonic() - started
        self.references.append(made)
        return made

    # ------------------------------------------------------------------ comparing
    def _list_differences(self, reference: Reference, evidence: Evidence) -> Iterator[_Place]:
        """Tell what differs, step by step: values, then what cells have shown, then files."""
        outputs = self._read_outputs(evidence)
        sides = {number: self._get_side(state) for number, state in evidence.states.items()}
        findings = self._compare_states(reference, sides, reference.places)
        for segment in list_segments(self.context, self.skipped):
            number = segment.number
            found = findings.get(number, StateFindings())
            self.uncompared |= {f"{p}: {why}": None for p, why in found.uncompared.items()}
            for name, difference in found.differences.items():
                yield _Place(number, name, difference)
            for index in _list_cells(segment):
                shown = (reference.outputs.get(index), outputs.get(index))
                told = compare_outputs(index, *shown, reference.places)
                if told is not None:
                    yield _Place(number, f"cell {index}", told)
        differences, open_files = compare_files(
            reference.list_files(),
            FileSide(evidence.files),
            reference.mirror.real,
            reference.places,
        )
        self.uncompared |= {f"{path}: {why}": None for path, why in open_files.items()}
        for difference in differences:
            number = evidence.writers.get(difference.path, len(self.context.pipeline.steps) - 1)
            yield _Place(number, difference.path, difference)

    def _get_side(self, state: State) -> StateSide:
        return StateSide(state, self.context.components, self.context.store_root)

    def _compare_states(
        self, reference: Reference, others: Mapping[int, StateSide], places: Mapping[str, str]
    ) -> dict[int, StateFindings]:
        sources = self.context.sources
        again = {name for source in sources for one in source.definitions for name in one.names}
        text = "\n".join(cell.source for cell in self.context.pipeline.document.code_cells)
        unseeded = _list_unseeded(text)
        comparer = StateComparer(
            reference.mirror.real,
            self.work,
            places,
            frozenset(again | sources[0].late),
            frozenset([items.SEEDS] if len(unseeded) == len(_SEEDING) else []),
            self.tolerance,
            text,
        )
        own = {
            number: StateSide(state, reference.components, reference.folder)
            for number, state in reference.states.items()
        }
        common = own.keys() & others.keys()
        findings = comparer.compare({number: (own[number], others[number]) for number in common})
        for number, found in findings.items():
            for library in _list_unseeded(self._read_code(number)):
                found.differences.pop(f"{items.SEEDS}{library}", None)
        return findings

    def _read_code(self, number: int) -> str:
        """Give the code that has run when a step ends."""
        pipeline = self.context.pipeline
        cells = [
            *pipeline.prelude,
            *(c for step in pipeline.steps[: number + 1] for c in step.cells),
        ]
        return "\n".join(cell.source for cell in cells if cell.kind == "code")

    def _read_outputs(self, evidence: Evidence) -> dict[int, list[Any]]:
        found: dict[int, list[Any]] = {}
        for result in evidence.results:
            try:
                found |= read_outputs(result.notebook)
            except (OSError, ValueError, KeyError):
                self.uncompared[f"the outputs of step {result.name!r}"] = None
        return found

    # ------------------------------------------------------------------ the notebook itself
    def _is_unstable(self, place: _Place) -> bool:
        """Tell whether the notebook itself gives something else at a place each time."""
        if len(self.references) == 1:
            self._run_again("something differs")
        while place.key not in self._list_unstable(place.number):
            # Of two runs that draw numbers at will, some give the same here and there by chance.
            is_enough = len(self.references) == _MOST_REFERENCES or self.spent_s > _LONGEST_S
            if is_enough or not self.is_free:
                return False
            self._run_again(f"{place.difference.path} differs, in a notebook that varies by itself")
        return True

    def _run_again(self, why: str) -> None:
        message = f"verifying: {why}; the notebook runs once more"
        self.context.tell(Progress("notice", message=message))
        self._run_reference()
        for number, keys in self._compare_references().items():
            self.differing[number] = self.differing.get(number, frozenset()) | keys

    def _list_unstable(self, number: int) -> frozenset[str]:
        """List what the runs of the notebook itself have given differently after a step."""
        return self.differing.get(number, frozenset()) | self.differing[_ANYWHERE]

    @property
    def is_free(self) -> bool:
        """Whether the notebook itself gives something else each time."""
        keys = frozenset().union(*self.differing.values())
        return any(not key.startswith(items.SEEDS) for key in keys)

    def _compare_references(self) -> dict[int, frozenset[str]]:
        first, second = self.references[0], self.references[-1]
        places = {str(first.mirror.folder): str(second.mirror.folder)}
        sides = {
            number: StateSide(state, second.components, second.folder)
            for number, state in second.states.items()
        }
        findings = self._compare_states(first, sides, places)
        found = {number: frozenset(each.differences) for number, each in findings.items()}
        shown = {
            f"cell {index}"
            for index, outputs in first.outputs.items()
            if compare_outputs(index, outputs, second.outputs.get(index), places) is not None
        }
        folder = first.mirror.real
        files, _ = compare_files(first.list_files(), second.list_files(), folder, places)
        return found | {_ANYWHERE: frozenset(shown | {told.path for told in files})}


def _list_unseeded(code: str) -> list[str]:
    return [library for library, found in _SEEDING.items() if not found.search(code)]


def _list_cells(segment: Segment) -> list[int]:
    found = [cell["metadata"].get("mlops", {}).get("index") for cell in segment.cells]
    return [index for index in found if index is not None]


def compare_with_notebook(verifier: Verifier, evidence: Evidence) -> Verification:
    """Compare, and tell where that itself fails.

    Parameters
    ----------
    verifier
        Prepared before the run.
    evidence
        Of the run.

    Returns
    -------
    Verification
        An error of the comparison is told as a reason.
    """
    try:
        return verifier.check(evidence)
    except (MLOpsError, OSError) as error:
        return Verification("not verified", reason=f"the comparison failed: {error}")
