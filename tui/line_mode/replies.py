"""What a typed answer means. Pure; an answer that is not one of the words decides nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Final, Literal

from runner.control.commands import Decide
from tui.granting import AMOUNTS, GrantError, Terms, checked
from tui.limits import BY_NAME, read_value
from tui.render.limits import quantity

if TYPE_CHECKING:
    from runner.events import LimitReached, Scope
    from tui.granting import BoundKind
    from tui.widgets.question import Question

CallWay = Literal["allow", "allow_run", "allow_for", "deny", "edit", "view", "end_run"]
LimitWay = Literal["set", "model", "wrap_up", "stop"]

_CALL: Final[dict[str, CallWay]] = {
    **dict.fromkeys(("a", "allow", "y", "yes"), "allow"),
    **dict.fromkeys(("r", "run", "allow run", "allow for this run"), "allow_run"),
    **dict.fromkeys(("f", "for", "allow for"), "allow_for"),
    **dict.fromkeys(("d", "deny", "n", "no"), "deny"),
    **dict.fromkeys(("e", "edit"), "edit"),
    **dict.fromkeys(("v", "view"), "view"),
    **dict.fromkeys(("end", "end run"), "end_run"),
}
_DECISION: Final[dict[CallWay, str]] = {"allow_run": "allow", "allow_for": "allow"}
_BECAUSE = re.compile(r"(?:d|deny|n|no)[ ,:]+(?:because )?(\S.*)|because (\S.*)", re.IGNORECASE | re.DOTALL)
_EDIT = re.compile(r"(?:e|edit)\s+(\{.*)", re.DOTALL)
_SCOPES: Final[dict[str, Scope]] = {"run": "run", "session": "session", "project": "project", "always": "user"}
_BOUND = re.compile(r"(?:(\$?[\d.]+) (call|minute|dollar)s?|(failure))?")
_KINDS: Final[dict[str, BoundKind]] = {"call": "calls", "minute": "minutes", "dollar": "cost"}


class ReplyError(ValueError):
    """Why what was typed is no answer, in words for the person who typed it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallReply:
    """text: the reason of a denial, or the edited arguments as JSON."""

    way: CallWay
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitReply:
    """value: None takes the limit off."""

    way: LimitWay
    value: Decimal | None = None
    text: str = ""


def call_reply(text: str, options: tuple[str, ...] = ()) -> CallReply:
    """Raises ReplyError."""
    found = _call_reply(text)
    decision = _DECISION.get(found.way, found.way)
    if options and decision != "view" and decision not in options:
        raise ReplyError(f"{decision} is not offered here")
    return found


def _call_reply(text: str) -> CallReply:
    words = " ".join(text.lower().split())
    if words in _CALL:
        return CallReply(way=_CALL[words])
    if edited := _EDIT.fullmatch(text.strip()):
        return CallReply(way="edit", text=edited[1])
    if because := _BECAUSE.fullmatch(text.strip()):
        return CallReply(way="deny", text=because[1] or because[2])
    raise ReplyError("that is no answer: type allow, deny, or one of the other words")


def question_reply(text: str, question: Question) -> Decide | None:
    """None: the form is to be filled in. Raises ReplyError."""
    words, request_id = text.strip(), question.approval.request_id
    match words.lower():
        case "none":
            return Decide(request_id=request_id, decision="deny")
        case "end" | "end run":
            return Decide(request_id=request_id, decision="end_run")
        case "fill" if question.schema is not None:
            return None
        case _:
            pass
    if question.schema is not None:
        raise ReplyError("that is no answer: type fill, none or end")
    if question.free and words.startswith("=") and words[1:].strip():
        return question.written(words[1:].strip())
    if question.choices:
        return question.written(*_chosen(words, question))
    return question.written(words)


def _chosen(words: str, question: Question) -> list[str]:
    numbers = re.split(r"[\s,]+", words)
    own = ", or = and an answer of your own" if question.free else ""
    if not all(number.isascii() and number.isdecimal() for number in numbers):
        raise ReplyError(f"that is no answer: type its number{own}")
    if len(numbers) > 1 and not question.several:
        raise ReplyError("one answer is wanted: type one number")
    picked = {int(number) - 1 for number in numbers}
    if not all(0 <= index < len(question.choices) for index in picked):
        raise ReplyError(f"the numbers go from 1 to {len(question.choices)}")
    return [question.choices[index] for index in sorted(picked)]


def limit_reply(text: str, asked: LimitReached, higher: Decimal) -> LimitReply:
    """higher: what "raise" alone comes to. Raises ReplyError."""
    word, _, rest = " ".join(text.split()).partition(" ")
    match word.lower(), rest:
        case ("raise", value) if asked.why != "unknown_price":
            return LimitReply(way="set", value=_raised(value, asked) if value else higher)
        case "off", "":
            return LimitReply(way="set", value=None)
        case "model", name if name:
            return LimitReply(way="model", text=name)
        case ("wrap", "") | ("wrap", "up"):
            return LimitReply(way="wrap_up")
        case "stop", "":
            return LimitReply(way="stop")
        case _:
            raise ReplyError("that is no answer: type one of the words")


def _raised(text: str, asked: LimitReached) -> Decimal | None:
    try:
        value = read_value(BY_NAME[asked.limit], text, asked.value)
    except ValueError as error:
        raise ReplyError(str(error)) from error
    if value is not None and value <= asked.used:
        raise ReplyError(f"{quantity(asked.limit, asked.used)} is used already: write more than that")
    return value


def terms_of(words: str) -> Terms:
    """How long, and how far: "session", "run 5 calls", "always 10 minutes", "run failure". Raises ReplyError."""
    word, _, rest = " ".join(words.lower().split()).partition(" ")
    scope, bound = _SCOPES.get(word), _BOUND.fullmatch(rest)
    if scope is None or bound is None:
        raise ReplyError("type how long: run, session, project or always; and how far: 5 calls, 10 minutes, failure")
    kind: BoundKind = _KINDS[bound[2]] if bound[2] else "failure" if bound[3] else "none"
    try:
        return checked(Terms(scope=scope, bound=kind, amount=bound[1] if kind in AMOUNTS else ""))
    except GrantError as error:
        raise ReplyError(str(error)) from error
