"""Decides whether a run is verified, and remembers for which code that was done."""

from __future__ import annotations

import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Literal

from mlops_nb.pipeline.cache import StepCache
from mlops_nb.pipeline.context import Context
from mlops_nb.pipeline.digests_text import digest_text
from mlops_nb.pipeline.resolving import Resolved
from mlops_nb.pipeline.selection import Selection
from mlops_nb.pipeline.verify_ledger import Ledger
from mlops_nb.records import StepResult, Verification

if TYPE_CHECKING:
    from mlops_nb.pipeline.verify import Verifier
    from mlops_nb.pipeline.verify_folder import Mirror

# ``once`` after each edit of the code, and not where running it again may do harm.
VerifyMode = Literal["always", "once", "never"]
_FORMAT = 2
# Files that a step changes are no matter: the notebook works on copies.
_OUTSIDE = ("it connects", "it starts", "it could not be traced")


class Proof:
    """The verification of one run, from before its first step.

    Parameters
    ----------
    context
        Of the run.
    cache
        Keeps values and what was verified.
    mode
        When to verify.
    selection
        What of the pipeline is to run; a part is not compared.
    tolerance
        Relative difference that floats may have; by default none.
    """

    def __init__(
        self,
        context: Context,
        cache: StepCache,
        mode: VerifyMode,
        selection: Selection,
        tolerance: float | None = None,
    ) -> None:
        self.context, self.cache, self.mode = context, cache, mode
        self.ledger = Ledger(context, cache, _digest_code(context))
        self.settled: Verification | None = None
        self.verifier: Verifier | None = None
        if selection.left_out or selection.cached_only:
            self.settled = Verification("not verified", reason="only a part of the steps ran")
        elif mode != "always":
            self.settled = self.ledger.find()
        if self.settled is None and mode == "never":
            self.settled = Verification("not verified", reason="it was not asked for")
        if self.settled is None:
            from mlops_nb.pipeline.verify import Verifier  # a run that is known needs none of it

            self.verifier = Verifier(context, cache, tolerance)
            try:
                self.verifier.prepare()
            except (OSError, shutil.Error) as error:
                reason = f"the notebook's folder could not be copied: {error}"
                self.settled = Verification("not verified", reason=reason)

    def conclude(self, done: Mapping[int, Resolved], results: Sequence[StepResult]) -> Verification:
        """Verify the run, where that is wanted and was not done for this code before.

        Parameters
        ----------
        done
            Results by the position of the first step of each kernel.
        results
            What became of each step; none has failed.

        Returns
        -------
        Verification
            With a reason where nothing was compared.
        """
        if self.settled is not None:
            return self.settled
        assert self.verifier is not None
        from mlops_nb.pipeline.verify import collect_evidence, compare_with_notebook

        mirror = self.verifier.mirror
        risk = _find_risk(mirror, done.values()) if self.mode == "once" and mirror else ""
        if risk:
            hint = f"{risk}, and running the notebook as one would do that again"
            return Verification("not verified", reason=f"{hint}; mlops-nb verify does it")
        total = len(self.context.pipeline.steps)
        evidence = collect_evidence(total, done, results)
        verification = compare_with_notebook(self.verifier, evidence)
        if verification.status != "not verified":
            self.ledger.keep(verification, done.values())
        return verification


def _digest_code(context: Context) -> str:
    """Take the digest of all that can be edited: code in its order and tags of the steps."""
    steps = [
        digest_text(source.name, *source.code, repr(step.options), ",".join(step.after))
        for source, step in zip(context.sources, context.pipeline.steps, strict=True)
    ]
    cells = [cell.source for cell in context.pipeline.prelude if cell.kind == "code"]
    python = f"{sys.version_info[:2]} {platform.machine()} {context.kernel_name}"
    return digest_text(str(_FORMAT), python, *cells, *steps)


def _find_risk(mirror: Mirror, done: Iterable[Resolved]) -> str:
    """Say what a step did that is better not done twice without being asked for."""
    folder = str(mirror.real) + os.sep
    temporary = tempfile.gettempdir() + os.sep
    for resolved in done:
        record = resolved.record
        if record is None:
            continue
        name = record["step"]
        for told in record["outside"]:
            if told.startswith(_OUTSIDE):
                return f"step {name!r} acts outside: {told}"
        for path, state in record["writes"].items():
            if state is None and path.startswith(temporary):
                continue  # it has come and gone
            if not path.startswith(folder):
                return f"step {name!r} writes {path!r}, outside of the notebook's folder"
            if mirror.leads_out(path):
                return f"step {name!r} writes {path!r} through a link"
    return ""
