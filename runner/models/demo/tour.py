"""A short tour of Quarterdeck: real looks at the working folder, one command that asks, and how to stay in command."""

from __future__ import annotations

import re
from collections.abc import Generator

from runner.models.demo.about import CONNECT, CONTROL
from runner.models.demo.acts import ran
from runner.models.demo.intents import ListFiles, ReadFile
from runner.models.demo.looks import entries, report
from runner.models.demo.outcome import Outcome
from runner.models.demo.stage import Script, Stage, Turn, Wanted, ask

COMMAND = "echo 'Hello from Quarterdeck' && date"
FIRST_LINES = 8
_WELCOME = (
    "Welcome aboard. What you read here is the transcript: what you say, what the model says, and each tool call in "
    "short form. The timeline lists the calls with their state and output, the meters count tokens, cost and context, "
    "and the status line says which model answers, what it is doing, and what waits for you."
)
_APPROVAL = (
    "Tools that only read run at once. What changes something, or runs a command, asks first, if your settings say so. "
    "The card shows exactly what would run, and the key of each choice: allow it once or for this run, deny it (your "
    "reason is passed on to the model), or edit it before it runs. Try any of them; this command only prints a line "
    "and the date."
)
_READABLE = re.compile(r"\.(?:md|rst|txt|toml|py|json|cfg)$", re.IGNORECASE)


def tour(stage: Stage) -> Script:
    stage.say(_WELCOME)
    file = yield from _look_around(stage)
    if file is not None:
        yield from _read_a_little(file, stage)
    allowed = yield from _one_approval(stage)
    stage.say(CONTROL)
    stage.say(CONNECT)
    stage.say("That was the tour. Ask me “what is here”, or connect a real model and give it some work.")
    return allowed


def _look_around(stage: Stage) -> Generator[Turn, tuple[Outcome, ...], str | None]:
    if stage.missing("list_files"):
        return None
    (listing,) = yield from ask(
        stage,
        "First stop: the working folder. Listing it changes nothing, so nobody is asked.",
        "First a tool that only reads: I list the working folder.",
        Wanted("list_files", {"path": "."}),
    )
    stage.say(report(ListFiles(), listing))
    return _worth_reading(listing) if listing.ok else None


def _worth_reading(listing: Outcome) -> str | None:
    """A README if there is one, else the first small-looking text file of the listing."""
    names = [re.split(r"\s{2,}|\t", name)[0] for name in entries(listing)[1]]
    readable = [name for name in names if _READABLE.search(name)]
    return next((name for name in names if name.lower().startswith("readme")), readable[0] if readable else None)


def _read_a_little(file: str, stage: Stage) -> Script:
    if stage.missing("read_file"):
        return False
    (read,) = yield from ask(
        stage,
        f"{file} is a file that a person can read. Its first {FIRST_LINES} lines are enough.",
        f"Out of that listing I open `{file}`, its first {FIRST_LINES} lines.",
        Wanted("read_file", {"path": file, "start": 1, "end": FIRST_LINES}),
    )
    stage.say(report(ReadFile(file, 1, FIRST_LINES), read))
    return read.ok


def _one_approval(stage: Stage) -> Script:
    if stage.missing("shell"):
        return True
    (outcome,) = yield from ask(
        stage,
        "Last stop: something that needs a person's consent. A harmless command will do.",
        _APPROVAL,
        Wanted("shell", {"command": COMMAND}),
    )
    stage.say(ran(COMMAND, outcome))
    if outcome.status == "denied":
        stage.say("That is how a denial works: the call did not run, and the model reads why.")
    return outcome.ran
