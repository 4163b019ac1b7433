"""What two runs of a notebook define is compared by what it does, not by which object it is."""

from __future__ import annotations

import textwrap
from typing import Any

import pytest

from mlops_nb.pipeline.comparing import compare_names, find_difference

NOTEBOOK = """
import abc, dataclasses, enum, functools, typing
from collections import namedtuple

class Base(abc.ABC):
    '''A base.'''
    kind = 1
    @abc.abstractmethod
    def run(self): ...

class Model(Base):
    __slots__ = ("state",)
    def run(self): return self.state * 2
    @property
    def double(self): return self.state * 2
    @staticmethod
    def make(): return Model()
    @classmethod
    def name(cls): return cls.__name__
    @functools.cached_property
    def once(self): return 5
    def __init__(self): self.state = 3
    def __eq__(self, other): raise RuntimeError("asked")
    __hash__ = None

class Color(enum.Enum):
    RED = "r"
    GREEN = "g"
    def show(self): return self.value

class Flag(enum.IntFlag):
    A = 1
    B = 2

@dataclasses.dataclass(frozen=True)
class Config:
    size: int = 4
    names: list = dataclasses.field(default_factory=list)

class Loud(type):
    volume = 11
    def __len__(cls): return 3

class Shout(metaclass=Loud):
    pass

Point = namedtuple("Point", "x y")
T = typing.TypeVar("T", bound=int)

class Row(typing.TypedDict):
    a: int

def fit(data, rate=0.1, *, steps: int = 10):
    '''Fit it.'''
    def inner(x): return x * rate
    return [inner(x) for x in data]

@functools.lru_cache(maxsize=4)
def slow(x): return x + 1

async def gather(): return 1

def stream(n):
    yield n

model, color, flag, config, point = Model(), Color.GREEN, Flag.A | Flag.B, Config(), Point(1, 2)
row = Row(a=1)
model.extra = {Color.RED: [model]}
table = {"sq": lambda v: v ** 2, "part": functools.partial(fit, rate=0.5), "bound": model.run}
shout = Shout()
"""


def define(source: str, blank_lines: int = 0) -> dict[str, Any]:
    """Run a notebook's source as another kernel would, in a file of another name."""
    names: dict[str, Any] = {"__name__": "__main__"}
    code = compile("\n" * blank_lines + source, f"<cell {blank_lines}>", "exec")
    exec(code, names)
    return {name: value for name, value in names.items() if not name.startswith("__")}


def test_two_runs_define_the_same() -> None:
    """Classes, enums, dataclasses and functions of two namespaces are equal, wherever they stand."""
    findings = compare_names(define(NOTEBOOK), define(NOTEBOOK, blank_lines=40))
    assert findings.difference is None
    assert findings.uncompared == ()


@pytest.mark.parametrize(
    ("old", "new", "path"),
    [
        ("kind = 1", "kind = 2", "Base.kind"),
        ("'''A base.'''", "'''Another.'''", "Base.__doc__"),
        (
            "self.state * 2\n    @prop",
            "self.state * 3\n    @prop",
            "Model.run.__code__.co_consts[1]",
        ),
        ("def double(self): return self.state * 2", "def double(self): return 2", "Model.double"),
        ("def make(): return Model()", "def make(): return None", "Model.make"),
        ("return 5", "return 6", "Model.once"),
        ('("state",)', '("state", "more")', "Model"),
        ("self.state = 3", "self.state = 4", "Model.__init__"),
        ("class Color(enum.Enum)", "class Color(str, enum.Enum)", "Color.__bases__"),
        ("class Shout(metaclass=Loud)", "class Shout", "Shout"),
        ('GREEN = "g"', 'GREEN = "x"', "Color['GREEN'].value"),
        ('GREEN = "g"', 'GREEN = "g"; BLUE = "b"', "Color['BLUE']"),
        ("def show(self): return self.value", "def show(self): return 1", "Color.show"),
        ("size: int = 4", "size: int = 5", "Config"),
        ("frozen=True", "frozen=False", "Config"),
        ("volume = 11", "volume = 12", "Loud.volume"),
        ('"x y"', '"x z"', "Point"),
        ("bound=int", "bound=str", "T.__bound__"),
        ("rate=0.1", "rate=0.2", "fit.__defaults__[0]"),
        ("steps: int = 10", "steps: int = 11", "fit.__kwdefaults__['steps']"),
        ("steps: int = 10", "steps: float = 10", "fit.__annotations__['steps']"),
        ("'''Fit it.'''", "'''Fit.'''", "fit.__code__.co_consts[0]"),
        ("return x * rate", "return x + rate", "fit.__code__.co_consts[1]"),
        ("maxsize=4", "maxsize=5", "slow.cache_parameters()['maxsize']"),
        ("return x + 1", "return x + 2", "slow.__wrapped__.__code__.co_consts[1]"),
        ("async def gather", "def gather", "gather.__code__"),
        ("yield n", "yield n + 1", "stream.__code__"),
        ("v ** 2", "v ** 3", "table['sq'].__code__.co_consts[1]"),
        ("rate=0.5", "rate=0.6", "table['part']"),
        ("Flag.A | Flag.B", "Flag.A", "flag"),
        ("[model]", "[Model()]", "model.extra"),
    ],
)
def test_edited_definitions_are_found(old: str, new: str, path: str) -> None:
    """Every edit of a definition is told, at the place where it matters."""
    assert NOTEBOOK.count(old) >= 1
    found = compare_names(define(NOTEBOOK), define(NOTEBOOK.replace(old, new, 1))).difference
    assert found is not None
    assert found.path.startswith(path)


def test_instances_are_compared_with_their_class() -> None:
    """An object of an edited class is another object, though its state is the same."""
    source = "class A:\n    def f(self): return {}\na = A()"
    first, second = define(source.format(1)), define(source.format(2))
    found = find_difference(first["a"], second["a"], name="a")
    assert found is not None
    assert found.path.startswith("a.__class__.f")
    same = define(source.format(1))
    assert find_difference(first["a"], same["a"]) is None


def test_classes_of_other_names_differ() -> None:
    """Only the same module and name make two classes the same class."""
    first, second = define("class A: pass\na = A()"), define("class B: pass\na = B()")
    found = find_difference(first["a"], second["a"])
    assert found is not None
    assert (found.kind, found.reference) == ("type", "A <A>")


def test_full_caches_cannot_be_compared() -> None:
    """What a cache holds cannot be read, so it is never said to be equal."""
    source = "import functools\n@functools.cache\ndef f(x): return x\nf(1)"
    findings = compare_names(define(source), define(source))
    assert findings.difference is None
    assert [path for path, _ in findings.uncompared] == ["f"]
    ahead = define(source + "\nf(2)")
    assert compare_names(define(source), ahead).difference is not None


def test_functions_of_other_namespaces_bring_what_they_use() -> None:
    """A function made by exec is compared with the globals that it looks up."""
    source = textwrap.dedent("""
        space = {"rate": RATE}
        exec("def f(x): return x * rate", space)
        f = space["f"]
        del space
    """)
    first, second = define(source.replace("RATE", "1")), define(source.replace("RATE", "2"))
    found = compare_names(first, second).difference
    assert found is not None
    assert found.path == "f.__globals__['rate']"


def test_modules_of_the_notebook_are_compared_by_content() -> None:
    """A module object that the notebook has made is what it holds."""
    source = "import types\nm = types.ModuleType('m')\nm.rate = {}"
    assert compare_names(define(source.format(1)), define(source.format(1))).difference is None
    found = compare_names(define(source.format(1)), define(source.format(2))).difference
    assert found is not None
    assert found.path == "m['rate']"


def test_annotations_of_libraries_are_the_same_objects() -> None:
    """Aliases of the typing module are compared by what they are made of."""
    assert find_difference(list[int], list[str]) is not None
    assert find_difference(list[int], list[int]) is None
    assert find_difference(list[int], list[str]) is not None
    assert find_difference(dict[str, Any], dict[str, Any]) is None
