"""What a terminal understands besides drawing, as far as its environment tells. Pure.

Only what is known to understand a sequence gets it: one that does not prints it, or shows "4;3" as a notice.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

NoticeKind = Literal["", "9", "99", "777"]
"""The OSC that shows a notice, "" where there is none."""

_TITLED: Final = re.compile(
    r"(?:xterm|tmux|screen|rxvt|kitty|foot|alacritty|wezterm|ghostty|konsole|vte|gnome|st|contour|iterm|mintty|putty)\b"
)
"""Kinds of terminals (how TERM begins) that take OSC 2; the Linux console and real ones are not among them."""

_VTE_PROGRESS: Final = 7900


@dataclass(frozen=True, slots=True, kw_only=True)
class Abilities:
    """title: the window's title can be set. tmux: what is written goes through tmux, which only passes a notice on
    where it is allowed to (`asked_of_tmux` says)."""

    title: bool = False
    notice: NoticeKind = ""
    progress: bool = False
    bell: bool = False
    tmux: bool = False


def abilities(environ: Mapping[str, str]) -> Abilities:
    term = environ.get("TERM", "")
    if _TITLED.match(term) is None:
        return Abilities()
    if environ.get("TMUX") or term.startswith(("tmux", "screen")):
        # Variables of the terminal around it may be of the one that tmux was started in, days ago.
        return Abilities(title=True, bell=True, tmux=bool(environ.get("TMUX")))
    return Abilities(title=True, bell=True, notice=_notice(environ, term), progress=_progress(environ))


def _notice(environ: Mapping[str, str], term: str) -> NoticeKind:
    program = environ.get("TERM_PROGRAM", "")
    if term.startswith("xterm-kitty") or environ.get("KITTY_WINDOW_ID"):
        return "99"
    if program == "iTerm.app":
        return "9"
    if program in ("WezTerm", "ghostty") or term.startswith(("xterm-ghostty", "foot", "rxvt-unicode", "wezterm")):
        return "777"
    return "777" if environ.get("VTE_VERSION") else ""


def _progress(environ: Mapping[str, str]) -> bool:
    program, version = environ.get("TERM_PROGRAM", ""), environ.get("TERM_PROGRAM_VERSION", "")
    if environ.get("WT_SESSION") or environ.get("ConEmuANSI") == "ON":
        return True
    if program == "ghostty":
        return _numbers(version) >= (1, 2)
    if program == "WezTerm":
        # Its versions are days; older ones show a notice instead.
        return _numbers(version) >= (20250101,)
    if program == "iTerm.app":
        return "P" in re.findall(r"[A-Z][a-z]*", environ.get("TERM_FEATURES", ""))
    vte = environ.get("VTE_VERSION", "")
    return vte.isdecimal() and int(vte) >= _VTE_PROGRESS


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])


def outer_notice(said: str) -> NoticeKind:
    """What to send through tmux. said: `#{allow-passthrough}|#{client_termtype}|#{client_termname}` of it."""
    allowed, _, rest = said.strip().partition("|")
    kind, _, term = rest.partition("|")
    if allowed not in ("on", "all", "1", "2"):
        return ""
    known: tuple[tuple[str, NoticeKind], ...] = (
        ("kitty", "99"),
        ("iterm", "9"),
        ("wezterm", "777"),
        ("ghostty", "777"),
        ("foot", "777"),
        ("rxvt-unicode", "777"),
        ("vte", "777"),
    )
    for name, osc in known:
        if name in f"{kind} {term}".lower():
            return osc
    return ""
