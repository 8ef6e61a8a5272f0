"""Carrying out what changes something: one call a response, each after what it needs to know."""

from __future__ import annotations

from typing import Any

from runner.models.demo.failures import failure
from runner.models.demo.intents import Change, RunCommand, WriteFile
from runner.models.demo.outcome import Outcome
from runner.models.demo.stage import Script, Stage, Wanted, ask, block, code, plural

MOST_LINES_NAMED = 6


def write(wish: WriteFile, stage: Stage) -> Script:
    if stage.missing("write_file"):
        return False
    lines = plural(len(wish.content.splitlines()), "line")
    (outcome,) = yield from ask(
        stage,
        f"{wish.path} is to hold {lines}. Writing changes the folder, so the person may be asked first.",
        f"I write {lines} to {code(wish.path)}." if wish.content else f"I create {code(wish.path)}, empty.",
        Wanted("write_file", {"path": wish.path, "content": wish.content}),
    )
    if not outcome.ok:
        stage.say(failure(outcome, f"write {code(wish.path)}"))
        return False
    stage.say(_edited(outcome) or f"{code(wish.path)} is written; the tool says: {code(outcome.body)}")
    return True


def change(wish: Change, stage: Stage) -> Script:
    if stage.missing("read_file", "edit_file"):
        return False
    (read,) = yield from ask(
        stage,
        f"“{wish.old}” is to become “{wish.new}” in {wish.path}. An edit must match what is really in the file, "
        "so I read it first.",
        f"I read {code(wish.path)} first, to see what is there.",
        Wanted("read_file", {"path": wish.path}),
    )
    if not read.ok:
        stage.say(failure(read, f"read {code(wish.path)}"))
        return False
    if not _may_edit(wish, read, stage):
        return False
    arguments: dict[str, Any] = {"path": wish.path, "old": wish.old, "new": wish.new}
    count = read.content.count(wish.old)
    many = count > 1 or (wish.every and read.cut)
    if many:
        arguments["all"] = True
    (edit,) = yield from ask(
        stage,
        f"What I read has it {plural(count, 'time')}. Editing changes a file, so the person may be asked first.",
        f"I change {code(wish.old)} to {code(wish.new)}{f', {count} times' if many and not read.cut else ''}.",
        Wanted("edit_file", arguments),
    )
    if not edit.ok:
        stage.say(failure(edit, f"edit {code(wish.path)}"))
        return False
    said = f"; the tool says: {code(edit.body.splitlines()[0])}" if edit.body.strip() else "."
    stage.say(_edited(edit) or f"{code(wish.path)} is changed{said}")
    return True


def _may_edit(wish: Change, read: Outcome, stage: Stage) -> bool:
    text = read.content
    count = text.count(wish.old)
    if count == 0 and read.cut:
        stage.say(
            f"The tool showed me only a part of {code(wish.path)}, and {code(wish.old)} is not in it. I try the edit."
        )
        return True
    if count == 0:
        near = [number for number, line in enumerate(text.splitlines(), 1) if wish.old.lower() in line.lower()]
        hint = f" With other capitals it is on {_numbers(near)}." if near else ""
        stage.say(
            f"I read {code(wish.path)}, {plural(len(text.splitlines()), 'line')}, and {code(wish.old)} is not in it, "
            f"so I changed nothing.{hint}"
        )
        return False
    if count > 1 and not wish.every:
        lines = [number for number, line in enumerate(text.splitlines(), 1) if wish.old in line]
        where = f", on {_numbers(lines)}" if lines else ""
        stage.say(
            f"{code(wish.old)} is in {code(wish.path)} {count} times{where}. Say “all of them”, or quote more of the "
            "one line that you mean. I changed nothing so far."
        )
        return False
    return True


def _numbers(lines: list[int]) -> str:
    shown = ", ".join(str(number) for number in lines[:MOST_LINES_NAMED])
    more = ", …" if len(lines) > MOST_LINES_NAMED else ""
    return f"{'line' if len(lines) == 1 else 'lines'} {shown}{more}"


def run(wish: RunCommand, stage: Stage) -> Script:
    if stage.missing("shell"):
        return False
    (outcome,) = yield from ask(
        stage,
        f"The command is {wish.command!r}. A command can do anything, so the person may be asked first.",
        f"I run {code(wish.command)}.",
        Wanted("shell", {"command": wish.command}),
    )
    stage.say(ran(wish.command, outcome))
    return outcome.ran


def ran(command: str, outcome: Outcome) -> str:
    """What a command came to: what really ran, its exit code, its output."""
    if not outcome.ran:
        return failure(outcome, f"run {code(command)}")
    edited = outcome.edited
    really = str(edited.get("command", command)) if edited is not None else command
    said = f"You changed the command before it ran: {code(really)}. " if edited is not None else ""
    if outcome.exit_code is not None:
        said += f"{code(really)} ended with exit code {outcome.exit_code}."
    elif outcome.ended_by is not None:
        said += f"{code(really)} was ended by {outcome.ended_by}."
    else:
        said += f"{code(really)} {'ran' if outcome.ok else 'failed'}."
    if not outcome.printed.strip():
        return f"{said} It printed nothing."
    return f"{said}\n\n{block(outcome.printed, most=16)}"


def _edited(outcome: Outcome) -> str:
    edited = outcome.edited
    if edited is None:
        return ""
    return f"You changed the call before it ran. What really ran:\n\n{block(_lines(edited))}"


def _lines(arguments: dict[str, Any]) -> str:
    return "\n".join(f"{name}: {value}" for name, value in arguments.items())
