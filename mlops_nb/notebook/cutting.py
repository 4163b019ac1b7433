"""Where an untagged notebook is cut into steps: at its headings, or where little crosses."""

from __future__ import annotations

import ast
import math
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from mlops_nb.notebook.document import Cell, NotebookDocument
from mlops_nb.notebook.flow import CellFlow

_HEADING = re.compile(r"^(#{1,6})\s+(.+?)\s*#*\s*$", re.MULTILINE)
_FENCED = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
_FEWEST_CELLS = 3
# More steps than that are no overview any more, and cost a kernel each.
_FEW_STEPS = 6
_CELLS_A_STEP = 5
# A part of so many cells is cut again, where it has places for it.
_LARGE = 16
# Without headings: so many cells a step, which may be more or fewer at the price of so many
# variables that cross, a square of the difference.
_USUAL_CELLS, _UNEVEN = 7, 0.1
_MOST_PARTS = 12
_LONGEST_COMMENT = 5  # words
# What a part without a heading is named after: what most of its cells do, the first at a tie.
_DEEDS = (
    ("evaluate", re.compile(r"_score\(|\.score\(|accuracy|classification_report|confusion")),
    ("train", re.compile(r"\.fit\(|\.backward\(|\.partial_fit\(|optim\.")),
    ("load", re.compile(r"read_\w+\(|load_\w+\(|fetch_\w+\(|\bopen\(")),
    ("plot", re.compile(r"\bplt\.|\bsns\.|\.plot\b")),
    ("prepare", re.compile(r"dropna|fillna|merge\(|groupby|train_test_split|transform\(")),
)


@dataclass(frozen=True, slots=True)
class Cut:
    """A place where a step begins.

    Attributes
    ----------
    position
        Which of the cells.
    name
        What the step may be called; several may have one name.
    reason
        Why here.
    """

    position: int
    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class _Heading:
    position: int  # of the first computing cell below
    level: int
    text: str


def find_cuts(
    document: NotebookDocument, cells: Sequence[Cell], flows: Sequence[CellFlow], lead: int
) -> tuple[Cut, ...]:
    """Find where the steps of a notebook begin.

    Parameters
    ----------
    document
        The notebook, for its headings.
    cells, flows
        Code cells that run, and what they read and write.
    lead
        The first one that computes.

    Returns
    -------
    tuple of Cut
        The first at `lead`. Few enough to be looked over: sections with the fewest cells go with
        the one above, and a section of very many is cut once more.
    """
    headings = _list_headings(document, cells, lead)
    cuts = _cut_at_headings(headings, cells, lead)
    if len(cuts) < 2:
        cuts = _cut_where_little_crosses(cells, flows, lead, lead, len(cells))
    cuts = _cut_large_parts(cuts, headings, cells, flows, lead)
    most = max(_FEW_STEPS, math.ceil((len(cells) - lead) / _CELLS_A_STEP))
    return tuple(_merge_small_parts(cuts, len(cells), most))


# ---------------------------------------------------------------------- headings
def _list_headings(document: NotebookDocument, cells: Sequence[Cell], lead: int) -> list[_Heading]:
    """List the headings that have a computing cell below, the title of the notebook left out."""
    found: list[tuple[int, int, str]] = []
    for cell in document.cells:
        if cell.kind == "markdown":
            plain = _FENCED.sub("", cell.source)
            found += [(cell.index, len(mark), text) for mark, text in _HEADING.findall(plain)]
    is_title = [level for _, level, _ in found].count(1) == 1 and found[0][1] == 1
    headings = []
    for index, level, text in found[1:] if is_title and len(found) > 1 else found:
        below = next((p for p, cell in enumerate(cells) if cell.index > index and p >= lead), None)
        if below is not None:
            headings.append(_Heading(below, level, text))
    return headings


def _cut_at_headings(headings: Sequence[_Heading], cells: Sequence[Cell], lead: int) -> list[Cut]:
    """Cut at the highest level that gives two sections or more, and at those above it."""
    levels = sorted({heading.level for heading in headings})
    for level in levels:
        # Of headings with no cell between them the last one tells what the cells below do.
        starts = {each.position: each for each in headings if each.level <= level}
        if len(starts) > 1:
            break
    else:
        return []
    first = min(starts)
    cuts = [_make_section_cut(each) for _, each in sorted(starts.items())]
    if first - lead >= _FEWEST_CELLS:
        above = [each for each in headings if each.position == lead]
        cuts.insert(0, _make_section_cut(above[-1]) if above else _make_first(cells, lead, first))
    elif first > lead:
        told = f"{cuts[0].reason}, and the few cells above it go with it"
        cuts[0] = Cut(lead, cuts[0].name, told)
    return cuts


def _make_section_cut(heading: _Heading) -> Cut:
    return Cut(heading.position, make_name(heading.text), f"section {heading.text!r}")


def _make_first(cells: Sequence[Cell], lead: int, end: int) -> Cut:
    return Cut(lead, name_part(cells[lead:end]), "the first cell that computes")


# ---------------------------------------------------------------------- what crosses
def list_crossing(flows: Sequence[CellFlow], position: int, lead: int) -> list[str]:
    """List the variables that cross a cut.

    Parameters
    ----------
    flows
        Of the code cells that run.
    position
        Where the step begins.
    lead
        The first cell that computes: what cells above it make, every step has.

    Returns
    -------
    list of str
        Those made above that this cell or a later one reads before binding them.
    """
    made: set[str] = set()
    for flow in flows[lead:position]:
        made |= flow.writes | flow.maybe_writes | flow.mutates
        made -= flow.deletes | set(flow.imports) | set(flow.functions)
    crossing: set[str] = set()
    bound: set[str] = set()
    for flow in flows[position:]:
        crossing |= (flow.reads & made) - bound
        bound |= flow.writes
    return sorted(crossing)


def _cut_where_little_crosses(
    cells: Sequence[Cell], flows: Sequence[CellFlow], lead: int, start: int, end: int
) -> list[Cut]:
    """Cut a part where few variables cross, into parts of about one size."""
    wanted = min(_MOST_PARTS, (end - start) // _USUAL_CELLS)
    costs = {p: _judge(cells, flows, p, lead) for p in range(start + 1, end)}
    cuts = []
    for position, until in _divide(start, end, max(1, wanted), costs):
        if position == start:
            cuts.append(_make_first(cells, start, until))
            continue
        name = make_name(_read_comment(cells[position])) or name_part(cells[position:until])
        cuts.append(Cut(position, name, "few variables cross here"))
    return cuts


def _judge(cells: Sequence[Cell], flows: Sequence[CellFlow], position: int, lead: int) -> float:
    """Say what a cut costs: a variable each, less where a cell begins something of its own."""
    begins = bool(_read_comment(cells[position]) or flows[position].imports)
    return len(list_crossing(flows, position, lead)) - begins


def _divide(start: int, end: int, wanted: int, costs: Mapping[int, float]) -> list[tuple[int, int]]:
    """Divide cells into parts so that the sum of all costs is the lowest."""
    usual = (end - start) / wanted
    # By number of parts and their end: the lowest cost, and where the last of them begins.
    best: list[dict[int, tuple[float, int]]] = [{start: (0.0, start)}]
    for _ in range(wanted):
        row: dict[int, tuple[float, int]] = {}
        for begin, (cost, _) in best[-1].items():
            paid = cost + costs.get(begin, 0.0)
            for stop in range(begin + _FEWEST_CELLS, end + 1):
                total = paid + _UNEVEN * (stop - begin - usual) ** 2
                if stop not in row or total < row[stop][0]:
                    row[stop] = total, begin
        best.append(row)
    if end not in best[-1]:
        return [(start, end)]
    parts = []
    for row in reversed(best[1:]):
        begin = row[end][1]
        parts.append((begin, end))
        end = begin
    return parts[::-1]


# ---------------------------------------------------------------------- sizes
def _cut_large_parts(
    cuts: Sequence[Cut],
    headings: Sequence[_Heading],
    cells: Sequence[Cell],
    flows: Sequence[CellFlow],
    lead: int,
) -> list[Cut]:
    found: list[Cut] = []
    for cut, end in _list_parts(cuts, len(cells)):
        found.append(cut)
        if end - cut.position < _LARGE:
            continue
        inner = {each.position: _make_section_cut(each) for each in headings}
        further = [inner[p] for p in sorted(inner) if cut.position < p < end]
        found += further or _cut_where_little_crosses(cells, flows, lead, cut.position, end)[1:]
    return found


def _merge_small_parts(cuts: Sequence[Cut], end: int, most: int) -> list[Cut]:
    kept = list(cuts)
    while len(kept) > most:
        sizes = [stop - cut.position for cut, stop in _list_parts(kept, end)]
        joined = [sizes[n - 1] + sizes[n] for n in range(1, len(kept))]
        del kept[1 + joined.index(min(joined))]
    return kept


def _list_parts(cuts: Sequence[Cut], end: int) -> list[tuple[Cut, int]]:
    ends = [*(cut.position for cut in cuts[1:]), end]
    return list(zip(cuts, ends, strict=True))


# ---------------------------------------------------------------------- names
def _read_comment(cell: Cell) -> str:
    """Give the words at the top of a cell that tell what it does, where they are few."""
    first = next((line.strip() for line in cell.source.splitlines() if line.strip()), "")
    text = first.lstrip("#").strip(" -=*#:") if first.startswith("#") else ""
    return "" if _is_code(text) or len(text.split()) > _LONGEST_COMMENT else text


def _is_code(text: str) -> bool:
    """Tell a line that was commented out from words: a single word may be either."""
    try:
        body = ast.parse(text).body
    except (SyntaxError, ValueError):
        return False
    return not all(isinstance(getattr(each, "value", None), ast.Name) for each in body)


def name_part(cells: Iterable[Cell]) -> str:
    """Name cells after what most of them do.

    Parameters
    ----------
    cells
        Some code cells.

    Returns
    -------
    str
        ``load``, ``train`` and the like; ``part`` where nothing is known.
    """
    sources = [cell.source for cell in cells]
    counts = [sum(bool(pattern.search(text)) for text in sources) for _, pattern in _DEEDS]
    most = max(counts)
    return _DEEDS[counts.index(most)][0] if most else "part"


def make_name(heading: str) -> str:
    """Make the name of a step from a heading.

    Parameters
    ----------
    heading
        Any text.

    Returns
    -------
    str
        Lower case words; empty where the text has none.
    """
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)|<[^>]*>", r"\1", heading)
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    words = re.findall(r"[a-z0-9]+", re.sub(r"^[\W\d]+", "", plain).lower())
    name = ""
    for word in words:
        if name and len(name) + len(word) > 28:
            break
        name = f"{name}_{word}" if name else word[:30]
    return name
