"""Carrying out what needs several steps or a person's word: a list to work off, a question, many files, a page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from runner.models.demo.failures import failure
from runner.models.demo.intents import AskPerson, ChangeMany, Fetch, Intent, Plan
from runner.models.demo.outcome import Outcome
from runner.models.demo.stage import Script, Stage, Wanted, ask, block, code, plural

_ANSWER = "The user's answer"


def change_many(wish: ChangeMany, stage: Stage) -> Script:
    """Read them all at once, then change them all as one call: one card, all of it or nothing."""
    if stage.missing("read_file", "edit_files"):
        return False
    read = yield from ask(
        stage,
        f"“{wish.old}” is to become “{wish.new}” in {plural(len(wish.paths), 'file')}. I read them first.",
        f"I read {', '.join(code(path) for path in wish.paths)} first, to see what is there.",
        *(Wanted("read_file", {"path": path}) for path in wish.paths),
    )
    edits: list[dict[str, Any]] = []
    for path, outcome in zip(wish.paths, read, strict=True):
        if not outcome.ok:
            stage.say(failure(outcome, f"read {code(path)}"))
            return False
        count = outcome.content.count(wish.old)
        if count == 0 and not outcome.cut:
            stage.say(f"{code(wish.old)} is not in {code(path)}, so I changed nothing in any of the files.")
            return False
        edits.append({"path": path, "old": wish.old, "new": wish.new, "all": count != 1})
    (outcome,) = yield from ask(
        stage,
        "All edits go into one call, so that the person is asked once and either all are made or none.",
        f"I change {code(wish.old)} to {code(wish.new)} in {plural(len(edits), 'file')}, in one step.",
        Wanted("edit_files", {"edits": edits}),
    )
    if not outcome.ok:
        stage.say(failure(outcome, f"change {plural(len(edits), 'file')}"))
        return False
    stage.say(f"Done. The tool says:\n\n{block(outcome.body)}")
    return True


def question(wish: AskPerson, stage: Stage) -> Script:
    if stage.missing("ask_user"):
        return False
    arguments: dict[str, Any] = {"question": wish.question}
    if wish.choices:
        arguments["choices"] = list(wish.choices)
    (outcome,) = yield from ask(
        stage,
        "This is for the person to say. The run waits for as long as they take.",
        "I ask you:",
        Wanted("ask_user", arguments),
    )
    stage.say(_answered(outcome))
    return outcome.ok


def _answered(outcome: Outcome) -> str:
    if not outcome.ok:
        return failure(outcome, "ask you")
    if outcome.output.startswith(_ANSWER):
        return f"So that is what you said. What a model reads of it:\n\n{block(outcome.output)}"
    return f"You gave no answer; a model would go on without one. What it reads: “{outcome.output}”"


def fetch(wish: Fetch, stage: Stage) -> Script:
    if stage.missing("web_fetch"):
        return False
    (outcome,) = yield from ask(
        stage,
        f"{wish.url} is outside of this machine, so the person is asked per host.",
        f"I fetch {code(wish.url)}.",
        Wanted("web_fetch", {"url": wish.url}),
    )
    if not outcome.ok:
        stage.say(failure(outcome, f"fetch {code(wish.url)}"))
        return False
    stage.say(f"This is what came:\n\n{block(outcome.body)}")
    return True


def plan(wish: Plan, stage: Stage, act: Callable[[Intent, Stage], Script], name: Callable[[Intent], str]) -> Script:
    """Write the list down, work it off, and keep it up to date. act, name: of a single wish."""
    if stage.missing("todo"):
        return False
    names = [name(step).replace("`", "") for step in wish.steps]
    reasoning = f"{plural(len(names), 'step')}: I write them down, so that the person can follow."
    intro = "I write down what is to be done, and keep the list up to date."
    good = True
    for at in range(len(names) + 1):
        done = at == len(names)
        items = [
            {"text": text, "status": "done" if index < at else "active" if index == at else "pending"}
            for index, text in enumerate(names)
        ]
        (outcome,) = yield from ask(
            stage, reasoning, "That was the last step." if done else intro, Wanted("todo", {"items": items})
        )
        if not outcome.ok:
            stage.say(failure(outcome, "write down the list"))
            return False
        if done:
            break
        good = yield from act(wish.steps[at], stage)
        if not good:
            stage.say("I stopped at that step; the list shows what is left.")
            return False
        reasoning, intro = f"{names[at]} is done; on to what follows.", ""
    stage.say("Every entry of the list is done.")
    return good
