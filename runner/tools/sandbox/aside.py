"""What a boxed command made where nothing was, and git would obey from then on, is put aside when the command is over.

Such a file cannot be kept from being made: only what is there can be mounted read-only. `.git/commondir`, for one, is
in no ordinary repository, and would have git take its configuration and hooks from somewhere else.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path
from typing import Final

from runner.tools.sandbox.places import Places

SUFFIX: Final = ".set-aside-"
TOLD: Final = (
    "the command made {names}, which git runs or obeys and which commands may not make in the sandbox: renamed to "
    "{renamed}. Leave it so, and say it to the user."
)


def set_aside(places: Places) -> list[tuple[Path, Path]]:
    """What was there and under which name it is now. Blocks; a name that cannot be changed is left, and not listed."""
    found: list[tuple[Path, Path]] = []
    for path in places.absent:
        if os.path.lexists(path):
            renamed = path.with_name(f"{path.name}{SUFFIX}{secrets.token_hex(3)}")
            with contextlib.suppress(OSError):
                os.rename(path, renamed)
                found.append((path, renamed))
    return found


def words(found: list[tuple[Path, Path]]) -> str:
    names = ", ".join(str(path) for path, _ in found)
    return TOLD.format(names=names, renamed=", ".join(renamed.name for _, renamed in found))
