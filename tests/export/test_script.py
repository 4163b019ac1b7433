"""Exported scripts: run for real and compared with the notebook run for real."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mlops_nb.export import export_script
from mlops_nb.notebook.document import new_markdown_cell
from tests.export.scripts import Cells, build, export, run_ipython, run_notebook, run_script

GOLDEN = Path(__file__).parent / "golden"

MESSY: Cells = [
    new_markdown_cell("# A first model\nSome words.\n\n## Data"),
    "%matplotlib inline",
    (
        "test_size: float = 0.25  # share of rows held out, in 100%\nC = 1.0\nseed = 42\n"
        'shuffle = True\nname = "it\'s"',
        "parameters",
    ),
    ("import numpy as np\nfrom sklearn.datasets import load_breast_cancer\nimport os", "imports"),
    (
        "X, y = load_breast_cancer(return_X_y=True, as_frame=True)  # 569 rows\nfiles = !ls *.txt\nX.head()",
        "step:load",
    ),
    (
        "%%time\nfrom sklearn.model_selection import train_test_split\nnp.random.seed(seed)\n"
        "X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=test_size)",
        "step:split",
    ),
    "X_train?",
    (
        "from sklearn.ensemble import RandomForestClassifier\n\n\n"
        "def train(n):\n    # uses the global generator\n    return RandomForestClassifier(n).fit(X_train, y_train)\n\n\n"
        "model = train(10)\n%timeit -n 1 -r 1 model.predict(X_test)\n",
        "step:train",
    ),
    (
        "from sklearn.metrics import accuracy_score\n"
        "%time accuracy = float(accuracy_score(y_test, model.predict(X_test)))\naccuracy",
        "step:evaluate",
    ),
    (
        "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()\n"
        "if accuracy > 0:\n    !echo '{C}' $accuracy > out.log\n    print('done');",
        "step:evaluate",
    ),
    ("raise SystemExit('never reached')", "skip-execution"),
    "len(files),",
]


@pytest.fixture(name="expected", scope="module")
def run_messy(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Give what the messy notebook computes in a kernel."""
    folder = tmp_path_factory.mktemp("kernel")
    (folder / "a.txt").write_text("", encoding="utf-8")
    return run_notebook(build(folder, MESSY), ["accuracy", "files", "test_size"])


def test_messy_notebook_gives_the_same_numbers_as_in_a_kernel(
    tmp_path: Path, expected: dict[str, Any]
) -> None:
    """Unseeded estimators, magics and plots: the script computes what the kernel computes."""
    (tmp_path / "a.txt").write_text("", encoding="utf-8")
    script, text = export(tmp_path, MESSY)
    for name in ("__main__", "imported"):
        found, output = run_script(script, name=name)
        assert {key: found[key] for key in expected} == expected
        assert repr(expected["accuracy"]) in output
        assert "mean radius" in output
    assert (tmp_path / "out.log").read_text().split() == ["1.0", repr(expected["accuracy"])]
    assert "get_ipython" not in text
    assert "mlops_nb" not in text.replace("# Written by mlops_nb export", "")


def test_parameters_reach_the_script_and_change_the_result(
    tmp_path: Path, expected: dict[str, Any]
) -> None:
    """Options, and defaults given at export, act as the same parameters in the notebook."""
    (tmp_path / "a.txt").write_text("", encoding="utf-8")
    script, _ = export(tmp_path, MESSY, params={"test_size": "0.5", "seed": 7})
    by_default, _ = run_script(script)
    assert (by_default["test_size"], by_default["seed"]) == (0.5, 7)
    by_option, _ = run_script(script, "--test-size", "0.25", "--seed=42", "--no-shuffle")
    assert (by_option["test_size"], by_option["shuffle"]) == (0.25, False)
    assert by_option["accuracy"] == expected["accuracy"]
    assert by_default["accuracy"] != expected["accuracy"]
    assert "unrecognized arguments" in run_script(script, "--tets-size", "1", ok=False)[1]


def test_golden_script(tmp_path: Path) -> None:
    """The text of one exported script is exactly the golden file."""
    _, text = export(tmp_path, MESSY)
    golden = GOLDEN / "messy.py.txt"
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8")


def test_every_kind_of_parameter_becomes_an_option(tmp_path: Path) -> None:
    """Typed options accept their type, refuse others, and colliding names stay apart."""
    source = """\
from pathlib import Path
from typing import Literal, Optional
import datetime
n = 3  # a 100% help
x: float = 1
flag = True
no_flag = "text"
help = "h"
_under = 1
under = 2
mode: Literal["a", "b"] = "a"
level: Literal[1, 2] = 1
limit: Optional[int] = None
free = None
items = [1, 2]
table = {"a": 1}
data = Path("x y")
day = datetime.date(2026, 1, 2)
λ = 2.5
bad = float("nan")"""
    script, _ = export(tmp_path, [(source, "parameters"), "where, when = str(data), str(day)"])
    found, _ = run_script(script)
    assert (found["n"], found["x"], found["flag"], found["items"]) == (3, 1, True, [1, 2])
    assert (found["where"], found["when"], found["λ"]) == ("x y", "2026-01-02", 2.5)
    given = {
        "--n": 4, "--x": 2.5, "--mode": "b", "--level": 2, "--limit": 5, "--items": [3],
        "--table": {"b": 2}, "--under": 7, "--param-under": 0,
    }  # fmt: skip
    del given["--param-under"]
    options = [str(part) for pair in given.items() for part in pair]
    found, _ = run_script(script, *options, "--no-flag", "--data", "q", "--day", "2027-03-04")
    for option, value in given.items():
        name = "_under" if option == "--under" else option[2:]
        assert found[name] == value, option
    assert found["flag"] is False
    assert found["under"] == 2
    assert (found["where"], found["when"]) == ("q", "2027-03-04")
    for wrong in (["--n", "1.5"], ["--mode", "c"], ["--level", "3"], ["--items", "x"]):
        assert "error: argument" in run_script(script, *wrong, ok=False)[1]
    assert (
        "a 100% help"
        in subprocess.run(
            [sys.executable, str(script), "--help"], capture_output=True, text=True, check=True
        ).stdout
    )


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("x = 3\nlines = !echo a {x} $x '$x' $$x {{y}}", ["lines"]),
        ("lines = !echo $UNSET_NAME {not_there}", ["lines"]),
        ("class A: b = 4\na = A()\nlines = !echo {a.b + 1} {a.b!r} $a.b", ["lines"]),
        ("x = 3\nlines = !echo {x:03d} $x", ["lines"]),
        ("xs = [1, 2, 3]\nlines = !echo {xs[1:3]} '{xs[0]}'", ["lines"]),
        ("lines = !printf 'a\\nb\\n'; echo err >&2", ["lines"]),
        ("%%bash --out text\necho one\necho {x} $((1 + 1))", ["text"]),
        ("%%writefile note.txt\nhi {x}\n", []),
        ("%env GREETING=hi there\nimport os\ng = os.environ['GREETING']", ["g"]),
        (
            "import os\nos.makedirs('sub', exist_ok=True)\n%cd sub\nw = os.path.basename(os.getcwd())",
            ["w"],
        ),
        ("import os\n%cd -q sub\nw = os.path.basename(os.getcwd())", ["w"]),
        ("import os\n%cd\nw = os.getcwd() == os.path.expanduser('~')", ["w"]),
        (
            "for i in range(2):\n    if i:\n        !echo {i} > n.txt\nt = open('n.txt').read()",
            ["t"],
        ),
        ("if True:\n    %xmode Plain\nelse:\n    %time y = 1\nz = 1", ["z"]),
        ("%%time\n%time a = 1\nb = a + 1", ["a", "b"]),
        ("%%capture\nprint('quiet')\nq = 1", ["q"]),
        ("s = '''\n%time\n!ls\n'''\nz = (7\n% 4)", ["s", "z"]),
        ("n = 5\ndef f():\n    global n\n    n += 1\nf()\nm = globals()['n']", ["n", "m"]),
        ("from __future__ import annotations\ndef f(a: Missing): return 1\nr = f(2)", ["r"]),
        ("subprocess = 1\nos = 2\nx = !echo hi\n%env K=v", ["subprocess", "os", "x"]),
        ("import random\nrandom.seed(1)\nr = [random.random() for _ in range(3)]", ["r"]),
        ("from IPython.display import display, HTML\ndisplay(HTML('<b>'))\nk = 1", ["k"]),
        ("df = [1]\ndf?\n?df\ndf", ["df"]),
        ("print = str\np = print(3)\np", ["p"]),
    ],
)
def test_translations_compute_what_ipython_computes(
    tmp_path: Path, source: str, names: list[str]
) -> None:
    """Each piece of IPython's syntax does in the script what it does in IPython."""
    cells = ["import os; os.environ.pop('UNSET_NAME', None)", source]
    script, text = export(tmp_path, cells)
    (tmp_path / "sub").mkdir(exist_ok=True)
    expected = run_ipython(tmp_path, cells, names)
    found, _ = run_script(script)
    assert {name: found[name] for name in names} == expected
    assert "get_ipython" not in text


@pytest.mark.parametrize(
    "line",
    ["!pip install x", "%pip install x", "!{sys.executable} -m pip install x", "%conda install x"],
)
def test_installers_become_comments(tmp_path: Path, line: str) -> None:
    """A script installs nothing; this notebook is never run, for a kernel would install."""
    script, text = export(tmp_path, [f"import sys\n{line}\nif sys:\n    {line}\nz = 1"])
    assert "subprocess" not in text
    assert text.count("# Install before running: ") == 2
    assert run_script(script)[0]["z"] == 1


def test_our_own_magics_are_dropped(tmp_path: Path) -> None:
    """Loading us and asking us leaves nothing behind; a grouped cell keeps its code."""
    _, text = export(
        tmp_path,
        ["%load_ext mlops_nb\nx = 1\n%mlops register x --name y", "%%mlops run fit\ny = x"],
    )
    assert text.endswith('"""\n\nx = 1\n\ny = x\n')


def test_code_that_records_goes_on_to_do_so(tmp_path: Path) -> None:
    """A script of a notebook that logs by hand logs as well, and says what it needs."""
    cells = [
        "%load_ext mlops_nb\nimport mlops_nb as mlops",
        "with mlops.start_run('by hand'):\n    mlops.log_metric('loss', 0.25)",
        "%mlops runs\nfrom mlops_nb import search_runs\nfound = search_runs()['metrics.loss'].tolist()",
    ]
    script, text = export(tmp_path, cells)
    assert "with mlops_nb, which must be installed" in text.split('"""')[1]
    assert "%" not in text
    root = str(Path(__file__).parents[2])
    code = f"import runpy; print(runpy.run_path({str(script)!r})['found'])"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONPATH": root},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "[0.25]\n"
    assert "must be installed" not in export(tmp_path, ["%load_ext mlops_nb\nx = 1"])[1]


def test_future_imports_of_the_parameters_stand_on_top(tmp_path: Path) -> None:
    """A __future__ import in the parameters cell does not make the script invalid."""
    source = "from __future__ import annotations\nimport math\nx: float = 2.0"
    script, _ = export(tmp_path, [(source, "parameters"), "y = math.sqrt(x)"])
    assert run_script(script, "--x=9")[0]["y"] == 3.0


def test_user_text_stays_as_it_is(tmp_path: Path) -> None:
    """Comments, quotes, unicode and layout of plain cells are copied verbatim."""
    source = "x  =  {'a' : 1}   # odd   layout\n\n\n# π ≈ 3\ndef f( a ):\n    return f\"{a!r:>{10}}\" # é"
    _, text = export(tmp_path, [source])
    assert source in text


def test_names_of_notebooks_cannot_break_the_script(tmp_path: Path) -> None:
    """Quotes and backslashes in a file name stay within the docstring."""
    path = build(tmp_path, ["x = 1"], name='a"""b\\.ipynb')
    script = export_script(path, tmp_path / "train.py")
    assert run_script(script)[0]["x"] == 1


def test_last_expressions_are_shown(tmp_path: Path) -> None:
    """What the notebook shows below a cell is printed, None and quiet cells aside."""
    script, _ = export(
        tmp_path, ["1 + 1", "'text'.upper()", "[].append(1)", "5;", "3, 4", "(y := 6)", "'doc'"]
    )
    assert run_script(script)[1].split() == ["2", "TEXT", "3", "4", "6"]
