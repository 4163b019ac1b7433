"""What cells read, write and change: told from source, checked by running."""

import sys

import pytest

from mlops_nb.notebook.dataflow import CellFlow, FlowTable, analyze_cell, analyze_cells

FIELDS = ("reads", "writes", "maybe_writes", "mutates", "may_mutate", "deletes", "maybe_deletes")


def told(flow: CellFlow) -> dict[str, str]:
    """Give the sets of a flow that are not empty, as words."""
    shown = {name: " ".join(sorted(getattr(flow, name))) for name in FIELDS}
    return {name: words for name, words in shown.items() if words}


ALONE: list[tuple[str, dict[str, str]]] = [
    ("x += a", {"reads": "a x", "writes": "x"}),
    ("df['y'] = df['x'] * 2", {"reads": "df", "mutates": "df"}),
    ("a.b.c['k'] = v", {"reads": "a v", "mutates": "a"}),
    ("d[k] += v", {"reads": "d k v", "mutates": "d"}),
    ("df.dropna(inplace=True)", {"reads": "df", "mutates": "df"}),
    ("d = df.dropna(inplace=False)", {"reads": "df", "writes": "d"}),
    ("lst.append(q)", {"reads": "lst q", "mutates": "lst"}),
    ("p = model.fit(X).predict(Z)", {"reads": "X Z model", "mutates": "model", "writes": "p"}),
    ("train(m, data)", {"reads": "data m train", "may_mutate": "data m train"}),
    ("w.zero_()", {"reads": "w", "mutates": "w"}),
    ("np.random.shuffle(x)", {"reads": "np x", "mutates": "x"}),
    ("np.add(a, b, out=c)", {"reads": "a b c np", "mutates": "c"}),
    ("if f:\n    x = 1\ny = x", {"reads": "f x", "writes": "y", "maybe_writes": "x"}),
    ("if f:\n    x = 1\nelse:\n    x = 2\ny = x", {"reads": "f", "writes": "x y"}),
    ("if bad:\n    raise E\nelse:\n    x = 1\nx", {"reads": "E bad", "writes": "x"}),
    ("try:\n    import a as m\nexcept ImportError:\n    import b as m", {"writes": "m"}),
    (
        "try:\n    cache\nexcept NameError:\n    cache = {}",
        {"reads": "cache", "maybe_writes": "cache"},
    ),
    (
        "try:\n    pass\nexcept E as e:\n    print(e)",
        {"reads": "E", "maybe_writes": "e", "maybe_deletes": "e"},
    ),
    ("try:\n    x = 1\nfinally:\n    y = 2", {"writes": "x y"}),
    ("try:\n    x = 1\nexcept E:\n    print(x)", {"reads": "E x", "maybe_writes": "x"}),
    ("del x\nx", {"reads": "x", "deletes": "x"}),
    ("x = 1\ndel x", {"deletes": "x"}),
    ("del d['k']", {"reads": "d", "mutates": "d"}),
    ("for i in xs:\n    t = i", {"reads": "xs", "maybe_writes": "i t"}),
    ("for i in range(3):\n    t = i", {"writes": "i t"}),
    ("for i in range(3):\n    if i:\n        break\n    t = i", {"maybe_writes": "i t"}),
    ("while True:\n    x = 1\n    if x:\n        break", {"maybe_writes": "x"}),
    ("while c():\n    x = 1", {"reads": "c", "may_mutate": "c", "maybe_writes": "x"}),
    ("def f():\n    return q\nq = 1\nr = f()", {"writes": "f q r"}),
    ("def f():\n    return q\nr = f()", {"reads": "q", "writes": "f r"}),
    ("def f(): return q", {"writes": "f"}),
    ("g = lambda a, b=d: a * k + b", {"reads": "d", "writes": "g"}),
    ("xs.sort(key=lambda v: v * k)", {"reads": "k xs", "mutates": "xs"}),
    ("class A:\n    x = x\n    def m(self): return y", {"reads": "x", "writes": "A"}),
    ("class A:\n    y = 1\n    z = y", {"writes": "A"}),
    ("[x for x in xs if (last := x)]", {"reads": "xs", "maybe_writes": "last"}),
    ("{k: v * n for k, v in d.items() for n in v}", {"reads": "d"}),
    (
        "match p:\n    case {'a': v, **rest}: pass\n    case Point(x=px): pass\n"
        "    case [h, *t]: pass\n    case C.red: pass",
        {"reads": "C Point p", "maybe_writes": "h px rest t v"},
    ),
    (
        "match p:\n    case 1:\n        x = 1\n    case _:\n        x = 2",
        {"reads": "p", "writes": "x"},
    ),
    ("a and (b := c)", {"reads": "a c", "maybe_writes": "b"}),
    ("x if y else z", {"reads": "x y z"}),
    ("exec('z = 1')", {"writes": "z"}),
    ("y = eval('a + b')", {"reads": "a b", "writes": "y"}),
    ("globals()['q'] = globals()['r']", {"reads": "r", "writes": "q"}),
    ("globals().update(a=1)", {"writes": "a"}),
    ("if 'model' not in globals():\n    model = 1", {"reads": "model", "maybe_writes": "model"}),
    ("x: int", {}),
    ("x: T = 1", {"reads": "T", "writes": "x"}),
    ("from __future__ import annotations\nx: T = 1", {"writes": "annotations x"}),
    (
        "@dec(k)\ndef f(a: T = d) -> R: pass",
        {"reads": "R T d dec k", "writes": "f", "may_mutate": "dec k"},
    ),
    ("a, b = b, a", {"reads": "a b", "writes": "a b"}),
    ("a, *b = c", {"reads": "c", "writes": "a b"}),
    (
        "async for i in s:\n    t = await g(i)",
        {"reads": "g s", "maybe_writes": "i t", "may_mutate": "g s"},
    ),
    ("async with a as b:\n    pass", {"reads": "a", "writes": "b"}),
    (
        "with suppress(E):\n    x = 1",
        {"reads": "E suppress", "maybe_writes": "x", "may_mutate": "E suppress"},
    ),
    ("f'{a!r:{w}} {d[\"k\"]}'", {"reads": "a d w"}),
    ("import os.path as p, json", {"writes": "json p"}),
    ("b = a[2:6]\nb[0] = 1", {"reads": "a", "writes": "b", "mutates": "a"}),
    ("b = a\nb.append(1)", {"reads": "a", "writes": "b", "mutates": "a"}),
    ("b = a.copy()\nb.append(1)", {"reads": "a", "writes": "b"}),
    (
        "c = [a]\nfor v in c:\n    v.pop()",
        {"reads": "a", "writes": "c", "maybe_writes": "v", "may_mutate": "a"},
    ),
    ("t = sum(v for v in xs)", {"reads": "xs", "writes": "t"}),
    (
        "a = 1\nfor i in (1, 2):\n    del a\n    break",
        {"maybe_writes": "a i", "maybe_deletes": "a"},
    ),
    (
        "a = 1\ntry:\n    b = 1\nfinally:\n    try:\n        del a\n    except E:\n        pass",
        {"reads": "E", "writes": "b", "maybe_writes": "a", "maybe_deletes": "a"},
    ),
    ("it = iter(x)\nnext(it)", {"reads": "x", "writes": "it", "may_mutate": "x"}),
    ("sys.exit()\nx = 1", {"reads": "sys", "writes": "x"}),
    ("y = list[0]", {"writes": "y"}),
    ("%timeit -n 10 f(x)", {"reads": "f x", "may_mutate": "f x"}),
    ("%%time\ny = f(x)", {"reads": "f x", "writes": "y", "may_mutate": "f x"}),
    ("%time y = f(x)", {"reads": "f x", "writes": "y", "may_mutate": "f x"}),
    ("%%capture out\nprint(z)", {"reads": "z", "writes": "out"}),
    ("x = !ls {y}\n!echo $z $HOME", {"reads": "y z", "writes": "x"}),
    ("df?", {}),
    ("%matplotlib inline\n%load_ext mlops_nb\n%mlops status", {}),
    ("%%bash --out v\necho {x}", {"writes": "v"}),
    ("%%mlops run name\ny = x", {"reads": "x", "writes": "y"}),
    ("%store x", {"reads": "x"}),
    ("z = (a\n% 4)\ns = '''\n%time\n'''", {"reads": "a", "writes": "s z"}),
    ("  x = 1\n  y = x\r\n", {"writes": "x y"}),
    ("ñ = 1\nπ = ñ", {"writes": "ñ π"}),
    ("", {}),
    ("# nothing", {}),
]


@pytest.mark.parametrize(("source", "expected"), ALONE, ids=[source for source, _ in ALONE])
def test_one_cell(source: str, expected: dict[str, str]) -> None:
    """The sets of one cell are exactly these."""
    flow = analyze_cell(source)
    assert told(flow) == expected
    assert not flow.is_opaque


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ("from os.path import *", 1),
        ("x = 1\nexec(code)", 2),
        ("eval(code)", 1),
        ("globals()[n] = 2", 1),
        ("d = globals()", 1),
        ("locals().update(d)", 1),
        ("%run other.py", 1),
        ("%%unheard\nx", 1),
        ("%store -r", 1),
        ("%reset -f", 1),
        ("get_ipython().user_ns", 1),
        ("get_ipython().run_cell(x)", 1),
        ("import __main__", 1),
        ("_ + 1", 1),
        ("def f():\n    exec(code)\nf()", 3),
        ("x = = 1", 1),
        ("x = '\x00'", 1),
        ("(" * 300 + ")" * 300, 1),
        ("x = " + "+".join(["1"] * 20_000), 1),
    ],
)
def test_what_cannot_be_told_is_a_barrier(source: str, line: int) -> None:
    """Code that may do anything is reported with its line."""
    flow = analyze_cell(source)
    assert flow.is_opaque
    assert flow.opaque[0].line == line or "\x00" in source


@pytest.mark.skipif(sys.version_info < (3, 12), reason="the syntax came with Python 3.12")
def test_type_statements_and_generics() -> None:
    """Type parameters are local; the alias is written, its value not read yet."""
    assert told(analyze_cell("type A[T] = list[T]")) == {"writes": "A"}
    assert told(analyze_cell("def f[T](x: T) -> T: return x")) == {"writes": "f"}


def test_user_variables_hide_builtins() -> None:
    """A builtin's name that the notebook defines is the notebook's variable."""
    assert analyze_cell("y = list[0]", frozenset({"list"})).reads == {"list"}
    flows = analyze_cells(["id = 3", "x = id", "def f(): return id", "f()"])
    assert flows[1].reads == {"id"}
    assert flows[3].reads == {"f", "id"}


def test_functions_are_followed_into_the_cells_that_use_them() -> None:
    """What a function does counts for its callers, through other functions too."""
    flows = analyze_cells(
        [
            "log = []",
            "def add(v): log.append(v + offset)",
            "def twice(v):\n    add(v)\n    add(v)",
            "offset = 1",
            "twice(3)",
            "callbacks = [twice]",
            "callbacks[0](2)",
        ]
    )
    assert told(flows[1]) == {"writes": "add"}
    assert flows[4].reads == {"twice", "add", "log", "offset"}
    assert flows[4].late_reads == {"add", "log", "offset"}
    assert flows[4].mutates == {"log"}
    assert "log" in flows[6].may_mutate
    assert {"log", "offset"} <= flows[6].reads


def test_global_statements_write_in_the_calling_cell() -> None:
    """A function that binds a global binds it where it is called."""
    flows = analyze_cells(["n = 0", "def f():\n    global n\n    n = n + 1", "f()", "if n: f()"])
    assert told(flows[2]) == {"reads": "f n", "writes": "n"}
    assert told(flows[3]) == {"reads": "f n", "maybe_writes": "n"}


def test_closures_partials_instances_and_lambdas_carry_their_code() -> None:
    """Whatever may call a function later counts as reading what it reads."""
    for definition in (
        "def outer():\n    def inner(): return z\n    return inner\nh = outer()",
        "from functools import partial\ndef f(a): return z\nh = partial(f, 1)",
        "h = {'a': lambda: z}",
        "class A:\n    def m(self): return z\nh = A()",
        "class A:\n    def m(self): return z\nclass B(A): pass\nh = B()",
        "def gen():\n    yield z\nh = gen()",
        "def f(): return z\nh = f",
        "h = []\nh.append(lambda: z)",
    ):
        flows = analyze_cells([definition, "z = 1", "use(h)"])
        assert "z" in flows[2].reads, definition


def test_parameters_changed_by_functions_of_the_notebook() -> None:
    """A known function changes exactly the arguments that it changes."""
    flows = analyze_cells(
        [
            "def add_column(d, other): d['b'] = other.sum()",
            "df = load()\nk = pd.Series([1])",
            "add_column(df, other=k)",
            "add_column(*both)",
        ]
    )
    assert flows[2].mutates == {"df"}
    assert "k" not in flows[2].may_mutate
    assert "both" in flows[3].may_mutate


def test_aliases_across_cells_change_together() -> None:
    """Two names for one object change together until one is bound anew."""
    flows = analyze_cells(["a = b = []", "b.append(1)", "b = []", "b.append(2)"])
    assert flows[1].mutates == {"a", "b"}
    assert flows[3].mutates == {"b"}


@pytest.mark.parametrize(
    "use",
    ["f(it)", "a, *b = it", "c = [*it]", "1 in it", "xs += it", "xs.extend(it)", "pd.Series(it)"],
)
def test_iterators_are_used_up_by_whoever_reads_them(use: str) -> None:
    """Reading an iterator changes it, also within a function that changes no list."""
    before = ["import pandas as pd\nit = iter([1])\nxs = []", "def f(v): return list(v)"]
    assert "it" in analyze_cells([*before, use])[-1].mutates


def test_an_optimizer_changes_its_network() -> None:
    """A step of an optimizer changes the parameters that it was given."""
    flows = analyze_cells(
        [
            "import torch\nnet = torch.nn.Linear(1, 1)",
            "opt = torch.optim.Adam(net.parameters())",
            "for e in range(3):\n    loss = net(X).sum()\n    loss.backward()\n    opt.step()",
        ]
    )
    assert {"net", "opt"} <= flows[2].mutates


def test_cells_that_only_define() -> None:
    """Imports, definitions and literal settings can serve every step."""
    assert analyze_cell(
        "'''doc'''\nimport os\nN = 3\nclass A: pass\nf = lambda: 1\n%matplotlib inline\n"
        "import warnings\nwarnings.filterwarnings('ignore')"
    ).only_defines
    for source in (
        "x = f()",
        "y = a",
        "print(1)",
        "%cd x",
        "df['a'] = 1",
        "if a: pass",
        "a.b = c",
        "random.seed(f())",
    ):
        assert not analyze_cell(source).only_defines, source


def test_imports_and_functions_are_listed() -> None:
    """The names that a cell imports and defines are given with what stands behind them."""
    flow = analyze_cell(
        "import numpy as np\nfrom os import path as p\nimport a.b\ndef f(): return k"
    )
    assert flow.imports == {"np": "numpy", "p": "os.path", "a": "a"}
    assert flow.functions["f"].reads == {"k"}


def test_large_cells_are_analysed_in_time() -> None:
    """A cell of 5 000 lines is analysed within seconds."""
    table = FlowTable()
    flow = table.add("\n".join(f"x{i} = x{i - 1} + f(y, {i})" for i in range(1, 5001)))
    assert flow.reads == {"x0", "f", "y"}
    assert len(flow.writes) == 5000
