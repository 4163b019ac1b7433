"""What Optuna does for sweeps: TPE, pruning by the median, and the importance of parameters."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from mlops_nb.errors import MissingPackageError
from mlops_nb.pipeline.sweep_samplers import Sampler, derive_seed
from mlops_nb.pipeline.sweep_space import Choice, Dimension, IntRange
from mlops_nb.pipeline.sweep_trials import Trial

if TYPE_CHECKING:
    import optuna

_STATES = {"finished": "COMPLETE", "pruned": "PRUNED", "failed": "FAIL"}
_LEAST_POINTS = 2


def import_optuna(purpose: str) -> Any:
    """Import Optuna, quiet.

    Parameters
    ----------
    purpose
        Named in the error.

    Returns
    -------
    module
        The package.

    Raises
    ------
    MissingPackageError
        It is not installed.
    """
    try:
        import optuna
    except ImportError as error:
        raise MissingPackageError("optuna", "sweep", purpose) from error
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return optuna


class OptunaSampler:
    """Asks a study of Optuna's, which lives in memory only: the sweep's runs are the record.

    Parameters
    ----------
    space
        What is searched.
    seed
        The same seed gives the same values.
    maximize
        Which way is better.
    prune
        Whether trials that lag behind the median are called hopeless.
    inner
        Draws the values in place of TPE.

    Notes
    -----
    Optuna's own journal file is not used. A line that was cut by ``kill -9`` makes it unreadable
    once the next one is appended, and the runs know all of it anyway: the study is made anew from
    them when a sweep goes on. Each trial gets a seed of its own, so TPE, too, says the same as if
    the sweep had never stopped.
    """

    def __init__(
        self,
        space: Sequence[Dimension],
        seed: int,
        *,
        maximize: bool,
        prune: bool = False,
        inner: Sampler | None = None,
    ) -> None:
        self._optuna = import_optuna("--prune" if inner is not None else "--sampler tpe")
        self._space, self._seed, self._inner, self._prunes = space, seed, inner, prune
        self._distributions = {each.name: _describe(each, self._optuna) for each in space}
        self._study = self._optuna.create_study(
            direction="maximize" if maximize else "minimize",
            pruner=self._optuna.pruners.MedianPruner()
            if prune
            else self._optuna.pruners.NopPruner(),
        )
        self._asked: dict[int, Any] = {}
        self._seen: dict[int, set[int]] = {}

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
        if self._inner is not None:
            return self._inner.suggest(number)
        self._study.sampler = self._optuna.samplers.TPESampler(seed=derive_seed(self._seed, number))
        asked = self._study.ask(self._distributions)
        self._asked[number] = asked
        return {each.name: _decode(each, asked.params[each.name]) for each in self._space}

    def begin(self, trial: Trial) -> None:
        """Learn that a trial runs whose values did not come from here.

        Parameters
        ----------
        trial
            It was asked for earlier, maybe by a process that is gone.
        """
        if trial.number not in self._asked:
            self._study.enqueue_trial(self._encode(trial))
            # Not to be drawn: every value is given, whatever sampler the study has.
            self._study.sampler = self._optuna.samplers.RandomSampler(seed=0)
            self._asked[trial.number] = self._study.ask(self._distributions)

    def settle(self, trial: Trial) -> None:
        """Learn what became of a trial.

        Parameters
        ----------
        trial
            It has ended; one that was interrupted teaches nothing.
        """
        asked = self._asked.pop(trial.number, None)
        self._seen.pop(trial.number, None)
        states = self._optuna.trial.TrialState
        state = states[_STATES.get(trial.state, "FAIL")]
        if asked is None:
            self._study.add_trial(_freeze(trial, self._encode(trial), self._distributions, state))
        elif state == states.COMPLETE:
            self._study.tell(asked, trial.value)
        else:
            self._study.tell(asked, state=state)

    def is_hopeless(self, trial: Trial, step: int, value: float) -> bool:
        """Learn a value on the way; tell whether the trial is not worth going on with.

        Parameters
        ----------
        trial
            It runs.
        step, value
            A point of the metric's series.

        Returns
        -------
        bool
            True where the best value so far is worse than the median of the trials before at this
            step. One point alone is no series and decides nothing.
        """
        asked = self._asked.get(trial.number)
        seen = self._seen.setdefault(trial.number, set())
        if asked is None or step in seen:
            return False
        seen.add(step)
        if step >= 0:
            asked.report(value, step)
        return self._prunes and len(seen) >= _LEAST_POINTS and bool(asked.should_prune())

    def _encode(self, trial: Trial) -> dict[str, Any]:
        return {each.name: _encode(each, trial.params[each.name]) for each in self._space}


def make_study(
    space: Sequence[Dimension], trials: Iterable[Trial], *, maximize: bool
) -> optuna.Study:
    """Give the trials of a sweep as a study of Optuna's, for its own plots and analyses.

    Parameters
    ----------
    space
        What was searched.
    trials
        Those that have not ended are left out.
    maximize
        Which way is better.

    Returns
    -------
    optuna.Study
        In memory.
    """
    package = import_optuna("a study")
    distributions = {each.name: _describe(each, package) for each in space}
    study: optuna.Study = package.create_study(direction="maximize" if maximize else "minimize")
    for trial in trials:
        if trial.is_settled:
            encoded = {each.name: _encode(each, trial.params[each.name]) for each in space}
            state = package.trial.TrialState[_STATES[trial.state]]
            study.add_trial(_freeze(trial, encoded, distributions, state))
    return study


def measure_importance(
    space: Sequence[Dimension], trials: Sequence[Trial], *, maximize: bool
) -> dict[str, float]:
    """Measure how much each parameter mattered.

    Parameters
    ----------
    space
        What was searched.
    trials
        At least two must have finished, with values that differ.
    maximize
        Which way is better.

    Returns
    -------
    dict
        Shares of the variance that add up to 1, largest first: fANOVA as Optuna has it (Hutter,
        Hoos and Leyton-Brown 2014); empty where the trials do not tell, or Optuna is not installed.
    """
    try:
        study = make_study(space, trials, maximize=maximize)
    except MissingPackageError:
        return {}
    from optuna.importance import FanovaImportanceEvaluator, get_param_importances

    try:
        # With a seed, as its forest is drawn: the same trials tell the same.
        shares = get_param_importances(study, evaluator=FanovaImportanceEvaluator(seed=0))
    except (ValueError, RuntimeError, ZeroDivisionError):  # too few trials, or all alike
        return {}
    return {name: float(share) for name, share in shares.items()}


def _describe(dimension: Dimension, package: Any) -> Any:
    kinds = package.distributions
    if isinstance(dimension, Choice):
        if dimension.is_ordered:
            return kinds.IntDistribution(0, dimension.size - 1)
        return kinds.CategoricalDistribution(_label(dimension))
    if isinstance(dimension, IntRange):
        bounds = dimension.low, dimension.high
        return kinds.IntDistribution(*bounds, log=dimension.is_log, step=dimension.step)
    return kinds.FloatDistribution(dimension.low, dimension.high, log=dimension.is_log)


def _label(dimension: Choice) -> list[str]:
    """Name the values of a choice so that no two names are the same; Optuna keeps plain types."""
    texts = [value if isinstance(value, str) else repr(value) for value in dimension.values]
    return texts if len(set(texts)) == len(texts) else [repr(v) for v in dimension.values]


def _encode(dimension: Dimension, value: Any) -> Any:
    if not isinstance(dimension, Choice):
        return value
    place = [repr(known) for known in dimension.values].index(repr(value))
    return place if dimension.is_ordered else _label(dimension)[place]


def _decode(dimension: Dimension, value: Any) -> Any:
    if not isinstance(dimension, Choice):
        return value
    return dimension.values[value if dimension.is_ordered else _label(dimension).index(value)]


def _freeze(trial: Trial, params: dict[str, Any], distributions: Any, state: Any) -> Any:
    from optuna.trial import TrialState, create_trial

    return create_trial(
        state=state,
        params=params,
        distributions=distributions,
        value=trial.value if state == TrialState.COMPLETE else None,
        intermediate_values={step: value for step, value in trial.steps.items() if step >= 0},
    )
