"""The rows of a SQLite file, read page by page without SQLite, which refuses a file as a whole where a part is gone.

Every page that holds rows says so itself, so that nothing has to lead to it. What the write-ahead log holds of whole
transactions stands in the place of the pages of the file.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

Value: TypeAlias = int | float | str | bytes | None

MAGIC: Final = b"SQLite format 3\0"
USUAL_PAGE_SIZE: Final = 4096
_WAL_MAGIC: Final = (0x377F0682, 0x377F0683)
_WAL_HEADER, _FRAME_HEADER = 32, 24
_INTEGER_SIZES: Final = {1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8}
_TABLE_LEAF, _INDEX_LEAF, _INDEX_INTERIOR = 0x0D, 0x0A, 0x02
_MOST_PAYLOAD: Final = 1 << 30


@dataclass(frozen=True, slots=True)
class Record:
    """One row. rowid: 0 where the table has none of its own (and in an index)."""

    rowid: int
    values: tuple[Value, ...]


class Pages:
    """lost: rows whose text went on in pages that are gone. version, program: of the header, 0 where it is gone."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb")
        header = self._file.read(100)
        self.is_sqlite = header.startswith(MAGIC)
        self.version = int.from_bytes(header[60:64], "big") if self.is_sqlite else 0
        self.program = int.from_bytes(header[68:72], "big") if self.is_sqlite else 0
        size = int.from_bytes(header[16:18], "big") if self.is_sqlite else USUAL_PAGE_SIZE
        self.page_size = 65536 if size == 1 else size
        if self.page_size < 512 or self.page_size & (self.page_size - 1):
            self.page_size = USUAL_PAGE_SIZE
        self._usable = self.page_size - (header[20] if self.is_sqlite and header[20] < 64 else 0)
        self._newer = _committed(path.with_name(f"{path.name}-wal"), self.page_size)
        self._count = max([path.stat().st_size // self.page_size, *self._newer], default=0)
        self.lost = 0

    def close(self) -> None:
        self._file.close()

    def records(self) -> Iterator[Record]:
        for number in range(1, self._count + 1):
            page = self._page(number)
            start = 100 if number == 1 else 0
            kind = page[start] if len(page) == self.page_size else 0
            if kind in (_TABLE_LEAF, _INDEX_LEAF, _INDEX_INTERIOR):
                yield from self._rows(page, start, kind)

    def _page(self, number: int) -> bytes:
        newer = self._newer.get(number)
        if newer is not None:
            return newer
        self._file.seek((number - 1) * self.page_size)
        return self._file.read(self.page_size)

    def _rows(self, page: bytes, start: int, kind: int) -> Iterator[Record]:
        (cells,) = struct.unpack_from(">H", page, start + 3)
        first = start + (12 if kind == _INDEX_INTERIOR else 8)
        for index in range(min(cells, (self.page_size - first) // 2)):
            (at,) = struct.unpack_from(">H", page, first + 2 * index)
            with suppress(IndexError, ValueError, struct.error):
                yield self._row(page, at, kind)

    def _row(self, page: bytes, at: int, kind: int) -> Record:
        """Raises ValueError or IndexError where there is none that can be read."""
        size, at = _varint(page, at + (4 if kind == _INDEX_INTERIOR else 0))
        rowid = 0
        if kind == _TABLE_LEAF:
            rowid, at = _varint(page, at)
        if not 0 < size < _MOST_PAYLOAD:
            raise ValueError("no row")
        return Record(rowid, _values(self._payload(page, at, size, is_table=kind == _TABLE_LEAF)))

    def _payload(self, page: bytes, at: int, size: int, *, is_table: bool) -> bytes:
        usable = self._usable
        most = usable - 35 if is_table else (usable - 12) * 64 // 255 - 23
        if size <= most:
            return page[at : at + size]
        least = (usable - 12) * 32 // 255 - 23
        local = least + (size - least) % (usable - 4)
        local = local if local <= most else least
        pieces, left = [page[at : at + local]], size - local
        (following,) = struct.unpack_from(">I", page, at + local)
        while left > 0:
            more = self._page(following) if 0 < following <= self._count else b""
            if len(more) < self.page_size:
                self.lost += 1
                raise ValueError("the rest of the row is gone")
            pieces.append(more[4 : min(usable, 4 + left)])
            left -= usable - 4
            (following,) = struct.unpack_from(">I", more)
        return b"".join(pieces)


def _values(payload: bytes) -> tuple[Value, ...]:
    header, at = _varint(payload, 0)
    if header > len(payload):
        raise ValueError("no row")
    kinds: list[int] = []
    while at < header:
        kind, at = _varint(payload, at)
        kinds.append(kind)
    values: list[Value] = []
    at = header
    for kind in kinds:
        value, at = _value(payload, at, kind)
        values.append(value)
    return tuple(values)


def _value(payload: bytes, at: int, kind: int) -> tuple[Value, int]:
    if kind in (0, 8, 9):
        return (None if kind == 0 else kind - 8), at
    size = 8 if kind == 7 else _INTEGER_SIZES.get(kind, (kind - 12) // 2)
    data = payload[at : at + size]
    if size < 0 or len(data) != size:
        raise ValueError("a value is cut")
    at += size
    if kind == 7:
        return struct.unpack(">d", data)[0], at
    if kind in _INTEGER_SIZES:
        return int.from_bytes(data, "big", signed=True), at
    # Bytes that are no text stay bytes: whoever reads the row finds out what it is worth.
    with suppress(UnicodeDecodeError):
        return (data.decode() if kind % 2 else data), at
    return data, at


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for index in range(8):
        byte = data[at + index]
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, at + index + 1
    value = value << 8 | data[at + 8]
    return value - (1 << 64) if value >> 63 else value, at + 9


def _committed(path: Path, page_size: int) -> Mapping[int, bytes]:
    """The pages of whole transactions in the log, the newest of each."""
    try:
        data = path.read_bytes()
    except OSError:
        return {}
    if len(data) < _WAL_HEADER or struct.unpack_from(">I", data)[0] not in _WAL_MAGIC:
        return {}
    salts = data[16:24]
    found: dict[int, bytes] = {}
    open_transaction: dict[int, bytes] = {}
    for at in range(_WAL_HEADER, len(data) - page_size - _FRAME_HEADER + 1, page_size + _FRAME_HEADER):
        number, commit = struct.unpack_from(">II", data, at)
        if data[at + 8 : at + 16] != salts:
            break
        open_transaction[number] = data[at + _FRAME_HEADER : at + _FRAME_HEADER + page_size]
        if commit:
            found |= open_transaction
            open_transaction = {}
    return found
