"""Phrases that change a file or run a command."""

from __future__ import annotations

import re

from runner.models.demo.intents import Change, Intent, RunCommand, WriteFile
from runner.models.demo.marking import ATOM
from runner.models.demo.words import FILE, NAME, Found, Table, Words, pattern

_A_FILE = r"(?:(?:me|a|an|the|another|new|empty|text|python|shell) )*"
_WITH = (
    r"(?:\s*[,:])?(?: and)? (?:with|containing|contains|saying|holding|(?:that|which) (?:says|contains|reads))"
    r"(?: (?:the|this|following|content|contents|text|lines?|words?|code|in it))*\s*:?\s*"
)
_CONTENT = rf"(?:{_WITH}(?P<content>\S.*?)|\s*:?\s*(?P<block>{ATOM})|\s*:\s*(?P<after>\S.*?))?"
CHANGE = r"(?:change|replace|rename|swap|substitute|edit|correct|fix|turn)"
BECOMES = r"(?:\s*(?:->|=>|→)\s*| (?:to|with|by|into) )"
EVERY = (
    r"(?P<every>(?:all|every|each)(?: (?:of )?(?:the )?(?:occurrences?|instances?|places?|uses))?(?: of)? )?"
    r"(?:the (?:word|text|line|string|typo) )?"
)
_IN_FILE = rf"(?:the )?(?:file )?(?P<path>{NAME})"
_RUN = r"(?:run|execute|exec|invoke|shell|bash|sh)"
_BARE = (
    r"(?:git|pwd|echo|date|whoami|uname|pytest|python3?|wc|df|du|printf|head|tail|mkdir|sleep|uptime|env|grep(?=\s+-))"
)
_NO_NAME = frozenset({"a", "an", "me", "file", "the", "some", "sure", "it"})


def _write(words: Words, found: Found) -> Intent | None:
    path = words.path(found["path"])
    if path is None or path.lower() in _NO_NAME:
        return None
    groups = found.groupdict()
    part = groups.get("content") or groups.get("block") or groups.get("after")
    if not part and not re.match(r"(?:create|make|new|touch)|.*\bempty\b", found[0], re.IGNORECASE):
        return None
    return WriteFile(path, _as_lines(_content(words, part)) if part else "")


def _write_named(words: Words, found: Found) -> Intent | None:
    """Without the word "file", only what looks like one is one."""
    return _write(words, found) if words.looks_like_file(found["path"]) else None


def _content(words: Words, part: str) -> str:
    """A quote or a fenced block means its inside, also when a few words lead to it; else the words themselves."""
    led = re.fullmatch(rf"(?:[\w ]{{0,30}}:)?\s*({ATOM})\s*[.!]?", part.strip())
    return words.marked.value(led[1] if led else part)


def _as_lines(content: str) -> str:
    """Text files end with a newline."""
    return content if not content or content.endswith("\n") else content + "\n"


def _change(words: Words, found: Found) -> Intent | None:
    path = words.path(found["path"])
    old, new = words.marked.value(found["old"]), words.marked.value(found["new"])
    if path is None or not old:
        return None
    return Change(path, old, new, every=bool(found["every"]) or bool(found["everywhere"]))


def _run(words: Words, found: Found) -> Intent | None:
    part = found["command"].strip()
    quote = words.marked.quote(part.rstrip(".!?"))
    if quote is not None:
        command = quote.inner.strip()
    elif words.is_pronoun(part):
        command = words.last_path or ""
    else:
        # A full stop right behind a word ends the sentence; alone it is the folder.
        command = words.marked.raw(re.sub(r"(?<=\w)[.!?]+$", "", part))
    script = re.fullmatch(r"[\w./-]+\.(py|sh)", command)
    if script:
        command = f"{'python3' if script[1] == 'py' else 'sh'} {command}"
    return RunCommand(command) if command else None


DOING: Table = (
    (re.compile(r"[$!]\s+(?P<command>\S.*)", re.DOTALL), _run),
    (re.compile(rf"(?P<command>{ATOM})"), lambda words, found: _backticked(words, found)),
    (re.compile(rf"{_RUN}\s*:\s*(?P<command>\S.*)", re.IGNORECASE | re.DOTALL), _run),
    (
        re.compile(
            rf"{_RUN}\s+(?:(?:the|this|following|a|my)\s+)*(?:(?:shell|bash|terminal)\s+)?(?:(?:command|script|program)\s*:?\s+)?"
            r"(?P<command>\S.*)",
            re.IGNORECASE | re.DOTALL,
        ),
        _run,
    ),
    (re.compile(rf"(?P<command>{_BARE}(?:\s+\S.*)?)", re.DOTALL), _run),
    (
        pattern(
            rf"(?:in|inside) {_IN_FILE}(?:\s*[,:]|(?: please)?) {CHANGE} {EVERY}(?P<old>.+?){BECOMES}(?P<new>.+?)"
            r"(?P<everywhere> everywhere)?"
        ),
        _change,
    ),
    (
        pattern(
            rf"(?:edit|change|update|modify|fix|correct) (?:the )?(?:file )?(?P<path>{FILE})\s*[:,]\s*"
            rf"(?:(?:and )?{CHANGE} )?{EVERY}(?P<old>.+?){BECOMES}(?P<new>.+?)(?P<everywhere> everywhere)?"
        ),
        _change,
    ),
    (
        pattern(
            rf"{CHANGE} {EVERY}(?P<old>.+?){BECOMES}(?P<new>.+?)"
            rf"(?P<everywhere> everywhere)? (?:in|inside|of) {_IN_FILE}"
        ),
        _change,
    ),
    (
        pattern(
            rf"(?:create|make|write|save|add|new|generate|touch) {_A_FILE}file (?:(?:called|named|at|as) )?"
            rf"(?P<path>{FILE}){_CONTENT}"
        ),
        _write,
    ),
    (pattern(rf"(?:create|write|make|save|add|touch|generate) {_A_FILE}(?P<path>{FILE}){_CONTENT}"), _write_named),
    (
        pattern(
            r"(?:write|save|put|store) (?:the (?:text|words?|line) )?(?P<content>.+?) (?:to|into|in|as) "
            rf"(?:(?:a|the|new|file|called|named) )*(?P<path>{NAME})"
        ),
        _write_named,
    ),
)


def _backticked(words: Words, found: Found) -> Intent | None:
    quote = words.marked.quote(found["command"])
    ran = quote is not None and quote.raw.startswith("`")
    return RunCommand(quote.inner.strip()) if quote is not None and ran and quote.inner.strip() else None
