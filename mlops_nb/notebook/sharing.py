"""Which variables may hold the same object, or parts of one another."""

from __future__ import annotations

SAME, PART, MAYBE = 2, 1, 0


class Sharing:
    """Links between names: the same object, a part of it, or perhaps something of it.

    A definite new binding cuts a name off; names linked through it stay linked.
    """

    def __init__(self) -> None:
        self._links: dict[str, dict[str, int]] = {}

    def link(self, one: str, other: str, strength: int) -> None:
        """Note that two names share.

        Parameters
        ----------
        one, other
            The names.
        strength
            ``SAME``, ``PART`` or ``MAYBE``.
        """
        if one == other:
            return
        for name, neighbour in ((one, other), (other, one)):
            known = self._links.setdefault(name, {})
            known[neighbour] = max(strength, known.get(neighbour, strength))

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
        pairs = list(left.items())
        for neighbour, _ in pairs:
            self._links[neighbour].pop(name, None)
        for index, (one, first) in enumerate(pairs):
            for other, second in pairs[index + 1 :]:
                self.link(one, other, min(first, second))

    def reach(self, name: str, strength: int) -> set[str]:
        """Find all names that share with one, itself included.

        Parameters
        ----------
        name
            Where to begin.
        strength
            Only links at least so strong are followed.

        Returns
        -------
        set of str
            The names.
        """
        found, waiting = {name}, [name]
        while waiting:
            for neighbour, known in self._links.get(waiting.pop(), {}).items():
                if known >= strength and neighbour not in found:
                    found.add(neighbour)
                    waiting.append(neighbour)
        return found
