"""Which variables may hold the same object, or parts of one another."""

from __future__ import annotations

SAME, PART, MAYBE = 2, 1, 0


class Sharing:
    """Links between names: the same object, a part of it, or perhaps something of it.

    A definite new binding cuts a name off; names linked through it stay linked. What stood under
    the name goes on as a nameless object, so that the links stay few.
    """

    def __init__(self) -> None:
        self._links: dict[str | int, dict[str | int, int]] = {}
        self._nameless = 0
        self._reached: dict[tuple[str, int], frozenset[str]] = {}

    def link(self, one: str, other: str, strength: int) -> None:
        """Note that two names share.

        Parameters
        ----------
        one, other
            The names.
        strength
            ``SAME``, ``PART`` or ``MAYBE``.
        """
        self._join(one, other, strength)

    def _join(self, one: str | int, other: str | int, strength: int) -> None:
        if one == other:
            return
        links = self._links.setdefault(one, {})
        if links.get(other, -1) >= strength:
            return
        links[other] = strength
        self._links.setdefault(other, {})[one] = strength
        self._reached.clear()

    def cut(self, name: str) -> None:
        """Note that a name is bound to something new.

        Parameters
        ----------
        name
            The name.
        """
        left = self._links.pop(name, None)
        if not left:
            return
        self._reached.clear()
        for neighbour in left:
            del self._links[neighbour][name]
        if len(left) > 2:
            self._nameless += 1
            for neighbour, strength in left.items():
                self._join(self._nameless, neighbour, strength)
        elif len(left) == 2:
            (one, first), (other, second) = left.items()
            self._join(one, other, min(first, second))
        for neighbour in left:
            self._drop(neighbour)

    def _drop(self, node: str | int) -> None:
        """Take out a nameless object that links nothing any more."""
        links = self._links.get(node)
        if not isinstance(node, int) or links is None or len(links) > 2:
            return
        del self._links[node]
        for neighbour in links:
            del self._links[neighbour][node]
        if len(links) == 2:
            (one, first), (other, second) = links.items()
            self._join(one, other, min(first, second))
        for neighbour in links:
            self._drop(neighbour)

    def reach(self, name: str, strength: int) -> frozenset[str]:
        """Find all names that share with one, itself included.

        Parameters
        ----------
        name
            Where to begin.
        strength
            Only links at least so strong are followed.

        Returns
        -------
        frozenset of str
            The names.
        """
        key = (name, strength)
        known = self._reached.get(key)
        if known is not None:
            return known
        found: set[str | int] = {name}
        waiting: list[str | int] = [name]
        while waiting:
            for neighbour, kind in self._links.get(waiting.pop(), {}).items():
                if kind >= strength and neighbour not in found:
                    found.add(neighbour)
                    waiting.append(neighbour)
        names = frozenset(each for each in found if isinstance(each, str))
        for each in names:  # whoever is reached reaches the same
            self._reached[each, strength] = names
        return names
