"""What recovery found at the start, in one sentence. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tui.words import count, cut, one_line

if TYPE_CHECKING:
    from runner.store.base import RecoveredRun

MOST_TITLES = 3
MOST_NAMES = 3


def recovered_words(runs: Sequence[RecoveredRun]) -> str:
    """Which runs the death of the program left open, and what was closed of them."""
    titles = ", ".join(f'"{cut(one_line(run.title), 40)}"' for run in runs[:MOST_TITLES])
    more = f" and {len(runs) - MOST_TITLES} more" if len(runs) > MOST_TITLES else ""
    facts = [_calls(runs), *_processes(runs)]
    what = ", ".join(filter(None, facts))
    return f"{_interrupted(runs)}{f' ({what})' if what else ''}: {titles}{more}"


def _interrupted(runs: Sequence[RecoveredRun]) -> str:
    return f"{count(len(runs), 'run was', 'runs were')} interrupted when the program died"


def _calls(runs: Sequence[RecoveredRun]) -> str:
    calls = sum(run.open_calls for run in runs)
    return f"{count(calls, 'open call')} closed" if calls else ""


def _processes(runs: Sequence[RecoveredRun]) -> list[str]:
    """What its tools had left running; what was gone already needs no word."""
    found = [process for run in runs for process in run.processes]
    ended = [process for process in found if process.how in ("terminated", "killed")]
    alive = [process for process in found if process.how == "survived"]
    facts: list[str] = []
    if ended:
        number = len(ended) + sum(process.more for process in ended)
        names = ", ".join(dict.fromkeys(cut(one_line(process.name), 24) for process in ended[:MOST_NAMES]))
        facts.append(f"{count(number, 'process', 'processes')} ended: {names}")
    if alive:
        facts.append(f"STILL ALIVE, end it yourself: {', '.join(str(process.pid) for process in alive)}")
    return facts
