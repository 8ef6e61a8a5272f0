"""A shell command of the person's own in plain words, without colours."""

from __future__ import annotations

from runner.events import PersonCommandFinished
from runner.state import CommandItem
from tui.render.clean import clean
from tui.words import duration, one_line

BY_YOU = "run by you, no sandbox"


def end_words(item: CommandItem | PersonCommandFinished) -> str:
    """How it ended, in a few words."""
    match item.status:
        case None:
            return "running"
        case "ended":
            return f"ended by {item.signal}" if item.signal else f"exit {item.exit_code}"
        case "stopped":
            return "stopped"
        case "interrupted":
            return "interrupted: the program ended"
        case "not_started":
            return "not started"


def command_facts(item: CommandItem) -> str:
    """Who ran it, and who reads it."""
    return f"{BY_YOU}{', the model reads it' if item.share else ''}"


def finished_words(event: PersonCommandFinished) -> str:
    """All of how it ended, on one line."""
    facts = [end_words(event)]
    if event.status != "not_started":
        facts.append(duration(event.seconds))
    if event.error:
        facts.append(one_line(clean(event.error)))
    if event.truncated:
        facts.append("the middle of the output is left out")
    if event.share and event.status != "not_started":
        facts.append("the model reads it")
    return ", ".join(facts)
