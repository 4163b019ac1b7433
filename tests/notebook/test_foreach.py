"""Loops whose rounds may run in parallel, and those that may not."""

import re

import pytest

from mlops_nb.errors import NotebookError
from mlops_nb.notebook.document import NotebookDocument, new_code_cell, new_notebook
from mlops_nb.notebook.foreach import Collector, ForeachLoop, check_loop
from mlops_nb.notebook.tags import read_roles, read_step_options

BEFORE = (
    "import numpy as np\nimport random\nX = [[1.0], [2.0]]; y = [0, 1]",
    "scores = {}\nfound = []\nbag = {'found': found}\nmodels = []\ntotal = 0",
    "def evaluate(c): return sum(v[0] for v in X) * c",
    "def note(c): found.append(c)",
)


def check(source: str, *, is_rng_independent: bool = False) -> ForeachLoop:
    """Check a loop after the cells above."""
    return check_loop(
        source, BEFORE, cell=4, path="nb.ipynb", is_rng_independent=is_rng_independent
    )


def test_the_shape_of_a_loop_is_told() -> None:
    """What is looped over, filled, read and left is known before anything runs."""
    source = "# fan out\nfor c in [1, 2]:\n    s = evaluate(c)\n    scores[c] = s * 2"
    assert check(source) == ForeachLoop(
        cell=4,
        targets=("c",),
        items="[1, 2]",
        line=2,
        collectors=(Collector("scores", "item"),),
        reads=("X", "evaluate"),
        leaves=("s",),
        source=source,
    )


@pytest.mark.parametrize(
    "source",
    [
        "for c in [1, 2]: found.append(c)",
        "for i, c in enumerate(y):\n    found.append(c)\n    scores[i] = c",
        "for c in y:\n    if c:\n        found.append(c)\n    else:\n        continue",
        "for c in y:\n    for d in y:\n        if d: break\n        found.append(d)",
        "for c in y:\n    row = {}\n    row['c'] = c\n    found.append(row)",
        "for c in y:\n    import math\n    found.append(math.sqrt(c))",
        "for c in y:\n    rng = np.random.default_rng(c)\n    found.append(rng.random())",
        "'''text'''\nfor c in y:\n    t = c\n    t += 1\n    found.append(t)",
        "for c in y:\n    try:\n        v = 1 / c\n    except ZeroDivisionError:\n        v = 0\n"
        "    scores[c] = v",
        "for c in y: print(c)",
        "z = 1\nt: dict = {}\nfor c in y:\n    t[c] = z",
    ],
)
def test_independent_rounds_are_accepted(source: str) -> None:
    """Rounds with values of their own that only fill collectors may run in parallel."""
    assert check(source).refusal == ""


@pytest.mark.parametrize(
    ("source", "leaves", "maybe"),
    [
        ("for c in y:\n    c = c + 1\n    found.append(c)", ("c",), ()),
        ("for c in y:\n    if c:\n        best = c\n    t = c", ("best", "t"), ("best",)),
        ("for c in y:\n    if c: continue\n    t = c", ("t",), ("t",)),
        ("for c in y:\n    for d in y:\n        if d: continue\n    t = c", ("d", "t"), ("d",)),
    ],
)
def test_what_the_last_round_leaves_is_known(
    source: str, leaves: tuple[str, ...], maybe: tuple[str, ...]
) -> None:
    """Names that some rounds may not bind are told apart from those that every round binds."""
    found = check(source)
    assert (found.refusal, found.leaves, found.maybe) == ("", leaves, maybe)


def test_what_stands_above_the_loop_is_known() -> None:
    """New lists and dicts, and constants, may be made in the cell itself."""
    found = check("seen = []\nt = 2\nfor c in y:\n    seen.append(c * t)")
    assert (found.refusal, found.binds, found.reads) == ("", ("seen", "t"), ("t", "y"))


@pytest.mark.parametrize(
    ("source", "found"),
    [
        (
            "for c in y:\n    total += c\n    found.append(c)",
            r"'total' of the round before .line 2",
        ),
        ("for c in y:\n    found.append(len(found))", r"reads 'found', which .*line 2"),
        ("for c in y:\n    scores[c] = scores.get(c, 0) + 1", r"reads 'scores'"),
        ("for c in y:\n    found.append(bag['found'][-1])", r"reads 'bag'"),
        ("for c in found:\n    found.append(c)", r"reads 'found'"),
        ("for c in y:\n    if c:\n        t = 1\n    found.append(t)", r"'t' of the round before"),
        ("for c in y:\n    X.pop()\n    found.append(c)", r"changes 'X', which is shared .line 2"),
        ("for c in y:\n    note(c)\n    scores[c] = 1", r"changes 'found'"),
        ("for c in y:\n    del X[0]\n    found.append(c)", r"changes 'X'"),
        ("for c in y:\n    found.append(c)\n    break", r"'break' .line 3"),
        ("for c in y:\n    found.append(c)\nelse:\n    z = 1", r"an 'else' .line 4"),
        ("for c in y:\n    await c", r"something asynchronous .line 2"),
        ("for c in y:\n    found.append(np.random.rand())", r"numpy.random.rand .line 2"),
        ("for c in y:\n    found.append(random.random())", r"shared generator: random.random"),
        ("for c in y:\n    exec(c)\n    found.append(c)", r"may do anything"),
        ("for c in y:\n    !ls\n    found.append(c)", r"command of the shell"),
        ("for c in y:\n    found.append(c)\n    found[0] = c", r"filled in two ways .line 3"),
        ("z = y\nfor c in y:\n    found.append(c)", r"more than a loop: 'z = y' .line 1"),
        ("for c in y: found.append(c)\nfor c in y: found.append(c)", r"a second loop .line 2"),
        ("async for c in y:\n    found.append(c)", r"more than a loop"),
        ("for X[0] in y:\n    found.append(1)", r"expected names"),
        ("for c in", r"cannot be read .line 1"),
    ],
)
def test_dependent_rounds_stay_in_order(source: str, found: str) -> None:
    """Whatever one round could leave to the next is named with its line; the loop itself may run."""
    assert re.search(found, check(source).refusal)


@pytest.mark.parametrize(
    "source", ["# nothing", "while True:\n    found.append(1)", "found = [c for c in y]"]
)
def test_tag_needs_a_loop(source: str) -> None:
    """A cell without a loop cannot be meant."""
    with pytest.raises(NotebookError, match=r"cell 4: tag 'foreach': it holds no loop") as caught:
        check(source)
    assert caught.value.hint


def test_random_numbers_may_be_given_up() -> None:
    """Where the tags say that rounds draw for themselves, draws are no dependence."""
    source = "for c in y:\n    found.append(np.random.rand())"
    assert check(source, is_rng_independent=True).reads == ("np", "y")


def test_unknown_calls_are_left_to_be_checked() -> None:
    """Code of which nothing is known is not refused; the names to watch are told."""
    found = check("for c in y:\n    found.append(np.linalg.unheard(X) + X.unheard(c))")
    assert found.may_change == ("X", "y")  # c is an item of y


def test_the_loop_is_found_from_the_tags_of_a_notebook() -> None:
    """A step knows its loop; a second one in the same step is refused."""
    cells = [
        new_code_cell("out = []\nxs = [1, 2]", ["step:a"]),
        new_code_cell("for x in xs:\n    out.append(x * x)", ["step:b", "foreach"]),
        new_code_cell("print(out)"),
    ]
    document = NotebookDocument.from_node(new_notebook(cells), "nb.ipynb")
    loop = read_step_options(document, read_roles(document))["b"].foreach
    assert loop is not None
    assert (loop.cell, loop.items, loop.reads) == (1, "xs", ("xs",))
    cells.append(new_code_cell("for x in xs:\n    out.append(x)", ["foreach"]))
    document = NotebookDocument.from_node(new_notebook(cells), "nb.ipynb")
    with pytest.raises(NotebookError, match="two cells tagged 'foreach': 1 and 3"):
        read_roles(document)
    cells[1] = new_code_cell("for x in xs:\n    n = n + x\n    out.append(n)", ["foreach"])
    document = NotebookDocument.from_node(new_notebook(cells[:2]), "nb.ipynb")
    loop = read_step_options(document, read_roles(document))["a"].foreach
    assert loop is not None
    assert loop.refusal == "a round uses 'n' of the round before (line 2)"
