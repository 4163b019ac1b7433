"""Random programs cut at every statement compute what they compute uncut."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.pipeline.conftest import Zygote

START = """
import copy, functools, random
import numpy as np
random.seed(1); np.random.seed(2)
class O:
    n = 0
    def grow(self, x):
        self.n += x; self.seen.append(x)
        return self
a = [1]; b = a; d = {'a': a}; k = 2
def f(x): return x * k + len(a)
fs = {'f': f, 'g': lambda x: f(x) + 1}
o = O(); o.seen = b
v = np.arange(6.0); w = v[2:]
it = iter(a)
"""
STATEMENTS = (
    "a.append(random.randint(0, 9))",
    "b = a[:]",
    "b = a",
    "a = [len(a)]",
    "d['b'] = b",
    "d.pop('b', None)",
    "d['self'] = d",
    "a.extend(d['a'][:2])",
    "k += 1",
    "a.append(fs['g'](k))",
    "o.grow(k)",
    "o = copy.deepcopy(o)",
    "o.seen = a",
    "o = O(); o.seen = []",
    "O.n += 1",
    "class O(O):\n    n = 5",
    "v[1:3] = np.random.rand(2)",
    "w = v[::-1]",
    "w[0] = k",
    "v = w.copy()",
    "np.random.shuffle(v)",
    "w = v.reshape(2, -1).T if v.size % 2 == 0 else v",
    "f = (lambda k: lambda x: x + k + len(b))(k)",
    "fs['f'] = f",
    "p = functools.partial(f, k); a.append(p())",
    "grow = o.grow; grow(1)",
    "a.append(next(it, None))",
    "rng = np.random.default_rng(k); w[...] = rng.random(w.shape)",
    "k = len(O.__mro__)",
)
END = """
print(a, b, k, sorted(d), d['a'] is a, b is a, f(1), fs['g'](2), fs['f'] is f, list(it))
print(o.n, o.seen, o.seen is a, type(o) is O, isinstance(o, O), O.n, len(O.__mro__))
print(v, w, np.shares_memory(v, w), random.random(), np.random.rand(), d.get('self') is d)
"""


@pytest.mark.parametrize("seed", range(2))
@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(program=st.lists(st.sampled_from(STATEMENTS), min_size=1, max_size=6))
def test_any_cut_program_equals_the_whole(
    program: list[str], seed: int, zygote: Zygote, tmp_path: Path
) -> None:
    """Whatever is aliased, drawn, rebound or viewed, a boundary after each statement keeps it."""
    start = START.replace("seed(1)", f"seed({seed})")
    steps = (start, *program, END)
    whole = zygote.run(steps, tmp_path / "whole", cross=False)
    assert not whole["failure"], whole["failure"]
    cut = zygote.run(steps, tmp_path / "cut", cross=True)
    assert cut["unpicklable"] == {}
    assert not cut["failure"], cut["failure"]
    assert cut["printed"] == whole["printed"]
