"""Why parts of a notebook depend on one another."""

import pytest

from mlops_nb.notebook.dataflow import analyze_cells
from mlops_nb.notebook.document import Cell
from mlops_nb.notebook.explain import Dependency, Place, explain_dependencies
from mlops_nb.notebook.flow import Reason


def explain(*sources: str) -> tuple[Dependency, ...]:
    """Explain what crosses between cells."""
    cells = [Cell(index, None, "code", source) for index, source in enumerate(sources)]
    return explain_dependencies((f"c{cell.index}", [cell]) for cell in cells)


def find(source: str, kind: str, name: str, *before: str) -> Reason:
    """Find the one reason of a kind for a name."""
    flow = analyze_cells([*before, source], explains=True)[-1]
    found = [each for each in flow.reasons if (each.kind, each.name) == (kind, name)]
    assert len(found) == 1, flow.reasons
    return found[0]


@pytest.mark.parametrize(
    ("source", "name", "text", "rule", "is_sure"),
    [
        ("x = 1\ntrain(x, df)", "df", "train(x, df)", "passed to train(), of which", False),
        ("df['a'] = 1", "df", "df['a']", "an item of it is assigned", True),
        ("df.a.b = 1", "df", "df.a.b", "an attribute of it is assigned", True),
        ("del df['a']", "df", "del df['a']", "a part of it is deleted", True),
        ("df.unheard()", "df", "df.unheard()", "the method .unheard() nothing is known", False),
        ("m.unheard(df)", "df", "m.unheard(df)", "passed to the method .unheard()", False),
        ("df.append(1)", "df", "df.append(1)", ".append() changes its object", True),
        ("df.dropna(inplace=True)", "df", "df.dropna(inplace=True)", "in place", True),
        ("import random\nrandom.shuffle(df)", "df", "random.shuffle(df)", "first argument", True),
        ("np.add(a, b, out=df)", "df", "np.add(a, b, out=df)", "given as 'out'", True),
        ("v = df\nv.append(1)", "df", "v.append(1)", "share objects with 'v'", True),
        ("lib.f(df)", "df", "lib.f(df)", "the method .f()", False),
        ("%%time\nq = 1\ndf.append(q)", "df", "df.append(q)", ".append() changes", True),
    ],
)
def test_changes_are_explained(source: str, name: str, text: str, rule: str, is_sure: bool) -> None:
    """Each change names the code that makes it and the rule, and whether it is certain."""
    reason = find(source, "change", name)
    assert rule in reason.rule
    assert (reason.text, reason.is_sure) == (text, is_sure)
    assert text.split("(")[0].split("[")[0] in source.splitlines()[reason.line - 1]


def test_reads_and_writes_are_explained() -> None:
    """A read by a function is put down to the function that makes it."""
    assert find("y = 1\nz = (y +\n  x)", "read", "x") == Reason("read", "x", 3, "x)", "read")
    assert find("if q:\n    x = 1", "write", "x") == Reason(
        "write", "x", 2, "x = 1", "bound here", is_sure=False
    )
    late = find("y = f()", "read", "k", "def f(): return k", "k = 1")
    assert (late.rule, late.is_sure) == ("code behind 'f', used here, reads it", False)
    assert find("del x", "delete", "x").text == "del x"
    changed = find("f()", "change", "log", "log = []", "def f(): log.append(1)")
    assert changed.rule == "code behind 'f', used here, changes it"
    iterator = find("list(it)", "change", "it", "it = iter([1])")
    assert iterator.rule == "reading the iterator uses it up"


def test_crossing_variables_are_told_from_both_ends() -> None:
    """An edge is the last place that wrote or changed, and the first that uses."""
    found = explain("import lib", "df = 1", "lib.touch(df)", "def f(): pass", "f()\nprint(df)")
    assert found == (
        Dependency(
            "c1",
            "c2",
            "df",
            Place(1, 1, "df = 1", "bound here", is_sure=True),
            Place(2, 1, "lib.touch(df)", "read", is_sure=True),
        ),
        Dependency(
            "c2",
            "c4",
            "df",
            Place(
                2,
                1,
                "lib.touch(df)",
                "it is passed to lib.touch(), of which nothing is known",
                is_sure=False,
            ),
            Place(4, 2, "print(df)", "read", is_sure=True),
        ),
    )
    assert found[0].to_json()["written"]["cell"] == 1


def test_nothing_is_kept_where_nobody_asks() -> None:
    """The reasons cost time, so a plan does without."""
    assert analyze_cells(["x = y"])[0].reasons == ()
