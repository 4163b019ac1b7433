"""Comparing finds every single change, names its place, and changes nothing itself."""

from __future__ import annotations

import collections
import copy
import dataclasses
import datetime
import enum
import functools
import io
import math
import pathlib
import pickle
import threading
import types
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_nb.pipeline.comparing import Difference, compare_names, find_difference

Tree = Any
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=8),
    st.binary(max_size=8),
    st.complex_numbers(),
    st.dates(),
    st.decimals(allow_nan=False),
)
TREES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.lists(inner, max_size=4).map(tuple),
        st.dictionaries(st.text(max_size=4), inner, max_size=4),
        st.builds(types.SimpleNamespace, a=inner, b=inner),
        st.lists(inner, max_size=3).map(collections.deque),
    ),
    max_leaves=12,
)


class Marker:
    """Stands where a value was, and is equal to nothing that hypothesis draws."""

    def __eq__(self, other: object) -> bool:
        raise AssertionError("a comparison of the values' own was asked")

    __hash__ = None  # type: ignore[assignment]


def list_places(tree: Tree, path: str = "value") -> list[tuple[str, Callable[[Any], Tree]]]:
    """List every place of a tree, each with what puts another value there."""
    found: list[tuple[str, Callable[[Any], Tree]]] = [(path, lambda new: new)]
    if isinstance(tree, list | tuple | collections.deque):
        for at, item in enumerate(tree):
            for place, put in list_places(item, f"{path}[{at}]"):
                found.append((place, functools.partial(_put_item, tree, at, put)))
    elif isinstance(tree, dict):
        for key, item in tree.items():
            for place, put in list_places(item, f"{path}[{key!r}]"):
                found.append((place, functools.partial(_put_key, tree, key, put)))
    elif isinstance(tree, types.SimpleNamespace):
        for key, item in vars(tree).items():
            for place, put in list_places(item, f"{path}.{key}"):
                found.append((place, functools.partial(_put_attribute, tree, key, put)))
    return found


def _put_item(tree: Any, at: int, put: Callable[[Any], Tree], new: Any) -> Tree:
    return type(tree)([*list(tree)[:at], put(new), *list(tree)[at + 1 :]])


def _put_key(tree: dict[str, Any], key: str, put: Callable[[Any], Tree], new: Any) -> Tree:
    return {k: put(new) if k == key else v for k, v in tree.items()}


def _put_attribute(tree: Any, key: str, put: Callable[[Any], Tree], new: Any) -> Tree:
    return types.SimpleNamespace(**(vars(tree) | {key: put(new)}))


@given(TREES)
def test_copies_are_equal(tree: Tree) -> None:
    """What was copied through pickle is the same."""
    assert find_difference(tree, pickle.loads(pickle.dumps(tree))) is None


@given(TREES, st.data())
def test_any_single_change_is_located(tree: Tree, data: st.DataObject) -> None:
    """Whatever one value is replaced by another, its path is told."""
    path, put = data.draw(st.sampled_from(list_places(tree)))
    found = find_difference(tree, put(Marker()))
    assert found is not None
    assert (found.path, found.kind) == (path, "type")
    back = find_difference(put(Marker()), tree)
    assert back is not None
    assert back.path == path


@given(TREES)
def test_nothing_is_changed(tree: Tree) -> None:
    """A comparison leaves both values as they were."""
    before, other = pickle.dumps(tree), copy.deepcopy(tree)
    find_difference(tree, other)
    assert pickle.dumps(tree) == before
    assert find_difference(tree, other) is None


class Color(enum.Enum):
    """Two members."""

    RED = 1
    GREEN = 2


Point = collections.namedtuple("Point", "x y")


@dataclasses.dataclass
class Box:
    """Holds a value and a list."""

    content: Any = None
    others: list[Any] = dataclasses.field(default_factory=list)


class Slotted:
    """Keeps its state in slots."""

    __slots__ = ("__hidden", "shown")

    def __init__(self, shown: Any, hidden: Any) -> None:
        self.shown, self.__hidden = shown, hidden


class Meters(float):
    """A number with a unit."""

    unit = "m"


def make_function(factor: float, default: int = 1) -> Callable[..., float]:
    """Make a function with a closure and a default."""

    def scale(value: float, times: int = default) -> float:
        return value * factor * times

    return scale


def double(value: int) -> int:
    """Double a number."""
    return value * 2


DIFFERENT = [
    (1, True, "value", "type"),
    (1, 1.0, "value", "type"),
    (0.0, -0.0, "value", "value"),
    (0.1 + 0.2, 0.3, "value", "value"),
    (2**80, 2**80 + 1, "value", "value"),
    (complex(1, -0.0), complex(1, 0.0), "value", "value"),
    ("abc", "abd", "value", "value"),
    (b"abc", b"abd", "value", "value"),
    (bytearray(b"a"), bytearray(b"b"), "value[:]", "value"),
    ([1, 2], (1, 2), "value", "type"),
    ([1, 2], [1, 2, 3], "value", "length"),
    ({"a": 1}, {"a": 1, "b": 2}, "value['b']", "key"),
    ({"a": 1, "b": 2}, {"a": 1}, "value['b']", "key"),
    ({"a": 1, "b": 2}, {"b": 2, "a": 1}, "value", "order"),
    ({1: "x"}, {True: "x"}, "value[1]", "key"),
    ({1, 2}, {1, 3}, "value", "key"),
    ({(1, "a")}, {(1, "b")}, "value", "key"),
    (frozenset([1]), frozenset([1, 2]), "value", "key"),
    ({Color.RED}, {Color.GREEN}, "value.pop().name", "value"),
    (Color.RED, Color.GREEN, "value.name", "value"),
    (Point(1, 2), Point(1, 3), "value.y", "value"),
    (Point(1, 2), (1, 2), "value", "type"),
    (Box([1]), Box([2]), "value.content[0]", "value"),
    (Slotted(1, 2), Slotted(1, 3), "value._Slotted__hidden", "value"),
    (Meters(1.5), Meters(2.5), "value", "value"),
    (Meters(-0.0), Meters(0.0), "value", "value"),
    (collections.OrderedDict(a=1, b=2), collections.OrderedDict(b=2, a=1), "value", "order"),
    (collections.Counter("aab"), collections.Counter("abb"), "value['a']", "value"),
    (
        collections.defaultdict(list),
        collections.defaultdict(set),
        "value.default_factory",
        "value",
    ),
    (collections.deque([1], 3), collections.deque([1], 4), "value.maxlen", "value"),
    (range(3), range(4), "value.__reduce__()[1][1]", "value"),
    (pathlib.PurePosixPath("a/b"), pathlib.PurePosixPath("a/c"), "value", "value"),
    (datetime.date(2026, 1, 1), datetime.date(2026, 1, 2), "value.__reduce__()[1][0]", "value"),
    (ValueError("a"), ValueError("b"), "value.args[0]", "value"),
    (memoryview(b"ab"), memoryview(b"ac"), "value.tobytes()", "value"),
    (io.BytesIO(b"ab"), io.BytesIO(b"ac"), "value.__getstate__()[0]", "value"),
    (functools.partial(int, base=2), functools.partial(int, base=8), None, "value"),
    (make_function(2.0), make_function(3.0), "value.__closure__[0].cell_contents", "value"),
    (make_function(2.0, 1), make_function(2.0, 2), "value.__defaults__[0]", "value"),
    (lambda x: x + 1, lambda x: x + 2, "value.__code__.co_consts[1]", "value"),
    (lambda x: x + 1, lambda x: x - 1, "value.__code__", "code"),
    ([].append, [1].append, "value.__self__", "length"),
    ([math.nan], [1.0], "value[0]", "value"),
]


@pytest.mark.parametrize(("reference", "pipeline", "path", "kind"), DIFFERENT)
def test_differences_are_told(reference: Any, pipeline: Any, path: str | None, kind: str) -> None:
    """Each kind of difference is seen, and called by its name."""
    found = find_difference(reference, pipeline)
    assert found is not None
    assert found.kind == kind
    if path is not None:
        assert found.path == path


@pytest.mark.parametrize("value", [pair[0] for pair in DIFFERENT] + [double, len, Color])
def test_equal_things_are_equal(value: Any) -> None:
    """The same value in another object is no difference."""
    other = memoryview(b"ab") if isinstance(value, memoryview) else copy.copy(value)
    assert find_difference([value], [other]) is None


@pytest.mark.parametrize(
    "make",
    [
        lambda: iter([1, 2, 3]),
        lambda: iter({"a": 1, "b": 2}),
        lambda: zip([1, 2, 3], "abc", strict=False),
        lambda: map(double, [1, 2, 3]),
        lambda: enumerate("abc"),
        lambda: reversed([1, 2, 3]),
    ],
)
def test_iterators_are_compared_and_not_used_up(make: Callable[[], Any]) -> None:
    """How far iterators over plain things have come is seen; they give the same afterwards."""
    first, second, ahead = make(), make(), make()
    next(ahead)
    assert find_difference(first, second) is None
    assert find_difference(first, ahead) is not None
    assert list(first) == list(make())
    assert list(ahead) == list(make())[1:]


def test_nan_is_nan() -> None:
    """Any NaN is equal to any other, alone and in containers."""
    assert find_difference(math.nan, -math.nan) is None
    assert find_difference([float("nan")], [float("inf") - float("inf")]) is None


def test_tolerance_is_relative_and_only_where_named() -> None:
    """Floats may differ by the tolerance, integers and texts never."""
    assert find_difference(1.0, 1.0 + 1e-9) is not None
    assert find_difference({"a": 1.0}, {"a": 1.0 + 1e-9}, tolerance=1e-8) is None
    assert find_difference(1e300, 1.1e300, tolerance=1e-3) is not None
    assert find_difference(math.inf, 1e308, tolerance=0.5) is not None
    assert find_difference(100, 101, tolerance=0.5) is not None


def test_what_is_shared_stays_shared() -> None:
    """Two names of one object are not the same as two equal objects."""
    one: list[int] = [1]
    told = compare_names({"a": one, "b": one}, {"a": [1], "b": [1]}).difference
    assert told is not None
    assert (told.path, told.kind, told.reference) == ("b", "sharing", "the same object as a")
    back = compare_names({"a": [1], "b": [1]}, {"a": one, "b": one}).difference
    assert back is not None
    assert (back.path, back.kind, back.pipeline) == ("b", "sharing", "the same object as a")
    twin = [1]
    assert compare_names({"a": one, "b": one}, {"a": twin, "b": twin}).difference is None


def test_sharing_of_what_cannot_change_is_no_matter() -> None:
    """Numbers, texts and tuples may be one object or two."""
    text = "".join(["a", "b"])
    assert compare_names({"a": text, "b": text}, {"a": "ab", "b": "".join("ab")}).difference is None
    pair = (1, text)
    assert (
        compare_names({"a": pair, "b": pair}, {"a": (1, "ab"), "b": (1, "ab")}).difference is None
    )


def test_cycles_and_depth_have_no_limit() -> None:
    """Values that hold themselves, or go deeper than Python's stack, are compared."""
    first: list[Any] = [1]
    first.append(first)
    second: list[Any] = [1]
    second.append(second)
    assert find_difference(first, second) is None
    unrolled: list[Any] = [1, first]
    assert find_difference(first, unrolled) is not None
    deep, other = [0], [1]
    for _ in range(50_000):
        deep, other = [deep], [other]  # type: ignore[list-item]
    found = find_difference(deep, other)
    assert found is not None
    assert found.kind == "value"
    assert len(found.path) < 300


def test_names_that_are_missing_are_told() -> None:
    """A name that only one side has is a difference."""
    missing = compare_names({"a": 1}, {}).difference
    extra = compare_names({}, {"a": 1}).difference
    assert missing == Difference("a", "key", "1", "no such name")
    assert extra == Difference("a", "key", "no such name", "1")


@pytest.mark.parametrize(
    "make",
    [threading.Lock, lambda: (n for n in range(3)), pathlib.Path(__file__).open],
)
def test_what_cannot_be_compared_is_never_equal(make: Callable[[], Any]) -> None:
    """Locks, generators and files are listed with the reason, and stay as they were."""
    first, second = make(), make()
    found = find_difference({"x": first}, {"x": second}, name="held")
    assert found is not None
    assert (found.kind, found.path) == ("not comparable", "held['x']")
    listed = compare_names({"x": first}, {"x": second})
    assert listed.difference is None
    assert [path for path, _ in listed.uncompared] == ["x"]
    if hasattr(first, "close"):
        assert next(first) == next(second)
        first.close(), second.close()


def test_generators_that_visibly_differ_are_told() -> None:
    """How far a generator has come, and with what, is seen without asking it to go on."""

    def count(start: int) -> Any:
        yield start
        yield start + 1

    first, second = count(1), count(1)
    next(first)
    found = find_difference(first, second)
    assert found is not None
    assert found.kind == "value"
    found = find_difference(count(1), count(2))
    assert found is not None
    assert found.path == "value.gi_frame.f_locals['start']"
    assert next(second) == 1


def test_places_stand_for_one_another() -> None:
    """Texts and paths may differ by the folder that the reference ran in."""
    first = {"text": "saved to /tmp/x1/out.csv", "path": pathlib.PurePosixPath("/tmp/x1/a")}
    second = {"text": "saved to /home/me/out.csv", "path": pathlib.PurePosixPath("/home/me/a")}
    assert compare_names(first, second).difference is not None
    assert compare_names(first, second, places={"/tmp/x1": "/home/me"}).difference is None
    other = {"text": "saved to /home/you/out.csv", "path": second["path"]}
    assert compare_names(first, other, places={"/tmp/x1": "/home/me"}).difference is not None


def test_a_difference_reads_as_one_line() -> None:
    """Path, kind and both values stand in the text."""
    found = find_difference({"rate": 0.1}, {"rate": 0.2}, name="settings")
    text = "settings['rate'] (value): 0.1 in the notebook, 0.2 in the pipeline"
    assert str(found) == text
    assert "cannot be compared" in str(find_difference(threading.Lock(), threading.Lock()))
