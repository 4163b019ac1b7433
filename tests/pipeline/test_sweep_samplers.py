"""Samplers give the same values for the same seed, within the space, and learn where they can."""

from __future__ import annotations

import math
import sys
from typing import Any

import pytest

from mlops_nb.errors import MissingPackageError, NotFoundError, ParameterError
from mlops_nb.pipeline.sweep_samplers import GridSampler, RandomSampler, Sampler, make_sampler
from mlops_nb.pipeline.sweep_space import Choice, Dimension, FloatRange, IntRange
from mlops_nb.pipeline.sweep_trials import Trial

SPACE: tuple[Dimension, ...] = (
    FloatRange("x", 0.01, 10.0, is_log=True),
    FloatRange("y", -1.0, 1.0),
    IntRange("n", 2, 8, 2),
    IntRange("m", 1, 100, is_log=True),
    Choice("k", ("a", "b", 1, True, None, [1, 2])),
    Choice("p", (0.0, 0.5, 1.0), is_ordered=True),
)


def is_inside(values: dict[str, Any]) -> bool:
    """Tell whether values are of the space."""
    return (
        0.01 <= values["x"] <= 10
        and -1 <= values["y"] <= 1
        and values["n"] in (2, 4, 6, 8)
        and 1 <= values["m"] <= 100
        and any(values["k"] is known for known in SPACE[4].values)  # type: ignore[union-attr]
        and values["p"] in (0.0, 0.5, 1.0)
    )


def play(sampler: Sampler, count: int, start: int = 0) -> list[dict[str, Any]]:
    """Let a sampler look for the smallest distance from a point."""
    found = []
    for number in range(start, start + count):
        trial = Trial(number, sampler.suggest(number))
        sampler.begin(trial)
        sampler.settle(Trial(number, trial.params, "finished", measure(trial.params)))
        found.append(dict(trial.params))
    return found


def measure(values: Any) -> float:
    """Give the distance from the point that is looked for."""
    distance = (math.log10(values["x"]) - 0.5) ** 2 + (values["y"] - 0.3) ** 2
    return float(distance + (values["n"] - 4) ** 2 / 10 + (values["k"] != "b"))


@pytest.mark.parametrize("kind", ["random", "tpe"])
def test_the_same_seed_gives_the_same_values(kind: str) -> None:
    """Values are of the space; another seed gives others."""
    runs = [
        play(make_sampler(kind, SPACE, seed=seed, maximize=False, prune=False), 15)
        for seed in (1, 1, 2)
    ]
    assert runs[0] == runs[1] != runs[2]
    assert all(is_inside(values) for values in runs[0] + runs[2])


def test_random_reaches_every_corner() -> None:
    """Whole numbers and choices are all drawn, about as often as each other."""
    sampler = RandomSampler((IntRange("n", 1, 3), Choice("k", ("a", "b"))), seed=0)
    drawn = [tuple(sampler.suggest(number).values()) for number in range(600)]
    assert {drawn.count(point) for point in drawn} <= set(range(60, 141))
    assert len(set(drawn)) == 6


def test_log_ranges_are_spread_by_ratio() -> None:
    """Half of the draws of 0.01 to 100 lie below 1, and of whole numbers likewise."""
    space = (FloatRange("x", 0.01, 100.0, is_log=True), IntRange("n", 1, 10_000, is_log=True))
    sampler = RandomSampler(space, seed=0)
    drawn = [sampler.suggest(number) for number in range(400)]
    assert 150 < sum(values["x"] < 1 for values in drawn) < 250
    assert 150 < sum(values["n"] < 100 for values in drawn) < 250


def test_a_grid_has_every_point_once() -> None:
    """No point is tried twice, none is left out, and the order is the seed's."""
    space = (IntRange("n", 2, 8, 2), Choice("k", ("a", "b", "c")))
    grids = [GridSampler(space, seed) for seed in (0, 0, 1)]
    points = [[tuple(grid.suggest(n).items()) for n in range(len(grid))] for grid in grids]
    assert len(points[0]) == len(set(points[0])) == 12
    assert points[0] == points[1] != points[2]
    assert sorted(points[0]) == sorted(points[2])


def test_a_grid_needs_an_end() -> None:
    """A range of floats is refused with the words that help, and so is a grid of millions."""
    with pytest.raises(ParameterError, match=r"x=log:0.01:10:5"):
        GridSampler(SPACE, 0)
    with pytest.raises(ParameterError, match="1,000,000"):
        GridSampler((IntRange("a", 1, 1000), IntRange("b", 1, 1000)), 0)


def test_tpe_goes_on_as_if_it_had_not_stopped() -> None:
    """A sampler that is told of old trials says what the old one would have said."""
    whole = play(make_sampler("tpe", SPACE, seed=5, maximize=False, prune=False), 24)
    again = make_sampler("tpe", SPACE, seed=5, maximize=False, prune=False)
    for number, params in enumerate(whole[:17]):
        again.settle(Trial(number, params, "finished", measure(params)))
    # One was asked for, but its process was killed: it is tried with the same values.
    retried = Trial(17, whole[17])
    again.begin(retried)
    again.settle(Trial(17, whole[17], "finished", measure(whole[17])))
    assert play(again, 6, start=18) == whole[18:]


def test_tpe_learns() -> None:
    """On a smooth function it comes nearer than drawing blindly does, over several seeds."""
    space = (FloatRange("x", -5.0, 5.0), FloatRange("y", -5.0, 5.0))

    def best(kind: str, seed: int) -> float:
        sampler = make_sampler(kind, space, seed=seed, maximize=False, prune=False)
        values = []
        for number in range(40):
            params = sampler.suggest(number)
            value = float((params["x"] - 1) ** 2 + (params["y"] + 2) ** 2)
            sampler.begin(Trial(number, params))
            sampler.settle(Trial(number, params, "finished", value))
            values.append(value)
        return min(values)

    seeds = range(5)
    assert sum(best("tpe", seed) for seed in seeds) < sum(best("random", seed) for seed in seeds)


@pytest.mark.parametrize("kind", ["tpe", "random", "grid"])
def test_lagging_trials_are_hopeless(kind: str) -> None:
    """Whoever is behind the median is told so, and from one point alone nobody is."""
    space = (IntRange("n", 1, 30),)
    sampler = make_sampler(kind, space, seed=0, maximize=True, prune=True)
    for number in range(6):
        trial = Trial(number, sampler.suggest(number))
        sampler.begin(trial)
        told = [sampler.is_hopeless(trial, step, float(step + 10)) for step in range(3)]
        assert not any(told)
        sampler.settle(Trial(number, trial.params, "finished", 12.0))
    trial = Trial(6, sampler.suggest(6))
    sampler.begin(trial)
    assert [sampler.is_hopeless(trial, step, 1.0) for step in range(3)] == [False, True, True]
    sampler.settle(Trial(6, trial.params, "pruned", 1.0, steps={0: 1.0, 1: 1.0}))
    good = Trial(7, sampler.suggest(7))
    sampler.begin(good)
    assert not any(sampler.is_hopeless(good, step, float(step + 20)) for step in range(3))


def test_unknown_sampler_is_told() -> None:
    """A slip in the name is answered with the right one."""
    with pytest.raises(NotFoundError, match="'random'"):
        make_sampler("rnadom", SPACE, seed=0, maximize=True, prune=False)


def test_without_optuna_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Grid and random need no other package; TPE and pruning say how to get it."""
    monkeypatch.setitem(sys.modules, "optuna", None)
    make_sampler("random", SPACE, seed=0, maximize=True, prune=False)
    for kind, prune in (("tpe", False), ("random", True)):
        with pytest.raises(MissingPackageError, match=r"mlops-nb\[sweep\]"):
            make_sampler(kind, SPACE, seed=0, maximize=True, prune=prune)
