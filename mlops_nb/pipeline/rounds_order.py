"""What a kernel is told of the rounds that it shall run, and where it answers."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

# Shown where rounds begin, so that what stands above it in a cell's output can be told apart.
MARK = "application/vnd.mlops.rounds+json"


@dataclass(frozen=True, slots=True)
class RoundsOrder:
    """Rounds of one loop, for one kernel.

    Attributes
    ----------
    folder
        For what the kernel writes, its answer among it.
    source
        The cell.
    collectors
        What rounds fill, with the way in which they do.
    leaves, maybe, targets, binds
        As `mlops_nb.notebook.foreach.ForeachLoop` has them; `leaves` all but the loop's own.
    keeps_last
        The last round belongs to the kernel of the loop, where it leaves its variables.
    part, parts
        Which part of the rounds to run, from 0, and how many there are.
    is_recorded
        Whether the kernel of the loop records runs.
    total
        How many items there are, once that is known.
    items
        Digest of the items.
    made
        What other kernels have written.
    """

    folder: str
    source: str
    collectors: tuple[tuple[str, str], ...]
    leaves: tuple[str, ...]
    maybe: tuple[str, ...]
    targets: tuple[str, ...]
    binds: tuple[str, ...]
    keeps_last: bool
    part: int = 0
    parts: int = 1
    is_recorded: bool = False
    total: int = 0
    items: str = ""
    made: tuple[dict[str, Any], ...] = ()

    @property
    def path(self) -> Path:
        """Its file."""
        return Path(self.folder, "order.json")

    def find_part(self, total: int) -> tuple[int, int]:
        """Say which items belong to this kernel.

        Parameters
        ----------
        total
            How many there are.

        Returns
        -------
        first, last : int
            Positions; `last` is not among them.
        """
        count = max(0, total - 1) if self.keeps_last else total
        return count * self.part // self.parts, count * (self.part + 1) // self.parts

    def write(self) -> str:
        """Write it for `read_order`.

        Returns
        -------
        str
            Path of the file.
        """
        Path(self.folder).mkdir(parents=True, exist_ok=True)
        self.path.write_text(json.dumps(asdict(self)), encoding="utf-8")
        return str(self.path)

    def answer(self, document: dict[str, Any]) -> None:
        """Answer, from the kernel.

        Parameters
        ----------
        document
            JSON types.
        """
        self.path.with_suffix(".answer").write_text(json.dumps(document), encoding="utf-8")

    def read_answer(self) -> dict[str, Any]:
        """Read what the kernel has answered.

        Returns
        -------
        dict
            Empty where there is no answer.
        """
        try:
            text = self.path.with_suffix(".answer").read_text(encoding="utf-8")
            found: dict[str, Any] = json.loads(text)
        except (OSError, ValueError):
            return {}
        return found


def read_order(path: Path) -> RoundsOrder:
    """Read an order.

    Parameters
    ----------
    path
        From `RoundsOrder.write`.

    Returns
    -------
    RoundsOrder
        As it was.
    """
    found = json.loads(path.read_text(encoding="utf-8"))
    found["collectors"] = tuple((name, kind) for name, kind in found["collectors"])
    for name in ("leaves", "maybe", "targets", "binds", "made"):
        found[name] = tuple(found[name])
    return RoundsOrder(**found)
