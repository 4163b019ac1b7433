"""Random programs: what running them shows was told before."""

from __future__ import annotations

import contextlib
import io
import pickle
import sys
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlops_nb.notebook.dataflow import FlowTable

NAMES = ("a", "b", "c", "d", "f", "g")
name = st.sampled_from(NAMES)
value = st.one_of(
    st.sampled_from(["1", "[]", "[1, [2]]", "{}", "{'k': []}", "(1, [2])", "'t'", "None"]),
    name,
    st.builds("[{}, {}]".format, name, name),
    st.builds("{{'k': {}}}".format, name),
    st.builds("list({})".format, name),
    st.builds("iter({})".format, name),
    st.builds("({0} for {0} in {1})".format, name, name),
    st.builds("[{0} for {0} in {1} if {2}]".format, name, name, name),
    st.builds("({} := {})".format, name, name),
    st.builds("{} or {}".format, name, name),
    st.builds("{} if {} else {}".format, name, name, name),
    st.builds("{}()".format, name),
    st.builds("{}({})".format, name, name),
    st.builds("{}[0]".format, name),
    st.builds("{}.get('k')".format, name),
    st.builds("lambda {}=3: {}".format, name, name),
    st.builds("lambda: {}.append(1)".format, name),
    st.builds("max({}, key=lambda v: {})".format, name, name),
    st.builds("next({}, 0)".format, name),
    st.builds("sum({}, [])".format, name),
    st.builds("f'{{{}}}'".format, name),
    st.builds("{} in {}".format, name, name),
    st.builds("sorted({})".format, name),
    st.builds("dict({}=1)".format, name),
    st.builds("zip({}, {})".format, name, name),
    st.builds("map({}, {})".format, name, name),
)
simple = st.one_of(
    st.builds("{} = {}".format, name, value),
    st.builds("{} = {} = {}".format, name, name, value),
    st.builds("{}, {} = {}, {}".format, name, name, name, name),
    st.builds("{}, *{} = {}".format, name, name, value),
    st.builds("{} += {}".format, name, value),
    st.builds("{}[0] = {}".format, name, value),
    st.builds("{}['k'] = {}".format, name, value),
    st.builds("{}[0].append({})".format, name, value),
    st.builds("{}.append({})".format, name, value),
    st.builds("{}.extend({})".format, name, value),
    st.builds("{}.update(k={})".format, name, value),
    st.builds("{}.sort(key=lambda v: {})".format, name, value),
    st.builds("{}: int = {}".format, name, value),
    st.builds("del {}".format, name),
    st.builds("del {}[0]".format, name),
    st.builds("{}".format, value),
    st.builds("print({})".format, value),
    st.builds("globals()['{}'] = {}".format, name, value),
    st.builds("import math as {}".format, name),
    st.builds("assert {} is not {}".format, name, name),
)


def indent(lines: list[str]) -> str:
    """Put lines under a head."""
    return "\n".join(f"    {line}" for text in lines for line in text.splitlines())


def nest(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Give compound statements around other ones."""
    block = st.lists(inner, min_size=1, max_size=3).map(indent)
    return st.one_of(
        st.builds("if {}:\n{}".format, name, block),
        st.builds("if {}:\n{}\nelse:\n{}".format, name, block, block),
        st.builds("for {} in {}:\n{}".format, name, value, block),
        st.builds("for {} in (1, 2):\n{}\n    break".format, name, block),
        st.builds("try:\n{}\nexcept Exception as {}:\n{}".format, block, name, block),
        st.builds("try:\n{}\nfinally:\n{}".format, block, block),
        st.builds("def {}({}=1):\n{}".format, name, name, block),
        st.builds("def {}():\n{}\n    return {}".format, name, block, name),
        st.builds("def {}():\n    global {}\n{}".format, name, name, block),
        st.builds("def {}(x, *y):\n{}\n    yield x".format, name, block),
        st.builds("@{}\ndef {}(x=1):\n{}".format, name, name, block),
        st.builds("class {}:\n{}".format, name, block),
        st.builds("match {}:\n    case [{}, *_]:\n{}".format, name, name, indent_twice(block)),
    )


def indent_twice(block: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Put a block one level deeper."""
    return block.map(lambda text: "\n".join(f"    {line}" for line in text.splitlines()))


cell = st.lists(st.recursive(simple, nest, max_leaves=6), min_size=1, max_size=4).map("\n".join)


class Watched(dict[str, Any]):
    """A namespace that keeps which names were read before they were bound."""

    def __init__(self) -> None:
        super().__init__(__name__="watched")
        self.read: set[str] = set()
        self.bound: set[str] = set()

    def __getitem__(self, key: str) -> Any:
        """Read a name."""
        found = super().__getitem__(key)
        if key not in self.bound:
            self.read.add(key)
        return found

    def __setitem__(self, key: str, found: Any) -> None:
        """Bind a name."""
        self.bound.add(key)
        super().__setitem__(key, found)


def fingerprint(namespace: dict[str, Any]) -> dict[str, object]:
    """Tell each variable's value apart from later ones, as far as it can be written."""
    shown: dict[str, object] = {}
    for key in NAMES:
        if dict.__contains__(namespace, key):
            found = dict.__getitem__(namespace, key)
            try:
                shown[key] = (pickle.dumps(found), id(found) if callable(found) else 0)
            except (TypeError, AttributeError, pickle.PicklingError, RecursionError):
                shown[key] = id(found)
    return shown


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(cell, min_size=2, max_size=6))
def test_reads_and_changes_of_random_programs_were_told(cells: list[str]) -> None:
    """Whatever a cell is seen to read, bind, change or delete stands in what was told of it."""
    namespace = Watched()
    table = FlowTable()
    limit = sys.getrecursionlimit()
    for source in cells:
        try:
            code = compile(source, "cell", "exec")
        except SyntaxError:
            continue
        flow = table.add(source)
        before = fingerprint(namespace)
        namespace.read, namespace.bound = set(), set()
        is_whole = False
        with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(Exception):
            sys.setrecursionlimit(200)
            try:
                exec(code, namespace)
                is_whole = True
            finally:
                sys.setrecursionlimit(limit)
        after = fingerprint(namespace)
        if flow.is_opaque:
            continue
        told = flow.writes | flow.maybe_writes | flow.mutates | flow.may_mutate
        told |= flow.deletes | flow.maybe_deletes
        changed = {key for key in before | after if before.get(key) != after.get(key)}
        assert changed <= told, (source, changed - told)
        known = namespace.read & set(before)
        if any("global " in each for each in cells):  # which binds past what watches
            known -= flow.writes | flow.maybe_writes
        assert known <= flow.reads, (source, known - flow.reads)
        if is_whole:
            assert flow.writes & set(NAMES) <= set(after), source
            assert not flow.deletes & set(after), source
        else:
            return
