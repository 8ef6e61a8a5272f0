"""What the doctor reports, one finding a line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Level = Literal["ok", "note", "warning", "broken"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One line of the report. fix: what to do, "" where there is nothing to do."""

    area: str
    name: str
    value: str
    level: Level = "ok"
    fix: str = ""
