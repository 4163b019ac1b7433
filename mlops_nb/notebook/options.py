"""How a step shall run: retries, time, resources, cache, condition; read from tags, typed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from mlops_nb.errors import NotebookError
from mlops_nb.notebook.conditions import (
    Condition,
    ConditionError,
    describe_allowed,
    read_condition,
)
from mlops_nb.notebook.foreach import ForeachLoop

# Words of Kale that exports hand on and that change nothing here.
PASSED_WORDS = ("image", "secret", "label", "annotation", "notebook", "report")
OPTION_WORDS = (
    "when", "retries", "timeout", "cpu", "gpu", "mem", "cache", "out", "rng", "limit",
)  # fmt: skip

_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}
_UNITS |= {"ki": 2**10, "mi": 2**20, "gi": 2**30, "ti": 2**40}
_DURATION = re.compile(r"(?:\d+(?:\.\d+)?[smhd])+", re.ASCII)
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgt]?i?)b?", re.IGNORECASE | re.ASCII)
_MOST_RETRIES = 100
# Words that say the same of a switch: Kale's, and those of Quarto's comments.
_SWITCHES = {"enabled": True, "true": True, "disabled": False, "false": False}


class OptionValueError(ValueError):
    """The value of an option is not of its form; the text says what was expected."""

    def __init__(self, expected: str, hint: str = "") -> None:
        self.expected, self.hint = expected, hint
        super().__init__(expected)


@dataclass(frozen=True, slots=True)
class StepOptions:
    """What tags say about how a cell or a step shall run; None where they say nothing.

    Attributes
    ----------
    retries
        How often it is tried again after it failed.
    timeout_s
        Longest time of the whole step.
    cpu, gpu, mem_bytes
        What it needs of a machine; a number of cores may be broken.
    is_cached
        Whether a result from before may take its place, and its own be kept.
    is_rng_independent
        It draws random numbers of its own instead of going on where the step before stopped.
    when
        It runs only if this holds, and with it the steps that use its results.
    is_foreach
        The cell is a loop whose rounds may run in parallel.
    foreach
        The loop as it was checked, known for steps only.
    outs
        Variables that it leaves whether or not a later step reads them.
    passed
        Tags that exports hand on.
    """

    retries: int | None = None
    timeout_s: float | None = None
    cpu: float | None = None
    gpu: int | None = None
    mem_bytes: int | None = None
    is_cached: bool | None = None
    is_rng_independent: bool | None = None
    when: Condition | None = None
    is_foreach: bool = False
    foreach: ForeachLoop | None = None
    outs: tuple[str, ...] = ()
    passed: tuple[str, ...] = ()


_GATHERED = ("outs", "passed")


def read_option(word: str, value: str) -> dict[str, Any]:
    """Read the value of one tag.

    Parameters
    ----------
    word
        What stands before the colon, one of ``OPTION_WORDS`` or ``PASSED_WORDS``.
    value
        What stands behind it.

    Returns
    -------
    dict
        Fields of :class:`StepOptions` that it sets.

    Raises
    ------
    OptionValueError
        The value is not of the form that the word asks for.
    """
    if word in PASSED_WORDS:
        return {"passed": (f"{word}:{value}",)}
    if word == "limit":
        return _read_limit(value)
    return _READERS[word](value)


def join_options(path: object, owner: str, found: Iterable[tuple[int, StepOptions]]) -> StepOptions:
    """Join what several cells say of one step.

    Parameters
    ----------
    path
        The notebook, for error messages.
    owner
        Who is spoken of: ``step 'train'``.
    found
        Positions of cells and what their tags say.

    Returns
    -------
    StepOptions
        What all of them say together.

    Raises
    ------
    NotebookError
        Two of them contradict each other; both cells are named.
    """
    said: dict[str, tuple[int, Any]] = {}
    gathered: dict[str, dict[str, None]] = {name: {} for name in _GATHERED}
    for index, options in found:
        for each in fields(options):
            value = getattr(options, each.name)
            if each.name in _GATHERED:
                gathered[each.name].update(dict.fromkeys(value))
            elif value is not None and not (each.name == "is_foreach" and not value):
                _join_value(path, owner, each.name, index, value, said)
    values: dict[str, Any] = {name: value for name, (_, value) in said.items()}
    values |= {name: tuple(kept) for name, kept in gathered.items()}
    return StepOptions(**values)


def _join_value(
    path: object, owner: str, name: str, index: int, value: Any, said: dict[str, tuple[int, Any]]
) -> None:
    """Keep one value, refusing a second one that differs."""
    before, known = said.setdefault(name, (index, value))
    if name == "is_foreach" and before != index:
        found = f"{owner} has two cells tagged 'foreach': {before} and {index}"
        raise NotebookError(path, found, index, "Give one of them a step of its own.")
    if known == value:
        return
    one, other = show_option(name, known), show_option(name, value)
    places = "twice" if before == index else f"in cells {before} and {index}"
    found = f"{owner} is tagged {one!r} and {other!r}, {places}"
    raise NotebookError(path, found, index, "Keep one of the two.")


def show_option(name: str, value: Any) -> str:
    """Write a field of the options as a tag.

    Parameters
    ----------
    name
        The field.
    value
        Its value.

    Returns
    -------
    str
        A tag that would set it.
    """
    if name == "when":
        return f"when:{value.text}"
    if name == "timeout_s":
        return f"timeout:{value:g}s"
    if name == "mem_bytes":
        return f"mem:{value}"
    if name == "is_cached":
        return f"cache:{'enabled' if value else 'disabled'}"
    if name == "is_rng_independent":
        return "rng:independent"
    return "foreach" if name == "is_foreach" else f"{name}:{value:g}"


def attach_loop(options: StepOptions, loop: ForeachLoop | None) -> StepOptions:
    """Give options with the loop that a step fans out.

    Parameters
    ----------
    options
        What the tags say.
    loop
        The checked loop, None where there is none.

    Returns
    -------
    StepOptions
        Both together.
    """
    return replace(options, foreach=loop) if loop is not None else options


def _read_retries(value: str) -> dict[str, Any]:
    if not value.isdecimal() or not value.isascii() or int(value) > _MOST_RETRIES:
        raise OptionValueError(f"a number from 0 to {_MOST_RETRIES}")
    return {"retries": int(value)}


def _read_timeout(value: str) -> dict[str, Any]:
    text = value.replace(" ", "").lower()
    if re.fullmatch(r"\d+(\.\d+)?", text, re.ASCII):
        seconds = float(text)
    elif _DURATION.fullmatch(text):
        parts = re.findall(r"([\d.]+)([smhd])", text)
        seconds = sum(float(number) * _SECONDS[unit] for number, unit in parts)
    else:
        seconds = 0.0
    if not 0 < seconds < 1e9:
        raise OptionValueError("a time above 0 such as 90s, 10m, 1h30m or 2d")
    return {"timeout_s": seconds}


def _read_cpu(value: str) -> dict[str, Any]:
    number = re.fullmatch(r"(\d+(?:\.\d+)?)(m?)", value, re.ASCII)  # 500m as Kubernetes has it
    cores = float(number[1]) / (1000 if number[2] else 1) if number else 0.0
    if not 0 < cores < 1e6:
        raise OptionValueError("a number of cores above 0 such as 2 or 0.5")
    return {"cpu": cores}


def _read_gpu(value: str) -> dict[str, Any]:
    if not value.isdecimal() or not value.isascii() or int(value) > 4096:
        raise OptionValueError("a whole number of GPUs")
    return {"gpu": int(value)}


def _read_mem(value: str) -> dict[str, Any]:
    match = _SIZE.fullmatch(value)
    size = round(float(match[1]) * _UNITS[match[2].lower()]) if match and match[2] != "i" else 0
    if not 0 < size < 2**60:
        raise OptionValueError("a size such as 512M, 4G or 4Gi")
    return {"mem_bytes": size}


def _read_cache(value: str) -> dict[str, Any]:
    if value.casefold() not in _SWITCHES:
        raise OptionValueError("'enabled' or 'disabled'")
    return {"is_cached": _SWITCHES[value.casefold()]}


def _read_rng(value: str) -> dict[str, Any]:
    if value != "independent":
        raise OptionValueError("'independent'")
    return {"is_rng_independent": True}


def _read_out(value: str) -> dict[str, Any]:
    names = tuple(part.strip() for part in value.split(","))
    if not all(name.isidentifier() for name in names):
        raise OptionValueError("the name of a variable")
    return {"outs": names}


def _read_when(value: str) -> dict[str, Any]:
    try:
        return {"when": read_condition(value)}
    except ConditionError as error:
        raise OptionValueError(f"a condition, but {error}", describe_allowed()) from None


def _read_limit(value: str) -> dict[str, Any]:
    """Read Kale's ``limit:RESOURCE:N``; what is no resource of ours is handed on."""
    resource, _, amount = value.rpartition(":")
    if resource.endswith("/gpu"):
        return _read_gpu(amount)
    if resource in ("cpu", "memory"):
        return _read_cpu(amount) if resource == "cpu" else _read_mem(amount)
    return {"passed": (f"limit:{value}",)}


_READERS: Mapping[str, Callable[[str], dict[str, Any]]] = {
    "when": _read_when,
    "retries": _read_retries,
    "timeout": _read_timeout,
    "cpu": _read_cpu,
    "gpu": _read_gpu,
    "mem": _read_mem,
    "cache": _read_cache,
    "out": _read_out,
    "rng": _read_rng,
}
