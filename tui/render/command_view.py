"""The view of a shell command of the person's own: what ran, how it ended, and what it printed."""

from __future__ import annotations

from typing import Final

from runner.state import CommandItem, Item
from tui import words
from tui.render import calls
from tui.render.blocks import Block
from tui.render.call_view import more_block, output_blocks
from tui.render.clean import Clean, clean, clean_output
from tui.render.command_words import command_facts, end_words
from tui.render.groups import Together
from tui.render.lines import MUTED, Ink, Line, Span, fit_middle, spans_of, width_of, wrapped
from tui.render.results import INDENT
from tui.render.ticking_view import TickingView

FOLDED_LINES: Final = 12
"""Lines of output, the last ones, that are shown while the item is folded: who ran a command wants to see them."""

_SHELL: Final = Ink("tool.shell", bold=True)
_COLOURS: Final = {
    None: "state.running",
    "stopped": "state.cancelled",
    "interrupted": "state.cancelled",
    "not_started": "state.failed",
}


def _end(item: CommandItem, running: int | None = None) -> tuple[str, str]:
    """How a command stands, in words and colour."""
    said = end_words(item)
    if item.running:
        said += f" {words.seconds(running)}" if running else ""
    elif item.status != "not_started":
        said += f" · {words.duration(item.seconds)}"
    good = "state.ok" if item.exit_code == 0 else "warning"
    return said, _COLOURS.get(item.status, good)


class CommandView(TickingView[CommandItem]):
    def _since(self) -> float | None:
        return self._item.mono if self._item.running else None

    def _of(self, item: Item | Together) -> CommandItem | None:
        return item if isinstance(item, CommandItem) else None

    def _make(self) -> list[Block]:
        item, running = self._item, self._running
        header = Block(
            render=lambda width: [_header(item, width, running)],
            found=lambda: Clean(f"{clean(item.command)} {command_facts(item)} {_end(item)[0]}"),
        )
        blocks = [header]
        if self.expanded and "\n" in item.command.strip():
            blocks.append(Block(render=lambda width: _lines(clean(item.command), MUTED, width)))
        return [*blocks, *self._output(), *self._ending()]

    def _output(self) -> list[Block]:
        item = self._item
        if item.running:
            self._live.update(item)
            text, earlier = self._live.text, self._live.earlier
        else:
            text, earlier = clean_output(item.output), 0
        if not text:
            return []
        if self.whole or (self.expanded and not item.running):
            return output_blocks(text, whole=self.whole, opens=self.opens)
        rows = text.removesuffix("\n").split("\n")
        most = calls.OUTPUT_LINES if self.expanded else FOLDED_LINES
        hidden = max(0, len(rows) - most) + earlier
        shown = Clean("\n".join(rows[-most:]))
        tail = Block(
            render=lambda width: calls.output_lines(shown, width),
            length=len(shown),
            newlines=shown.count("\n"),
            key=(shown, "tail"),
            found=lambda: shown,
        )
        return [more_block(hidden, self.opens, "earlier line"), tail] if hidden else [tail]

    def _ending(self) -> list[Block]:
        item = self._item
        facts: list[str] = []
        if item.error:
            facts.append(item.error)
        if item.truncated:
            facts.append("the middle of the output is left out" + (", the whole is stored" if item.artifact else ""))
        if item.left_over:
            facts.append(f"ended with it: {', '.join(item.left_over[:5])}")
        if not facts:
            return []
        text = clean(words.one_line(" · ".join(facts)))
        return [Block(render=lambda width: _lines(text, MUTED, width), length=len(text), key=(text, "ending"))]


def _header(item: CommandItem, width: int, running: int | None) -> Line:
    said, colour = _end(item, running)
    room = width - 2
    facts = f" · {command_facts(item)}"
    ended = f" · {said}"
    command = clean(words.one_line(item.command))
    for shorter in (f" · by you{', shared' if item.share else ''}", ""):
        # On a narrow line the command and its end matter most; the sign before it says whose it is.
        if width_of(command) + width_of(facts) + width_of(ended) > room:
            facts = shorter
    shown = fit_middle(command, max(8, room - width_of(facts) - width_of(ended)))
    return Line(
        spans=(
            Span(Clean("$ "), _SHELL),
            *spans_of(shown, Ink("foreground", bold=True)),
            Span(Clean(facts), MUTED),
            Span(Clean(ended), MUTED if colour == "state.ok" else Ink(colour)),
        ),
        lead=2,
        action=True,
    )


def _lines(text: Clean, ink: Ink, width: int) -> list[Line]:
    return wrapped(spans_of(text, ink), width, first=INDENT)
