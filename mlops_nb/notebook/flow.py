"""What a cell needs and does to the notebook's variables, as frozen records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

ReasonKind = Literal["read", "write", "change", "delete"]
EMPTY: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Opaque:
    """A place whose effect cannot be told before it runs.

    Attributes
    ----------
    line
        Line in the cell from 1.
    reason
        What stands there.
    """

    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a cell counts as reading, binding, changing or unbinding a variable.

    Attributes
    ----------
    line
        Line in the cell from 1.
    text
        The code that stands there.
    rule
        What was concluded from it.
    is_sure
        False where it is not certain to happen.
    """

    kind: ReasonKind
    name: str
    line: int
    text: str
    rule: str
    is_sure: bool = True


@dataclass(frozen=True, slots=True)
class LateFlow:
    """What calling a function, or using a class, does to variables of the notebook.

    Attributes
    ----------
    reads
        Names looked up when it runs, functions that it calls among them.
    calls
        The names among them that it calls.
    writes, maybe_writes
        Names bound through ``global``: in every call, or in some.
    mutates, may_mutate
        Variables of the notebook that it changes in place: surely, or possibly.
    deletes
        Names that it may unbind.
    parameters
        Its parameters by position.
    mutated_parameters, kept_parameters
        Parameters that it surely changes; parameters that it surely leaves as they are.
    returns_code
        The result may itself call something later (closures, generators, instances).
    """

    reads: frozenset[str] = EMPTY
    calls: frozenset[str] = EMPTY
    writes: frozenset[str] = EMPTY
    maybe_writes: frozenset[str] = EMPTY
    mutates: frozenset[str] = EMPTY
    may_mutate: frozenset[str] = EMPTY
    deletes: frozenset[str] = EMPTY
    parameters: tuple[str, ...] = ()
    mutated_parameters: frozenset[str] = EMPTY
    kept_parameters: frozenset[str] = EMPTY
    returns_code: bool = False
    opaque: tuple[Opaque, ...] = ()


@dataclass(frozen=True, slots=True)
class CellFlow:
    """What running a cell needs and does.

    Attributes
    ----------
    reads
        Names that the cell needs from before, those in ``late_reads`` included; builtins are left
        out unless the notebook defines such a name.
    late_reads
        The reads that only functions mentioned in the cell may make; they may go unused.
    writes, maybe_writes
        Names bound at the end of the cell: surely, or on some paths only.
    mutates, may_mutate
        Variables from before that are changed in place: by code that is known to do so, even
        where it stands under a condition; or possibly, by code of which nothing is known.
    deletes, maybe_deletes
        Names unbound at the end of the cell: surely, or on some paths only.
    opaque
        Places that may read and write anything; the cell is then a barrier.
    functions
        What the functions and classes that the cell defines do when they are used.
    imports
        Names bound by imports, with the dotted path behind each.
    only_imports
        Names that the cell binds by imports and in no other way.
    only_defines
        The cell holds only imports, functions, classes and literal settings.
    reasons
        Why each name stands in these sets, the first place for each; only where it was asked for.
    """

    reads: frozenset[str] = EMPTY
    late_reads: frozenset[str] = EMPTY
    writes: frozenset[str] = EMPTY
    maybe_writes: frozenset[str] = EMPTY
    mutates: frozenset[str] = EMPTY
    may_mutate: frozenset[str] = EMPTY
    deletes: frozenset[str] = EMPTY
    maybe_deletes: frozenset[str] = EMPTY
    opaque: tuple[Opaque, ...] = ()
    functions: Mapping[str, LateFlow] = field(default_factory=dict)
    imports: Mapping[str, str] = field(default_factory=dict)
    only_imports: frozenset[str] = EMPTY
    only_defines: bool = False
    reasons: tuple[Reason, ...] = field(default=(), compare=False, repr=False)

    @property
    def is_opaque(self) -> bool:
        """Whether the cell may read and write anything."""
        return bool(self.opaque)
