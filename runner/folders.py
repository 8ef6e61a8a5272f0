"""Where the user's data is. Importing this loads nothing."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

DATA_VARIABLE = "QUARTERDECK_DATA"


def data_dir(environ: Mapping[str, str] | None = None) -> Path:
    """The folder of all data: QUARTERDECK_DATA, else the platform's folder for user data. It may not exist yet."""
    chosen = (os.environ if environ is None else environ).get(DATA_VARIABLE, "")
    if chosen:
        return Path(chosen).expanduser()
    from platformdirs import user_data_dir

    return Path(user_data_dir("quarterdeck", appauthor=False))
