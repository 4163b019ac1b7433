"""Framed records of an append log: length, checksum, payload.

A frame is ``u32 length | u32 crc32(payload) | payload``, little endian; the payload is UTF-8 JSON,
but for runs that are yet to be written, see ``pending``.
A writer that dies leaves at most one broken frame at the end, which readers drop and count.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Callable, Mapping
from typing import Any

HEAD = struct.Struct("<II")
LONGEST_BYTES = 64 * 1024 * 1024


def _make_encoder() -> Callable[[Any], str]:
    plain = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=str)
    make = getattr(json.encoder, "c_make_encoder", None)
    if make is None:
        return plain.encode
    # What `encode` makes anew for every call, made once.
    escape = json.encoder.encode_basestring
    encode = make(None, plain.default, escape, None, ":", ",", False, False, True)
    return lambda event: "".join(encode(event, 0))


encode_json = _make_encoder()


def pack_frame(event: Mapping[str, Any]) -> bytes:
    """Give an event as one frame.

    Parameters
    ----------
    event
        JSON types only; NaN and infinities are allowed, as Python's JSON writes them.

    Returns
    -------
    bytes
        Head and payload, to be written by a single call.
    """
    return frame_payload(encode_json(event).encode("utf-8", "surrogatepass"))


def frame_payload(payload: bytes) -> bytes:
    """Put the head of a frame before a payload."""
    return HEAD.pack(len(payload), zlib.crc32(payload)) + payload


def read_json(payload: bytes) -> dict[str, Any] | None:
    """Read a payload that is JSON; None where it is none, or no object."""
    try:
        event = json.loads(payload.decode("utf-8", "surrogatepass"))
    except ValueError:
        return None
    return event if isinstance(event, dict) else None


def unpack_frames(
    data: bytes, read: Callable[[bytes], dict[str, Any] | None] = read_json
) -> tuple[list[dict[str, Any]], int, int]:
    """Read all whole frames.

    Parameters
    ----------
    data
        A log, or its part from the start of a frame.
    read
        Reads a payload; None where it is broken.

    Returns
    -------
    events : list of dict
        The events in order.
    end : int
        Offset of the first byte that belongs to no whole frame.
    dropped : int
        How many broken frames were passed over. Inside the log a frame whose checksum fails is
        skipped by its length; a broken tail counts as one.
    """
    events: list[dict[str, Any]] = []
    position, dropped, size = 0, 0, len(data)
    while position + HEAD.size <= size:
        length, checksum = HEAD.unpack_from(data, position)
        stop = position + HEAD.size + length
        if length > LONGEST_BYTES or stop > size:
            break
        payload = data[position + HEAD.size : stop]
        event = read(payload) if zlib.crc32(payload) == checksum else None
        if event is None:
            dropped += 1
        else:
            events.append(event)
        position = stop
    return events, position, dropped + (position < size)
