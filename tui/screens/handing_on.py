"""Export: the format, the file, and what is masked before anything leaves the program."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from runner.errors import QuarterdeckError
from runner.store.base import ExportFormat, SessionSummary
from runner.store.masking import Masked, preview
from runner.store.redact import Redactor
from tui.copying import MOST_COPIED
from tui.handing.files import file_name, free_name, path_of, write_new
from tui.handing.masking_words import NOT_COVERED, around, kinds, shown_secret, summed, where
from tui.marked import marked
from tui.render.clean import clean, visible
from tui.screens.steady import Steady
from tui.widgets.rows import Rows
from tui.words import count, cut_middle, fit, one_line

if TYPE_CHECKING:
    from runner.store import Store
    from tui.desk import Desk

FORMATS: Final[dict[ExportFormat, tuple[str, str]]] = {
    "markdown": ("Markdown", "a page to read and to paste"),
    "html": ("HTML", "a page for a browser, with folded calls; it loads nothing"),
    "jsonl": ("JSON lines", "every stored event; quarterdeck sessions import takes it back"),
}
_WRITTEN: Final[dict[str, ExportFormat]] = {"md": "markdown", "json": "jsonl", "htm": "html"}

MOST_FILE_NAME = 1000
PLACES_SHOWN = 20


def open_hand_on(desk: Desk, argument: str) -> None:
    """argument: a format, or a session's id or link, or both; else Markdown, and the session that is shown."""
    from tui.session_link import session_of

    format: ExportFormat = "markdown"
    session_id = desk.deck.session_id
    for word in argument.split():
        known = _WRITTEN.get(word.lower(), word.lower())
        if known in FORMATS:
            format = known
            continue
        try:
            session_id = session_of(word).session_id
        except QuarterdeckError as error:
            desk.deck.say(clean(str(error)), "warning")
            desk.repaint()
            return
    if session_id is None:
        desk.deck.say("there is no session to export yet")
        desk.repaint()
        return

    def then(said: str | None) -> None:
        if said:
            desk.deck.say(said)
            desk.repaint()

    desk.host.show_screen(HandingOn(desk, session_id, format), then)


class MaskedRows(Rows):
    def draw(self, row: object, width: int, selected: bool) -> Content:
        assert isinstance(row, Masked)
        times = f" {count(row.times, 'place'):>10} "
        room = max(0, width - len(times))
        label = min(34, room // 2)
        content = Content.assemble(
            (fit(f" {visible(one_line(row.label))}", label), "$foreground"),
            (fit(visible(shown_secret(row)), room - label), "$state-waiting"),
            (times, "$muted"),
        ).truncate(width, pad=True)
        return content.stylize("$selection-text on $selection") if selected else content


class HandingOn(ModalScreen["str | None"], Steady["str | None"]):
    """Left with what was done, in words."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "close", show=False, priority=True),
        Binding("tab", "format(1)", show=False, priority=True),
        Binding("shift+tab", "format(-1)", show=False, priority=True),
    ]
    KEYS: ClassVar[Mapping[str, str]] = {
        "list.up": "move(-1)",
        "list.down": "move(1)",
        "list.page_up": "move(-10)",
        "list.page_down": "move(10)",
        "list.close": "close",
        "list.switch": "masking",
        "list.copy": "copy",
        "list.save": "write",
    }

    def __init__(self, desk: Desk, session_id: str, format: ExportFormat) -> None:
        super().__init__()
        self._desk = desk
        self._session_id = session_id
        self._format: ExportFormat = format
        self._summary: SessionSummary | None = None
        self._masked_title = ""
        self._found: Sequence[Masked] | None = None
        self._masked = True
        self._busy = False
        self._given = ""
        self._rows = MaskedRows(id="export-rows", empty="nothing in it looks like a secret")

    @property
    def _folder(self) -> Path:
        return Path(self._desk.deck.view().workspace)

    def compose(self) -> ComposeResult:
        with Vertical(classes="picker export"):
            yield Static("", id="export-title", classes="picker-title", markup=False)
            yield Static("", id="export-formats", markup=False)
            yield Input(placeholder="file", id="export-file", max_length=MOST_FILE_NAME, select_on_focus=False)
            yield Static("", id="export-masking", markup=False)
            yield self._rows
            yield Static("", id="export-places", markup=False)
            yield Static("", classes="picker-detail", markup=False)
            yield Static("", classes="picker-hint", markup=False)

    def on_mount(self) -> None:
        self.query_one(Input).focus()
        self._draw()
        self.run_worker(self._load(), group="load", exclusive=True, exit_on_error=False)

    async def _load(self) -> None:
        environ, wanted = dict(os.environ), self._session_id

        def read(store: Store) -> tuple[SessionSummary, str, list[Masked]]:
            summary = store.session(wanted)
            return summary, Redactor(environ).text(summary.title), preview(store, summary.session_id, environ)

        try:
            self._summary, self._masked_title, found = await asyncio.wrap_future(self._desk.engine.ask(read))
        except QuarterdeckError as error:
            self._say(str(error), "state-failed")
            return
        self._found = found
        self._rows.set_rows(found)
        self._propose()
        self._draw()

    def _propose(self) -> None:
        """The name that is proposed, while nobody wrote another one."""
        field = self.query_one(Input)
        if self._summary is None or field.value != self._given:
            return
        # A title may hold what the export masks.
        title = "" if self._found else self._summary.title
        path = free_name(self._folder / file_name(title, self._summary.session_id, self._format))
        self._given = path.name
        field.value = path.name
        field.cursor_position = len(path.name)

    def _draw(self) -> None:
        raw = "" if self._summary is None else self._masked_title if self._masked else self._summary.title
        title = visible(one_line(raw))
        self.query_one("#export-title", Static).update(
            Content.assemble(("Export", "bold $primary"), (f"  {title or 'reading the session …'}", "$muted"))
        )
        chosen = [
            (f" {name} ", "$selection-text on $selection" if format == self._format else "$muted")
            for format, (name, _) in FORMATS.items()
        ]
        formats = Content.assemble(
            "Format  ",
            *chosen,
            (f"\n        {FORMATS[self._format][1]}\n", "$muted"),
            "File    ",
            (f"a new one in {cut_middle(visible(str(self._folder)), 44)}", "$muted"),
        )
        self.query_one("#export-formats", Static).update(formats)
        self.query_one("#export-masking", Static).update(self._masking())
        self._draw_places()
        self._hint()

    def _masking(self) -> Content:
        if self._found is None:
            return Content.styled("Secrets  looking for them …", "$muted")
        found = summed(self._found)
        if not self._masked:
            goes_out = f"{found} go out as they are: {kinds(self._found)}" if found else "whatever is in it goes out"
            return Content.assemble("Secrets  ", (f"NOT masked. {visible(goes_out)}", "bold $state-failed"))
        words = f"masked: {found}" if found else "masked, but none was found"
        return Content.assemble("Secrets  ", (words, "$state-ok" if found else "$foreground"))

    def _draw_places(self) -> None:
        row, box = self._rows.row, self.query_one("#export-places", Static)
        width = max(20, box.content_size.width)
        lines: list[Content] = []
        if isinstance(row, Masked):
            for place in row.places[:PLACES_SHOWN]:
                line = Content.assemble((f"{visible(where(place))}  ", "$muted"), marked(around(place), "$foreground"))
                lines.append(line.truncate(width, ellipsis=True))
            if row.times > PLACES_SHOWN:
                lines.append(Content.styled(f"and {count(row.times - PLACES_SHOWN, 'more place')}", "$muted"))
        elif self._found is not None:
            lines.append(Content.styled(NOT_COVERED, "$muted"))
        box.update(Content("\n").join(lines))

    def _hint(self) -> None:
        switch = "masks nothing" if self._masked else "masks secrets"
        more = self.keys_of(("list.switch", switch), *(self._copying()), ("list.close", "closes"))
        self.query_one(".picker-hint", Static).update(
            Content.styled(f"enter writes the file · tab another format · {more}", "$key-label")
        )

    def _copying(self) -> tuple[tuple[str, str], ...]:
        return (("list.copy", "copies it instead"),) if self._format == "markdown" else ()

    def _say(self, text: str, token: str = "muted") -> None:
        self.query_one(".picker-detail", Static).update(Content.styled(visible(one_line(text)), f"${token}"))

    @on(Rows.Selected)
    def _selected(self, event: Rows.Selected) -> None:
        event.stop()
        self._draw_places()

    @on(Rows.Chosen)
    def _chosen(self, event: Rows.Chosen) -> None:
        event.stop()

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        """What was said holds until the person writes: a name that was proposed is heard of late."""
        event.stop()
        if event.value != self._given:
            self._say("")

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.action_write()

    def on_resize(self) -> None:
        self.call_after_refresh(self._draw_places)

    def action_move(self, by: int) -> None:
        self._rows.move(by)

    def action_format(self, by: int) -> None:
        formats = list(FORMATS)
        self._format = formats[(formats.index(self._format) + by) % len(formats)]
        self._say("")
        self._propose()
        self._draw()

    def action_masking(self) -> None:
        self._masked = not self._masked
        self._draw()

    def action_write(self) -> None:
        text = self.query_one(Input).value.strip()
        if self._busy or self._summary is None:
            return
        if not text:
            self._say("the file needs a name", "state-waiting")
            return
        self._busy = True
        self._say("writing …")
        path = path_of(text, self._folder)
        self.run_worker(self._write(self._summary.session_id, path), group="write", exit_on_error=False)

    async def _write(self, session_id: str, path: Path) -> None:
        format, masked = self._format, self._masked
        try:
            size = await asyncio.wrap_future(
                self._desk.engine.ask(
                    lambda store: write_new(path, store.export(session_id, format, redact=masked)),
                )
            )
        except QuarterdeckError as error:
            self._say(str(error), "state-failed")
            return
        finally:
            self._busy = False
        shown = path.relative_to(self._folder) if path.is_relative_to(self._folder) else path
        self.leave(f"wrote {visible(str(shown))}, {size:,} bytes{self._ending()}")

    def action_copy(self) -> None:
        if self._busy or self._summary is None:
            return
        if self._format != "markdown":
            self._say("Markdown can be copied; a page of HTML and JSON lines go into a file", "state-waiting")
            return
        self._busy = True
        self.run_worker(self._copy(self._summary.session_id), group="write", exit_on_error=False)

    async def _copy(self, session_id: str) -> None:
        masked = self._masked
        try:
            text = await asyncio.wrap_future(
                self._desk.engine.ask(lambda store: "".join(store.export(session_id, "markdown", redact=masked)))
            )
        except QuarterdeckError as error:
            self._say(str(error), "state-failed")
            return
        finally:
            self._busy = False
        self._desk.host.copy(text)
        size = len(text.encode("utf-8", "replace"))
        large = "; more than some terminals put on their clipboard" if size > MOST_COPIED else ""
        self.leave(f"the session is copied as Markdown, {size:,} bytes{self._ending()}{large}")

    def _ending(self) -> str:
        if not self._masked:
            return ", with nothing masked"
        return f", {summed(self._found)} masked" if self._found else ""

    def action_close(self) -> None:
        if not self._busy:
            self.leave()
