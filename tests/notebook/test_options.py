"""How tags say that a step shall run."""

import pytest

from mlops_nb.errors import NotebookError
from mlops_nb.notebook.document import Cell, NotebookDocument, new_code_cell, new_notebook
from mlops_nb.notebook.options import StepOptions
from mlops_nb.notebook.tags import Feature, read_roles, read_step_options, read_tags

ALL: tuple[Feature, ...] = ("when", "rng")


def options(*tags: str, source: str = "x = 1") -> StepOptions:
    """Read the options of a cell with these tags."""
    return read_tags(Cell(3, "c", "code", source, tags), "nb.ipynb", ALL).options


def make(*cells: tuple[str, list[str]]) -> NotebookDocument:
    """Build a notebook of sources and tags."""
    nodes = [new_code_cell(source, tags) for source, tags in cells]
    return NotebookDocument.from_node(new_notebook(nodes), "nb.ipynb")


def read(*cells: tuple[str, list[str]]) -> dict[str, StepOptions]:
    """Read the options of the steps of a notebook."""
    document = make(*cells)
    return read_step_options(document, read_roles(document, ALL))


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        ("retries:2", StepOptions(retries=2)),
        ("retries:0", StepOptions(retries=0)),
        ("timeout:90", StepOptions(timeout_s=90.0)),
        ("timeout:10m", StepOptions(timeout_s=600.0)),
        ("timeout:1h30m", StepOptions(timeout_s=5400.0)),
        ("timeout:1.5h", StepOptions(timeout_s=5400.0)),
        ("cpu:2", StepOptions(cpu=2.0)),
        ("cpu:500m", StepOptions(cpu=0.5)),
        ("gpu:1", StepOptions(gpu=1)),
        ("mem:4G", StepOptions(mem_bytes=4 * 10**9)),
        ("mem:4Gi", StepOptions(mem_bytes=4 * 2**30)),
        ("mem:512MB", StepOptions(mem_bytes=512 * 10**6)),
        ("cache:disabled", StepOptions(is_cached=False)),
        ("cache:enabled", StepOptions(is_cached=True)),
        ("out:model", StepOptions(outs=("model",))),
        ("out: a, b", StepOptions(outs=("a", "b"))),
        ("rng:independent", StepOptions(is_rng_independent=True)),
        ("foreach", StepOptions(is_foreach=True)),
        ("limit:nvidia.com/gpu:2", StepOptions(gpu=2)),
        ("limit:memory:2Gi", StepOptions(mem_bytes=2 * 2**30)),
        ("limit:cpu:4", StepOptions(cpu=4.0)),
        ("limit:tpu:1", StepOptions(passed=("limit:tpu:1",))),
        ("image:python:3.12", StepOptions(passed=("image:python:3.12",))),
        ("secret:db:key:ENV", StepOptions(passed=("secret:db:key:ENV",))),
        ("label:team:ml", StepOptions(passed=("label:team:ml",))),
        ("annotation:a:b", StepOptions(passed=("annotation:a:b",))),
        ("notebook:x", StepOptions(passed=("notebook:x",))),
        ("report:enabled", StepOptions(passed=("report:enabled",))),
    ],
)
def test_values_are_typed(tag: str, expected: StepOptions) -> None:
    """Each tag sets its own field, read to its unit."""
    assert options(tag) == expected


def test_conditions_are_parsed() -> None:
    """The names that a condition asks for are known before anything runs."""
    found = options("when:acc > 0.9 and kind == 'a:b'").when
    assert found is not None
    assert found.names == ("acc", "kind")
    assert found.holds({"acc": 0.95, "kind": "a:b"})


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        ("retries:-1", "a number from 0 to 100"),
        ("retries:two", "a number from 0 to 100"),
        ("retries:1000", "a number from 0 to 100"),
        ("retries:", "a number from 0 to 100"),
        ("timeout:0", "a time above 0"),
        ("timeout:soon", "a time above 0"),
        ("timeout:10 parsecs", "a time above 0"),
        ("timeout:1e9", "a time above 0"),
        ("cpu:0", "a number of cores"),
        ("cpu:-1", "a number of cores"),
        ("gpu:0.5", "a whole number of GPUs"),
        ("mem:lots", "a size such as"),
        ("mem:0", "a size such as"),
        ("mem:4i", "a size such as"),
        ("cache:maybe", "'enabled' or 'disabled'"),
        ("rng:shared", "'independent'"),
        ("out:a b", "the name of a variable"),
        ("when:__import__('os')", "a condition, but .* at character 1"),
        ("when:", "a condition, but it is no expression"),
        ("limit:nvidia.com/gpu:all", "a whole number of GPUs"),
    ],
)
def test_bad_values_are_refused(tag: str, expected: str) -> None:
    """A value that cannot be kept is refused by cell, with what would be right."""
    with pytest.raises(NotebookError, match=f"cell 3: tag .*expected {expected}"):
        options(tag)


@pytest.mark.parametrize(
    ("tag", "meant"),
    [
        ("retry:3", "retries:3"),
        ("retires:3", "retries:3"),
        ("time-out:3", "timeout:3"),
        ("memory:4G", "mem:4G"),
        ("cpus:2", "cpu:2"),
        ("gpus:2", "gpu:2"),
        ("whne:a", "when:a"),
        ("cahce:disabled", "cache:disabled"),
        ("for-each", "foreach"),
        ("foreach:x", "foreach"),
        ("skip:true", "skip"),
        ("retries", "retries:VALUE"),
        ("step", "step:NAME"),
    ],
)
def test_near_misses_of_options_are_refused(tag: str, meant: str) -> None:
    """A misspelt option would quietly have no effect."""
    with pytest.raises(NotebookError, match="Did you mean") as caught:
        options(tag)
    assert f"{meant!r}" in str(caught.value)


def test_directives_set_options_too() -> None:
    """Comments say the same as tags, and Quarto's own comments are left alone."""
    source = "#| retries: 2\n#| timeout: 5m\n#| when: n > 3\n#| foreach\nx"
    assert options(source=source) == options("retries:2", "timeout:5m", "when:n > 3", "foreach")
    assert options(source="#| cache: true\nx") == StepOptions(is_cached=True)
    quarto = "#| label: fig-one\n#| output: asis\n#| echo: false\n#| fig-cap: x\nx"
    assert options(source=quarto) == StepOptions()


def test_what_one_cell_says_twice_must_agree() -> None:
    """Tag and comment that differ are refused, equal ones are one."""
    assert options("retries:2", source="#| retries: 2") == StepOptions(retries=2)
    with pytest.raises(NotebookError, match=r"'retries:2' and 'retries:3', twice"):
        options("retries:2", source="#| retries: 3")
    with pytest.raises(NotebookError, match=r"'gpu:1' and 'gpu:2'"):
        options("gpu:1", "limit:nvidia.com/gpu:2")


def test_options_of_the_cells_of_a_step_are_joined() -> None:
    """A step has what its cells say, whichever says it; untagged cells belong to the one above."""
    found = read(
        ("import os", []),
        ("a = 1", ["step:load", "retries:2"]),
        ("b = 1", ["timeout:1m", "out:b"]),
        ("c = 1", ["step:fit", "out:c", "out:d", "label:x:y"]),
        ("d = 1", ["step:load", "retries:2", "out:a"]),
        ("e = 1", ["skip", "retries:9"]),
    )
    assert found == {
        "load": StepOptions(retries=2, timeout_s=60.0, outs=("b", "a")),
        "fit": StepOptions(outs=("c", "d"), passed=("label:x:y",)),
    }
    assert read(("a = 1", ["retries:1"])) == {"main": StepOptions(retries=1)}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("retries:1", "retries:2"),
        ("timeout:1m", "timeout:2m"),
        ("mem:1G", "mem:2G"),
        ("cache:enabled", "cache:disabled"),
        ("when:a", "when:b"),
    ],
)
def test_cells_of_a_step_that_disagree_are_named(one: str, other: str) -> None:
    """Two answers to one question are refused with both cells."""
    with pytest.raises(NotebookError, match=r"step 'a' is tagged .* in cells 0 and 1"):
        read(("x = 1", ["step:a", one]), ("y = 1", [other]))


def test_options_above_the_first_step_are_refused() -> None:
    """An option that belongs to no step would be lost; what only exports use may stay."""
    with pytest.raises(NotebookError, match=r"cell 0.*above the first step"):
        read(("import os", ["retries:1"]), ("x = 1", ["step:a"]))
    assert read(("import os", ["image:x"]), ("x = 1", ["step:a"])) == {"a": StepOptions()}


def test_tags_that_change_the_result_need_a_caller_that_honours_them() -> None:
    """Who does not act on a condition must not pass over it."""
    document = make(("x = 1", ["when:n > 1"]))
    with pytest.raises(NotebookError, match="not supported here"):
        read_roles(document)
    with pytest.raises(NotebookError, match="not supported here"):
        read_roles(document, ["rng"])
    assert read_roles(document, ["when"])[0].options.when is not None
    with pytest.raises(NotebookError, match="no valid value"):  # what is wrong is told first
        read_roles(make(("x = 1", ["when:f()"])))


def test_several_parameters_cells_are_one_where_they_are_unambiguous() -> None:
    """Given values are set after the last; cells between may not have used them."""
    document = make(
        ("a = 1", ["parameters"]), ("import os", []), ("b = 2", ["parameters"]), ("c = a + b", [])
    )
    roles = read_roles(document)
    assert [role.is_declaring for role in roles] == [True, False, True, False]
    assert [role.is_parameters for role in roles] == [False, False, True, False]


@pytest.mark.parametrize(
    ("cells", "found"),
    [
        (
            [("a = 1", ["parameters"]), ("a = 2", ["parameters"])],
            r"cell 1: parameter 'a' is declared in cells 0 and 1",
        ),
        (
            [("a = 1", ["parameters"]), ("c = a + 1", []), ("b = 2", ["parameters"])],
            r"cell 1: it uses parameter 'a' between the parameters cells 0 and 2",
        ),
        (
            [("a = 1", ["parameters"]), ("a = 3", []), ("b = 2", ["parameters"])],
            r"cell 1: it uses parameter 'a'",
        ),
        (
            [("a = 1", ["parameters"]), ("exec(code)", []), ("b = 2", ["parameters"])],
            r"cell 1: it may use any variable",
        ),
    ],
)
def test_ambiguous_parameters_cells_are_refused(
    cells: list[tuple[str, list[str]]], found: str
) -> None:
    """Where a value set once would not reach every use, both cells are named."""
    with pytest.raises(NotebookError, match=found):
        read_roles(make(*cells))


def test_a_kale_notebook_is_read_as_it_is() -> None:
    """Every tag of Kale 2.3 is read, none refused."""
    document = make(
        ("import pandas", ["imports"]),
        ("N = 3", ["pipeline-parameters"]),
        ("def f(): pass", ["functions"]),
        ("d = [1]", ["block:load", "limit:nvidia.com/gpu:1", "annotation:a:b", "cache:disabled"]),
        ("m = d", ["block:train", "prev:load", "image:x", "label:a:b", "secret:n:k:E"]),
        ("print(m)", ["pipeline-metrics"]),
        ("!ls", ["skip"]),
        ("1", ["notebook:sub", "report:enabled"]),
    )
    roles = read_roles(document)
    assert [role.step for role in roles if role.step] == ["load", "train"]
    assert read_step_options(document, roles)["load"].is_cached is False
