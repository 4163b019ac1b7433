"""Programs cut into steps print what they print uncut, or a name is said not to cross."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.pipeline.conftest import Crossing

Cross = Callable[..., Crossing]

EQUAL = {
    "plain": ("x = 1", "y = x + 1", "print(x, y)"),
    "numpy_seed": (
        "import numpy as np\nnp.random.seed(0); a = np.random.rand()",
        "b = np.random.rand()",
        "print(a, b, np.random.rand())",
    ),
    "python_seed": (
        "import random\nfrom random import random as draw\nrandom.seed(3); draw()",
        "a = draw()",
        "print(a, draw(), random.random())",
    ),
    "numpy_draw_by_name": (
        "import numpy as np\nfrom numpy.random import randn\nnp.random.seed(1); randn()",
        "np.random.seed(2); a = randn()",
        "print(a, randn(), np.random.rand())",
    ),
    "generator": (
        "import numpy as np\nrng = np.random.default_rng(0)\nsame = np.random.Generator(rng.bit_generator)",
        "a = rng.random(); b = same.random()",
        "print(a, b, rng.random(), same.random())",
    ),
    "data_in_a_library": (
        "import numpy as np\nfrom sklearn.neighbors import KNeighborsClassifier\n"
        "x = np.arange(64.0).reshape(16, 4); y = np.arange(16) % 2",
        "model = KNeighborsClassifier(1).fit(x, y)",
        "kept = model._tree.__getstate__()[0]; same = np.asarray(x, dtype=np.float64)\n"
        "print(kept is x, same is x, x.dtype is np.dtype(float), model.predict(x[:3]))",
    ),
    "alias": (
        "log = []; state = {'log': log}",
        "log.append(1)",
        "print(log, state, state['log'] is log)",
    ),
    "star_import": ("r = 2", "from math import *\narea = pi * r ** 2", "print(area, sqrt(4))"),
    "comprehension": ("x = 10", "squares = [x * x for x in range(3)]", "print(x, squares)"),
    "conditional": (
        "best = 5; scores = [1, 2]",
        "for s in scores:\n    if s > 3:\n        best = s",
        "print(best, s)",
    ),
    "class": (
        "class A:\n    count = 0\n    def grow(self):\n        A.count += 1; self.n = A.count\n        return self\na = A()",
        "a.grow(); b = A().grow()",
        "print(isinstance(a, A), type(a) is A, A.count, b.n)",
    ),
    "subclass_and_super": (
        "class A:\n    def f(self): return 1\nclass B(A):\n    def f(self): return super().f() + 1",
        "b = B()",
        "print(b.f(), isinstance(b, A), B.__mro__[1] is A)",
    ),
    "exception_class": (
        "class Stop(Exception): pass\ndef f(): raise Stop(3)",
        "e = Stop(1)",
        "try:\n    f()\nexcept Stop as s:\n    print(s.args, type(e) is Stop)",
    ),
    "dataclass_and_enum": (
        "import dataclasses, enum\nclass C(enum.Enum):\n    RED = 1\n@dataclasses.dataclass(frozen=True)\nclass P:\n    x: int\n    c: C = C.RED",
        "p = P(3); q = dataclasses.replace(p, x=4)",
        "print(p == P(3), q, p.c is C.RED, dataclasses.fields(P)[0].name, {C.RED: 1}[p.c])",
    ),
    "namedtuple": (
        "from collections import namedtuple\nP = namedtuple('P', 'x y')",
        "p = P(1, 2)",
        "print(p._replace(x=3), isinstance(p, P))",
    ),
    "import_inside": ("import math as m", "y = m.sqrt(9)", "print(y, m.pi)"),
    "environment": (
        "import os, numpy as np\nos.environ['MODE'] = 'a'; np.set_printoptions(precision=2)",
        "os.environ['OTHER'] = 'b'; env = os.environ; del os.environ['MODE']",
        "env['Z'] = 'q'\nprint(os.environ.get('MODE'), os.environ['OTHER'], os.environ['Z'], np.array([1.23456]))",
    ),
    "globals_by_name": (
        "names = ['x']; x = 7",
        "v = globals()[names[0]]",
        "print(v, 'x' in globals())",
    ),
    "function_sees_new_global": (
        "k = 2\ndef f(v): return v * k",
        "k = 10",
        "print(f(1), f.__globals__ is globals())",
    ),
    "lambda_in_dict": (
        "k = 2\nfs = {'pow': lambda v: v ** k}",
        "k = 3",
        "print(fs['pow'](2))",
    ),
    "counter_closure": (
        "def make():\n    n = 0\n    def up():\n        nonlocal n\n        n += 1\n    def get(): return n\n    return up, get\nup, get = make(); up()",
        "up()",
        "up(); print(get())",
    ),
    "recursive_closure": (
        "def make():\n    def fact(n): return 1 if n < 2 else n * fact(n - 1)\n    return fact\nf = make()",
        "g = f",
        "print(g(5), g is f)",
    ),
    "partial_and_method": (
        "from functools import partial\nclass A:\n    def add(self, v): return v + self.n\na = A(); a.n = 1; bound = a.add; p = partial(pow, 2)",
        "a.n = 5",
        "print(bound(1), p(3), bound.__self__ is a)",
    ),
    "decorated": (
        "import functools\ncalls = []\ndef traced(f):\n    @functools.wraps(f)\n    def inner(*a, **k):\n        calls.append(f.__name__)\n        return f(*a, **k)\n    return inner\n@traced\ndef add(a, b=2, *, c=3): return a + b + c",
        "add(1)",
        "print(add(1, 1), calls, add.__name__, add.__wrapped__.__defaults__)",
    ),
    "empty_cache": (
        "from functools import lru_cache\nseen = []\n@lru_cache\ndef f(x):\n    seen.append(x)\n    return x",
        "y = 1",
        "f(1); f(1); print(seen, f.cache_info())",
    ),
    "generator_in_list_iterator": ("it = iter([1, 2, 3]); next(it)", "next(it)", "print(list(it))"),
    "redefinition": ("x = 1", "x = x + 1\nx = str(x)", "print(repr(x))"),
    "except_name": (
        "found = []",
        "for i in range(2):\n    try:\n        1 / i\n    except ZeroDivisionError as e:\n        found.append(str(e))",
        "print(found, 'e' in globals())",
    ),
    "deleted": ("x = 1; y = 2", "del x", "print('x' in globals(), y)"),
    "shadowed_builtin": ("list = [1]", "list.append(2)", "print(list)"),
    "sentinel_identity": (
        "missing = object()\ndef f(v=missing): return v is missing",
        "w = missing",
        "print(f(), f(w), w is missing)",
    ),
    "numpy_view": (
        "import numpy as np\na = np.arange(10); v = a[2:5]; r = a[::-1]",
        "v[0] = 99",
        "a[9] = 7; print(a, v, r[0], v.base is a)",
    ),
    "object_and_date_views": (
        "import numpy as np\na = np.array([1, 'x', None], dtype=object); v = a[1:]\nd = np.array(['2020-01-01', '2020-01-02'], 'M8[D]'); w = d[1:]",
        "v[0] = [3]; w[0] = '2021-01-01'",
        "print(a, d)",
    ),
    "fortran_view": (
        "import numpy as np\na = np.asfortranarray(np.arange(6.0).reshape(2, 3)); v = a[:, 1]; t = a.T",
        "v[:] = 0; t[0, 0] = 5",
        "print(a, a.flags.f_contiguous)",
    ),
    "pandas_alias": (
        "import pandas as pd\ndf = pd.DataFrame({'a': [1, 2]}); view = df",
        "df['b'] = [3, 4]; df.drop(columns='a', inplace=True)",
        "print(view.shape, view is df, list(view))",
    ),
    "pandas_copy_on_write": (
        "import pandas as pd\ndf = pd.DataFrame({'a': [1., 2.], 'b': [3., 4.]}); s = df['a']; raw = df['b'].to_numpy()",
        "df.iloc[0, 0] = 9.",
        "df.iloc[1, 1] = 7.; print(df, s.tolist(), raw)",
    ),
    "pandas_series_index": (
        "import pandas as pd\ns = pd.Series([1, 2, 3]); i = pd.Index(s)",
        "s.iloc[0] = 9",
        "print(s.tolist(), i.tolist())",
    ),
    "pandas_kinds": (
        """
        import pandas as pd, numpy as np
        df = pd.DataFrame({"c": pd.Categorical(["x", "y", "x"]), "t": pd.date_range("2020", periods=3, tz="UTC"),
                           "o": [1, "a", None], "n": pd.array([1, None, 3], dtype="Int64")},
                          index=pd.MultiIndex.from_tuples([(1, "a"), (1, "b"), (2, "a")], names=["i", "j"]))
        df.attrs["source"] = "here"; double = pd.concat([df, df], axis=1); none = df.iloc[:0]
        """,
        "df.loc[(1, 'a'), 'n'] = 5",
        "print(df, df.dtypes, df.attrs, list(double.columns), none.shape)",
    ),
    "pandas_option": (
        "import pandas as pd\npd.set_option('display.max_rows', 4); pd.set_option('display.precision', 2)",
        "pd.reset_option('display.max_rows')",
        "print(pd.get_option('display.precision'), pd.get_option('display.max_rows'), pd.Series([1.23456]))",
    ),
    "figure": (
        "import matplotlib.pyplot as plt\nfig, ax = plt.subplots(); line, = ax.plot([1, 2])",
        "ax.set_title('t'); line.set_color('red')",
        "print(fig.axes[0] is ax, fig.axes[0].get_title(), ax.lines[0] is line)\nfig.canvas.draw(); print(hash(bytes(fig.canvas.buffer_rgba())))",
    ),
    "rc_params": (
        "import matplotlib.pyplot as plt\nfrom matplotlib import rcParams\nplt.rcParams['lines.linewidth'] = 7",
        "rcParams['font.size'] = 3",
        "print(plt.rcParams['lines.linewidth'], plt.rcParams['font.size'], rcParams is plt.rcParams)",
    ),
    "local_file": ("open('a.txt', 'w').write('hi')", "s = open('a.txt').read()", "print(s)"),
    "folder_and_paths": (
        "import os, sys\nos.makedirs('sub', exist_ok=True); os.chdir('sub'); sys.path.insert(0, 'lib')",
        "open('x.txt', 'w').write('1')",
        "print(os.path.basename(os.getcwd()), os.listdir(), sys.path[0])",
    ),
    "written_module": (
        "import sys; sys.path.insert(0, '')\nopen('mine.py', 'w').write('items = []\\nlimit = 1\\ndef size(): return len(items)')\nimport mine\nitems = mine.items",
        "mine.limit = 5; mine.items.append(1)",
        "items.append(2); print(mine.limit, mine.size(), items is mine.items)",
    ),
    "warnings_and_decimal": (
        "import warnings, decimal\nwarnings.simplefilter('error'); decimal.getcontext().prec = 4",
        "x = decimal.Decimal(1) / 3",
        "try:\n    warnings.warn('w')\nexcept UserWarning:\n    print('raised', x, decimal.Decimal(1) / 7)",
    ),
    "numpy_errors": (
        "import numpy as np\nnp.seterr(divide='raise')",
        "z = np.array([0.0])",
        "try:\n    1 / z\nexcept FloatingPointError:\n    print('raised')",
    ),
    "standard_streams": (
        "import sys\nout = sys.stdout",
        "print('a', file=out)",
        "print('b', file=out); print(out is sys.stdout)",
    ),
    "annotations_and_docs": (
        "def f(a: int = 1) -> str:\n    'says'\n    return 'x'\nf.tag = 'mine'",
        "f.more = f",
        "print(f.__doc__, f.__annotations__, f.tag, f.more is f, f.__qualname__)",
    ),
    "property_and_static": (
        "class A:\n    @property\n    def p(self): return K\n    @staticmethod\n    def s(): return K\n    @classmethod\n    def c(cls): return cls.__name__, K\nK = 1",
        "K = 2; a = A()",
        "print(a.p, A.s(), a.c())",
    ),
    "slots_and_abc": (
        "import abc\nclass B(abc.ABC):\n    @abc.abstractmethod\n    def f(self): ...\nclass S(B):\n    __slots__ = ('v',)\n    def f(self): return self.v\ns = S(); s.v = 3",
        "s.v += 1",
        "print(s.f(), isinstance(s, B))",
    ),
    "string_io": (
        "import io\nb = io.StringIO(); b.write('abc')",
        "b.write('d')",
        "print(b.getvalue(), b.tell())",
    ),
    "run_of_a_model": (
        "from mlops_nb.tracking import links\nfrom collections import UserList\nm, n = UserList(), UserList(); box = [m]; links.link_object(m, 'run-1')",
        "links.link_object(n, 'run-2')",
        "print(links.find_run_of(box[0]), links.find_run_of(n), links.find_run_of(UserList()), box[0] is m)",
    ),
    "logging_levels": (
        "import logging\nlogging.getLogger('a.b').setLevel(logging.DEBUG); logging.getLogger().setLevel('ERROR')",
        "log = logging.getLogger('a.b'); log.propagate = False",
        "print(log.level, logging.getLogger('a.b') is log, log.propagate, logging.getLogger().level)",
    ),
    "recursion_limit_and_zone": (
        "import sys, os, time\nsys.setrecursionlimit(1234); os.environ['TZ'] = 'Asia/Tokyo'; time.tzset()",
        "x = 1",
        "print(sys.getrecursionlimit(), time.tzname)",
    ),
    "sklearn_options": (
        "import sklearn\nsklearn.set_config(assume_finite=True)",
        "x = 1",
        "print(sklearn.get_config()['assume_finite'])",
    ),
    "sparse_and_masked": (
        "import numpy as np, scipy.sparse as sp\nm = sp.csr_matrix(np.eye(3)); data = m.data; k = np.ma.array([1, 2, 3], mask=[0, 1, 0])",
        "data[0] = 7; k[0] = 9",
        "print(m.toarray(), k, k.sum())",
    ),
    "sklearn_pipeline": (
        """
        import numpy as np
        from sklearn.base import BaseEstimator, ClassifierMixin
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler
        class Mine(ClassifierMixin, BaseEstimator):
            def __init__(self, k=1): self.k = k
            def fit(self, X, y): self.mean_ = X.mean() + shift; self.classes_ = np.unique(y); return self
            def predict(self, X): return (X.mean(axis=1) > self.mean_).astype(int)
        shift = 0
        X = np.random.RandomState(0).rand(20, 3); y = (X[:, 0] > 0.5).astype(int)
        """,
        "shift = 0.1; p = make_pipeline(StandardScaler(), Mine()).fit(X, y)",
        "print(p.score(X, y), isinstance(p[-1], Mine), p[-1].mean_)",
    ),
    "names_with_underscore": (
        "_hidden = 1; __own = 2",
        "_hidden += 1",
        "print(_hidden, globals()['__own'])",
    ),
    "namespace_by_name": (
        "x = 1\nspace = globals()",
        "x = 2",
        "print(space['x'], space is globals())",
    ),
    "exec_made_function": (
        "scope = {'k': 5}\nexec('def f(): return k\\ndef g(): return f() + k', scope)\nf, g = scope['f'], scope['g']",
        "h = g",
        "print(f(), h(), h is g)",
    ),
    "made_function_that_imports_in_c": (
        "import pickle, types\nscope = {'p': pickle}\nexec('def f(x): return p.loads(p.dumps(x))', scope)\nf = scope['f']",
        "g = f",
        "print(g(types.SimpleNamespace(a=1)), f is g)",
    ),
}

REFUSED = {
    "open_file": ("f = open('a.txt', 'w+')", "f.write('x')", "f.seek(0); print(f.read())", "f"),
    "generator": ("g = (i for i in range(3)); next(g)", "next(g)", "print(list(g))", "g"),
    "connection": (
        "import sqlite3\ndb = sqlite3.connect(':memory:'); db.execute('create table t(a)')",
        "db.execute('insert into t values (1)')",
        "print(db.execute('select * from t').fetchall())",
        "db",
    ),
    "held_inside": (
        "import threading\nclass A: pass\na = A(); a.lock = threading.Lock()",
        "b = [a]",
        "print(b[0] is a)",
        "a",
    ),
    "filled_cache": (
        "from functools import cache\nseen = []\n@cache\ndef f(x):\n    seen.append(x)\n    return x\nf(1)",
        "f(1)",
        "f(1); print(seen)",
        "f",
    ),
    "new_type": (
        "from typing import NewType\nUser = NewType('User', int)",
        "u = User(1)",
        "print(u, User.__name__)",
        "User",
    ),
    "subclass_hook": (
        "found = []\nclass A:\n    def __init_subclass__(cls): found.append(cls.__name__)\nclass B(A): pass",
        "b = B()",
        "print(found)",
        "B",
    ),
    "metaclass": (
        "made = []\nclass M(type):\n    def __new__(m, n, b, d):\n        made.append(n)\n        return super().__new__(m, n, b, d)\nclass A(metaclass=M): pass",
        "a = A()",
        "print(made)",
        "A",
    ),
    "memory_map": (
        "import numpy as np\nm = np.memmap('m.bin', dtype='i4', mode='w+', shape=3)",
        "m[0] = 5; m.flush()",
        "print(np.fromfile('m.bin', 'i4'))",
        "m",
    ),
    "temporary_folder": (
        "import tempfile, os\nt = tempfile.TemporaryDirectory()",
        "open(t.name + '/a', 'w').close()",
        "print(os.listdir(t.name))",
        "t",
    ),
    "running_thread": (
        "import threading, time\nbox = []\ndef work():\n    time.sleep(1); box.append(1)\nthreading.Thread(target=work).start()",
        "time.sleep(0.1)",
        "print(box)",
        "<thread Thread-1 (work)>",
    ),
    "strange_layout_view": (
        "import numpy as np\na = np.zeros((2, 3, 4)).transpose(1, 0, 2).copy(order='K'); v = a[0]",
        "v[:] = 1",
        "print(a.sum())",
        "v",
    ),
}


@pytest.mark.parametrize("name", EQUAL)
def test_program_in_steps_prints_the_same(name: str, cross: Cross) -> None:
    """A program whose steps run in processes of their own prints what it prints in one."""
    found = cross(*EQUAL[name])
    assert found.unpicklable == {}
    assert not found.failure, found.failure
    assert found.stepped == found.whole


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_cross_is_named(name: str, cross: Cross) -> None:
    """A name whose value would not be the same in another process is reported, never carried."""
    *steps, culprit = REFUSED[name]
    found = cross(*steps)
    assert culprit in found.unpicklable
