"""What a file is that is not text, by its first bytes: named with its size, never dumped into a conversation."""

from __future__ import annotations

import struct
from dataclasses import dataclass

PROBE = 64 * 1024
"""First bytes that are enough to name a file; the size of a JPEG may stand behind its embedded preview."""

_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_NUL_WITHIN = 8192
_BINARY = "a binary file"


@dataclass(frozen=True, slots=True, kw_only=True)
class Media:
    """words: with an article, "a PNG picture". width, height: in pixels, 0 where not known."""

    words: str
    width: int = 0
    height: int = 0

    @property
    def described(self) -> str:
        return f"{self.words}, {self.width}x{self.height} pixels" if self.width and self.height else self.words


_KINDS: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF87a", "a GIF picture"),
    (b"GIF89a", "a GIF picture"),
    (b"\x00\x00\x01\x00", "an icon"),
    (b"BM", "a BMP picture"),
    (b"II*\x00", "a TIFF picture"),
    (b"MM\x00*", "a TIFF picture"),
    (b"8BPS", "a Photoshop picture"),
    (b"%PDF-", "a PDF document"),
    (b"PK\x03\x04", "a ZIP archive"),
    (b"PK\x05\x06", "an empty ZIP archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ\x00", "an xz archive"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"Rar!\x1a\x07", "a RAR archive"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Office document"),
    (b"\x7fELF", "an ELF program"),
    (b"MZ", "a Windows program"),
    (b"\xcf\xfa\xed\xfe", "a macOS program"),
    (b"\xca\xfe\xba\xbe", "a Java class or a macOS program"),
    (b"\x00asm", "a WebAssembly module"),
    (b"SQLite format 3\x00", "an SQLite database"),
    (b"OggS", "an Ogg sound or video"),
    (b"ID3", "an MP3 sound"),
    (b"fLaC", "a FLAC sound"),
    (b"\x1aE\xdf\xa3", "a Matroska or WebM video"),
    (b"wOFF", "a font"),
    (b"wOF2", "a font"),
    (b"\x00\x01\x00\x00\x00", "a font"),
    (b"OTTO", "a font"),
)
_SURE = (b"%PDF-", *(magic for magic, _ in _KINDS if max(magic) > 0x7F))
"""No text begins like that; in any other file there has to be a NUL."""

_BOXES = {b"avif": "an AVIF picture", b"avis": "an AVIF picture", b"heic": "a HEIC picture", b"heix": "a HEIC picture"}
_RIFF = {b"WEBP": "a WebP picture", b"WAVE": "a WAVE sound", b"AVI ": "an AVI video"}


def media_of(probe: bytes) -> Media | None:
    """What the file is by its first bytes (up to PROBE of them); None for text.

    Letters alone prove nothing: a text may begin with BM or ID3, so those are only believed with a NUL.
    """
    if probe.startswith(_UTF16):
        return None
    words = _words(probe)
    if b"\0" not in probe[:_NUL_WITHIN] and not probe.startswith(_SURE):
        return None
    width, height = _pixels(probe, words)
    return Media(words=words, width=width, height=height)


def _words(probe: bytes) -> str:
    if probe[:4] == b"RIFF" and probe[8:12] in _RIFF:
        return _RIFF[probe[8:12]]
    if probe[4:8] == b"ftyp":
        return _BOXES.get(probe[8:12], "an MP4 or QuickTime video")
    return next((words for magic, words in _KINDS if probe.startswith(magic)), _BINARY)


def _pixels(probe: bytes, words: str) -> tuple[int, int]:
    try:
        match words:
            case "a PNG picture":
                return _pair(">II", probe, 16) if probe[12:16] == b"IHDR" else (0, 0)
            case "a GIF picture":
                return _pair("<HH", probe, 6)
            case "a BMP picture":
                width, height = _pair("<ii", probe, 18)
                return abs(width), abs(height)
            case "a WebP picture":
                return _webp(probe)
            case "a JPEG picture":
                return _jpeg(probe)
            case _:
                return 0, 0
    except struct.error:
        return 0, 0  # The file ends before it says how large it is.


def _pair(layout: str, data: bytes, at: int) -> tuple[int, int]:
    one, other = struct.unpack_from(layout, data, at)
    return int(one), int(other)


def _webp(data: bytes) -> tuple[int, int]:
    match data[12:16]:
        case b"VP8X":
            low = [int.from_bytes(data[at : at + 3], "little") + 1 for at in (24, 27)] if len(data) >= 30 else [0, 0]
            return low[0], low[1]
        case b"VP8L":
            (bits,) = struct.unpack_from("<I", data, 21)
            return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        case b"VP8 " if data[23:26] == b"\x9d\x01\x2a":
            width, height = _pair("<HH", data, 26)
            return width & 0x3FFF, height & 0x3FFF
        case _:
            return 0, 0


def _jpeg(data: bytes) -> tuple[int, int]:
    """Through the segments to the one that begins a frame."""
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xFF:
            at += 1
            continue
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = _pair(">HH", data, at + 5)
            return width, height
        if marker == 0x01 or 0xD0 <= marker <= 0xD8:
            at += 2
            continue
        (length,) = struct.unpack_from(">H", data, at + 2)
        at += 2 + max(2, int(length))
    return 0, 0
