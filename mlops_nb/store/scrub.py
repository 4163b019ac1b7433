"""Reads every stored byte again and names what is damaged; longest unseen first."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from mlops_nb.errors import CorruptObjectError
from mlops_nb.store.objects import ObjectFolder
from mlops_nb.store.packs import RECIPE, Record, decode_blob, read_footer, unpack_recipe


@dataclass(frozen=True, slots=True)
class Damage:
    """Something that is not as it was written.

    Attributes
    ----------
    pack
        Name of the pack.
    digest
        The object or chunk; empty where the pack as a whole cannot be read.
    found
        What is wrong.
    objects
        Digests of the objects that cannot be read because of it, where that is known.
    """

    pack: str
    digest: str
    found: str
    objects: tuple[str, ...] = ()


@dataclass(slots=True)
class Verification:
    """What one scrub saw.

    Attributes
    ----------
    packs, checked_packs
        How many there are, and how many were read now; the rest comes first next time.
    checked_objects, checked_bytes
        Blobs and bytes that were read.
    damaged
        What is wrong.
    """

    packs: int = 0
    checked_packs: int = 0
    checked_objects: int = 0
    checked_bytes: int = 0
    damaged: list[Damage] = field(default_factory=list)


def verify_objects(objects: ObjectFolder, *, max_s: float | None = None) -> Verification:
    """Check packs against their footers and every blob against its digest.

    Parameters
    ----------
    objects
        The objects of a store.
    max_s
        Stop after so many seconds, at the end of a pack; the next call goes on from there.

    Returns
    -------
    Verification
        Damage is reported, never repaired and never deleted.
    """
    objects.index.unreadable.clear()
    objects.index.refresh()
    started = time.monotonic()
    seen = objects.index.checked()
    names = sorted(objects.packs.names(), key=lambda name: (seen.get(name, 0.0), name))
    result = Verification(packs=len(names))
    broken: dict[bytes, Damage] = {}
    for name in names:
        # A pack at least each time, else a short limit would never come to an end.
        if max_s is not None and result.checked_packs and time.monotonic() - started >= max_s:
            break
        try:
            records = read_footer(objects.packs.locate(name))
        except FileNotFoundError:
            continue
        except CorruptObjectError as error:
            result.checked_packs += 1
            result.damaged.append(Damage(name, "", error.found))
            continue
        found = _check_pack(objects, name, records, result)
        broken |= found
        if not found:
            objects.index.mark_checked(name, time.time())
    result.damaged += _name_objects(objects, broken)
    return result


def _check_pack(
    objects: ObjectFolder, name: str, records: list[Record], result: Verification
) -> dict[bytes, Damage]:
    found: dict[bytes, Damage] = {}
    result.checked_packs += 1
    objects.packs.forget([name])  # what lies there now, not what an open file still shows
    for record in records:
        try:
            blob = objects.packs.read(name, record)
        except OSError as error:
            text = f"cannot be read ({error.strerror})"
            found[record.digest] = Damage(name, record.digest.hex(), text)
            continue
        data = decode_blob(record, blob)
        result.checked_objects += 1
        result.checked_bytes += len(blob)
        if data is None:
            found[record.digest] = Damage(name, record.digest.hex(), "does not match its digest")
            continue
        recipe = unpack_recipe(data) if record.kind & RECIPE else None
        lost = [chunk for chunk, _ in recipe[1] if not objects.index.find(chunk)] if recipe else []
        if lost:
            text = f"lacks {len(lost)} of its chunks"
            found[record.digest] = Damage(name, record.digest.hex(), text)
    return found


def _name_objects(objects: ObjectFolder, broken: dict[bytes, Damage]) -> list[Damage]:
    """Add to damaged chunks the objects that are made of them."""
    if not broken:
        return []
    users: dict[bytes, list[str]] = {digest: [] for digest in broken}
    for name in objects.packs.names():
        try:
            recipes = [r for r in read_footer(objects.packs.locate(name)) if r.kind & RECIPE]
            for record in recipes:
                data = decode_blob(record, objects.packs.read(name, record))
                recipe = unpack_recipe(data) if data is not None else None
                for chunk in {chunk for chunk, _ in recipe[1]} & broken.keys() if recipe else ():
                    users[chunk].append(record.digest.hex())
        except OSError:
            continue
    return [
        Damage(damage.pack, damage.digest, damage.found, tuple(sorted({*users[digest]})))
        for digest, damage in broken.items()
    ]
