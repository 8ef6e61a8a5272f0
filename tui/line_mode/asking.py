"""Asks the person what waits, one question after the other, until it is answered or over."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, TypeAlias, cast

from runner.state import CallItem
from tui.approving import Around
from tui.limits import next_value
from tui.line_mode.answers import call_answer, question_answer
from tui.line_mode.cards import call_card, limit_card, question_card
from tui.line_mode.exchange import Exchange, Over
from tui.line_mode.replies import ReplyError, limit_reply
from tui.meters import pace_words
from tui.render.clean import visible
from tui.view import refusals
from tui.widgets.question import Question
from tui.words import one_line

if TYPE_CHECKING:
    from runner.control.commands import Decide, LimitName
    from runner.events import LimitReached
    from runner.state import ApprovalView
    from tui.deck import Deck
    from tui.line_mode.console import Console
    from tui.orders import Orders

Asked: TypeAlias = "CallItem | LimitReached"


class Asking:
    """obey: carries out a line that is a command; whether it was one."""

    def __init__(
        self,
        *,
        console: Console,
        deck: Deck,
        orders: Orders,
        environ: Mapping[str, str],
        use_model: Callable[[str], Awaitable[None]],
        obey: Callable[[str], Awaitable[bool]],
    ) -> None:
        self._console = console
        self._deck = deck
        self._orders = orders
        self._environ = environ
        self._use_model = use_model
        self._obey = obey
        self._exchange: Exchange | None = None
        self._settled = ("", 0)

    def next(self) -> Asked | None:
        """The oldest question that waits."""
        view = self._deck.view()
        limit, waiting = view.limit_asked, view.waiting
        if limit is not None and view.live is not None and (_limit_key(limit), refusals(view.live)) == self._settled:
            limit = None
        first = waiting[0] if waiting else None
        if limit is not None and (first is None or first.asked is None or limit.mono < first.asked.mono):
            return limit
        return first

    def look(self, *, leaving: bool) -> None:
        """The runs changed: what was asked may be over."""
        if self._exchange is None:
            return
        view = self._deck.view()
        asked = {call.asked.request_id for call in view.waiting if call.asked is not None}
        if view.limit_asked is not None:
            asked.add(_limit_key(view.limit_asked))
        if leaving or self._exchange.key not in asked:
            self._exchange.over.set()

    async def ask(self, asked: Asked) -> None:
        """Raises EndOfInput."""
        try:
            if not isinstance(asked, CallItem):
                await self._ask_limit(asked)
            elif asked.asked is not None:
                await self._ask_call(asked.asked)
        except Over:
            self._console.say("(that question is over)")
        finally:
            self._exchange = None

    async def _ask_call(self, approval: ApprovalView) -> None:
        view = self._deck.view()
        others = [call for call in view.waiting if call.asked is not approval]
        of = len(view.waiting) + (view.limit_asked is not None)
        around = Around(run=len(view.runs), elsewhere=view.waiting_elsewhere, refused=view.refused, sent=view.sent)
        tool = visible(one_line(approval.tool))
        question = Question(approval) if approval.asks == "question" else None
        exchange = self._begin(approval.request_id)
        if question is not None:
            await exchange.show(question_card(question, around, others, view.now, of=of))
        else:
            await exchange.show(call_card(approval, around, others, view.now, of=of))
        answer: Decide | None = None
        while answer is None:
            said = await exchange.reply(f"your answer to {tool}:" if question is not None else f"allow {tool}?")
            try:
                if question is not None:
                    answer = await question_answer(question, said, exchange)
                else:
                    answer = await call_answer(approval, said, exchange, self._environ)
            except ReplyError as error:
                exchange.say(str(error))
        if exchange.over.is_set():
            raise Over
        self._deck.decide(answer)

    async def _ask_limit(self, asked: LimitReached) -> None:
        exchange, live = self._begin(_limit_key(asked)), self._deck.view().live
        before = 0 if live is None else refusals(live)
        await exchange.show(limit_card(asked, pace_words(self._deck.view(), asked.limit)))
        while True:
            said = await exchange.reply("what now?")
            try:
                reply = limit_reply(said, asked, next_value(asked))
            except ReplyError as error:
                exchange.say(str(error))
                continue
            match reply.way:
                case "set":
                    self._orders.set_limit(cast("LimitName", asked.limit), reply.value)
                case "model":
                    await self._use_model(reply.text)
                    # Whether it can be used is not known yet; the question stays until the run goes on.
                    continue
                case "wrap_up":
                    self._orders.give("wrap_up")
                case "stop":
                    self._deck.press_stop()
            # The run takes a moment to say so; until then, or until it refuses, the same is not asked again.
            self._settled = (exchange.key, before)
            return

    def _begin(self, key: str) -> Exchange:
        self._exchange = Exchange(key, self._console, self._obey)
        return self._exchange


def _limit_key(asked: LimitReached) -> str:
    return f"{asked.run_id}:{asked.seq}"
