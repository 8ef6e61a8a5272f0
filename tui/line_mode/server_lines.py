"""`/mcp`: the servers, what they offer and what they printed; start one again, switch it on and off."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.line_mode.cards import bar
from tui.render.clean import clean, clean_output, visible
from tui.server_words import PHASES, offers_words
from tui.words import count, one_line

if TYPE_CHECKING:
    from runner.mcp.state import ServerState
    from tui.line_mode.table import Table
    from tui.servers import Servers

WAYS = ("restart", "on", "off", "stderr")
NOTHING = "no server is configured: a table [mcp.NAME] with a command or a url adds one"
HOW = "/mcp NAME tells all about one, its prompts and resources too; behind the name: restart, on, off, stderr"


class ServerLines:
    def __init__(self, table: Table, servers: Servers) -> None:
        self._table = table
        self._servers = servers

    async def obey(self, argument: str) -> None:
        name, _, way = " ".join(argument.split()).partition(" ")
        states = self._servers.states
        if not states:
            self._table.say(NOTHING)
        elif not name:
            self._table.tell([*(server_line(state) for state in states), HOW])
        elif (state := self._servers.state(name)) is None:
            self._table.say(f"there is no server {name}; there are {', '.join(one.name for one in states)}")
        elif way and way not in WAYS:
            self._table.say(f"what about it? behind the name: {', '.join(WAYS)}")
        else:
            self._carry_out(state, way)

    def _carry_out(self, state: ServerState, way: str) -> None:
        match way:
            case "restart":
                self._servers.restart(state.name)
                self._table.say(f"restarting {state.name}; /mcp tells its state")
            case "on" | "off":
                self._servers.switch(state.name, on=way == "on")
                self._table.say(f"switching {state.name} {way}, until the program ends")
            case "stderr":
                printed = clean_output(state.stderr).strip("\n")
                self._table.tell(bar(printed, whole=True) if printed else [f"{state.name} printed nothing"])
            case _:
                from tui.screens.servers import server_body

                self._table.tell([server_line(state), *bar(clean(server_body(state).plain), whole=True)])


def server_line(state: ServerState) -> str:
    """Clean: its name, its state, and what it offers or why it does not."""
    parts = [
        f"{state.name}: {PHASES[state.phase][0]}",
        offers_words(state) if state.phase == "ready" else "",
        one_line(state.problem),
        count(state.restarts, "restart") if state.restarts else "",
    ]
    return visible(", ".join(part for part in parts if part))
