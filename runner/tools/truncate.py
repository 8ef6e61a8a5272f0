"""Cutting a long output for the model: the head and the tail stay, on UTF-8 boundaries, and it says what is missing."""

from __future__ import annotations

from dataclasses import dataclass

_LINE_SLACK = 200
"""Bytes that may be given up to cut at a line's end."""


@dataclass(frozen=True, slots=True)
class Cut:
    """text: what is left, with a marker where something is missing. left_out: bytes."""

    text: str
    left_out: int


def encodable(text: str) -> str:
    """The text without lone surrogates, which cannot be stored or sent as UTF-8; they become visible escapes."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return text.encode("utf-8", "backslashreplace").decode("utf-8")
    return text


def truncate(text: str, limit: int) -> Cut:
    """At most `limit` bytes of UTF-8, marker included; the tail gets half, because errors come last."""
    data = text.encode("utf-8")
    if len(data) <= limit:
        return Cut(text, 0)
    widest = len(_marker(len(data), len(data)))
    room = limit - widest
    if room < 16:
        head = data[:limit].decode("utf-8", "ignore")
        return Cut(head, len(data) - len(head.encode("utf-8")))
    head = _head(data, room - room // 2)
    tail = _tail(data, room // 2)
    left_out = len(data) - len(head) - len(tail)
    return Cut((head + _marker(left_out, len(data)) + tail).decode("utf-8"), left_out)


def _marker(left_out: int, total: int) -> bytes:
    return f"\n[... {left_out:,} of {total:,} bytes left out here ...]\n".encode()


def _head(data: bytes, size: int) -> bytes:
    while size and data[size] & 0xC0 == 0x80:
        size -= 1
    line = data.rfind(b"\n", size - _LINE_SLACK if size > _LINE_SLACK else 0, size)
    return data[: line + 1] if line > 0 and size - line <= _LINE_SLACK and line > size // 2 else data[:size]


def _tail(data: bytes, size: int) -> bytes:
    start = len(data) - size
    while start < len(data) and data[start] & 0xC0 == 0x80:
        start += 1
    line = data.find(b"\n", start, start + _LINE_SLACK)
    return data[line + 1 :] if line >= 0 and line - start < size // 2 else data[start:]
