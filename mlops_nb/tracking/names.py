"""Names for runs that nobody named: easy to say, and told apart at a glance."""

from __future__ import annotations

import secrets

_QUALITIES = (
    "amber brave brisk calm clear deft eager early fair fleet gentle glad golden keen kind "
    "light lively lucid mellow merry mild neat noble placid prime quick quiet rapid ready "
    "serene sharp silver sleek smooth snug sound spry stable steady still sunny swift tidy "
    "true vivid warm wise zesty "
)
_THINGS = (
    "acorn anchor aspen badger beacon birch brook cedar cliff comet coral crane delta dune "
    "ember falcon fern finch fjord gale glade harbor hazel heron hill iris ivy juniper "
    "kestrel lagoon lark laurel linden maple marsh meadow mesa moss oak otter pine plover "
    "quartz raven reed ridge robin sage sparrow spruce summit swan thicket tide tulip valley "
    "willow wren "
)


def make_name() -> str:
    """Make up a name such as ``calm-otter-417``.

    Returns
    -------
    str
        Two words and three digits; the user's own random state is not touched.
    """
    words = secrets.choice(_QUALITIES.split()), secrets.choice(_THINGS.split())
    return f"{words[0]}-{words[1]}-{secrets.randbelow(900) + 100}"
