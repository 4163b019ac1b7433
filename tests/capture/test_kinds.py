"""Classes that cannot be hashed or compared are told apart all the same."""

from __future__ import annotations

import gc
import weakref

import pytest

from mlops_nb.capture.kinds import KindFacts, Kinds


class _Unhashable(type):
    def __eq__(cls, other: object) -> bool:
        raise RuntimeError("eq")

    def __hash__(cls) -> int:
        raise RuntimeError("hash")


class _Odd(metaclass=_Unhashable):
    pass


@pytest.mark.parametrize(("kind", "is_in"), [(int, True), (bool, False), (_Odd, False)])
def test_a_set_of_classes(kind: type, is_in: bool) -> None:
    """A class is found by its identity, not by what it derives from or says of itself."""
    assert (kind in Kinds(int, str)) is is_in
    assert _Odd in Kinds(_Odd)


def test_facts_go_with_their_class() -> None:
    """What is known of a class is given back while it lives, and keeps nothing alive."""
    facts: KindFacts[str] = KindFacts()
    assert facts.find(_Odd) is None
    assert facts.keep(_Odd, "odd") == "odd"
    assert facts.find(_Odd) == "odd"
    local = type("Local", (), {})
    facts.keep(local, "local")
    gone = weakref.ref(local)
    del local
    gc.collect()
    assert gone() is None
    assert len(facts._facts) == 1
