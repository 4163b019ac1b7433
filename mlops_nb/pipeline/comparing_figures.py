"""Compares figures by the pixels that they are drawn with."""

from __future__ import annotations

import io
import pickle
from collections.abc import Iterator
from typing import Any

from mlops_nb.pipeline.comparing_objects import compare_objects
from mlops_nb.pipeline.comparing_parts import Pair, Part, Unequal, Unsure, Walk


def compare_figures(walk: Walk, reference: Any, pipeline: Any) -> Iterator[Part]:
    """Draw copies of two figures in memory and compare their pixels."""
    del walk
    drawn = []
    for side in (reference, pipeline):
        try:
            drawn.append(draw_copy(side.figure))
        except Exception as error:  # noqa: BLE001 - artists of any library
            yield Unsure(f"the figure cannot be drawn again: {' '.join(str(error).split())[:100]}")
            return
    yield from compare_pixels(drawn[0], drawn[1])


def compare_pixels(reference: Any, pipeline: Any) -> Iterator[Part]:
    """Compare two pictures.

    Parameters
    ----------
    reference, pipeline
        Arrays of rows, columns and colors.

    Yields
    ------
    Part
        The first pixel that differs, in reading order.
    """
    if reference.shape != pipeline.shape:
        sizes = [f"{s.shape[1]} x {s.shape[0]} pixels" for s in (reference, pipeline)]
        yield Unequal("shape", sizes[0], sizes[1], ".pixels")
        return
    differs = (reference != pipeline).any(axis=2)
    if differs.any():
        row, column = (int(part) for part in divmod(int(differs.argmax()), differs.shape[1]))
        colors = [str(tuple(int(c) for c in s[row, column])) for s in (reference, pipeline)]
        count = int(differs.sum())
        told = f"{colors[1]}; {count} of {differs.size} pixels differ"
        yield Unequal("value", colors[0], told, f".pixels[{row}, {column}]")


def draw_copy(figure: Any) -> Any:
    """Draw a copy of a figure: drawing moves what a layout places.

    Parameters
    ----------
    figure
        A figure; it stays as it is, and pyplot hears nothing of the copy.

    Returns
    -------
    numpy.ndarray
        Rows, columns and the four parts of each color.
    """
    import cloudpickle
    import numpy as np
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    class Copier(cloudpickle.Pickler):  # type: ignore[misc]
        def reducer_override(self, obj: Any) -> Any:
            if not isinstance(obj, Figure):
                return super().reducer_override(obj)
            reduced = list(obj.__reduce_ex__(4))
            if len(reduced) > 2 and isinstance(reduced[2], dict):
                # Else loading would open the copy among pyplot's figures.
                reduced[2] = {k: v for k, v in reduced[2].items() if k != "_restore_to_pylab"}
            return tuple(reduced)

    file = io.BytesIO()
    Copier(file).dump(figure)
    copied = pickle.loads(file.getvalue())  # noqa: S301 - written two lines above
    canvas: Any = FigureCanvasAgg(copied)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba()).copy()


def compare_artists(walk: Walk, reference: Any, pipeline: Any) -> Iterator[Part]:
    """Compare parts of figures by their place in it and by the pixels of the whole."""
    figures = [side.get_figure() for side in (reference, pipeline)]
    if figures[0] is None or figures[1] is None:
        yield from compare_objects(walk, reference, pipeline)
        return
    places = []
    for side, figure in zip((reference, pipeline), figures, strict=True):
        found = [at for at, artist in enumerate(figure.findobj()) if artist is side]
        places.append(found[0] if found else -1)
    yield Pair(".figure", figures[0], figures[1])
    if places[0] != places[1]:
        told = [f"part {place} of its figure" if place >= 0 else "removed" for place in places]
        yield Unequal("value", told[0], told[1])
