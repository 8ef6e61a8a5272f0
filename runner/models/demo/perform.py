"""The script of a whole message: its wishes one after the other, looks that stand together at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

from runner.models.demo import about
from runner.models.demo.acts import change, run, write
from runner.models.demo.intents import (
    AllOfThem,
    AskPerson,
    Change,
    ChangeMany,
    Describe,
    Fetch,
    Intent,
    ListFiles,
    Plan,
    ReadFile,
    Resume,
    RunCommand,
    Say,
    Search,
    Tour,
    Unknown,
    WriteFile,
)
from runner.models.demo.looks import Look, look
from runner.models.demo.stage import Script, Stage, code
from runner.models.demo.steps import change_many, fetch, plan, question
from runner.models.demo.tour import tour


def perform(wishes: Sequence[Intent], stage: Stage) -> Script:
    """Stops at a wish that could not be carried out, and names what was left."""
    at = 0
    while at < len(wishes):
        looks = _leading_looks(wishes[at:])
        if looks:
            good = yield from look(looks, stage)
            at += len(looks)
        else:
            good = yield from _act(wishes[at], stage)
            at += 1
        if not good and at < len(wishes):
            rest = "; ".join(name(wish) for wish in wishes[at:])
            stage.say(f"I stopped there, so this is not done: {rest}.")
            return False
    return True


def _leading_looks(wishes: Sequence[Intent]) -> list[Look]:
    looks: list[Look] = []
    for wish in wishes:
        if not isinstance(wish, ListFiles | ReadFile | Describe | Search):
            break
        looks.append(wish)
    return looks


def _act(wish: Intent, stage: Stage) -> Script:
    match wish:
        case ListFiles() | ReadFile() | Describe() | Search():
            return (yield from look([wish], stage))
        case WriteFile():
            return (yield from write(wish, stage))
        case Change():
            return (yield from change(wish, stage))
        case ChangeMany():
            return (yield from change_many(wish, stage))
        case AskPerson():
            return (yield from question(wish, stage))
        case Fetch():
            return (yield from fetch(wish, stage))
        case Plan():
            return (yield from plan(wish, stage, _act, name))
        case RunCommand():
            return (yield from run(wish, stage))
        case Tour():
            return (yield from tour(stage))
        case Say() | Resume() | AllOfThem() | Unknown():
            return _answer(wish, stage)
        case _:
            assert_never(wish)


def _answer(wish: Say | Resume | AllOfThem | Unknown, stage: Stage) -> bool:
    match wish:
        case Say(topic=topic):
            stage.say(about.say(topic))
        case Resume():
            stage.say(about.NOTHING_LEFT)
        case AllOfThem():
            stage.say(about.NOT_A_QUESTION)
        case Unknown(text=text):
            stage.say(about.cannot(text))
    return not isinstance(wish, Unknown)


def name(wish: Intent) -> str:
    """A wish in a few words, for saying that it was not carried out."""
    match wish:
        case ListFiles(path=path):
            return f"list {code(path)}"
        case ReadFile(path=path):
            return f"read {code(path)}"
        case Describe(path=path):
            return f"look through {code(path)}"
        case Search(pattern=pattern):
            return f"search for {code(pattern)}"
        case WriteFile(path=path):
            return f"write {code(path)}"
        case Change(path=path, old=old):
            return f"change {code(old)} in {code(path)}"
        case ChangeMany() | AskPerson() | Fetch() | Plan():
            return _name_of_more(wish)
        case RunCommand(command=command):
            return f"run {code(command)}"
        case Tour():
            return "the tour"
        case Unknown(text=text):
            return code(text)
        case Say() | Resume() | AllOfThem():
            return "the rest of the conversation"
        case _:
            assert_never(wish)


def _name_of_more(wish: ChangeMany | AskPerson | Fetch | Plan) -> str:
    match wish:
        case ChangeMany(paths=paths, old=old):
            return f"change {code(old)} in {', '.join(code(path) for path in paths)}"
        case AskPerson(question=text):
            return f"ask {code(text)}"
        case Fetch(url=url):
            return f"fetch {code(url)}"
        case Plan():
            return "the plan"
