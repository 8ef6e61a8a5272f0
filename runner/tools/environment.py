"""The environment that a tool's child process gets."""

from __future__ import annotations

import os
from collections.abc import Mapping

_SECRET_SUFFIXES = ("_API_KEY", "_API_KEYS")
_SECRET_NAMES = frozenset({"ANTHROPIC_AUTH_TOKEN", "AZURE_AD_TOKEN"})
_OWN_PREFIX = "QUARTERDECK_"
_COLOUR_FORCERS = frozenset({"FORCE_COLOR", "CLICOLOR_FORCE"})

QUIET: Mapping[str, str] = {"TERM": "dumb", "NO_COLOR": "1", "PAGER": "cat", "GIT_PAGER": "cat"}
"""What keeps programs from colouring, paging and waiting for keys; CI is left as it is."""


def is_withheld(name: str) -> bool:
    """Whether a variable is kept from children: keys of model providers, and this program's own settings.

    A command that a model writes needs none of them, and one `env` would put them into the conversation.
    """
    upper = name.upper()
    return upper.endswith(_SECRET_SUFFIXES) or upper in _SECRET_NAMES or upper.startswith(_OWN_PREFIX)


def child_environment(base: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment for a child: base (this process's own where None) without what is withheld, made quiet."""
    source = os.environ if base is None else base
    kept = {name: value for name, value in source.items() if not is_withheld(name) and name not in _COLOUR_FORCERS}
    return kept | dict(QUIET)
