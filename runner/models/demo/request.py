"""From a person's message to a list of intents."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from runner.models.demo.chatting import CHATTING
from runner.models.demo.doing import DOING
from runner.models.demo.intents import (
    AllOfThem,
    Change,
    Describe,
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
from runner.models.demo.looking import LOOKING
from runner.models.demo.marking import ATOM, Marked
from runner.models.demo.wishing import PLAN, PLAN_ALONE, WISHING
from runner.models.demo.words import NAME, Words, first_fit

MOST_INTENTS = 6
"""A message that asks for more things is cut there; the rest is named, not done."""

MOST_CHARACTERS = 2_000
"""Outside of quotes and fenced blocks; matching patterns against a longer text would take too long."""

_POLITE = re.compile(
    r"""(?:(?:please|pls|hey|hi|hello|ok(?:ay)?|now|then|also|and|next|finally|first|so|well|just|great|thanks|pilot)
        (?:\s*[,!.:]\s*|\s+)(?=\S)
      |(?:can|could|would|will)\s+you\s+
      |(?:i'd|i\s+would)\s+like\s+(?:you\s+)?to\s+|i\s+(?:want|need)\s+(?:you\s+)?to\s+
      |(?:let's|let\s+us|go\s+ahead\s+and|try\s+to|you\s+should|you\s+can)\s+|tell\s+me\s+(?=wh|how))+""",
    re.IGNORECASE | re.VERBOSE,
)
_COURTESY = re.compile(r"[\s,]+(?:please|pls|for me|thanks|thank you|if you can)(?=[.!?]*$)", re.IGNORECASE)

_VERB = (
    r"(?:list|ls|show|read|open|display|print|view|cat|look|search|find|grep|locate|create|write|make|save|put|add|change|"
    r"ask|fetch|"
    r"replace|swap|substitute|edit|fix|run|execute|count|summari[sz]e|describe|what|which|where|how\s+many|in|tell|give)"
)
_JOINT = re.compile(
    rf"""(?P<then>(?:\s*[,;.]\s*|\s+)(?:and\s+)?(?:then|after(?:\s+that|wards)|next|finally)\s*[,:]?\s+(?=\S))
      |(?P<stop>\s*;\s+|\.\s+|\s*\n+\s*(?:[-*•]\s+|\d+[.)]\s+)?)(?=(?:\w+\s+){{0,3}}{_VERB}\b)
      |(?P<and>\s*,?\s+(?:and|&)\s+(?:also\s+)?|\s*,\s+(?:also\s+)?)(?=(?:please\s+|also\s+)?(?:{_VERB}\b))""",
    re.IGNORECASE | re.VERBOSE,
)
_BULLET = re.compile(r"^\s*(?:[-*•]|\d+[.)])\s+")
_SEVERAL = re.compile(
    rf"(?P<verb>(?:read|show(?: me)?|open|cat|view|print|display)(?:\s+(?:the\s+)?files)?)\s+"
    rf"(?P<names>{NAME}(?:\s*,\s*(?:and\s+)?{NAME}|\s+and\s+{NAME})+)[.?!]*",
    re.IGNORECASE,
)
_NOTHING_NEW = re.compile(
    r"(?:show|tell|give|print)\s+(?:me\s+)?(?:(?:the|its|what)\s+)?(?:output|results?|it\s+(?:says|prints|printed))[.!?]*",
    re.IGNORECASE,
)


def parse(message: str, last_path: str | None = None) -> tuple[Intent, ...]:
    """What the message asks for, in order; one Unknown where nothing is understood. last_path: what "it" may mean."""
    steps = _planned(message, last_path)
    if steps is not None:
        return (Plan(steps),)
    marked = Marked(message.strip())
    if len(marked.text) > MOST_CHARACTERS:
        return (Unknown(message.strip()),)
    found: list[Intent] = []
    for clause in _clauses(marked, Words(marked, last_path)):
        words = Words(marked, _last_path(found) or last_path)
        if found and _NOTHING_NEW.fullmatch(clause):
            continue
        found.extend(_understand(clause, words))
    if any(not isinstance(intent, Say) for intent in found):
        found = [intent for intent in found if not isinstance(intent, Say)]
    else:
        found = found[:1]
    if len(found) > MOST_INTENTS:
        rest = len(found) - MOST_INTENTS
        found = [*found[:MOST_INTENTS], Unknown(f"{rest} more wishes: {MOST_INTENTS} are the most at a time")]
    return tuple(found) or (Unknown(message.strip()),)


def _planned(message: str, last_path: str | None) -> tuple[Intent, ...] | None:
    """The wishes of a message that asks for a list of them first; a list of nothing is one of two harmless looks."""
    text = message.strip()
    if PLAN_ALONE.fullmatch(text):
        return (ListFiles(), RunCommand("date"))
    found = PLAN.fullmatch(text) if len(text) <= MOST_CHARACTERS else None
    if found is None:
        return None
    steps = parse(found["rest"], last_path)
    if any(isinstance(step, Unknown | Plan | Say | Resume | AllOfThem | Tour) for step in steps):
        return None
    return steps


def _clauses(marked: Marked, words: Words) -> Iterator[str]:
    """Cut at words that join wishes, where the part before is a wish and the part behind begins like one."""
    rest = _BULLET.sub("", marked.text)
    start = 0
    while True:
        joint = _JOINT.search(rest, start)
        if joint is None:
            break
        before, behind = rest[: joint.start()], rest[joint.end() :]
        if joint.start() > 0 and _cuts(joint, before, behind, words):
            yield before
            words = replace(words, last_path=_last_path(_understand(before, words)) or words.last_path)
            rest, start = behind, 0
        else:
            start = joint.end()
    if rest.strip():
        yield rest


def _cuts(joint: re.Match[str], before: str, behind: str, words: Words) -> bool:
    left = _understand(before, words)
    if isinstance(left[-1], Unknown):
        return False
    if joint["then"]:
        return True
    if joint["stop"] and isinstance(left[-1], RunCommand) and "\n" not in joint["stop"] and not _quoted(before):
        return False
    first = _JOINT.split(behind, maxsplit=1)[0]
    named = replace(words, last_path=_last_path(left) or words.last_path)
    right = [_understand(part, named)[0] for part in (behind, first)]
    return any(_is_clear(intent, behind, named) for intent in right)


def _quoted(text: str) -> bool:
    return re.search(rf"{ATOM}\s*$", text) is not None


def _is_clear(intent: Intent, text: str, words: Words) -> bool:
    """Whether a part is surely a wish of its own, and not the end of a text that is to be written."""
    match intent:
        case Unknown():
            return _NOTHING_NEW.fullmatch(text) is not None
        case ReadFile(path=path) | Describe(path=path):
            return words.looks_like_file(path) or path == words.last_path
        case Search():
            return re.search(rf"{ATOM}|\bfor\b", text) is not None
        case _:
            return True


def _understand(clause: str, words: Words) -> list[Intent]:
    """The intents of one clause; never empty."""
    text = clause.strip()
    while True:
        shorter = _COURTESY.sub("", _POLITE.sub("", text, count=1) if _POLITE.match(text) else text)
        whole = first_fit((CHATTING,), text, words)
        if whole is not None:
            return [whole]
        if shorter == text:
            break
        text = shorter
    several = _SEVERAL.fullmatch(text)
    if several is not None:
        names = re.split(r"\s*,\s*(?:and\s+)?|\s+and\s+", several["names"].rstrip(".?!"))
        if all(words.looks_like_file(name) for name in names):
            return [ReadFile(words.path(name) or name) for name in names]
    intent = first_fit((WISHING, DOING, LOOKING), text, words)
    return [intent if intent is not None else Unknown(words.marked.raw(clause))]


def _last_path(intents: list[Intent]) -> str | None:
    for intent in reversed(intents):
        match intent:
            case ReadFile(path=path) | WriteFile(path=path) | Change(path=path) | Describe(path=path):
                return path
            case ListFiles() | Search() | RunCommand():
                continue
            case _:
                continue
    return None
