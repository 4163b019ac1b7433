"""Makes a run again from what the store keeps, and says whether it gave the same."""

from __future__ import annotations

import contextlib
import json
import shutil
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mlops_nb.environment import capture_environment
from mlops_nb.errors import MLOpsError, RunNotFoundError, StepFailedError
from mlops_nb.pipeline.kernels import StepKernel
from mlops_nb.pipeline.progress import OnProgress, Progress
from mlops_nb.pipeline.reproduce_inputs import Guard, Inputs, check_inputs, restore_inputs
from mlops_nb.pipeline.reproduce_judge import Judge, find_versions
from mlops_nb.pipeline.reproduce_matching import list_children, match_by_name, match_by_place
from mlops_nb.pipeline.reproduce_remains import KEPT
from mlops_nb.pipeline.reproduce_replay import Replay, replay
from mlops_nb.pipeline.reproduce_scratch import Scratch
from mlops_nb.pipeline.reproduce_surroundings import (
    compare_code,
    compare_environments,
    write_command,
)
from mlops_nb.records import Reproduction, RunDifference, RunRecord, format_time
from mlops_nb.store import Store
from mlops_nb.tracking.code import RunCode, read_run_code
from mlops_nb.tracking.start import reopen_run

# Tags of the run: the last verdict, when it was given, and the run that was recorded for it.
VERDICT, VERDICT_AT, VERDICT_RUN = (
    "mlops.reproduction",
    "mlops.reproduction_at",
    "mlops.reproduction_run",
)
# The tag of the new run: which one it was to be.
REPRODUCES = "mlops.reproduces"
_LONGEST_TAG = 500
_REGISTER = "from mlops_nb.api.registering import register_run; register_run({!r}, name={!r})"
Pairs = list[tuple[RunRecord, RunRecord | None]]


@dataclass(frozen=True, slots=True)
class Wishes:
    """How a run is to be made again.

    Attributes
    ----------
    tolerance
        Relative difference that values of metrics may have; None for none.
    timeout
        Seconds that the code may take.
    anyway
        Run the code also where its input is known to be another.
    allow_outside
        Let it write files outside of its folder again.
    """

    tolerance: float | None = None
    timeout: float | None = None
    anyway: bool = False
    allow_outside: bool = False


class _CannotRunError(Exception):
    """Nothing can be compared; the text says why."""


def reproduce(store: Store, run_id: str, wishes: Wishes, tell: OnProgress) -> Reproduction:
    """Make a run again, and compare.

    Parameters
    ----------
    store
        Has the run, and gets the new one and the verdict.
    run_id
        The whole id.
    wishes
        How.
    tell
        Called with every event.

    Returns
    -------
    Reproduction
        The verdict; it stands with both runs from now on.

    Raises
    ------
    RunNotFoundError
        There is no such run.
    KeyboardInterrupt
        The user stopped it; there is no verdict.
    """
    run = store.read_run(run_id)
    begun = time.monotonic()
    case = _Case(store, run, wishes, tell)
    try:
        found = case.judge()
    except _CannotRunError as error:
        found = case.conclude("could not run", reason=str(error))
    except MLOpsError as error:
        found = case.conclude("could not run", reason=" ".join(str(error).split()))
    finally:
        case.close()
    found = replace(found, duration_s=time.monotonic() - begun)
    _record(store, found)
    return found


class _Case:
    """One run that is to be made again."""

    def __init__(self, store: Store, run: RunRecord, wishes: Wishes, tell: OnProgress) -> None:
        self.store, self.run, self.wishes, self.tell = store, run, wishes, tell
        self.unchecked: list[str] = []
        self.remarks: list[str] = []
        self.surroundings: list[RunDifference] = []
        self.command = ""
        self.scratch: Scratch | None = None
        self.empty: Path | None = None

    def judge(self) -> Reproduction:
        """Do it."""
        if self.run.status == "running":
            raise _CannotRunError("it is still running")
        code = read_run_code(self.store, self.run)
        folder = self._find_folder(code)
        old = self._list_old(code)
        inputs = self._check_inputs(code, old, folder)
        environment = self._read(self.run.environment) or self._read(old[-1].environment)
        if inputs.differences and not self.wishes.anyway:
            self._compare_surroundings(environment, capture_environment())
            # This process has loaded none of the libraries that have threads.
            self.surroundings = [each for each in self.surroundings if each.group != "threads"]
            self.unchecked.append("everything that follows: the code was not run on other data")
            return self.conclude("differs", inputs.differences)
        guard = Guard(old, folder)
        if guard.outside and not self.wishes.allow_outside:
            raise _CannotRunError(
                f"it writes {guard.outside[0]!r}, outside of its folder, and would write over it; "
                "--allow-outside lets it"
            )
        self.scratch = scratch = Scratch(self.store, folder)
        guard.keep(scratch.root / KEPT)
        for name in restore_inputs(self.store, inputs, scratch.mirror.folder):
            self.remarks.append(f"{name!r} is another file today; the store had its bytes")
        try:
            again = self._replay(code, old, environment or {})
        finally:
            for path in guard.put_back():
                self.remarks.append(f"{path!r} was written by an absolute path, and put back")
            for path in scratch.mirror.find_changed():
                self.remarks.append(f"{path!r} is too large to be copied: the file itself changed")
        return self._compare(code, old, again, inputs, environment)

    # ------------------------------------------------------------------ before
    def _find_folder(self, code: RunCode) -> Path:
        named = self._find_notebook(code.run)
        folder = Path(named).parent if named else self.store.root.parent
        if not folder.is_dir():
            self.remarks.append(f"its folder {str(folder)!r} is gone; an empty one stands for it")
            folder = self.empty = Path(tempfile.mkdtemp(prefix="mlops-nb-empty-"))
        elif named is None:
            self.remarks.append("its notebook is not known; it ran in a copy of the project")
        elif not Path(named).is_file():
            self.remarks.append(f"{Path(named).name!r} is not there any more; its code is")
        return folder.absolute()

    def _find_notebook(self, run: RunRecord) -> str | None:
        """Give the notebook of a run; one that was a reproduction itself ran in a copy of it."""
        seen = {run.run_id}
        while (origin := run.tags.get(REPRODUCES, "")) and origin not in seen:
            seen.add(origin)
            try:
                run = self.store.read_run(origin, with_cells=False)
            except RunNotFoundError:
                break
        return run.notebook

    def _list_old(self, code: RunCode) -> list[RunRecord]:
        """Give the runs that are compared, the one that was asked for before those within it."""
        self.unchecked += [f"{missing}: not recorded" for missing in code.missing]
        within = list_children(self.store, code.run)
        children = [self.store.read_run(each.run_id) for each in within]
        if code.kind == "script":
            self.unchecked.append("the words of its command line: they are not recorded")
        if code.kind == "pipeline":
            self.unchecked.append("files that steps without a run have read: not recorded")
        if code.kind == "notebook":  # what papermill's own run says is said by those within it
            if not children:
                raise _CannotRunError("its notebook has recorded no run that could be compared")
            return children
        if code.run.run_id == self.run.run_id:
            return [self.run, *children]
        return [self.run]

    def _check_inputs(self, code: RunCode, old: Sequence[RunRecord], folder: Path) -> Inputs:
        inputs = check_inputs(self.store, old, folder)
        self.unchecked += inputs.unchecked
        self.remarks += [
            f"{each.key!r} is another file today; an earlier cell has read it"
            for each in inputs.elsewhere
        ]
        found, unchecked = compare_code(code, self._read(code.run.code), folder)
        self.surroundings += found
        self.unchecked += unchecked
        return inputs

    def _read(self, digest: str | None) -> dict[str, Any] | None:
        return self.store.objects.read_json(digest) if digest else None

    # ------------------------------------------------------------------ again
    def _replay(
        self, code: RunCode, old: Sequence[RunRecord], environment: dict[str, Any]
    ) -> Replay:
        assert self.scratch is not None
        text = "\n".join([code.source, *(cell["source"] for cell in code.cells)])
        models = self.scratch.bring_models(text)
        if models and "load_model" in text:
            self.unchecked.append(f"which version of model {models[0]!r} was loaded")
        self._tell_interrupted(code)
        named = code.run.notebook
        default = "script.py" if code.kind == "script" else "notebook.ipynb"
        name = Path(named).name if named else default
        place = self.scratch.mirror.folder / name
        variables = self.scratch.make_environment(place, environment)
        variables["MLOPS_NB_EXPERIMENT"] = code.run.experiment

        def register(kernel: StepKernel) -> None:
            self._register_again(kernel, old)

        timeout = self.wishes.timeout
        return replay(code, self.scratch, name, variables, self.tell, timeout, register)

    def _register_again(self, kernel: StepKernel, old: Sequence[RunRecord]) -> None:
        """Have the kernel register what it has trained, as that of the run was, by hand perhaps."""
        assert self.scratch is not None
        new = self.scratch.store
        known = {run.run_id: find_versions(self.store, run.run_id) for run in old}
        if not any(known.values()):
            return
        for before, after in match_by_place(self.store, old, new):
            names = known[before.run_id] if after is not None else {}
            for name in names:
                assert after is not None
                if name not in find_versions(new, after.run_id):
                    with contextlib.suppress(StepFailedError):  # told as not checked
                        kernel.call(_REGISTER.format(after.run_id, name))

    def _tell_interrupted(self, code: RunCode) -> None:
        for cell in code.cells:
            own = cell["metadata"]["mlops"]
            if own.get("status") == "interrupted":
                self.unchecked.append(f"cell {own['ran']}: it was interrupted, and ran whole now")

    # ------------------------------------------------------------------ after
    def _pair(self, code: RunCode, old: Sequence[RunRecord], again: Replay) -> Pairs:
        assert self.scratch is not None
        new = self.scratch.store
        if code.kind != "pipeline":
            return match_by_place(self.store, old, new)
        if again.run_id is None:
            return [(run, None) for run in old]
        whole = new.read_run(again.run_id)
        steps = match_by_name(list_children(self.store, code.run), list_children(new, whole))
        if old[0].run_id == code.run.run_id:
            return [(old[0], whole), *steps]
        return [pair for pair in steps if pair[0].run_id == old[0].run_id]

    def _compare(
        self,
        code: RunCode,
        old: Sequence[RunRecord],
        again: Replay,
        inputs: Inputs,
        environment: dict[str, Any] | None,
    ) -> Reproduction:
        assert self.scratch is not None
        new = self.scratch.store
        pairs = self._pair(code, old, again)
        found = [pair for pair in pairs if pair[1] is not None]
        if again.error and not found:
            raise _CannotRunError(again.error)
        judge = Judge(self.store, new, self.wishes.tolerance)
        judge.differences += inputs.differences
        for before, after in pairs:
            label = "" if before.run_id == self.run.run_id else f"{before.name}: "
            if after is None:
                missing = RunDifference("run", before.name, before.run_id, None)
                judge.differences.append(missing)
            else:
                judge.compare(before, after, label)
        if again.error:
            self.remarks.append(f"the code stopped: {again.error}")
        ran = [after for _, after in found if after is not None and after.environment]
        digest = ran[-1].environment if ran else None
        now = new.objects.read_json(digest) if digest else None
        self._compare_surroundings(environment, now)
        self.unchecked += judge.unchecked
        self.remarks += judge.remarks
        status = "differs" if judge.differences else "same"
        first = found[0][1] if found else None
        verdict = self.conclude(
            status, judge.differences, new_run_id=None if first is None else first.run_id
        )
        self._adopt(pairs, first, verdict, again)
        return verdict

    def _compare_surroundings(
        self, before: dict[str, Any] | None, after: dict[str, Any] | None
    ) -> None:
        found, unchecked = compare_environments(before, after)
        self.command = write_command(before, found)
        self.surroundings = [*found, *self.surroundings]
        self.unchecked += unchecked

    def _adopt(
        self, pairs: Pairs, first: RunRecord | None, verdict: Reproduction, again: Replay
    ) -> None:
        """Keep the new runs: say what they are, and add the notebook and the whole report."""
        assert self.scratch is not None
        for before, after in pairs:
            run = None if after is None else reopen_run(self.scratch.store, after.run_id)
            if after is None or run is None:
                continue
            run.set_tags({REPRODUCES: before.run_id})
            if first is not None and after.run_id == first.run_id:
                run.set_tags({VERDICT: str(verdict)[:_LONGEST_TAG]})
                report = json.dumps(verdict.to_json(), indent=1, default=str)
                run.log_bytes(report.encode(), "reproduction/report.json", "application/json")
                if again.executed is not None and again.executed.is_file():
                    run.log_artifact(again.executed, "reproduction/executed.ipynb")
        store = self.scratch.store
        kept = [store.read_run(after.run_id) for _, after in pairs if after is not None]
        self.scratch.adopt(kept)

    def conclude(
        self,
        status: Any,
        differences: Sequence[RunDifference] = (),
        reason: str = "",
        new_run_id: str | None = None,
    ) -> Reproduction:
        """Give the verdict."""
        return Reproduction(
            self.run.run_id,
            self.run.name,
            status,
            time.time(),
            reason,
            tuple(differences),
            tuple(self.surroundings),
            tuple(dict.fromkeys(self.unchecked)),
            tuple(dict.fromkeys(self.remarks)),
            new_run_id,
            self.command,
        )

    def close(self) -> None:
        """Remove what was made for it."""
        if self.scratch is not None:
            self.scratch.close()
        if self.empty is not None:
            shutil.rmtree(self.empty, ignore_errors=True)


def _record(store: Store, found: Reproduction) -> None:
    """Let the run say what was found; a run without that tag was never reproduced."""
    run = reopen_run(store, found.run_id)
    if run is not None:
        run.set_tags(
            {
                VERDICT: str(found)[:_LONGEST_TAG],
                VERDICT_AT: format_time(found.at),
                VERDICT_RUN: found.new_run_id or "",
            }
        )


def say_nothing(event: Progress) -> None:
    """Take an event, where nobody listens."""
