"""The sequences themselves. Every text in them is sanitised and cut here, whatever it came from. Pure."""

from __future__ import annotations

import re
import unicodedata
from typing import Final, Literal

from tui.manners.abilities import NoticeKind
from tui.render.clean import MARKS, clean

LONGEST: Final = 90
"""Characters of a title or a notice."""

ST: Final = "\x1b\\"
PUSH_TITLE: Final = "\x1b[22;2t"
POP_TITLE: Final = "\x1b[23;2t"
BELL: Final = "\x07"

NO_PROGRESS: Final = f"\x1b]9;4;0;0{ST}"

ProgressKind = Literal["busy", "waiting", "failed", ""]

_PROGRESS: Final = {"": NO_PROGRESS, "failed": f"\x1b]9;4;2;100{ST}", "busy": f"\x1b]9;4;3;0{ST}"}
_WAITING: Final = f"\x1b]9;4;4;100{ST}"

# Besides control characters: what divides the fields of a notice, and what a shell or a desktop could read as more.
_DIVIDES: Final = re.compile(r"[;<>&`$\\]")


def plain(text: str, longest: int = LONGEST) -> str:
    """One line of visible characters for a place outside of the screen; what was taken out leaves no mark."""
    text = MARKS.sub("", clean(text[: longest * 20]))
    text = "".join(letter for letter in text if letter == " " or unicodedata.category(letter)[0] not in "CZ")
    text = " ".join(_DIVIDES.sub(" ", text).split())
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def title(text: str) -> str:
    return f"\x1b]2;{plain(text)}{ST}"


def notice(kind: NoticeKind, text: str) -> str:
    """A notice of the desktop by the terminal's own way; "" where it has none."""
    said = plain(text)
    match kind:
        case "9":
            return f"\x1b]9;Quarterdeck: {said}{ST}"
        case "777":
            return f"\x1b]777;notify;Quarterdeck;{said}{ST}"
        case "99":
            # One notice, replaced by the next; the terminal itself leaves it out while its window has the focus.
            return f"\x1b]99;i=quarterdeck:o=unfocused:d=0;Quarterdeck{ST}\x1b]99;i=quarterdeck:p=body;{said}{ST}"
        case "":
            return ""


def progress(kind: ProgressKind) -> str:
    return _WAITING if kind == "waiting" else _PROGRESS[kind]


def through_tmux(sequence: str) -> str:
    """A sequence for the terminal around tmux; each part of it by itself."""
    parts = [f"{part}{ST}" for part in sequence.split(ST) if part]
    return "".join(f"\x1bPtmux;{part.replace(chr(27), chr(27) * 2)}{ST}" for part in parts)
