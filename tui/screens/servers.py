"""The servers of the Model Context Protocol: their state, what they offer, what they printed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual.content import Content
from textual.widgets import Input

from runner.mcp.state import PromptInfo, ResourceInfo, ServerState, ToolInfo
from tui.render.clean import Clean, clean_output, visible
from tui.screens.picker import Picker
from tui.screens.viewer import Viewer
from tui.server_words import PHASES, SIGNS, hints_words, offers_words
from tui.widgets.rows import Rows
from tui.words import count, cut, fit, one_line

if TYPE_CHECKING:
    from tui.desk import Desk
    from tui.servers import Servers

STDERR_LINES = 3
"""Lines of what a server printed that stand below the list."""


def open_servers(desk: Desk, argument: str) -> None:
    """argument: what to look for."""
    desk.host.show_screen(ServersScreen(desk.servers, argument))


class ServerRows(Rows):
    def draw(self, row: object, width: int, selected: bool) -> Content:
        assert isinstance(row, ServerState)
        word, token = PHASES[row.phase]
        right = f" {row.transport:<5}"
        if width >= 70:
            right += f" {f'pid {row.pid}' if row.pid is not None else '':<12}"
        if width >= 96:
            right += f" {count(row.restarts, 'restart') if row.restarts else '':<11}"
        offers = offers_words(row) if row.phase == "ready" else visible(one_line(row.problem))
        longest = max((len(other.name) for other in self._rows if isinstance(other, ServerState)), default=0)
        name = fit(row.name, min(max(longest, 6), 20))
        room = max(0, width - len(name) - 14 - len(right) - 2)
        content = Content.assemble(
            (f" {name} ", "bold $foreground"),
            (f"{SIGNS[row.phase]} {word:<11}", f"${token}"),
            (fit(offers, room), "$foreground" if row.phase == "ready" else "$muted"),
            (right, "$muted"),
        ).truncate(width, pad=True)
        return content.stylize("$selection-text on $selection") if selected else content


class ServersScreen(Picker[None]):
    KEYS: ClassVar[Mapping[str, str]] = {"list.again": "restart", "list.switch": "switch"}
    TITLE_TEXT = "MCP servers"
    SUBTITLE = "tools from elsewhere"

    def __init__(self, servers: Servers, text: str = "") -> None:
        super().__init__()
        self._servers = servers
        self._text = text
        self._unwatch: Callable[[], None] | None = None

    def make_rows(self) -> Rows:
        return ServerRows(id="picker-rows")

    def hint(self) -> str:
        more = (("list.again", "restarts it"), ("list.switch", "switches it on or off"), ("list.close", "closes"))
        return f"enter shows what it offers · {self.keys_of(*more)}"

    def on_mount(self) -> None:
        self.query_one(Input).value = self._text
        self._unwatch = self._servers.watch(self._changed)

    def on_unmount(self) -> None:
        if self._unwatch is not None:
            self._unwatch()

    def _changed(self) -> None:
        """A server changed while this is open; the selected one stays selected."""
        self.items = self._servers.states
        self.refilter(keep=max(0, self._list.selected))

    async def load(self) -> Sequence[object]:
        return self._servers.states

    def search_text(self, item: object) -> str:
        assert isinstance(item, ServerState)
        return f"{item.name} {item.phase} {item.transport} {' '.join(tool.original for tool in item.tools)}"

    def show_detail(self) -> None:
        if self._list.row is None and not self.items:
            self.say("no server is configured: a table [mcp.NAME] with a command or a url adds one")
            return
        super().show_detail()

    def detail(self, item: object | None) -> Content:
        assert isinstance(item, ServerState)
        facts = [item.version, offers_words(item), "trusted" if item.trusted else ""]
        if item.left_out:
            facts.append(f"{count(len(item.left_out), 'tool')} left out")
        if item.restarts:
            facts.append(count(item.restarts, "restart"))
        lines = [Content.styled(" · ".join(visible(one_line(fact)) for fact in facts if fact), "$muted")]
        if item.problem:
            lines.append(Content.styled(visible(one_line(item.problem)), "$state-failed"))
        room = max(20, self._list.content_size.width)
        lines += [Content.styled(cut(line, room), "$muted") for line in last_lines(item.stderr, STDERR_LINES)]
        return Content("\n").join(lines)

    def choose(self, item: object) -> None:
        assert isinstance(item, ServerState)
        self.app.push_screen(Viewer(server_title(item), server_body(item)))  # pyright: ignore[reportUnknownMemberType]

    def action_restart(self) -> None:
        row = self._list.row
        if isinstance(row, ServerState):
            self._servers.restart(row.name)
            self.say(f"restarting {row.name}")

    def action_switch(self) -> None:
        row = self._list.row
        if isinstance(row, ServerState):
            on = row.phase == "off"
            self._servers.switch(row.name, on=on)
            self.say(f"switching {row.name} {'on' if on else 'off'}, until the program ends")


def last_lines(stderr: str, most: int) -> list[Clean]:
    """The last lines of what a server printed."""
    lines = [line for line in clean_output(stderr).splitlines() if line.strip()]
    return [Clean(line) for line in lines[-most:]]


def server_title(server: ServerState) -> Content:
    word, token = PHASES[server.phase]
    return Content.assemble((server.name, "bold $foreground"), (f"  {SIGNS[server.phase]} {word}", f"${token}"))


def server_body(server: ServerState) -> Content:
    """Everything about a server: all of it is what the server says."""
    parts = [_facts(server)]
    if server.problem:
        parts += [_heading("Problem"), Content.styled(visible(server.problem), "$state-failed")]
    if server.tools:
        parts.append(_heading(f"Tools ({len(server.tools)})"))
        parts += [_tool(tool, trusted=server.trusted) for tool in server.tools]
    if server.prompts:
        parts.append(_heading("Prompts: as a command"))
        parts += [_prompt(prompt) for prompt in server.prompts]
    if server.resources:
        parts.append(_heading("Resources: after an @"))
        parts += [_resource(resource) for resource in server.resources]
    if server.left_out:
        parts.append(_heading("Tools that are left out"))
        parts += [Content.styled(f"  {visible(one_line(reason))}", "$muted") for reason in server.left_out]
    if server.stderr.strip():
        parts += [_heading("What it printed last"), Content.styled(clean_output(server.stderr), "$muted")]
    return Content("\n").join(parts)


def _facts(server: ServerState) -> Content:
    over = {"stdio": "a program, over stdio", "http": "over HTTP"}[server.transport]
    facts = [over, f"pid {server.pid}" if server.pid is not None else "", visible(one_line(server.version))]
    facts.append(count(server.restarts, "restart") if server.restarts else "")
    trust = (
        "trusted: what it says about its tools is believed"
        if server.trusted
        else "not trusted: what it says about its tools is a hint, and each of them asks first"
    )
    return Content.styled(" · ".join(fact for fact in facts if fact) + f"\n{trust}", "$muted")


def _tool(tool: ToolInfo, *, trusted: bool) -> Content:
    hints = hints_words(tool, trusted=trusted)
    token = "state-waiting" if tool.approval == "changed" else "muted"
    lines = [
        Content.assemble(
            (f"  {visible(one_line(tool.original))}", "bold $foreground"),
            (f"  {visible(tool.name)}", "$muted"),
            (f"  {hints}" if hints else "", f"${token}"),
        )
    ]
    if tool.changed:
        lines.append(_indented(tool.changed, "state-waiting"))
    if tool.description.strip():
        lines.append(_indented(tool.description, "foreground"))
    return Content("\n").join(lines)


def _prompt(prompt: PromptInfo) -> Content:
    arguments = " ".join(f"{one.name}{'' if one.required else '?'}" for one in prompt.arguments)
    head = Content.assemble(
        (f"  /{prompt.server}:{visible(one_line(prompt.name))}", "bold $foreground"),
        (f"  {visible(one_line(arguments))}", "$muted"),
    )
    words = prompt.description or prompt.title
    return Content("\n").join([head, _indented(words, "foreground")]) if words.strip() else head


def _resource(resource: ResourceInfo) -> Content:
    kind = "  a template" if resource.template else ""
    head = Content.assemble(
        (f"  @{resource.server}:{visible(one_line(resource.uri))}", "bold $foreground"),
        (f"{kind}  {visible(one_line(resource.mime))}", "$muted"),
    )
    words = resource.description or resource.title or resource.name
    return Content("\n").join([head, _indented(words, "foreground")]) if words.strip() else head


def _indented(text: str, token: str) -> Content:
    lines = visible(text.strip("\n"), tab=4).split("\n")
    return Content.styled("\n".join(f"    {line}" for line in lines), f"${token}")


def _heading(text: str) -> Content:
    return Content.styled(f"\n{text}", "bold $primary")
