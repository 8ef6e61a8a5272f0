"""Phrases for what needs several steps or a person's word."""

from __future__ import annotations

import re

from runner.models.demo.doing import BECOMES, CHANGE, EVERY
from runner.models.demo.intents import AskPerson, ChangeMany, Fetch, Intent
from runner.models.demo.words import NAME, Found, Table, Words, pattern

MOST_CHOICES = 6
DEFAULT_QUESTION = "Which colour do you like best?"
DEFAULT_CHOICES = ("red", "green", "blue")

PLAN = re.compile(
    r"(?:(?:please|can you|could you)\s+)*(?:(?:make|write|show(?:\s+me)?|draw\s+up|give\s+me|start)\s+)?"
    r"(?:(?:a|an|the|your|me)\s+)*(?:plan|to-?do(?:\s+list)?|check-?list)"
    r"(?:(?:\s+(?:for|to|of|and|then|that|first|do|follow|carry\s+out|it|this|these|steps?))*\s*[:,]\s*|"
    r"\s+(?:to|and\s+then|and)\s+(?:do\s+it\s*[:,]?\s*)?)(?P<rest>\S.*)",
    re.IGNORECASE | re.DOTALL,
)
"""Asked of a whole message: what follows are wishes of their own."""

PLAN_ALONE = pattern(
    r"(?:(?:make|write|show|draw up|give|start|me) )*(?:(?:a|an|the|your) )*(?:plan|to-?do(?: list)?|check-?list)"
)

_NAMES = rf"(?P<paths>{NAME}(?:\s*,\s*(?:and\s+)?{NAME}|\s+and\s+(?:in\s+)?{NAME})+)"
_URL = r"(?P<url>https?://\S+)"


def _change_many(words: Words, found: Found) -> Intent | None:
    names = re.split(r"\s*,\s*(?:and\s+)?|\s+and\s+(?:in\s+)?", found["paths"].rstrip(".?!"))
    paths = [path for name in names if words.looks_like_file(name) and (path := words.path(name)) is not None]
    old, new = words.marked.value(found["old"]), words.marked.value(found["new"])
    if len(paths) != len(names) or not old:
        return None
    return ChangeMany(tuple(dict.fromkeys(paths)), old, new)


def _ask(words: Words, found: Found) -> Intent | None:
    asked, offered = words.marked.value(found["question"]), found["choices"]
    choices = re.split(r"\s*,\s*(?:or\s+)?|\s+or\s+", offered.strip().rstrip(".?!")) if offered else []
    values = tuple(dict.fromkeys(value for choice in choices if (value := words.marked.value(choice).strip())))
    text = asked.strip().rstrip("?.! ")
    if not text:
        return None
    return AskPerson(text[0].upper() + text[1:] + "?", values[:MOST_CHOICES])


def _fetch(words: Words, found: Found) -> Intent | None:
    return Fetch(words.marked.raw(found["url"].rstrip(".,!;")))


WISHING: Table = (
    (pattern(rf"(?:fetch|download|get|open|browse|visit|read|load)(?: the)?(?: page| site)? {_URL}"), _fetch),
    (
        pattern(rf"{CHANGE} {EVERY}(?P<old>.+?){BECOMES}(?P<new>.+?)(?: everywhere)? (?:in|inside|of) {_NAMES}"),
        _change_many,
    ),
    (
        pattern(r"ask (?:me|the user|a person) (?:(?:a|any|some) )?(?:question|something)"),
        lambda words, found: AskPerson(DEFAULT_QUESTION, DEFAULT_CHOICES),
    ),
    (
        pattern(
            r"ask (?:me|the user) (?:the question )?(?P<question>[^:]+?)"
            r"(?:(?:\s*:|, choices:?| with the choices:?) (?P<choices>.+?))?"
        ),
        _ask,
    ),
)
