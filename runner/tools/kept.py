"""Telling the keeper of files what a file tool is about to change, so that it can be undone; nothing without one."""

from __future__ import annotations

import os
import stat

from runner.tools.base import ToolContext


def keep_before(ctx: ToolContext, path: str, before: bytes | None, new: bytes | None) -> None:
    """Just before a file is replaced, made or removed. path: absolute, links followed. None: there is no file."""
    if ctx.keeper is None:
        return
    try:
        mode = stat.S_IMODE(os.stat(path, follow_symlinks=False).st_mode) if before is not None else None
    except OSError:
        mode = None
    ctx.keeper.before(ctx, path, before, mode, new)


def keep_after(ctx: ToolContext, path: str, now: bytes | None) -> None:
    """What is there now: the new content, or the old one where the change failed."""
    if ctx.keeper is not None:
        ctx.keeper.after(ctx, path, now)
