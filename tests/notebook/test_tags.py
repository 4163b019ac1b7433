"""The grammar of tags and comment directives."""

import pytest

from mlops_nb.errors import NotebookError
from mlops_nb.notebook.document import Cell, NotebookDocument, new_code_cell, new_notebook
from mlops_nb.notebook.tags import CellRole, read_roles, read_tags


def role(*tags: str, source: str = "x = 1") -> CellRole:
    """Read the role of a cell with these tags."""
    return read_tags(Cell(3, "c", "code", source, tags), "nb.ipynb")


def test_step_and_after() -> None:
    """A cell names its step and the steps before it."""
    assert role("step:train", "after:load", "after:clean") == CellRole(
        step="train", after=("load", "clean")
    )


def test_kale_words_mean_the_same() -> None:
    """Kale's words and ours give the same role."""
    assert role("block:train", "prev:load") == role("step:train", "after:load")
    declares = CellRole(is_parameters=True, is_declaring=True)
    assert role("pipeline-parameters") == role("parameters") == declares
    assert role("pipeline-metrics").is_metrics
    assert role("imports") == role("functions") == CellRole(is_prelude=True)


def test_skip_words() -> None:
    """Both skip words take a cell out, whatever else it is tagged."""
    assert role("skip", "step:a").is_skipped
    assert role("skip-execution").is_skipped


@pytest.mark.parametrize("tag", ["hide-input", "remove-cell", "ship", "a:b", "export", "Ünï", ""])
def test_unknown_tags_are_ignored(tag: str) -> None:
    """Tags of other tools say nothing."""
    assert role(tag) == CellRole()


@pytest.mark.parametrize(
    ("tag", "meant"),
    [
        ("stpe:train", "step:train"),
        ("steps:train", "step:train"),
        ("Step:train", "step:train"),
        ("afer:load", "after:load"),
        ("paramters", "parameters"),
        ("parameter", "parameters"),
        ("Parameters", "parameters"),
        ("pipeline_parameters", "pipeline-parameters"),
        ("import", "imports"),
        ("fucntions", "functions"),
        ("skpi", "skip"),
    ],
)
def test_near_misses_are_refused_with_the_word_that_was_meant(tag: str, meant: str) -> None:
    """A misspelt tag of ours is an error, for ignoring it would change the pipeline."""
    with pytest.raises(NotebookError, match=f"cell 3.*{tag}") as caught:
        role(tag)
    assert f"Did you mean '{meant}'?" in str(caught.value)


@pytest.mark.parametrize("tag", ["step:", "step:1a", "step:a b", "step:a.b", "after:é/", "step::a"])
def test_bad_step_names_are_refused(tag: str) -> None:
    """A step name that could not be a file or function name is an error."""
    with pytest.raises(NotebookError, match="no valid step name"):
        role(tag)


@pytest.mark.parametrize("tag", ["when:acc>0.9", "rng:independent"])
def test_tags_that_would_change_the_result_are_refused(tag: str) -> None:
    """What this version cannot honour and must not ignore is refused."""
    with pytest.raises(NotebookError, match=r"not supported here|other random numbers"):
        role(tag)


def test_an_expected_error_is_a_role() -> None:
    """Nbclient's own word means what it means there."""
    assert role("raises-exception") == CellRole(raises_exception=True)


def test_directives_are_equal_to_tags() -> None:
    """Comment lines at the top of a cell say the same as tags."""
    assert role(source="#| step: train\n# note\n\n#| after: load\nx = 1") == role(
        "step:train", "after:load"
    )
    assert role(source="#| parameters\nx = 1").is_parameters
    assert role(source='#| tags: [imports, "hide-input"]\nimport os').is_prelude
    assert role(source="#| fig-cap: x\n#| echo: false\n#| export\nx") == CellRole()
    assert role("step:a", source="#| step: a") == CellRole(step="a")


def test_directives_stand_at_the_top_only() -> None:
    """A comment below code is no directive."""
    assert role(source="x = 1\n#| step: train") == CellRole()
    assert role(source="s = '''\n#| step: train\n'''") == CellRole()


def test_tag_and_directive_that_disagree_are_refused() -> None:
    """Two steps for one cell are an error, whoever says so."""
    with pytest.raises(NotebookError, match="tag says step 'a', its comment says 'b'"):
        role("step:a", source="#| step: b")
    with pytest.raises(NotebookError, match="'a' and 'b'"):
        role("step:a", "block:b")


@pytest.mark.parametrize(
    "tags", [("parameters", "step:a"), ("imports", "step:a"), ("parameters", "functions")]
)
def test_roles_that_exclude_each_other_are_refused(tags: tuple[str, ...]) -> None:
    """A cell has one role."""
    with pytest.raises(NotebookError, match="exclude each other"):
        role(*tags)


def test_markdown_has_no_role() -> None:
    """Tags on markdown say nothing."""
    assert read_tags(Cell(0, None, "markdown", "#| step: a", ("stpe:x",))) == CellRole()


def test_injected_cell_stands_for_the_parameters_cell_that_is_missing() -> None:
    """Papermill's cell is skipped beside a parameters cell and counts as one without it."""
    injected = new_code_cell("a = 2", ["injected-parameters"])
    both = new_notebook([new_code_cell("a = 1", ["parameters"]), injected])
    assert [r.is_skipped for r in read_roles(NotebookDocument.from_node(both, "n"))] == [
        False,
        True,
    ]
    alone = read_roles(NotebookDocument.from_node(new_notebook([injected]), "n"))[0]
    assert alone.is_parameters
    assert not alone.is_skipped
