"""`/editor`: the next message, written in the person's editor."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import nullcontext
from typing import TYPE_CHECKING

from tui.outside_editor import EditorError, edit
from tui.widgets.composer import pasted
from tui.words import count

if TYPE_CHECKING:
    from tui.line_mode.table import Table


class Outside:
    """keep: gives the person a text for their next message."""

    def __init__(self, table: Table, keep: Callable[[str], None]) -> None:
        self._table = table
        self._keep = keep

    async def obey(self, argument: str) -> None:
        """argument: what the text begins with."""
        console = self._table.console
        before, console.draft = "\n".join(part for part in (console.draft, argument) if part), ""
        await console.drained()
        try:
            with console.lend():
                # In a thread, so that signals and the run's events are still heard.
                text = await asyncio.to_thread(edit, before, ".md", self._table.settings.environ, nullcontext)
        except (EditorError, OSError) as error:
            console.draft = before
            self._table.say(str(error))
            return
        kept, left_out = pasted(text.removesuffix("\n"))
        if left_out:
            self._table.say(f"({count(left_out, 'invisible character')} of it left out)")
        if kept.strip():
            self._keep(kept)
        else:
            self._table.say("nothing was written")
