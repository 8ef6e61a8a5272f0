"""Files that are not text are named by their first bytes, and text is never taken for one."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.tools.builtin import READ_FILE
from runner.tools.media import media_of
from tests.processes.support import context, run


def _png(width: int, height: int) -> bytes:
    head = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + head + struct.pack(">I", zlib.crc32(head))


def _jpeg(width: int, height: int) -> bytes:
    preview = b"\xff\xe1" + struct.pack(">H", 30_002) + b"\xff\xc0" * 15_000
    frame = b"\xff\xc2" + struct.pack(">HBHHB", 17, 8, height, width, 3) + bytes(9)
    return b"\xff\xd8" + b"\xff\xff\xe0\x00\x04ab" + preview + frame + b"\xff\xd9"


def _webp(kind: bytes, body: bytes) -> bytes:
    return b"RIFF" + struct.pack("<I", len(body) + 12) + b"WEBP" + kind + struct.pack("<I", len(body)) + body


_LARGE = bytes([16, 0, 0, 0]) + (1919).to_bytes(3, "little") + (1079).to_bytes(3, "little")
_LOSSLESS = b"\x2f" + struct.pack("<I", 1919 | 1079 << 14)
_LOSSY = b"\x00\x00\x00\x9d\x01\x2a" + struct.pack("<HH", 1920 | 0x4000, 1080)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (_png(640, 480), "a PNG picture, 640x480 pixels"),
        (_png(640, 480)[:18], "a PNG picture"),
        (_jpeg(1920, 1080), "a JPEG picture, 1920x1080 pixels"),
        (_jpeg(1920, 1080)[:500], "a JPEG picture"),
        (b"\xff\xd8\xff" + b"\xff" * 100, "a JPEG picture"),
        (b"GIF89a" + struct.pack("<HH", 32, 16) + b"\x00", "a GIF picture, 32x16 pixels"),
        (_webp(b"VP8X", _LARGE), "a WebP picture, 1920x1080 pixels"),
        (_webp(b"VP8L", _LOSSLESS), "a WebP picture, 1920x1080 pixels"),
        (_webp(b"VP8 ", _LOSSY), "a WebP picture, 1920x1080 pixels"),
        (_webp(b"VP8 ", b""), "a WebP picture"),
        (b"BM" + bytes(16) + struct.pack("<ii", 5, -7), "a BMP picture, 5x7 pixels"),
        (b"RIFF\x00\x00\x00\x00WAVE", "a WAVE sound"),
        (b"\x00\x00\x00\x18ftypmp42", "an MP4 or QuickTime video"),
        (b"\x00\x00\x00\x18ftypavif", "an AVIF picture"),
        (b"%PDF-1.4\nonly text follows", "a PDF document"),
        (b"PK\x03\x04\x14\x00", "a ZIP archive"),
        (b"\x1f\x8b\x08", "a gzip archive"),
        (b"\x7fELF\x02\x01\x01\x00", "an ELF program"),
        (b"SQLite format 3\x00", "an SQLite database"),
        (b"some text\x00and a NUL", "a binary file"),
    ],
)
async def test_named(tmp_path: Path, data: bytes, words: str) -> None:
    found = media_of(data)
    assert found is not None
    assert found.described == words
    (tmp_path / "f").write_bytes(data)
    outcome = await run(READ_FILE, context(tmp_path), path="f")
    assert outcome.output == f"f is {words} ({len(data):,} bytes). Its content is not shown."
    assert outcome.display is not None
    assert outcome.display["what"] == found.words


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"BM is how a bitmap begins",
        b"GIF89a is a format",
        b"MZ",
        b"ID3 tags",
        b"II* and MM",
        b"RIFF....WEBP in words",
        b"wOFF \x1b[31m \x01\x02",
        "BM Zoë".encode("latin-1"),
        "text".encode("utf-16"),
        b"\xff\xfea\x00",
    ],
)
def test_text(data: bytes) -> None:
    assert media_of(data) is None


@given(
    st.binary(max_size=200), st.sampled_from([b"", _png(3, 4), _jpeg(3, 4), _webp(b"VP8X", _LARGE), b"GIF89a", b"BM"])
)
def test_no_bytes_are_too_strange(tail: bytes, head: bytes) -> None:
    for cut in (len(head), len(head) // 2):
        found = media_of(head[:cut] + tail)
        assert found is None or (found.words and found.width >= 0 and found.height >= 0)


@given(st.text(alphabet=st.characters(exclude_characters="\0", codec="utf-8"), max_size=200))
def test_text_without_a_nul_is_text(text: str) -> None:
    assert media_of(text.encode()) is None or text.startswith("%PDF-")
