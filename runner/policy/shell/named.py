"""Whether an allowance by first words covers a command: only what it names itself."""

from __future__ import annotations

from runner.policy.shell.model import Line, Simple


def prefix_covers(prefix: tuple[str, ...], line: Line, place: int) -> bool:
    """Whether an allowance of these first words covers one command of a line, as it stands or by naming it as a part
    of the command that runs it.
    """
    command = line.commands[place]
    if _begins_with(prefix, command):
        return True
    if command.outer is None or command.offset is None or len(prefix) <= command.offset:
        return False
    return prefix_covers(prefix, line, command.outer) and _begins_with(prefix[command.offset :], command)


def _begins_with(prefix: tuple[str, ...], command: Simple) -> bool:
    if not prefix or command.argv[: len(prefix)] != prefix:
        return False
    return all(risk.index < len(prefix) for risk in command.risks)
