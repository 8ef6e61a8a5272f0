"""What marks the processes of a tool call, in their environment, where every descendant inherits it."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Mapping

from runner.tools.minder.scan import VARIABLE

_OTHER = re.compile(r"[^A-Za-z0-9_.:-]")
_LONGEST = 64
_DEEPEST = 8


def new_marker(run_id: str, call_id: str) -> str:
    """`run/call/token`: the token is random, so that whoever carries the marker certainly comes from this call."""
    return f"{_plain(run_id)}/{_plain(call_id)}/{secrets.token_hex(8)}"


def with_marker(env: Mapping[str, str], marker: str) -> dict[str, str]:
    """The environment, marked. Inside of a call of another such program its markers stay, so that it finds ours too."""
    around = os.environ.get(VARIABLE, "").split()[-_DEEPEST:]
    return {**env, VARIABLE: " ".join([*around, marker])}


def _plain(name: str) -> str:
    return _OTHER.sub("_", name)[:_LONGEST]
