"""The setting that a key names. Loads pydantic; use a thread."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from runner.errors import ConfigError
from tui.changing.every import KeyPath, Setting, every, names_of
from tui.settings.layers import dotted

if TYPE_CHECKING:
    from tui.settings import Settings


def setting_at(path: KeyPath, settings: Settings) -> Setting:
    """The setting of that path, in a table that need not exist yet. Raises ConfigError where there is none."""
    names = {path[0]: (path[1],)} if len(path) > 1 else {}
    known = every({**names_of(settings), **names})
    found = next((setting for setting in known if setting.path == path), None)
    if found is None:
        near = difflib.get_close_matches(dotted(path), [setting.key for setting in known], n=1)
        expected = f"{near[0]} (did you mean that?)" if near else "one that quarterdeck config show lists"
        raise ConfigError("is not a setting", where=dotted(path), expected=expected)
    if found.kind == "rules":
        raise ConfigError(
            "holds many", where="rules", expected="quarterdeck policy try RULE.toml, or /try on the screen"
        )
    return found
