"""What a notebook registers at libraries by a call: colour maps, converters, formats of numbers."""

from __future__ import annotations

from typing import Any


def _find_colors(matplotlib: Any) -> list[tuple[str, Any, Any]]:
    """List the registries of colours with the names that are matplotlib's own."""
    maps, sequences = matplotlib.colormaps, matplotlib.color_sequences
    return [
        ("maps", maps, getattr(maps, "_builtin_cmaps", ())),
        ("sequences", sequences, getattr(sequences, "_BUILTIN_COLOR_SEQUENCES", ())),
    ]


def capture_colors(cm: Any) -> dict[str, Any]:
    """Read the colour maps and sequences that are not matplotlib's own.

    Parameters
    ----------
    cm
        The module ``matplotlib.cm``.

    Returns
    -------
    dict
        By name; empty where there are none.
    """
    import matplotlib

    found = {
        kind: {name: registry[name] for name in registry if name not in known}
        for kind, registry, known in _find_colors(matplotlib)
    }
    del cm
    return {kind: own for kind, own in found.items() if own}


def restore_colors(cm: Any, state: dict[str, Any]) -> None:
    """Register colour maps and sequences.

    Parameters
    ----------
    cm
        The module ``matplotlib.cm``.
    state
        From `capture_colors`.
    """
    import matplotlib

    now = capture_colors(cm)
    for kind, registry, _ in _find_colors(matplotlib):
        for name in now.get(kind, ()):
            registry.unregister(name)
        for name, value in state.get(kind, {}).items():
            if kind == "maps":
                registry.register(value, name=name)
            else:
                registry.register(name, value)


def capture_converters(units: Any) -> dict[str, Any]:
    """Read how values of other libraries become positions in a figure.

    Parameters
    ----------
    units
        The module ``matplotlib.units``.

    Returns
    -------
    dict
        Pairs of class and converter; empty where there are only matplotlib's own.
    """
    pairs = [
        (kind, converter)
        for kind, converter in units.registry.items()
        if not type(converter).__module__.startswith("matplotlib.")
    ]
    return {"pairs": pairs} if pairs else {}


def restore_converters(units: Any, state: dict[str, Any]) -> None:
    """Register how values of other libraries become positions in a figure.

    Parameters
    ----------
    units
        The module ``matplotlib.units``.
    state
        From `capture_converters`.
    """
    for kind, converter in state.get("pairs", ()):
        if type(units.registry.get(kind)) is not type(converter):
            units.registry[kind] = converter


def capture_polars(polars: Any) -> dict[str, Any]:
    """Read how polars prints.

    Parameters
    ----------
    polars
        The library.

    Returns
    -------
    dict
        Its own text of all options.
    """
    return {"options": polars.Config.save()}


def restore_polars(polars: Any, state: dict[str, Any]) -> None:
    """Let polars print as it does elsewhere.

    Parameters
    ----------
    polars
        The library.
    state
        From `capture_polars`.
    """
    if polars.Config.save() != state["options"]:
        polars.Config.load(state["options"])
