"""Which card stands under which cell; how cards look is loaded with the first of them."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from mlops_nb.kernel.earlier import EarlierRuns
from mlops_nb.kernel.livecards import LiveCard

if TYPE_CHECKING:
    from mlops_nb.kernel.cards import Card
    from mlops_nb.records import RunRecord

MAX_CARDS = 20  # cards of earlier cells that may still be completed


class CardBoard:
    """Shows one card per cell that recorded runs and keeps the latest ones up to date.

    Parameters
    ----------
    shell
        The running IPython shell.
    """

    def __init__(self, shell: Any) -> None:
        self._shell = shell
        self._cards: list[Card] = []
        # A board made by %reload_ext must not take over the outputs of the one before it.
        self._name = uuid.uuid4().hex[:12]
        self._made = 0
        self._earlier = EarlierRuns()
        self.live = LiveCard(self._make, self._publish)

    def show(self, records: Sequence[RunRecord]) -> None:
        """Show a card for new runs; complete the cards of runs that were shown before.

        Parameters
        ----------
        records
            Runs that a cell closed or added to.
        """
        live = self.live.end()
        given = {record.run_id: record for record in records}
        self._earlier.add(records)
        for card in self._cards:
            if any(run.run_id in given for run in card.runs):
                card.runs = [given.pop(run.run_id, run) for run in card.runs]
                self._publish(card)
        fresh = [run for run in given.values() if run.parent_run_id not in given]
        if not fresh:
            return
        card = self._make(*fresh)
        if live is not None:
            card.display_id, card.is_shown = live.display_id, live.is_shown
        for run in given.values():
            if run.parent_run_id in given:
                card.nested[run.parent_run_id] = card.nested.get(run.parent_run_id, 0) + 1
        self._publish(card)
        self._cards = [*self._cards[1 - MAX_CARDS :], card]

    def _make(self, *fresh: RunRecord) -> Card:
        self._made += 1
        display_id = f"mlops-nb-{self._name}-{self._made}"
        from mlops_nb.kernel.cards import Card

        return Card(display_id, list(fresh), self._earlier.find(fresh))

    def _publish(self, card: Card) -> None:
        from mlops_nb.kernel.cards import render_card
        from mlops_nb.kernel.sparklines import find_curve

        if len(card.runs) == 1:
            card.curve = find_curve(card.runs[0])
        self._shell.display_pub.publish(
            data=render_card(card)._repr_mimebundle_(),
            metadata={},
            transient={"display_id": card.display_id},
            update=card.is_shown,
        )
        card.is_shown = True
