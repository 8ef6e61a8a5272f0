"""Text that tries to reach the terminal: what a model, a file, a program or a server may say to a person."""

from __future__ import annotations

import json
from typing import Any, Final

from tests.provider.replies import Call, Reply

SEQUENCES: Final = (
    "\x1b]0;owned title\x07",
    "\x1b]8;;https://evil.invalid/\x1b\\a link\x1b]8;;\x1b\\",
    "\x1b]52;c;b3duZWQ=\x07",
    "\x1b]9;a notice\x07",
    "\x1b[2J\x1b[H",
    "\x1b[?1049l\x1b[?5h\x1b[?47l",
    "\x1b[31;5;7m",
    "\x1b[6n\x1b[c\x1b]11;?\x07",
    "\x1bP+q544e\x1b\\",
    "\x1b_apc\x1b\\\x1b^pm\x1b\\\x1bXsos\x1b\\",
    "\x1bc\x1b(0\x1b#8\x0e\x0f",
    "\x9b2J\x9d0;owned\x9c\x90q\x9c\x85",
    "\x07\x08\x08\x0b\x0c\x7f",
    "\x1b[",
    "\x1b]0;never ended",
)
"""Escape sequences and control characters."""

UNSEEN: Final = (
    "\u202eright to left\u202c \u2066isolate\u2069",
    "zero\u200bwidth\u200d\u2060\ufeff\u00ad",
    "tags\U000e0041\U000e0042",
    "filler\u3164\uffa0\u115f",
    "lines\u2028apart\u2029",
    "e" + "\u0301" * 40,
)
"""Characters that are not seen, or that turn what is seen."""

MARKUP: Final = (
    "[@click=app.quit]press[/]",
    "[/nope] [bold red]not a style[/] [link=https://evil.invalid]x[/link]",
    "[$primary on $error] [not closed",
    "![image](https://evil.invalid/i.png) <script>alert(1)</script> <https://evil.invalid>",
)

HOSTILE: Final = " | ".join((*SEQUENCES, *UNSEEN, *MARKUP))
"""All of it in one line."""

IN_A_NAME: Final = "n\x1b]0;own\x07\x1b[31m\u202e\u200b[@click=app.quit]\r\x07\x9b"
"""For the names of files and folders."""


def call(tool: str, number: int, /, **arguments: Any) -> Reply:
    """An answer that calls a tool, with hostile text and reasoning beside it."""
    made = Call(name=tool, pieces=(json.dumps(arguments),), id=f"call_{number}")
    return Reply(text=[HOSTILE], reasoning=[f"thinking {HOSTILE}"], calls=[made])
