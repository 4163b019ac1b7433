"""What a run says of an estimator: its class, its parameters, which of them were changed."""

from __future__ import annotations

import inspect
import sys
from itertools import compress
from operator import is_not, itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from mlops_nb.capture.kinds import KindFacts, Kinds

if TYPE_CHECKING:
    from collections.abc import Sequence

_LONGEST_TEXT, _LONGEST_NAME = 500, 100
_MOST_PARAMS = 500
_DEEPEST = 8
_PREPARATION = (
    "sklearn.preprocessing",
    "sklearn.impute",
    "sklearn.feature_extraction",
    "sklearn.feature_selection",
    "sklearn.compose",
)
_PREDICTING = ("predict", "predict_proba", "fit_predict", "decision_function", "score_samples")
_defaults: KindFacts[dict[str, Any]] = KindFacts()
# Of classes whose parameters are read as their library reads them: name and default of each.
_schemas: KindFacts[_Schema | bool] = KindFacts()
_preparing: KindFacts[bool] = KindFacts()
_kinds: KindFacts[Kind] = KindFacts()
_PLAIN = Kinds(bool, int, float, str, type(None))
_NUMBERS, _SEQUENCES = Kinds(bool, int, float), Kinds(list, tuple, set, frozenset)
_ABSENT = object()


def find_last_step(estimator: Any) -> Any:
    """Give the estimator that a pipeline ends in, or the estimator itself."""
    seen = 0
    while seen < 8 and type(estimator).__name__ == "Pipeline":
        steps = vars(estimator).get("steps")
        if not isinstance(steps, list) or not steps:
            break
        estimator, seen = steps[-1][1], seen + 1
    return estimator


def is_preparation(estimator: Any) -> bool:
    """Tell whether an estimator only prepares data, so that its fit alone is no training.

    Parameters
    ----------
    estimator
        Estimator or pipeline.

    Returns
    -------
    bool
        True for scalers, encoders, imputers, vectorizers, selectors and their combinations.
    """
    kind = type(find_last_step(estimator))
    known = _preparing.find(kind)
    return _preparing.keep(kind, _only_prepares(kind)) if known is None else known


def _only_prepares(kind: type) -> bool:
    if any(hasattr(kind, name) for name in _PREDICTING) and "compose" not in kind.__module__:
        return False
    if kind.__name__ in {"FeatureUnion", "ColumnTransformer", "FunctionTransformer", "str"}:
        return True
    outside = not kind.__module__.startswith("sklearn.") and hasattr(kind, "transform")
    return outside or (kind.__module__.startswith(_PREPARATION) and hasattr(kind, "transform"))


class Kind(NamedTuple):
    """What a run says of the class of what is fitted.

    Attributes
    ----------
    name
        Of the run: the class, for a pipeline that of its last step.
    is_preparation
        As of `is_preparation`.
    tags
        The class, where it comes from, and a pipeline's last step.
    """

    name: str
    is_preparation: bool
    tags: dict[str, object]


def describe_kind(estimator: Any) -> Kind:
    """Give what the class of an estimator says; one that is no pipeline is looked at once.

    Parameters
    ----------
    estimator
        Anything that is fitted.
    """
    kind = type(estimator)
    known = _kinds.find(kind)
    if known is not None:
        return known
    last = type(find_last_step(estimator))
    tags: dict[str, object] = {
        "estimator": kind.__qualname__,
        "estimator.module": kind.__module__,
    }
    if last is not kind:
        tags["estimator.last"] = last.__qualname__
    name = last.__name__
    if len(name) > _LONGEST_NAME or not name.isprintable():
        name = repr(name)[1:-1][:_LONGEST_NAME]
    found = Kind(name, is_preparation(estimator), tags)
    return found if kind.__name__ == "Pipeline" else _kinds.keep(kind, found)


class Read(NamedTuple):
    """What `read_plain_params` read of an estimator.

    Attributes
    ----------
    params, changed
        As of `describe_params`.
    is_library
        Whether it is made of scikit-learn's own classes alone.
    draws
        Whether one of them draws from NumPy's global generator.
    """

    params: dict[str, Any]
    changed: list[str]
    is_library: bool
    draws: bool


def read_plain_params(estimator: Any) -> Read | None:
    """Give what `describe_params` gives, in a tenth of its time, where all values are plain.

    Parameters
    ----------
    estimator
        Anything.

    Returns
    -------
    Read or None
        None where a value is none of Python's own scalars and no estimator, or a class has its own
        way to give its parameters. Pipelines are read whole.
    """
    params: dict[str, Any] = {}
    changed: list[str] = []
    found = _read_into(estimator, "", params, changed, 0)
    if found is None:
        return None
    if len(found) > 1:
        params, changed = {name: params[name] for name in sorted(params)}, sorted(changed)
    if not all(kind.__module__.startswith("sklearn.") for kind in found):
        return Read(params, changed, is_library=False, draws=False)
    draws = params.get("random_state", _ABSENT) is None
    if len(found) > 1 and not draws:
        draws = any(
            value is None and name.endswith("__random_state") for name, value in params.items()
        )
    return Read(params, changed, is_library=True, draws=draws)


def _read_into(
    estimator: Any, prefix: str, params: dict[str, Any], changed: list[str], depth: int
) -> list[type] | None:
    """Read parameters, and those of the estimators among them; give the classes that were read."""
    kind = type(estimator)
    schema = _find_schema(kind)
    if schema is None or depth > _DEEPEST or len(params) > _MOST_PARAMS // 2:
        return None
    kinds = [kind]
    values = schema.read_values(vars(estimator))
    if schema.is_plain and _read_plain(schema, values, prefix, params, changed):
        return kinds
    for name, value, default in zip(schema.names, values, schema.defaults, strict=True):
        if _is_plain(value):
            params[prefix + name] = value
            if value is not default and _differs(value, default):
                changed.append(prefix + name)
            continue
        if name == "steps" and _is_pipeline(kind):
            inside = _read_steps(value, prefix, params, changed, depth)
        elif value is not default and _find_schema(type(value)) is not None:
            params[prefix + name] = type(value).__name__
            changed.append(prefix + name)
            inside = _read_into(value, f"{prefix}{name}__", params, changed, depth + 1)
        else:
            return None
        if inside is None:
            return None
        kinds += inside
    return kinds


def _read_plain(
    schema: _Schema,
    values: Sequence[Any],
    prefix: str,
    params: dict[str, Any],
    changed: list[str],
) -> bool:
    """Read parameters of which most are the very defaults; tell whether all are plain."""
    # Each fit pays for this: no loop of Python's own.
    others = list(compress(range(len(values)), map(is_not, values, schema.defaults)))
    for at in others:
        if not _is_plain(values[at]):
            return False
    if prefix:
        params |= {prefix + name: value for name, value in schema.params.items()}
    else:
        params |= schema.params
    for at in others:
        name = prefix + schema.names[at]
        params[name] = values[at]
        if _differs(values[at], schema.defaults[at]):
            changed.append(name)
    return True


def _is_plain(value: Any) -> bool:
    kind = type(value)
    if kind is str:
        return len(value) <= _LONGEST_TEXT
    return value is None or kind is int or kind is float or kind is bool


def _read_steps(
    steps: Any, prefix: str, params: dict[str, Any], changed: list[str], depth: int
) -> list[type] | None:
    """Read the steps of a pipeline, each under its name."""
    if type(steps) is not list or not _is_steps(steps):
        return None
    kinds: list[type] = []
    for name, step in steps:
        if type(name) is not str:
            return None
        params[prefix + name] = type(step).__name__
        inside = _read_into(step, f"{prefix}{name}__", params, changed, depth + 1)
        if inside is None:
            return None
        kinds += inside
    return kinds


def _is_pipeline(kind: type) -> bool:
    return kind is getattr(sys.modules.get("sklearn.pipeline"), "Pipeline", None)


class _Schema:
    """The parameters of a class and their defaults.

    Attributes
    ----------
    names, defaults
        In the order of the names.
    params
        Both.
    is_plain
        Whether all defaults are scalars of Python's own.
    """

    __slots__ = ("_read", "defaults", "is_plain", "names", "params")

    def __init__(self, params: dict[str, Any]) -> None:
        self.params = params
        self.names, self.defaults = tuple(params), tuple(params.values())
        self.is_plain = all(map(_is_plain, self.defaults))
        # Of one name it would give the value itself.
        self._read = itemgetter(*self.names) if len(self.names) > 1 else None

    def read_values(self, fields: dict[str, Any]) -> Sequence[Any]:
        """Give the values in the order of the names, `_ABSENT` for those that are not there."""
        if self._read is not None:
            try:
                values: tuple[Any, ...] = self._read(fields)
            except KeyError:
                pass  # a class that keeps some of its parameters elsewhere
            else:
                return values
        return [fields.get(name, _ABSENT) for name in self.names]


def _find_schema(kind: type) -> _Schema | None:
    schema = _schemas.find(kind)
    if schema is None:
        schema = _schemas.keep(kind, _read_schema(kind) or False)
    return schema if isinstance(schema, _Schema) else None


def _read_schema(kind: type) -> _Schema | None:
    base = getattr(sys.modules.get("sklearn.base"), "BaseEstimator", None)
    if base is None or (
        getattr(kind, "get_params", None) is not base.get_params and not _is_pipeline(kind)
    ):
        return None
    try:
        names = sorted(kind._get_param_names())  # type: ignore[attr-defined]  # noqa: SLF001
    except Exception:  # noqa: BLE001 - a class of the user's; `describe_params` says what is wrong
        return None
    defaults = _read_defaults(kind)
    if len(names) > _MOST_PARAMS:
        return None
    return _Schema({name: defaults.get(name) for name in names})


def describe_params(estimator: Any) -> tuple[dict[str, Any], list[str]]:
    """Give an estimator's parameters, flattened, and the names of those that were changed.

    Parameters
    ----------
    estimator
        Anything with ``get_params``.

    Returns
    -------
    params : dict
        JSON types; estimators inside are given by their class, arrays by shape and type.
    changed : list of str
        Names whose value is not the class's default.
    """
    found = estimator.get_params(deep=True)
    # A step's own object says less than its parameters, which follow one by one.
    shallow = {name for name, value in found.items() if _is_steps(value)}
    params: dict[str, Any] = {}
    changed: list[str] = []
    for name in sorted(found):
        if name in shallow or len(params) >= _MOST_PARAMS:
            continue
        params[name] = make_plain(found[name])
        owner_name, _, last = name.rpartition("__")
        owner = found.get(owner_name, estimator if not owner_name else None)
        defaults = {} if owner is None else _read_defaults(type(owner))
        is_step = last not in defaults and hasattr(found[name], "get_params")
        if owner is not None and not is_step and _differs(found[name], defaults.get(last)):
            changed.append(name)
    return params, changed


def _is_steps(value: Any) -> bool:
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(part, tuple) and len(part) >= 2 for part in value)
        and any(hasattr(part[1], "get_params") or isinstance(part[1], str) for part in value)
    )


def _read_defaults(kind: type) -> dict[str, Any]:
    known = _defaults.find(kind)
    if known is None:
        known = {}
        for owner in [kind, *(each for each in kind.__mro__[1:] if "__init__" in vars(each))]:
            try:
                parameters = inspect.signature(owner).parameters.values()
            except (ValueError, TypeError):
                break
            known = {entry.name: entry.default for entry in parameters} | known
            # What a class hands on with ``**kwargs`` has its defaults in the class below.
            if not any(entry.kind is entry.VAR_KEYWORD for entry in parameters):
                break
        _defaults.keep(kind, known)
    return known


def _differs(value: Any, default: Any) -> bool:
    if type(value) in _PLAIN and type(default) in _PLAIN:
        both_nan = value != value and default != default  # noqa: PLR0124
        return not both_nan and (type(value) is not type(default) or value != default)
    return value is not default


def make_plain(value: Any) -> Any:
    """Give a value as JSON types without calling a ``repr`` that the user wrote."""
    if value is None or type(value) in _NUMBERS:
        return value
    if type(value) is str:
        return value if len(value) <= _LONGEST_TEXT else value[: _LONGEST_TEXT - 3] + "..."
    # Before shapes are asked for: numpy's scalar types have one that belongs to no value.
    if isinstance(value, type) or hasattr(value, "__qualname__"):
        return f"{value.__module__}.{value.__qualname__}"
    if getattr(value, "shape", None) == () and hasattr(value, "item"):
        return make_plain(value.item())
    if hasattr(value, "shape") and hasattr(value, "dtype"):
        return f"{type(value).__name__}{tuple(value.shape)} {value.dtype}"
    if type(value) in _SEQUENCES:
        return [make_plain(part) for part in list(value)[:100]]
    if type(value) is dict:
        pairs = list(value.items())[:100]
        return {str(make_plain(key)): make_plain(part) for key, part in pairs}
    return type(value).__name__
