"""The `application/vnd.amazon.eventstream` framing, encoder only.

    total length (4) | headers length (4) | CRC-32 of these 8 | headers | payload | CRC-32 of all before

A header is: name length (1), name, type 7 (string), value length (2), value. All integers are big-endian.
Source: AWS SDKs guide, "Event stream encoding".
"""

import struct
import zlib
from collections.abc import Mapping

_STRING = 7
_OVERHEAD = 16  # prelude, its CRC and the message's CRC


def message(headers: Mapping[str, str], payload: bytes) -> bytes:
    block = b"".join(_header(name, value) for name, value in headers.items())
    prelude = struct.pack(">II", _OVERHEAD + len(block) + len(payload), len(block))
    head = prelude + struct.pack(">I", zlib.crc32(prelude)) + block
    return head + payload + struct.pack(">I", zlib.crc32(payload, zlib.crc32(head)))


def event(kind: str, payload: bytes, *, content_type: str) -> bytes:
    """One event of a response stream (PayloadChunk, InvokeComplete)."""
    return message({":event-type": kind, ":content-type": content_type, ":message-type": "event"}, payload)


def _header(name: str, value: str) -> bytes:
    encoded, text = name.encode(), value.encode()
    return struct.pack(">B", len(encoded)) + encoded + struct.pack(">BH", _STRING, len(text)) + text
