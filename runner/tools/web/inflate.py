"""Undoing a content encoding in steps of a bounded size, so that a small body cannot become a large one in memory."""

from __future__ import annotations

import zlib

ACCEPTED = "gzip, deflate"
"""What a request asks for; another encoding is not undone."""


class Broken(Exception):
    """The body is not what its header says."""


class Inflater:
    """encoding: of the Content-Encoding header, one of gzip, deflate or identity. Raises ValueError for another one."""

    def __init__(self, encoding: str) -> None:
        self._kind = encoding.strip().lower().removeprefix("x-") or "identity"
        if self._kind not in ("gzip", "deflate", "identity"):
            raise ValueError(encoding)
        self._stream = zlib.decompressobj(31 if self._kind == "gzip" else 15)
        self._begun = False

    def feed(self, data: bytes, room: int) -> tuple[bytes, bool]:
        """What comes of a piece, at most room bytes of it, and whether more would have come."""
        if self._kind == "identity":
            return data[:room], len(data) > room
        found = bytearray()
        while data:
            try:
                found += self._piece(data, room - len(found) + 1)
            except zlib.error as error:
                raise Broken(str(error)) from error
            if len(found) > room:
                return bytes(found[:room]), True
            data = self._stream.unconsumed_tail or self._following()
        return bytes(found), False

    def _piece(self, data: bytes, most: int) -> bytes:
        try:
            piece = self._stream.decompress(data, most)
        except zlib.error:
            if self._begun or self._kind != "deflate":
                raise
            # Some servers send "deflate" without the header that it has by the standard.
            self._stream = zlib.decompressobj(-15)
            piece = self._stream.decompress(data, most)
        self._begun = True
        return piece

    def _following(self) -> bytes:
        """gzip: the beginning of a further member; what is behind the last one is nothing."""
        rest = self._stream.unused_data
        if not rest or self._kind != "gzip" or not rest.startswith(b"\x1f\x8b"):
            return b""
        self._stream = zlib.decompressobj(31)
        return rest
