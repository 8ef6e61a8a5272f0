"""Links to a session and to a place in it: quarterdeck://session/ID#RUN.SEQ. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from runner.errors import ConfigError

if TYPE_CHECKING:
    from argparse import Namespace

SCHEME: Final = "quarterdeck:"
_LINK = re.compile(r"quarterdeck://session/([A-Za-z0-9_.~-]{1,200})(?:#([A-Za-z0-9_.~-]{1,200})\.([0-9]{1,12}))?")
_NAMES: Final = ("session", "id", "a", "b")
"""Arguments of commands that name a session."""


@dataclass(frozen=True, slots=True)
class SessionLink:
    """run_id, seq: the fact to land on; "" and 0 for the session as a whole."""

    session_id: str
    run_id: str = ""
    seq: int = 0

    def __str__(self) -> str:
        place = f"#{self.run_id}.{self.seq}" if self.run_id else ""
        return f"{SCHEME}//session/{self.session_id}{place}"


def is_link(text: str) -> bool:
    """Whether it means to be a link, right or wrong."""
    return text.lstrip().lower().startswith(SCHEME)


def read_link(text: str) -> SessionLink:
    """Raises ConfigError for what is no link to a session."""
    found = _LINK.fullmatch(text.strip())
    if found is None:
        raise ConfigError(
            f"{_shown(text)!r} is no link to a session", expected="quarterdeck://session/ID or …/ID#RUN.NUMBER"
        )
    return SessionLink(found[1], found[2] or "", int(found[3] or 0))


def session_of(text: str) -> SessionLink:
    """The session that an id, its beginning or a link names. Raises ConfigError for a wrong link."""
    return read_link(text) if is_link(text) else SessionLink(text)


def take_links(args: Namespace) -> None:
    """Where a command takes a session's id, it takes a link as well. Raises ConfigError."""
    for name in _NAMES:
        value: object = getattr(args, name, None)
        if isinstance(value, str) and is_link(value):
            setattr(args, name, read_link(value).session_id)


def _shown(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 80 else f"{line[:79]}…"
