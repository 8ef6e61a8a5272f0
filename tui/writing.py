"""What is written in the message: sent, queued, a command, or a change to a message that waits."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from runner.errors import QuarterdeckError
from tui import history
from tui.drafts import Draft
from tui.person_shell import read_shell, sign_words
from tui.refusals import LATE_EDIT
from tui.render.clean import visible
from tui.slash import Slash, read_slash
from tui.waiting import delivered
from tui.widgets.completion import Remark
from tui.widgets.composer import Composer, pasted
from tui.words import count, one_line

if TYPE_CHECKING:
    from tui.completer import Completer
    from tui.deck import Deck
    from tui.drafting import Drafting
    from tui.engine import Engine
    from tui.mentions import Mention
    from tui.orders import Orders
    from tui.ports import Host
    from tui.recall import Recall
    from tui.screens.cockpit import CockpitScreen
    from tui.servers import Servers
    from tui.widgets.completion import Word


@dataclass(frozen=True, slots=True)
class Rewrite:
    """A message waiting in a run that is being edited. original: what it says until the change is saved."""

    run_id: str
    message_id: str
    original: str


class Writing:
    """The person's draft is put aside while the message holds something else, and comes back after it.

    obey: carries out a command that is no message.
    """

    def __init__(
        self,
        *,
        host: Host,
        screen: CockpitScreen,
        deck: Deck,
        orders: Orders,
        engine: Engine,
        completer: Completer,
        obey: Callable[[Slash], None],
        servers: Servers,
        repaint: Callable[[], None],
    ) -> None:
        self._host = host
        self._screen = screen
        self._composer = screen.composer
        self._deck = deck
        self._orders = orders
        self._engine = engine
        self._completer = completer
        self._obey = obey
        self._servers = servers
        self._repaint = repaint
        self._history_file: Path | None = None
        self._rewrite: Rewrite | None = None
        self._draft: str | None = None
        self.recall: Recall | None = None
        self.drafting: Drafting | None = None

    @property
    def rewriting(self) -> str:
        """The id of the waiting message that is being edited, "" for none."""
        return self._rewrite.message_id if self._rewrite is not None else ""

    def write(self, what: Literal["send", "send_now", "newline"]) -> None:
        if what == "newline":
            self._composer.insert_newline()
        elif self._rewrite is not None:
            self._save(self._rewrite, now=what == "send_now")
        elif what == "send" or read_slash(self._composer.text) is not None or self._composer.text.startswith("!"):
            self._send()
        else:
            self._send_now()

    def _send(self) -> None:
        if self._composer.blank:
            return
        text = self._composer.take()
        if self.submit(text):
            self.bring_back()
        else:
            self._composer.replace_all(text)

    def _send_now(self) -> None:
        """The message interrupts the run; an empty one delivers those that wait."""
        if not self._composer.blank:
            self.send(self._composer.take(), now=True)
            self.bring_back()
        elif self._deck.current is None:
            self._deck.say("nothing is written, and nothing runs")
        else:
            self._orders.deliver_now()

    def submit(self, text: str) -> bool:
        """Send a message, or do what a command says; False where it cannot be understood and stays in the message."""
        if text.startswith("!"):
            return self._run_shell(text)
        slash, prompt = read_slash(text), self._servers.read_prompt(text)
        if prompt is not None:
            understood = self._servers.run_prompt(prompt)
            if understood:
                self._keep(text)
            return understood
        if slash is None:
            self.send(text)
        elif slash.action_id is None:
            self._deck.say(f"there is no command /{slash.name}; begin with a space to send it as a message", "warning")
            return False
        elif slash.action_id == "limit":
            problem = self._orders.write_limit(slash.argument)
            if problem:
                self._deck.say(problem, "warning", stay=True)
                return False
            self._keep(text)
        elif slash.action_id == "send_now":
            if slash.argument:
                self.send(slash.argument, now=True)
            else:
                self._orders.deliver_now()
        else:
            self._obey(slash)
        return True

    def _run_shell(self, text: str) -> bool:
        """A shell command of the person's own; False where there is none behind the sign."""
        shell = read_shell(text)
        if shell is None:
            self._deck.say("there is no command behind the !; begin with a space to send it as a message", "warning")
            return False
        self._keep(text)
        self._deck.send(text, shell=shell)
        self._screen.scroll_transcript("end")
        return True

    def send(self, text: str, *, now: bool = False) -> None:
        """A message of the person's, with the resources that it mentions."""
        self._keep(text)
        mentioned = self._servers.mentions(text)
        if mentioned:
            self._host.work(self._send_with(text, mentioned, now=now), "attach")
        else:
            self._deliver(text, now=now)

    def _deliver(self, text: str, *, now: bool) -> None:
        self._deck.send(text, now=now)
        if now:
            self._orders.say_delivery(len(self._deck.messages) + 1)
        self._screen.scroll_transcript("end")

    async def _send_with(self, text: str, mentioned: list[Mention], *, now: bool) -> None:
        self._deck.say(f"reading {count(len(mentioned), 'resource')} first")
        self._repaint()
        try:
            whole = await self._servers.attach(text, mentioned)
        except QuarterdeckError as error:
            self._composer.give_back(text)
            self._deck.say(f"not sent: {one_line(visible(str(error)))}", "warning", stay=True)
        else:
            self._deliver(whole, now=now)
        self._repaint()

    def offer(self, text: str) -> None:
        """A text that the person may send, before what is being written."""
        self._composer.give_back(pasted(text)[0])
        self._composer.focus()

    def rewrite(self, message_id: str) -> None:
        """Edit a message that waits, in the place of the message that is being written."""
        run = self._deck.run
        found = next((item for item in self._deck.messages if item.item_id == message_id), None)
        if run is None or found is None:
            self._deck.say("that message does not wait any more")
            return
        if self.rewriting != message_id:
            self.put_aside(found.text)
            self._rewrite = Rewrite(run.run_id, message_id, found.text)
            self._deck.rewriting = message_id
        self._composer.focus()

    def begin(self, text: str) -> None:
        """Begin a command in the place of the message that is being written."""
        self.put_aside(text)
        self._composer.focus()

    def escape(self) -> bool:
        """Leave what took the place of the draft, as it was; whether there was such a thing."""
        if self._draft is None:
            return False
        self.settle()
        return True

    def follow(self) -> None:
        """What was edited was delivered, deleted, or its run ended: what is written is a message of its own."""
        if self.drafting is not None:
            self.drafting.follow()
        rewrite = self._rewrite
        if rewrite is None or rewrite.message_id in {item.item_id for item in self._deck.messages}:
            return
        run = self._deck.view().run
        ended = self._deck.current is None
        if self._deck.is_live(rewrite.run_id) and (ended or run is None or run.run_id != rewrite.run_id):
            # Another session is shown; there the message waits as it was.
            self._leave()
            return
        untouched = self._composer.message == rewrite.original
        was_delivered = run is not None and delivered(run, rewrite.message_id) is not None
        if untouched and (was_delivered or not ended):
            self._leave()
            self._deck.say("that message was delivered" if was_delivered else "that message waits no more")
            return
        self._forget()
        if not self._draft:
            self._draft = None
        if was_delivered:
            self._deck.say("it was delivered meanwhile; what you write here is a new message", "warning")
        elif ended:
            self._deck.say("the run ended before your queued message was delivered; it is back in the input", "warning")

    def give_back(self) -> None:
        """Put messages back that were never delivered."""
        text = self._deck.take_restored()
        if text:
            self._composer.give_back(text)

    def typed(self, text: str) -> None:
        """Text that reached another part belongs to the message."""
        self._composer.focus()
        self._composer.insert_pasted(text)

    def _save(self, rewrite: Rewrite, *, now: bool) -> None:
        if self._composer.blank:
            self._deck.say("an empty message cannot wait; esc leaves it as it was", "warning")
            return
        text = self._composer.message
        self._forget()
        self._composer.take()
        self.bring_back()
        if text != rewrite.original and not self._orders.edit_message(rewrite.message_id, text):
            self._deck.send(text)
            self._deck.say(LATE_EDIT, "warning")
        if now:
            self._orders.deliver_now()
        elif text != rewrite.original:
            self._keep(text)

    def _leave(self) -> None:
        """Back to the draft; what was written instead can be found among the earlier messages."""
        self._keep_for_later()
        self._forget()
        self._composer.take()
        self.bring_back()

    def _forget(self) -> None:
        self._rewrite = None
        self._deck.rewriting = ""

    def put_aside(self, instead: str) -> None:
        """Write something else in the place of the draft, which comes back after it."""
        if self._draft is None:
            self._draft = self._composer.message
        else:
            self._keep_for_later()
        self._forget()
        self._composer.close_completion()
        self._composer.replace_all(instead)

    def _keep_for_later(self) -> None:
        """What was written in the draft's place, and is not sent, is found among the earlier messages."""
        text = self._composer.message
        changed = self._rewrite is None or text != self._rewrite.original
        if changed and text.strip() and read_slash(text) is None:
            self._composer.history_of_messages.add(text)

    def taken(self, text: str) -> None:
        """What was found in the place of the draft is written now."""
        if not (self._draft or "").strip():
            self._draft = None
        self._composer.replace_all(text)

    @property
    def composer(self) -> Composer:
        return self._composer

    @property
    def draft(self) -> Draft:
        """What is not sent yet, apart from what is written in its place for a while."""
        pastes = self._composer.pastes
        if self._draft is None:
            return Draft(self._composer.message, tuple(pastes.folded_in(self._composer.text)))
        return Draft(self._draft, tuple(pastes.folded_in(pastes.refold(self._draft))))

    def settle(self) -> None:
        """Leave whatever took the place of the draft."""
        if self._composer.searching is not None:
            self._composer.searching.leave()
        elif self._draft is not None:
            self._leave()

    def bring_back(self) -> None:
        """The draft is what is written again."""
        draft, self._draft = self._draft, None
        if draft:
            self._composer.replace_all(draft)

    def _keep(self, text: str) -> None:
        """Remember it among the earlier messages."""
        if self._composer.history_of_messages.add(text):
            self.keep_on_disk(text)

    def leave_session(self) -> None:
        """Another session is going to be shown; what is written here stays with this one."""
        if self.drafting is not None:
            self.drafting.leaving()

    def load_history(self, data_dir: Path, workspace: Path) -> None:
        self._history_file = history.history_file(data_dir, workspace)
        if self.recall is not None:
            self.recall.open(self._history_file.parent)
        if self.drafting is not None:
            self.drafting.open(data_dir)
        self._host.work(self._load(self._history_file), "history")

    async def _load(self, file: Path) -> None:
        with suppress(QuarterdeckError):
            found = await asyncio.wrap_future(self._engine.background(lambda: history.load(file)))
            self._composer.history_of_messages.extend_older(found)

    def keep_drafts(self) -> None:
        """The program ends: what is not sent yet can be found again."""
        if self.drafting is not None:
            self.drafting.close()
        for text in (self._draft or "", self._composer.message):
            if text.strip():
                self.keep_on_disk(text)

    def keep_on_disk(self, text: str) -> None:
        file = self._history_file
        if file is None:
            return

        async def append() -> None:
            # Losing an entry of the input history is no reason to disturb anybody.
            with suppress(OSError, QuarterdeckError):
                await asyncio.wrap_future(self._engine.background(lambda: history.append(file, text)))

        self._host.work(append(), "history")

    def complete(self, word: Word | None) -> None:
        if word is None:
            self._composer.close_completion()
        elif word.kind == "shell":
            first, second = sign_words(word.query)
            self._screen.popup.offer([Remark(first, loud=True), Remark(second)])
        else:
            self._host.work(self._complete(word), "complete")

    async def _complete(self, word: Word) -> None:
        if word.kind == "history" and self.recall is not None:
            found = await self.recall.candidates(word.query)
        else:
            found = await self._completer.candidates(word, self._deck.view())
        if self._composer.word == word:
            self._screen.popup.offer(found)
