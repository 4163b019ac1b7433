"""Which word of ours a tag seems to misspell."""

from __future__ import annotations

from collections.abc import Iterable

# What people write who know another tool, or the longer word.
_MEANT = {
    "retry": "retries",
    "repeat": "retries",
    "memory": "mem",
    "ram": "mem",
    "cpus": "cpu",
    "cores": "cpu",
    "gpus": "gpu",
    "outs": "out",
    "if": "when",
    "depends": "after",
    "time-out": "timeout",
}
# One letter replaced by another makes a word of its own of the others: 'ship', 'then'.
_ALSO_REPLACED = ("step", "after", "imports", "retries", "timeout")
_SHORT = 3


def find_near(word: str, known: Iterable[str]) -> str | None:
    """Find the word of ours that a tag seems to misspell.

    Parameters
    ----------
    word
        The tag's word, which is none of the known ones as it stands.
    known
        Words of ours that would fit in its place.

    Returns
    -------
    str or None
        The word that was meant, as far as can be told.
    """
    folded = word.casefold().replace("_", "-")
    listed = tuple(known)
    if (meant := _MEANT.get(folded)) in listed:
        return meant
    return next((each for each in listed if folded == each or _is_near(folded, each)), None)


def _is_near(word: str, known: str) -> bool:
    """Tell whether a word is one slip of the hand away (two, in long words)."""
    if abs(len(word) - len(known)) > 2 or not word or len(known) <= _SHORT:
        return False
    if len(known) >= 9:
        return _measure_distance(word, known) <= 2
    if len(word) == len(known):
        differing = [index for index in range(len(word)) if word[index] != known[index]]
        if len(differing) == 1:
            return known in _ALSO_REPLACED
        return (
            len(differing) == 2
            and differing[1] == differing[0] + 1
            and word[differing[0]] == known[differing[1]]
            and word[differing[1]] == known[differing[0]]
        )
    return _measure_distance(word, known) == 1


def _measure_distance(one: str, other: str) -> int:
    """Count insertions, deletions and substitutions between two words (Levenshtein 1966)."""
    row = list(range(len(other) + 1))
    for i, left in enumerate(one, 1):
        before, row[0] = row[0], i
        for j, right in enumerate(other, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (left != right))
    return row[-1]
