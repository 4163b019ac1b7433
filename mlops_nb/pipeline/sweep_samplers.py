"""Which values are tried next: grid and random, which need no other package."""

from __future__ import annotations

import hashlib
import math
import random
from collections.abc import Sequence
from typing import Any, Protocol

from mlops_nb.errors import NotFoundError, ParameterError
from mlops_nb.pipeline.sweep_space import (
    LARGEST_GRID,
    Choice,
    Dimension,
    FloatRange,
    IntRange,
    count_points,
)
from mlops_nb.pipeline.sweep_trials import Trial

SAMPLERS = ("tpe", "random", "grid")


class Sampler(Protocol):
    """Says which values are tried next.

    What it says of a trial depends on the seed, the trial's number and the trials before it, and on
    nothing else: a sweep that was killed goes on as if it had not been.
    """

    def suggest(self, number: int) -> dict[str, Any]:
        """Give the values of a trial."""

    def begin(self, trial: Trial) -> None:
        """Learn that a trial runs."""

    def settle(self, trial: Trial) -> None:
        """Learn what became of a trial."""

    def is_hopeless(self, trial: Trial, step: int, value: float) -> bool:
        """Learn a value on the way; tell whether the trial is not worth going on with."""


class BlindSampler:
    """A sampler that does not learn from trials."""

    def begin(self, trial: Trial) -> None:
        """Pass over a trial that runs."""

    def settle(self, trial: Trial) -> None:
        """Pass over a trial that ended."""

    def is_hopeless(self, trial: Trial, step: int, value: float) -> bool:
        """Let every trial run to its end."""
        return False


class RandomSampler(BlindSampler):
    """Draws every value by itself.

    Parameters
    ----------
    space
        What is searched.
    seed
        The same seed gives the same values.
    """

    def __init__(self, space: Sequence[Dimension], seed: int) -> None:
        self._space, self._seed = space, seed

    def suggest(self, number: int) -> dict[str, Any]:
        """Give the values of a trial.

        Parameters
        ----------
        number
            The trial's.

        Returns
        -------
        dict
            One value a dimension.
        """
        dice = random.Random(derive_seed(self._seed, number))  # noqa: S311 - no secret is drawn
        return {dimension.name: _draw(dimension, dice) for dimension in self._space}


class GridSampler(BlindSampler):
    """Tries every point once, in an order that covers the whole grid early.

    Parameters
    ----------
    space
        Only dimensions whose values can be counted.
    seed
        The same seed gives the same order.

    Raises
    ------
    ParameterError
        A range of floats has no number of points, or the grid is too large to be tried.
    """

    def __init__(self, space: Sequence[Dimension], seed: int) -> None:
        self._space = [_check_countable(dimension) for dimension in space]
        size = count_points(space) or 0
        if size > LARGEST_GRID:
            sizes = " x ".join(str(dimension.size) for dimension in self._space)
            hint = "Give fewer values, or use --sampler random."
            expected = f"at most {LARGEST_GRID:,} points"
            raise ParameterError("the size of the grid", f"{sizes} = {size:,}", expected, hint)
        self._order = list(range(size))
        random.Random(derive_seed(seed, 0)).shuffle(self._order)  # noqa: S311

    def __len__(self) -> int:
        """Count the points."""
        return len(self._order)

    def suggest(self, number: int) -> dict[str, Any]:
        """Give the values of a trial.

        Parameters
        ----------
        number
            The trial's, less than the number of points.

        Returns
        -------
        dict
            One value a dimension.
        """
        rest, values = self._order[number], {}
        for dimension in reversed(self._space):
            rest, place = divmod(rest, dimension.size)
            values[dimension.name] = dimension.at(place)
        return {dimension.name: values[dimension.name] for dimension in self._space}


def make_sampler(
    kind: str, space: Sequence[Dimension], *, seed: int, maximize: bool, prune: bool
) -> Sampler:
    """Make the sampler of a name.

    Parameters
    ----------
    kind
        ``tpe``, ``random`` or ``grid``.
    space
        What is searched.
    seed
        The same seed gives the same values.
    maximize
        Which way is better.
    prune
        Whether trials that lag behind shall be ended.

    Returns
    -------
    Sampler
        Ready for its first trial.

    Raises
    ------
    NotFoundError
        There is none of that name.
    MissingPackageError
        It needs Optuna, which is not installed.
    """
    if kind not in SAMPLERS:
        raise NotFoundError("sampler", kind, SAMPLERS)
    plain: Sampler | None = None
    if kind == "grid":
        plain = GridSampler(space, seed)
    elif kind == "random":
        plain = RandomSampler(space, seed)
    if plain is not None and not prune:
        return plain
    from mlops_nb.pipeline.sweep_optuna import OptunaSampler

    return OptunaSampler(space, seed, maximize=maximize, prune=prune, inner=plain)


def derive_seed(seed: int, number: int) -> int:
    """Give a seed of 32 bits that belongs to one trial of one sweep."""
    digest = hashlib.sha256(f"{seed}:{number}".encode()).digest()
    return int.from_bytes(digest[:4], "big")


def _draw(dimension: Dimension, dice: random.Random) -> Any:
    if isinstance(dimension, Choice):
        return dice.choice(dimension.values)
    low, high = dimension.low, dimension.high
    if isinstance(dimension, IntRange) and not dimension.is_log:
        return dice.randrange(dimension.low, dimension.high + 1, dimension.step)
    if isinstance(dimension, IntRange):
        # Half a number beyond each end, or the bounds would be drawn half as often as they should.
        drawn = math.exp(dice.uniform(math.log(low - 0.5), math.log(high + 0.5)))
        return min(max(round(drawn), low), high)
    if dimension.is_log:
        drawn = math.exp(dice.uniform(math.log(low), math.log(high)))
        return min(max(drawn, low), high)
    return dice.uniform(low, high)


def _check_countable(dimension: Dimension) -> Choice | IntRange:
    if isinstance(dimension, FloatRange):
        word = "log" if dimension.is_log else "lin"
        shown = f"{word}:{dimension.low:g}:{dimension.high:g}"
        raise ParameterError(
            f"the range of parameter {dimension.name!r}",
            shown,
            "a number of points for a grid",
            f"For example five: {dimension.name}={shown}:5",
        )
    return dimension
