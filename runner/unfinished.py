"""Names of files that are being written and take another one's place in one step. Whoever looks at a folder meanwhile
knows by the name that they are nobody's.
"""

from __future__ import annotations

import re
import secrets
from typing import Final

_UNFINISHED: Final = re.compile(rb"(?:.*/)?\.[^/]+\.[0-9a-f]{12}\.tmp", re.DOTALL)
LONGEST: Final = 100
"""Characters of the file's own name, so that the whole is no longer than a name may be."""


def unfinished_name(name: str) -> str:
    """A new name beside `name`."""
    return f".{name[:LONGEST]}.{secrets.token_hex(6)}.tmp"


def is_unfinished(path: bytes) -> bool:
    """Whether a file of that path, or name, is one."""
    return _UNFINISHED.fullmatch(path) is not None
