"""What a program wrote to its terminal, taken apart: what it meant to write, and everything else.

The allowlist is what Textual's driver and this program write on purpose. All other sequences, control characters and
characters that nobody can see or that turn the direction of text are reported, with what stood around them.
"""

from __future__ import annotations

import re

MODES = frozenset({"25", "1000", "1002", "1003", "1004", "1006", "1015", "1049", "2004", "2026", "2048", "7"})
"""Private modes that are switched: cursor, mouse, focus, second screen, paste, synchronised output, resize, wrap."""

_TOKEN = re.compile(
    rb"\x1b\[(?P<csi>[0-?]*[ -/]*[@-~])"
    rb"|\x1b(?P<string>[\]PX^_])(?P<body>[^\x07\x1b]*)(?:\x07|\x1b\\)"
    rb"|\x1b(?P<short>[ -/]*[0-~])"
    rb"|(?P<control>[\x00-\x1f\x7f])"
    rb"|(?P<text>[^\x00-\x1f\x7f]+)"
)
_COLOUR = r"(?:5;\d{1,3}|2;\d{1,3};\d{1,3};\d{1,3})"
_STYLE = rf"(?:[0-479]|2[2-479]|[349][0-7]|10[0-7]|39|49|[34]8;{_COLOUR})"
_STYLES = re.compile(rf"(?:{_STYLE}(?:;{_STYLE})*)?")
_ALLOWED_CSI = re.compile(
    r"\d{1,4};\d{1,4}H"  # A position.
    r"|\?(?:\d+)\$p"  # Whether a mode is there.
    r"|>25u|<u"  # The keyboard protocol, on and off.
    r"|\?u|c|>q"  # What terminal this is.
    r"|22;2t|23;2t"  # The title of the window, kept and given back.
)
_STRINGS = frozenset({b"]22;default", b"]22;pointer", b"]22;text"})
"""The shapes of the mouse's pointer; a link or a copy to the clipboard is none of them."""

_STATE = r"starting|ready|queued|working|retrying|paused|stopping|done|stopped|failed|waiting for you \(\d{1,3}\)"
_WAITS = r"(?:\d{1,3} (?:approval|question)s?(?: in another session)?|a limit is reached)"
_TIME = r"[\d.]+ (?:s|min|h)(?: \d\d (?:s|min))?"
_NEWS = rf"(?:waiting for you: {_WAITS}(?:, {_WAITS})*|(?:done|stopped|failed) after {_TIME})"
_FOLDER = r" - [^;<>&`$\\]{1,80}"
_TOLD = re.compile(
    rf"\]2;(?:Quarterdeck: (?:{_STATE}){_FOLDER})?"  # The title; empty before the old one is given back.
    r"|\]9;4;(?:0;0|2;100|3;0|4;100)"  # Progress.
    rf"|\]9;Quarterdeck: {_NEWS}{_FOLDER}|\]777;notify;Quarterdeck;{_NEWS}{_FOLDER}"
    rf"|\]99;i=quarterdeck:o=unfocused:d=0;Quarterdeck|\]99;i=quarterdeck:p=body;{_NEWS}{_FOLDER}"
)
"""What is told around the screen: states and counts of ours and the folder's name, and no other text."""

_CLEAR = b"\x1b[H\x1b[J\x1b[3J"
_UNSEEN = re.compile(
    "[\u0080-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U000e0000-\U000e0fff]"
)


def unmeant(written: bytes) -> list[str]:
    """Everything in the bytes that no part of the program writes on purpose; the shell's `clear` is left out."""
    written = written.replace(_CLEAR, b"")
    found: list[str] = []
    at = 0
    while at < len(written):
        token = _TOKEN.match(written, at)
        if token is None:
            found.append(_shown("cut sequence", written, at))
            at += 1
            continue
        what = _wrong(token)
        if what:
            found.append(_shown(what, written, at))
        at = token.end()
    return found


def _shown(what: str, written: bytes, at: int) -> str:
    return f"{what} at {at}: {written[max(0, at - 30) : at + 60]!r}"


def _wrong(token: re.Match[bytes]) -> str:
    match token.lastgroup:
        case "csi":
            return "" if _is_meant(token["csi"].decode("ascii")) else "sequence"
        case "text":
            try:
                text = token["text"].decode("utf-8")
            except UnicodeDecodeError:
                return "not UTF-8"
            return "invisible character" if _UNSEEN.search(text) else ""
        case "control":
            return "" if token["control"] in b"\r\n" else "control character"
        case "body":
            return "" if _is_told(token["string"] + token["body"]) else "string sequence"
        case _:
            return "sequence"


def _is_told(string: bytes) -> bool:
    if string in _STRINGS:
        return True
    try:
        text = string.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return _TOLD.fullmatch(text) is not None and not _UNSEEN.search(text)


def _is_meant(csi: str) -> bool:
    if csi.endswith("m"):
        return _STYLES.fullmatch(csi[:-1]) is not None
    if csi.startswith("?") and csi[-1] in "hl":
        return set(csi[1:-1].split(";")) <= MODES
    return _ALLOWED_CSI.fullmatch(csi) is not None
