"""`quarterdeck doctor`: what is here, what is wrong with it, and what to do about each problem."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Final

from tui.commands import doctor_config, doctor_mcp, doctor_system
from tui.commands.common import enter_folder
from tui.commands.findings import Finding, Level
from tui.settings.layers import printable

MARKS: Final[dict[Level, str]] = {"ok": "ok", "note": "note", "warning": "warn", "broken": "BROKEN"}


def run(args: argparse.Namespace) -> int:
    enter_folder(args)
    findings = list(examine())
    broken = sum(finding.level == "broken" for finding in findings)
    if args.json:
        print(json.dumps({"findings": [asdict(finding) for finding in findings], "broken": broken}, indent=1))
    else:
        _print(findings)
    return 1 if broken else 0


def examine() -> Iterator[Finding]:
    """All findings, area by area."""
    areas: tuple[Callable[[], Iterator[Finding]], ...] = (
        doctor_system.program,
        doctor_system.packages,
        doctor_system.terminal,
        doctor_system.helpers,
        doctor_config.configuration,
        doctor_config.data,
        doctor_config.commands,
        doctor_config.keys,
        doctor_config.servers,
        doctor_mcp.mcp_servers,
    )
    for area in areas:
        yield from area()


def _print(findings: list[Finding]) -> None:
    area = ""
    width = max(len(finding.name) for finding in findings)
    for finding in findings:
        if finding.area != area:
            area = finding.area
            print(area)
        mark = f"[{MARKS[finding.level]}]"
        print(f"  {mark:<8} {finding.name:<{width}}  {printable(finding.value)}")
        if finding.fix:
            print(f"  {'':<8} {'':<{width}}  -> {printable(finding.fix)}")
    problems = [finding for finding in findings if finding.level in ("warning", "broken")]
    print("no problems found" if not problems else f"{len(problems)} to look at, marked warn or BROKEN above")
