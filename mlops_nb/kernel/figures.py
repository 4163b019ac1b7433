"""Figures a cell shows, kept as the very bytes that went to the front end: nothing drawn twice."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable
from typing import Any, NamedTuple

MAX_FIGURE_BYTES = 8 * 2**20
MAX_CELL_BYTES = 32 * 2**20
MAX_CELL_FIGURES = 24

_MEDIA_TYPES = {"image/png": "png", "image/jpeg": "jpg"}


class Figure(NamedTuple):
    """A finished image."""

    data: bytes
    media_type: str
    suffix: str


def read_figure(bundle: dict[str, Any]) -> Figure | None:
    """Take the image out of what a cell displays.

    Parameters
    ----------
    bundle
        Forms of the displayed object by media type; images are base64 text or bytes.

    Returns
    -------
    Figure or None
        The image; None where there is none or it is over the size limit.
    """
    for media_type, suffix in _MEDIA_TYPES.items():
        data = bundle.get(media_type)
        if isinstance(data, str) and len(data) * 3 // 4 <= MAX_FIGURE_BYTES:
            try:
                data = base64.b64decode(data)
            except (binascii.Error, ValueError):
                continue
        if isinstance(data, bytes) and 0 < len(data) <= MAX_FIGURE_BYTES:
            return Figure(data, media_type, suffix)
    return None


class FigureBuffer:
    """The figures of one running cell, each once, within a byte budget."""

    def __init__(self) -> None:
        self.figures: list[Figure] = []
        self.left_out = 0
        self._seen: set[bytes] = set()
        self._size = 0

    def add(self, figure: Figure) -> None:
        """Keep a figure until the cell ends.

        Parameters
        ----------
        figure
            The figure; one that was kept already is not kept twice.
        """
        digest = hashlib.blake2b(figure.data, digest_size=16).digest()
        if digest in self._seen:
            return
        full = len(self.figures) >= MAX_CELL_FIGURES
        if full or self._size + len(figure.data) > MAX_CELL_BYTES:
            self.left_out += 1
            return
        self._seen.add(digest)
        self._size += len(figure.data)
        self.figures.append(figure)


class FigureTap:
    """Listens where a kernel publishes what cells display.

    Parameters
    ----------
    shell
        The running IPython shell.
    on_bundle
        Called with the forms of each displayed object; it must not raise.
    on_clear
        Called when a cell takes back what it has displayed; nor must it.
    """

    def __init__(
        self,
        shell: Any,
        on_bundle: Callable[[dict[str, Any]], object],
        on_clear: Callable[[], object] = lambda: None,
    ) -> None:
        self._on_bundle, self._on_clear = on_bundle, on_clear
        # Both are official hook points of ipykernel; a terminal has neither and shows no images.
        self._publishers = [
            publisher
            for publisher in (shell.display_pub, shell.displayhook)
            if hasattr(publisher, "register_hook") and hasattr(publisher, "unregister_hook")
        ]
        for publisher in self._publishers:
            publisher.register_hook(self._see)

    @property
    def sees_results(self) -> bool:
        """Whether the value of a cell's last line comes past here as well."""
        return len(self._publishers) == 2

    def _see(self, message: Any) -> Any:
        try:
            kind = message["header"]["msg_type"]
            if kind in {"display_data", "execute_result"}:
                self._on_bundle(message["content"]["data"])
            elif kind == "clear_output":
                self._on_clear()
        except (KeyError, TypeError):
            return message  # a message of another shape is none of our business
        return message

    def close(self) -> None:
        """Stop listening."""
        for publisher in self._publishers:
            publisher.unregister_hook(self._see)
        self._publishers = []
