"""Judges one notebook in one mode: equal, refused as stated, or wrong."""

from __future__ import annotations

import os
import shutil
import zlib
from dataclasses import dataclass
from pathlib import Path

from mlops_nb.errors import MLOpsError
from tests.conformance.modes import MODES, Place, run_reference
from tests.conformance.observing import Observed, find_difference
from tests.conformance.reading import Case

_REFUSED = "refused:"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of a notebook in a mode.

    Attributes
    ----------
    word
        ``equal``, ``refused``, ``WRONG`` or ``-`` where the mode cannot be asked.
    detail
        The difference, the refusal, or the reason.
    """

    word: str
    detail: str = ""

    @property
    def is_right(self) -> bool:
        """Whether it is what the notebook states."""
        return self.word != "WRONG"


def make_reference(case: Case, folder: Path, times: int = 1) -> Observed:
    """Run a notebook top to bottom.

    Parameters
    ----------
    case
        The notebook.
    folder
        An empty folder.
    times
        How often; what the runs before have left in the folder is there for the last one.

    Returns
    -------
    Observed
        What all modes are compared with.
    """
    for _ in range(times - 1):
        run_reference(case, Place(folder))
    return run_reference(case, Place(folder))


def judge(case: Case, mode: str, reference: Observed, folder: Path) -> Verdict:
    """Run a notebook in one mode and compare.

    Parameters
    ----------
    case
        The notebook.
    mode
        A key of ``MODES``.
    reference
        From `make_reference`.
    folder
        An empty folder.

    Returns
    -------
    Verdict
        Never an exception of the notebook or the pipeline.
    """
    if mode in case.unsuited:
        return Verdict("-", case.unsuited[mode])
    if mode in case.twice:
        reference = make_reference(case, folder.with_name(f"{folder.name}-twice"), times=2)
    raised = {i: cell.raised[0] for i, cell in reference.cells.items() if cell.raised}
    expected = case.expect(mode)
    if expected == "equal" and (failure := case.find_own_failure(raised)):
        return Verdict("WRONG", failure)
    try:
        found = MODES[mode](case, Place(folder))
    except MLOpsError as error:
        message = " ".join(str(error).split())
        if expected.startswith(_REFUSED) and expected[len(_REFUSED) :].strip() in message:
            return Verdict("refused", message)
        return Verdict("WRONG", f"refused, expected {expected!r}: {message}")
    except Exception as error:  # noqa: BLE001 - the suite goes on with the next notebook
        return Verdict("WRONG", f"{type(error).__name__}: {error}")
    if expected != "equal":
        return Verdict("WRONG", f"was not refused, expected {expected!r}")
    difference = find_difference(reference, found)
    if difference:
        return Verdict("WRONG", difference)
    if mode == "cold" and case.fused is not None and found.fused != case.fused:
        return Verdict("WRONG", f"steps {found.fused} share a kernel, not {case.fused}")
    shutil.rmtree(folder, ignore_errors=True)
    return Verdict("equal")


def choose_modes(case: Case) -> list[str]:
    """Choose how a notebook is run in the tests of every day.

    Parameters
    ----------
    case
        The notebook.

    Returns
    -------
    list of str
        One mode, always the same for a name, so that all modes are run on some notebooks and the
        cheap ones on most; with ``MLOPS_NB_SLOW=1`` all of them.
    """
    modes = [mode for mode in MODES if mode not in case.unsuited]
    if "MLOPS_NB_SLOW" in os.environ:
        return modes
    cheap = [mode for mode in ("cold", *["script"] * 3) for _ in range(9) if mode in modes]
    rota = [*modes, *cheap]
    return [rota[zlib.crc32(case.name.encode()) % len(rota)]]


def check(case: Case, folder: Path) -> None:
    """Assert that a notebook comes out as it states.

    Parameters
    ----------
    case
        The notebook.
    folder
        An empty folder.
    """
    reference = make_reference(case, folder / "reference")
    for mode in choose_modes(case):
        verdict = judge(case, mode, reference, folder / mode)
        known = case.find_known_defect(mode)
        if known:
            assert not verdict.is_right, f"{mode} is right now: drop the line 'wrong' ({known})"
        else:
            assert verdict.is_right, f"{mode}: {verdict.detail} ({case.hazard})"
