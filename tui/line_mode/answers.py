"""From what is typed for a question to the answer: a word is enough, or a reason, an edited call, a form follow."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import nullcontext
from typing import TYPE_CHECKING

from runner.control.commands import Decide
from tui.form_fields import Field, FieldError, as_json, fields_of_schema, read_field, read_json
from tui.granting import GrantError, decision, offer_words, offers, sentence
from tui.line_mode.cards import bar, whole_call
from tui.line_mode.exchange import Exchange
from tui.line_mode.replies import ReplyError, call_reply, question_reply, terms_of
from tui.outside_editor import EditorError, edit
from tui.words import one_line

if TYPE_CHECKING:
    from runner.messages import JsonObject
    from runner.state import ApprovalView
    from tui.widgets.question import Question

_HOW_LONG = (
    "how long: run, session, project or always; and how far, such as: run 5 calls, session 10 minutes, run failure"
)
_BACK = "back"


async def call_answer(
    approval: ApprovalView, said: str, exchange: Exchange, environ: Mapping[str, str]
) -> Decide | None:
    """None: ask again. Raises ReplyError, Over and EndOfInput."""
    reply, request_id = call_reply(said, approval.options), approval.request_id
    match reply.way:
        case "allow":
            return Decide(request_id=request_id, decision="allow")
        case "allow_run":
            return Decide(request_id=request_id, decision="allow", scope="run")
        case "deny":
            return Decide(request_id=request_id, decision="deny", reason=reply.text)
        case "end_run":
            return Decide(request_id=request_id, decision="end_run")
        case "view":
            exchange.tell(whole_call(approval))
            return None
        case "allow_for":
            return await _allow_for(approval, exchange)
        case "edit":
            text = reply.text or await _in_editor(as_json(approval.arguments), exchange, environ)
            return await _edited(approval, text, exchange, environ)


async def _allow_for(approval: ApprovalView, exchange: Exchange) -> Decide | None:
    found = offers(approval)
    exchange.say("\n".join(f"{number}. {one_line(offer_words(offer))}" for number, offer in enumerate(found, 1)))
    number = (await exchange.reply(f"what to allow, 1 to {len(found)}, or {_BACK}:")).strip()
    if not (number.isascii() and number.isdecimal() and 0 < int(number) <= len(found)):
        return _nothing(number)
    offer = found[int(number) - 1]
    exchange.say(_HOW_LONG)
    long = (await exchange.reply(f"how long, or {_BACK}:")).strip()
    if long == _BACK:
        return None
    terms = terms_of(long)
    try:
        words, answer = sentence(offer.patterns, terms), decision(approval, offer.patterns, terms)
    except GrantError as error:
        raise ReplyError(str(error)) from error
    exchange.say(f"this allows {words}")
    return answer if await _sure(exchange) else None


async def _in_editor(text: str, exchange: Exchange, environ: Mapping[str, str]) -> str:
    await exchange.console.drained()
    try:
        with exchange.console.lend():
            # In a thread, so that signals and the run's events are still heard.
            return await asyncio.to_thread(edit, text, ".json", environ, nullcontext)
    except (EditorError, OSError) as error:
        raise ReplyError(f"{error}; edit {{JSON}} takes the arguments on the line") from error


async def _edited(approval: ApprovalView, text: str, exchange: Exchange, environ: Mapping[str, str]) -> Decide | None:
    """What came back is looked at before it counts."""
    while True:
        try:
            arguments = read_json(text)
        except FieldError as error:
            exchange.say(f"not taken: {error}")
            arguments = None
        if arguments is not None and as_json(arguments) == as_json(approval.arguments):
            exchange.say("nothing was changed")
            return None
        if arguments is not None:
            exchange.tell("\n".join(["edited:", *bar(as_json(arguments), whole=True)]))
            if await _sure(exchange):
                return Decide(request_id=approval.request_id, decision="edit", arguments=arguments)
            return None
        if (await exchange.reply(f"edit it again, or {_BACK}?")).strip() != "edit":
            return None
        text = await _in_editor(text, exchange, environ)


async def _sure(exchange: Exchange) -> bool:
    """An explicit word; whatever else is typed goes back."""
    return (await exchange.reply(f"allow that, yes or {_BACK}?")).strip().lower() in ("yes", "y", "allow")


async def question_answer(question: Question, said: str, exchange: Exchange) -> Decide | None:
    """None: ask again. Raises ReplyError, Over and EndOfInput."""
    answer = question_reply(said, question)
    if answer is not None or question.schema is None:
        return answer
    filled: JsonObject = {}
    for field in fields_of_schema(question.schema):
        value = await _field(field, exchange)
        if value is _LEFT:
            return None
        if value is not None:
            filled[field.name] = value
    exchange.tell("\n".join(["filled in:", *bar(as_json(filled), whole=True)]))
    if (await exchange.reply(f"send that, yes or {_BACK}?")).strip().lower() not in ("yes", "y", "send"):
        return None
    return Decide(request_id=question.approval.request_id, decision="answer", arguments=filled)


_LEFT = object()


async def _field(field: Field, exchange: Exchange) -> object:
    """Its value; None where it is left out, _LEFT where the person went back."""
    first = f", enter takes {field.value}" if field.value else ", enter leaves it out" if field.optional else ""
    choices = f" ({', '.join(map(one_line, field.choices))})" if field.choices else ""
    exchange.say(f"{one_line(field.name)}{choices}{first}{f': {one_line(field.remark)}' if field.remark else ''}")
    while True:
        text = await exchange.reply("its value:", empty=bool(field.value) or field.optional)
        if text.strip() == f"/{_BACK}":
            return _LEFT
        if not text.strip():
            text = field.value
            if not text:
                return None
        try:
            return read_field(field, text)
        except FieldError as error:
            exchange.say(f"{field.name} {error}; /{_BACK} leaves the form")


def _nothing(text: str) -> None:
    if text.lower() != _BACK:
        raise ReplyError("that is not one of the numbers")
