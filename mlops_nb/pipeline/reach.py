"""Which words of a source may name a variable, and which sources may reach any variable at all."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

WORD = re.compile(r"[^\W\d]\w*")

# Attributes and methods that may reach any variable, or any class of the notebook by its name.
REACHING_ATTRIBUTES = frozenset(
    [
        *("user_ns", "user_global_ns", "run_cell", "f_globals", "f_locals", "__globals__"),
        *("__main__", "_getframe", "currentframe", "get_objects", "get_referrers"),
        *("load", "loads", "read_pickle", "Unpickler"),
    ]
)
REACHING_NAMES = frozenset(["globals", "locals", "vars", "eval", "exec", "dir", "load", "loads"])

_REACHING = re.compile(
    r"\b(user_ns|user_global_ns|run_cell|f_globals|f_locals|__globals__|__main__|_getframe"
    r"|currentframe|get_objects|get_referrers|read_pickle|Unpickler)\b"
    r"|\bsys\s*\.\s*modules\b"
    r"|(?<![.\w])(eval|exec)\b"
    r"|\b(globals|locals|loads?)\s*\("
    r"|(?<![.\w])(vars|dir)\s*\(\s*\)"
    # The text of a query that is no plain literal may name any variable.
    r"|\.\s*(query|eval|sql)\s*\((?!\s*((expr\s*=\s*)?[\"']|\)))"
    r"|%(run|who|whos|who_ls|reset|reset_selective|store|save|macro|recall|rerun|edit|xdel)\b"
)


def find_words(sources: Iterable[str]) -> frozenset[str]:
    """Collect all words of sources.

    Parameters
    ----------
    sources
        Source texts. Words in texts and comments count too: a text may be code
        (``df.query("a > @limit")``).

    Returns
    -------
    frozenset of str
        Every name of a variable that they write out is among them.
    """
    return frozenset(word for source in sources for word in WORD.findall(_spell(source)))


def _spell(source: str) -> str:
    """Give a source with names as Python knows them: it takes the micro sign for a Greek letter."""
    return source if source.isascii() else f"{source}\n{unicodedata.normalize('NFKC', source)}"


def reaches_all(source: str) -> bool:
    """Tell whether a source may use variables whose names it does not write out.

    Parameters
    ----------
    source
        Source text.

    Returns
    -------
    bool
        True for ``globals()``, ``eval``, ``%run``, ``pickle.load`` and the like.
    """
    return _REACHING.search(source) is not None


def find_needed(sources: Iterable[str], looked_up: frozenset[str]) -> frozenset[str] | None:
    """Collect the names that sources may use.

    Parameters
    ----------
    sources
        Source texts.
    looked_up
        Names that functions which cross look up.

    Returns
    -------
    frozenset of str or None
        None where any name may be used.
    """
    listed = list(sources)
    if looked_up & (REACHING_ATTRIBUTES | REACHING_NAMES) or any(map(reaches_all, listed)):
        return None
    return find_words(listed) | looked_up
