"""Tags become steps, or the cell and the reason are named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mlops_nb.errors import NotebookError, PipelineError
from mlops_nb.notebook.document import (
    new_code_cell,
    new_markdown_cell,
    new_notebook,
    write_notebook,
)
from mlops_nb.pipeline import Pipeline, plan
from mlops_nb.pipeline.settings import Given, select_settings


def write(folder: Path, *cells: tuple[str, ...]) -> Path:
    """Write a notebook of code cells, each given as source and tags."""
    built = [new_code_cell(source, tags) for source, *tags in cells]
    return write_notebook(new_notebook(built), folder / "nb.ipynb")


def make(folder: Path, *cells: tuple[str, ...]) -> Pipeline:
    """Plan a notebook of code cells."""
    return plan(write(folder, *cells))


def name_cells(pipeline: Pipeline) -> dict[str, list[int]]:
    """Give the positions of each step's cells."""
    return {step.name: [cell.index for cell in step.cells] for step in pipeline.steps}


def test_untagged_cells_belong_to_the_step_above(tmp_path: Path) -> None:
    """A cell without a tag goes on with the step above it."""
    found = make(tmp_path, ("x = 1", "step:a"), ("x += 1",), ("y = x", "step:b"), ("print(y)",))
    assert name_cells(found) == {"a": [0, 1], "b": [2, 3]}
    assert found.prelude == ()


def test_no_tags_make_one_step(tmp_path: Path) -> None:
    """A notebook without step tags is one step called main, parameters included."""
    found = make(tmp_path, ("import os",), ("n = 1", "parameters"), ("print(n)",))
    assert name_cells(found) == {"main": [0, 1, 2]}
    assert found.parameters_cell == 1


def test_leading_definitions_are_prelude(tmp_path: Path) -> None:
    """Imports, definitions, magics, settings and parameters above the first step serve all."""
    found = make(
        tmp_path,
        ("%matplotlib inline\nimport numpy as np",),
        ("def f(): return 1\nLIMIT = 5",),
        ("n = 1", "parameters"),
        ("print(f())", "step:a"),
    )
    assert [cell.index for cell in found.prelude] == [0, 1, 2]
    assert name_cells(found) == {"a": [3]}


def test_leading_work_is_refused(tmp_path: Path) -> None:
    """A cell that computes above the first step is never dropped: the cell and the fix are named."""
    with pytest.raises(PipelineError, match=r"cell 1.*open\('a.csv'\)") as caught:
        make(tmp_path, ("import os",), ("text = open('a.csv').read()",), ("y = text", "step:a"))
    assert "step:NAME" in str(caught.value)


def test_imports_below_a_step_stay_where_they_are(tmp_path: Path) -> None:
    """A tagged cell between steps is not moved up, where it could change what runs before it."""
    found = make(
        tmp_path,
        ("f = 1", "step:a"),
        ("from math import floor as f", "imports"),
        ("f(1)", "step:b"),
    )
    assert name_cells(found) == {"a": [0, 1], "b": [2]}


def test_values_between_steps(tmp_path: Path) -> None:
    """Edges carry the variables that a step makes and another reads, without modules."""
    found = make(
        tmp_path,
        ("import pandas as pd", "imports"),
        ("df = pd.DataFrame({'a': [1]})\nother = 2", "step:load"),
        ("df['b'] = 1", "step:clean"),
        ("print(df, other)", "step:show"),
    )
    edges = {(e.source, e.target): e.names for e in found.edges}
    assert edges == {
        ("load", "clean"): ("df",),
        ("load", "show"): ("other",),
        ("clean", "show"): ("df",),
    }
    assert found.steps[2].after == ("load", "clean") or set(found.steps[2].after) == {
        "load",
        "clean",
    }
    assert found.steps[0].provides == ("df", "other")
    assert found.steps[2].needs == ("df", "other")


def test_step_in_two_places_is_merged_where_order_is_free(tmp_path: Path) -> None:
    """A step that goes on further down is joined where nothing in between minds."""
    found = make(
        tmp_path,
        ("x = 1", "step:a"),
        ("y = len([2])", "step:b"),
        ("print(x)\nz = 3", "step:a"),
        ("print(z, y)", "step:c"),
    )
    assert name_cells(found) == {"a": [0, 2], "b": [1], "c": [3]}


@pytest.mark.parametrize(
    ("second", "third", "reason"),
    [
        ("y = x", "x = 2", "both use 'x'"),
        ("y = 1", "z = y", "both use 'y'"),
        ("y = draw()", "z = draw()", "random numbers"),
        ("exec(code)", "z = 1", "cannot be told"),
    ],
)
def test_step_in_two_places_is_refused_where_order_matters(
    second: str, third: str, reason: str, tmp_path: Path
) -> None:
    """A step that goes on further down is refused where moving it could change the result."""
    first = "x = 1\ncode = ''\ndef draw(): return 1"
    with pytest.raises(PipelineError, match=f"cell 2: step 'a' goes on here.*{reason}"):
        make(tmp_path, (first, "step:a"), (second, "step:b"), (third, "step:a"))


def test_names_that_collide_are_refused(tmp_path: Path) -> None:
    """Two names that are one in Python or on disk are refused."""
    with pytest.raises(PipelineError, match="'Train-Model' and 'train_model'"):
        make(tmp_path, ("x = 1", "step:Train-Model"), ("y = 1", "step:train_model"))


def test_unknown_after_names_the_near_miss(tmp_path: Path) -> None:
    """An order tag that names no step is refused with what was meant."""
    with pytest.raises(PipelineError, match="Did you mean 'load'"):
        make(tmp_path, ("x = 1", "step:load"), ("y = 1", "step:b", "after:laod"))


def test_circle_is_refused(tmp_path: Path) -> None:
    """Order tags that go in a circle are refused, with the circle."""
    with pytest.raises(PipelineError, match="a -> b -> a"):
        make(tmp_path, ("x = 1", "step:a", "after:b"), ("y = 1", "step:b", "after:a"))


def test_after_against_the_notebook_is_refused(tmp_path: Path) -> None:
    """Steps run in notebook order; a tag that says otherwise is refused."""
    with pytest.raises(PipelineError, match="order of the notebook"):
        make(tmp_path, ("x = 1", "step:a", "after:b"), ("y = 1", "step:b"))


def test_after_is_drawn(tmp_path: Path) -> None:
    """A kept order tag is an edge."""
    found = make(tmp_path, ("x = 1", "step:a"), ("y = 1", "step:b", "after:a"))
    assert found.steps[1].after == ("a",)
    assert "s0 --> s1" in found.to_mermaid()


def test_skipped_cell_that_is_needed_is_refused(tmp_path: Path) -> None:
    """A skipped cell whose value a later cell uses is refused; both cells are named."""
    with pytest.raises(PipelineError, match="cell 2: it uses 'x', which cell 1 makes"):
        make(tmp_path, ("x = 1", "step:a"), ("x = 2", "skip"), ("print(x)",))


def test_skipped_cell_that_is_not_needed(tmp_path: Path) -> None:
    """A skipped cell that nothing uses leaves the pipeline alone."""
    found = make(tmp_path, ("x = 1", "step:a"), ("y = x", "skip"), ("print(x)",))
    assert name_cells(found) == {"a": [0, 2]}
    assert [cell.index for cell in found.skipped] == [1]


def test_misspelt_tag_is_refused(tmp_path: Path) -> None:
    """A tag that is nearly ours is an error, not a comment."""
    with pytest.raises(NotebookError, match="step:a"):
        make(tmp_path, ("x = 1", "stpe:a"))


def test_notebook_without_code_is_refused(tmp_path: Path) -> None:
    """There is nothing to run in a notebook of text."""
    path = write_notebook(new_notebook([new_markdown_cell("hi")]), tmp_path / "nb.ipynb")
    with pytest.raises(PipelineError, match="no code cell"):
        plan(path)


def test_history_is_noticed(tmp_path: Path) -> None:
    """A step that reads an earlier output by number is known to."""
    found = make(
        tmp_path, ("1 + 1", "step:a"), ("print(_)", "step:b"), ("for _ in (): pass", "step:c")
    )
    assert [step.reads_history for step in found.steps] == [False, True, False]


def test_drawings_escape(tmp_path: Path) -> None:
    """What stands in the notebook cannot break out of a picture."""
    found = make(
        tmp_path,
        ('title = "<script>\\"|"', "parameters"),
        ("x = title", "step:a"),
        ("print(x)", "step:b"),
    )
    assert "<script>" not in found.to_html()
    assert "&lt;script&gt;" in found.to_html()
    assert found.to_mermaid().startswith("flowchart LR")
    assert '-->|"x"|' in found.to_mermaid()


def test_text_drawing(tmp_path: Path) -> None:
    """The picture for a terminal names steps, cells, parameters and what passes."""
    found = make(
        tmp_path,
        ("import os",),
        ("n = 1", "parameters"),
        ("x = n", "step:load"),
        ("x += 1",),
        ("x", "step:show"),
        ("1", "skip"),
    )
    assert found.to_text().splitlines() == [
        "nb.ipynb: 2 steps",
        "  parameters: n=1",
        "  every step: cells 0-1",
        "  1. load  cells 2-3",
        "           -> show: x",
        "  2. show  cell 4",
        "  skipped: cells 5",
    ]


def test_planning_does_not_execute(tmp_path: Path) -> None:
    """Reading a plan runs nothing of the notebook."""
    make(tmp_path, (f"open({str(tmp_path / 'ran')!r}, 'w')", "step:a"))
    assert not (tmp_path / "ran").exists()


SETTINGS = {
    "whole": ("import numpy as np\nnp.set_printoptions(precision=3)\n# why", "="),
    "magics": (
        "%matplotlib inline\nimport os\n!rm -r out\n%pip install x",
        "get_ipython().run_line_magic('matplotlib', 'inline')\nimport os",
    ),
    "file": ("import os, shutil\nshutil.rmtree('out')\nos.makedirs('out')", "import os, shutil"),
    "call": ("import sqlite3\ndb = sqlite3.connect('a')\nN = 3", "import sqlite3\nN = 3"),
    "definitions": ("def f(x=1):\n    return open(x)\nclass A: pass", "="),
    "default_that_acts": (
        "import time\ndef f(x=time.time()): return x\ndef g(): return 1",
        "import time\ndef g(): return 1",
    ),
    "decorator": (
        "from flask import Flask\napp = Flask('a')\n@app.route('/')\ndef f(): return 1",
        "from flask import Flask",
    ),
    "attribute": (
        "import pandas as pd\npd.options.display.max_rows = 5\nx.y = 1",
        "import pandas as pd\npd.options.display.max_rows = 5",
    ),
    "guarded_import": ("try:\n    import a\nexcept ImportError:\n    a = None", "="),
    "loop": ("import os\nfor k in ():\n    os.remove(k)", "import os"),
    "nothing": ("print('hi')", ""),
    "own_state": (
        "import numpy as np\nlog = []\nlog.append(1)\nnp.random.seed(0)",
        "import numpy as np\nlog = []\nnp.random.seed(0)",
    ),
    "parameter": ("import random\nrandom.seed(seed)\nN = 1", "import random\nN = 1"),
    "default_of_a_step": (
        "def f(x=result): return x\ndef g(x=len): return x",
        "def g(x=len): return x",
    ),
    "class_body": ("class A:\n    n = 1\n    m = n\n    f = lambda k: k", "="),
}


@pytest.mark.parametrize("name", SETTINGS)
def test_prelude_lines_that_run_again(name: str) -> None:
    """A later step runs imports, definitions and settings again, and nothing that acts twice."""
    source, expected = SETTINGS[name]
    assert select_settings(source) == (source if expected == "=" else expected)


def test_settings_use_what_cells_above_give() -> None:
    """A library imported in one cell is set up in the next; names that are not there yet are not used."""
    given = Given()
    assert select_settings("import numpy as np\nN = 3", given)
    source = "np.set_printoptions(precision=N)"
    assert select_settings(source, given) == source
    assert select_settings("np.random.seed(seed)", given) == ""


@pytest.mark.parametrize(
    "head",
    [
        "import logging\nlogging.basicConfig(level=logging.INFO)\nlog = logging.getLogger(__name__)",
        "import numpy as np\nimport random\nnp.random.seed(n)\nrandom.seed(2)\nrng = np.random.default_rng(n)",
        "plt.rcParams['figure.figsize'] = (8, 4)\nplt.rcParams.update({'font.size': 9})\npd.options.display.max_rows = n",
        "import os, sys\nos.environ['A'] = 'b'\nsys.path.append('..')\nDATA = Path('data')",
    ],
)
def test_usual_heads_of_notebooks_serve_every_step(tmp_path: Path, head: str) -> None:
    """What notebooks set up before their first step needs no tag."""
    found = make(tmp_path, ("n = 1", "parameters"), (head,), ("x = 1", "step:a"))
    assert [cell.source for cell in found.prelude] == ["n = 1", head]


def test_refused_head_names_the_line(tmp_path: Path) -> None:
    """The line that computes is shown, not the import above it."""
    with pytest.raises(PipelineError, match=r"'df = load\(\)'"):
        make(tmp_path, ("import os\n%matplotlib inline\ndf = load()",), ("x = 1", "step:a"))


def test_document_is_kept_as_it_is(tmp_path: Path) -> None:
    """Planning leaves the notebook's file untouched."""
    path = write(tmp_path, ("x = 1", "step:a"))
    before = path.read_bytes()
    plan(path)
    assert path.read_bytes() == before
    assert json.loads(before)["nbformat"] == 4
