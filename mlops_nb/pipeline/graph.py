"""The plan: which cells make which step, and what passes between steps."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from mlops_nb.errors import PipelineError, near_misses
from mlops_nb.notebook.dataflow import CellFlow, analyze_cells
from mlops_nb.notebook.definitions import find_work
from mlops_nb.notebook.document import Cell, NotebookDocument
from mlops_nb.notebook.foreach import describe_loop
from mlops_nb.notebook.options import StepOptions
from mlops_nb.notebook.parameters import Parameter, read_parameters
from mlops_nb.notebook.tags import CellRole, Feature, read_roles, read_step_options
from mlops_nb.pipeline import drawing, moving
from mlops_nb.pipeline.connecting import Connections, connect
from mlops_nb.pipeline.leaving_out import find_asked
from mlops_nb.pipeline.patches import find_calls, find_patches, find_read, find_side_imports

_HONOURED: tuple[Feature, ...] = ("when",)
# What a cell may read of IPython's own history; it is carried only where a later cell asks.
HISTORY = re.compile(r"_{1,3}|_i{1,3}|_i?\d+|_[io]h|In|Out")


@dataclass(frozen=True, slots=True)
class Step:
    """A part of a notebook that runs by itself.

    Attributes
    ----------
    cells
        Its cells in the order in which they run, markdown among them.
    after
        Steps that must run before: those it names, and those whose values or functions it uses.
    needs
        Variables that it reads from before.
    imports
        Names that it imports itself before it uses them, whatever the steps above import.
    provides
        Variables that it makes or changes and a later step reads.
    reads_history
        Whether it reads ``_``, ``Out`` and the like.
    patches
        What it sets on modules and classes of libraries, as dotted paths.
    options
        What its tags say about how it shall run.
    """

    name: str
    cells: tuple[Cell, ...]
    after: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    provides: tuple[str, ...] = ()
    reads_history: bool = False
    patches: tuple[str, ...] = ()
    options: StepOptions = field(default_factory=StepOptions)
    imports: frozenset[str] = frozenset()

    @property
    def loop(self) -> str:
        """How the rounds of its loop tagged ``foreach`` may run; empty where it has none."""
        return describe_loop(self.options.foreach)


@dataclass(frozen=True, slots=True)
class Edge:
    """Values that one step leaves to another."""

    source: str
    target: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A notebook as steps.

    Attributes
    ----------
    path
        The notebook.
    prelude
        Cells above the first step: imports, definitions, settings, parameters.
    parameters_cell
        Position of the cell that declares the parameters, None where there is none.
    skipped
        Cells that are not part of the pipeline.
    """

    path: Path
    steps: tuple[Step, ...]
    prelude: tuple[Cell, ...]
    parameters: tuple[Parameter, ...]
    edges: tuple[Edge, ...]
    parameters_cell: int | None = None
    skipped: tuple[Cell, ...] = ()
    document: NotebookDocument = field(default=None, repr=False, compare=False)  # type: ignore[assignment]
    roles: tuple[CellRole, ...] = field(default=(), repr=False, compare=False)

    def to_text(self) -> str:
        """Draw the pipeline for a terminal.

        Returns
        -------
        str
            One line per step, with what passes from step to step between them.
        """
        return drawing.draw_text(self)

    def to_mermaid(self) -> str:
        """Draw the pipeline as Mermaid source.

        Returns
        -------
        str
            A flow chart.
        """
        return drawing.draw_mermaid(self)

    def to_html(self) -> str:
        """Draw the pipeline as a table.

        Returns
        -------
        str
            HTML; everything that comes from the notebook is escaped.
        """
        return drawing.draw_html(self)


@dataclass(slots=True)
class _Segment:
    name: str
    cells: list[Cell]


def plan(path: Path) -> Pipeline:
    """Read the tagged cells of a notebook as a pipeline; nothing is executed.

    Parameters
    ----------
    path
        The notebook.

    Returns
    -------
    Pipeline
        Steps run in notebook order.

    Raises
    ------
    NotebookError
        The file or a tag cannot be read.
    PipelineError
        The tags cannot be kept without changing what the notebook computes; the cell is named.
    """
    return plan_document(NotebookDocument.load(path))


def plan_document(document: NotebookDocument) -> Pipeline:
    """Read the tagged cells of a notebook that was loaded, as `plan` does.

    Parameters
    ----------
    document
        The notebook.

    Returns
    -------
    Pipeline
        Steps run in notebook order.
    """
    path = document.path
    roles = read_roles(document, _HONOURED)
    flows = _analyze(document, roles)
    _check_skipped(document, roles, flows)
    lead, segments = _split(document, roles, flows)
    segments = _merge(document, segments, flows)
    _check_names(document, segments)
    declared = _check_after(document, segments, roles)
    options = read_step_options(document, roles)
    asked = find_asked(path, [(each.name, each.cells[0].index) for each in segments], options)
    parts = [
        (each.name, _list_flows(each.cells, flows)) for each in [_Segment("", lead), *segments]
    ]
    found = connect(parts, asked)
    edges = tuple(Edge(*pair, tuple(names)) for pair, names in found.edges.items())
    patches = _find_patches(lead, segments, flows)
    steps = tuple(
        Step(
            segment.name,
            tuple(segment.cells),
            _order_after(segment.name, declared[segment.name], found),
            tuple(sorted(found.needs[segment.name])),
            tuple(sorted(found.provides[segment.name])),
            _reads_history(segment.cells, flows),
            patches[segment.name],
            options.get(segment.name, StepOptions()),
            found.imports.get(segment.name, frozenset()),
        )
        for segment in segments
    )
    declaring = [index for index, role in enumerate(roles) if role.is_parameters]
    return Pipeline(
        path,
        steps,
        tuple(lead),
        read_parameters(document),
        edges,
        next((index for index in declaring if not roles[index].is_skipped), None),
        tuple(c for c, r in zip(document.cells, roles, strict=True) if r.is_skipped),
        document,
        roles,
    )


def _analyze(document: NotebookDocument, roles: tuple[CellRole, ...]) -> dict[int, CellFlow]:
    running = [
        cell
        for cell, role in zip(document.cells, roles, strict=True)
        if cell.kind == "code" and not role.is_skipped
    ]
    flows = analyze_cells(cell.source for cell in running)
    return dict(zip((cell.index for cell in running), flows, strict=True))


def _split(
    document: NotebookDocument, roles: tuple[CellRole, ...], flows: dict[int, CellFlow]
) -> tuple[list[Cell], list[_Segment]]:
    kept = [c for c in document.cells if not roles[c.index].is_skipped]
    if not any(roles[cell.index].step for cell in kept):
        if not any(cell.kind == "code" for cell in kept):
            raise PipelineError(document.path, "it has no code cell to run")
        return [], [_Segment("main", kept)]
    lead: list[Cell] = []
    segments: list[_Segment] = []
    for cell in kept:
        name = roles[cell.index].step
        if name is not None and (not segments or segments[-1].name != name):
            segments.append(_Segment(name, [cell]))
        elif segments:
            segments[-1].cells.append(cell)
        else:
            _check_lead(document, cell, roles[cell.index], flows.get(cell.index))
            lead.append(cell)
    return lead, segments


def _check_lead(
    document: NotebookDocument, cell: Cell, role: CellRole, flow: CellFlow | None
) -> None:
    if flow is None or flow.only_defines:
        return
    if role.is_parameters or role.is_injected or role.is_prelude:
        return
    raise PipelineError(
        document.path,
        f"it computes something ({find_work(cell.source)[:60]!r}) but belongs to no step",
        cell.index,
        "Tag it 'step:NAME' for the step it begins, 'imports' if every step needs it, or 'skip'.",
    )


def _merge(
    document: NotebookDocument, segments: list[_Segment], flows: dict[int, CellFlow]
) -> list[_Segment]:
    merged: dict[str, _Segment] = {}
    for position, segment in enumerate(segments):
        first = merged.setdefault(segment.name, segment)
        if first is segment:
            continue
        start = segments.index(first) + 1
        between = [cell for other in segments[start:position] for cell in other.cells]
        reason = moving.find_obstacle(segment.cells, between, flows)
        if reason:
            raise PipelineError(
                document.path,
                f"step {segment.name!r} goes on here, after step {segments[position - 1].name!r}, "
                f"and cannot be moved up: {reason}",
                segment.cells[0].index,
                "Move the cell up yourself, or give it a step name of its own.",
            )
        first.cells.extend(segment.cells)
    return list(merged.values())


def _check_names(document: NotebookDocument, segments: list[_Segment]) -> None:
    seen: dict[str, _Segment] = {}
    for segment in segments:
        other = seen.setdefault(segment.name.lower().replace("-", "_"), segment)
        if other.name != segment.name:
            raise PipelineError(
                document.path,
                f"steps {other.name!r} and {segment.name!r} would have the same name "
                "where names have no case and no '-'",
                segment.cells[0].index,
                "Rename one of them.",
            )


def _check_after(
    document: NotebookDocument, segments: list[_Segment], roles: tuple[CellRole, ...]
) -> dict[str, tuple[str, ...]]:
    names = [segment.name for segment in segments]
    declared: dict[str, tuple[str, ...]] = {}
    for segment in segments:
        wanted: list[str] = []
        for cell in segment.cells:
            for name in roles[cell.index].after:
                if name not in names:
                    near = near_misses(name, names)
                    meant = f"Did you mean {near[0]!r}?" if near else f"Steps: {', '.join(names)}."
                    raise PipelineError(
                        document.path, f"'after:{name}' names no step", cell.index, meant
                    )
                wanted.append(name)
        declared[segment.name] = tuple(dict.fromkeys(wanted))
    for position, segment in enumerate(segments):
        for name in declared[segment.name]:
            if names.index(name) >= position:
                raise PipelineError(
                    document.path,
                    f"step {segment.name!r} shall run after {name!r}, but the notebook runs "
                    + ("them as one step" if name == segment.name else "it before"),
                    segment.cells[0].index,
                    _explain_cycle(segment.name, name, declared),
                )
    return declared


def _explain_cycle(start: str, name: str, declared: dict[str, tuple[str, ...]]) -> str:
    path, current = [start, name], name
    while current != start and declared.get(current):
        current = declared[current][0]
        if current in path[1:]:
            break
        path.append(current)
    if current == start:
        return f"The 'after' tags go in a circle: {' -> '.join(path)}."
    return "Steps run in the order of the notebook: move the cells, or drop the tag."


def _check_skipped(
    document: NotebookDocument, roles: tuple[CellRole, ...], flows: dict[int, CellFlow]
) -> None:
    makers: dict[str, int] = {}
    skipped = {cell.index for cell in document.code_cells if roles[cell.index].is_skipped}
    alone = {i: analyze_cells([document.cells[i].source])[0] for i in skipped}
    for cell in document.code_cells:
        flow = flows.get(cell.index) or alone[cell.index]
        if cell.index not in skipped:
            for name in sorted(flow.reads - flow.late_reads):
                if makers.get(name) in skipped:
                    raise PipelineError(
                        document.path,
                        f"it uses {name!r}, which cell {makers[name]} makes, "
                        "and that cell is tagged 'skip'",
                        cell.index,
                        f"Remove the tag from cell {makers[name]}, or tag this cell 'skip' too.",
                    )
        makers.update(dict.fromkeys(flow.writes | flow.mutates, cell.index))


def _list_flows(cells: Iterable[Cell], flows: dict[int, CellFlow]) -> list[CellFlow]:
    return [flows[cell.index] for cell in cells if cell.index in flows]


def _reads_history(cells: Iterable[Cell], flows: dict[int, CellFlow]) -> bool:
    listed = _list_flows(cells, flows)
    return any(HISTORY.fullmatch(name) for flow in listed for name in flow.reads)


def _find_patches(
    lead: list[Cell], segments: list[_Segment], flows: dict[int, CellFlow]
) -> dict[str, tuple[str, ...]]:
    imports: dict[str, str] = {}
    found: dict[str, tuple[str, ...]] = {}
    cells = [*lead, *(cell for segment in segments for cell in segment.cells)]
    used = find_read(cell.source for cell in cells if cell.index in flows)
    for number, segment in enumerate(segments):
        paths: list[str] = []
        for cell in [*lead, *segment.cells] if number == 0 else segment.cells:
            if cell.index in flows:
                imports.update(flows[cell.index].imports)
                paths += find_patches(cell.source, imports)
                paths += find_calls(cell.source, imports)
                if cell not in lead:
                    paths += find_side_imports(cell.source, used)
        found[segment.name] = tuple(dict.fromkeys(paths))
    return found


def _order_after(name: str, declared: tuple[str, ...], found: Connections) -> tuple[str, ...]:
    from_data = [source for source, target in found.edges if target == name]
    return tuple(dict.fromkeys([*declared, *from_data, *found.code[name]]))
