"""The commands that are about a topic, by the ids of their actions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.line_mode.branches import Agents, Branches, Resume
from tui.line_mode.costs import Costs
from tui.line_mode.decisions import Decisions
from tui.line_mode.finding import Finding
from tui.line_mode.grants import Grants
from tui.line_mode.marks import Marks
from tui.line_mode.outside import Outside
from tui.line_mode.processes import Processes
from tui.line_mode.putting_back import PuttingBack
from tui.line_mode.server_lines import ServerLines
from tui.line_mode.settings import SettingLines

if TYPE_CHECKING:
    from collections.abc import Callable

    from tui.line_mode.table import Table, Topic
    from tui.servers import Servers


def topics(table: Table, servers: Servers, keep: Callable[[str], None]) -> dict[str, Topic]:
    """keep: gives the person a text for their next message."""
    return {
        "grants": Grants(table),
        "decisions": Decisions(table),
        "undo": PuttingBack(table),
        "servers": ServerLines(table, servers),
        "processes": Processes(table),
        "settings": SettingLines(table),
        "ledger": Costs(table),
        "read.find": Finding(table),
        "editor": Outside(table, keep),
        "turns": Branches(table, keep),
        "fork": Branches(table, keep),
        "resume": Resume(table),
        "agent": Agents(table),
        "tag": Marks(table, "tag"),
        "note": Marks(table, "note"),
    }
