"""The settings as plain frozen values: cheap to make, so that the first frame need not wait for pydantic."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

if TYPE_CHECKING:
    from runner.agent import Agent
    from runner.config import RunConfig
    from runner.mcp.config import McpServer
    from runner.models.registry import ModelRegistry
    from runner.policy.base import ApprovalMode

SourceKind = Literal["default", "user", "project", "session", "environment", "flag"]
PresetName = Literal["default", "vim", "emacs"]
LimitValue: TypeAlias = int | float | Decimal | bool | str | None

DEFAULT_AGENT = "deck"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where a value came from. where: the file and line, the variable, or the option."""

    kind: SourceKind
    where: str = ""

    def __str__(self) -> str:
        return f"{self.kind} ({self.where})" if self.where else self.kind


DEFAULT = Source(kind="default")


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentSettings:
    """A table [agents.NAME]; None = not set. tools: names of built-in tools, None = all of them.

    mcp: names of servers; None = all of them, and none for an agent whose tools are named.
    """

    instructions: str | None = None
    model: str | None = None
    fallback_models: tuple[str, ...] | None = None
    tools: tuple[str, ...] | None = None
    mcp: tuple[str, ...] | None = None
    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    parallel_tool_calls: bool | None = None
    reasoning_effort: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedModelSettings:
    """A table [models."NAME"]. Costs are in US dollars for a million tokens, None = unknown. client: None = by rule."""

    model: str
    api_base: str | None = None
    api_key_env: str | None = None
    client: Literal["direct", "litellm"] | None = None
    context_window: int | None = None
    input_cost_per_million: Decimal | None = None
    output_cost_per_million: Decimal | None = None
    cached_input_cost_per_million: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CompactionSettings:
    """The table [compaction]: `runner.config.Compaction`, without loading it."""

    at: float = 0.8
    keep_turns: int = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class McpSettings:
    """A table [mcp.NAME]: a command that is started, or a url that is connected to. level: of the file.

    In the values of env and headers `${NAME}` stands for a variable of this program, so that no secret need be written
    down. tools: names of those to offer, None = all. Timeouts are in seconds.
    """

    command: str = ""
    args: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict[str, str])
    cwd: str | None = None
    url: str = ""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    trusted: bool = False
    enabled: bool = True
    sampling: bool = False
    tools: tuple[str, ...] | None = None
    connect_timeout: float = 30.0
    call_timeout: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxSettings:
    """The table [sandbox], or `sandbox = MODE`. write: folders besides the workspace that commands may write.

    show, hide: of the places that hold secrets, those that commands may read; and others that they may not.
    """

    mode: Literal["require", "auto", "off"] = "auto"
    network: bool = False
    write: tuple[str, ...] = ()
    show: tuple[str, ...] = ()
    hide: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentSettings:
    """The table [environment]; the lists of all files add up. passed: names or patterns of variables that tools'
    processes get although they look like a secret. hide: of those that they never get.
    """

    passed: tuple[str, ...] = ()
    hide: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WebSettings:
    """The table [web]. private_hosts: those that web_fetch may ask although their address is a private one."""

    private_hosts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TerminalSettings:
    """The table [terminal]. title: the window's says what happens. notices: of the desktop, while the window has no
    focus. progress: where the terminal shows it. bell: when something waits for the person or a run ended."""

    title: bool = True
    notices: bool = True
    progress: bool = True
    bell: Literal["off", "unfocused", "always"] = "off"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExampleSettings:
    """A call beside a rule, and what is to become of it; tool None: the rule's."""

    arguments: Mapping[str, Any]
    expect: Literal["allow", "deny", "ask"]
    tool: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleSettings:
    """A table [[rules]]: an approval rule of SEMANTICS section 9. source: the file and line it stands in.

    At most one of arguments, prefix, below and host is set. level: of the file.
    """

    effect: Literal["allow", "deny", "ask"]
    tool: str
    arguments: Mapping[str, Any] | None = None
    prefix: tuple[str, ...] | None = None
    below: str | None = None
    host: str | None = None
    note: str = ""
    expires: datetime | None = None
    examples: tuple[ExampleSettings, ...] = ()
    level: SourceKind = "user"
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Withheld:
    """A value of a project's file that is ignored until the folder is trusted. text: what it would change, in words."""

    key: str
    text: str
    where: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigFile:
    """A file that was looked for. trusted: only for a project's file with something to withhold, else None."""

    kind: Literal["user", "project", "session"]
    path: Path
    found: bool
    sha256: str = ""
    trusted: bool | None = None


def _empty() -> Mapping[str, Any]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All settings of one start, merged: defaults, user, project, environment, flags; later ones win.

    default_model: None = nothing is configured; `chosen_model` then picks one. limits: only those that were set, with
    the names and units of RunConfig; None = off. keymap: the keys that keys changes; keys: action name to keys in
    Textual's notation, several joined by a comma. compaction: None = off.
    sources: dotted name to where the value came from; what is not in it is a default.
    withheld: what the project's file would change if its folder were trusted; none of it is in the values.
    """

    cwd: Path
    config_dir: Path
    environ: Mapping[str, str] = field(repr=False)
    default_model: str | None = None
    theme: str = ""
    default_agent: str = DEFAULT_AGENT
    approve: ApprovalMode = "default"
    limits: Mapping[str, LimitValue] = field(default_factory=_empty)
    compaction: CompactionSettings | None = CompactionSettings()
    keymap: PresetName = "default"
    keys: Mapping[str, str] = field(default_factory=_empty)
    agents: Mapping[str, AgentSettings] = field(default_factory=_empty)
    models: Mapping[str, NamedModelSettings] = field(default_factory=_empty)
    rules: tuple[RuleSettings, ...] = ()
    mcp: Mapping[str, McpSettings] = field(default_factory=_empty)
    sandbox: SandboxSettings = SandboxSettings()
    environment: EnvironmentSettings = EnvironmentSettings()
    web: WebSettings = WebSettings()
    terminal: TerminalSettings = TerminalSettings()
    sources: Mapping[str, Source] = field(default_factory=_empty)
    withheld: tuple[Withheld, ...] = ()
    files: tuple[ConfigFile, ...] = ()

    @property
    def themes_dir(self) -> Path:
        """The person's own theme files."""
        return self.config_dir / "themes"

    @property
    def user_file(self) -> Path:
        return next(file.path for file in self.files if file.kind == "user")

    def source(self, key: str) -> Source:
        """Where the value of a dotted name such as "limits.max_turns" came from."""
        return self.sources.get(key, DEFAULT)

    def agent_names(self) -> tuple[str, ...]:
        """The built-in agent and the configured ones."""
        return tuple(dict.fromkeys((DEFAULT_AGENT, *self.agents)))

    def registry(self) -> ModelRegistry:
        """The models by name, the configured ones included."""
        from tui.settings import build

        return build.registry(self)

    def chosen_model(self, agent: str | None = None) -> tuple[str, str]:
        """The model that a run of the agent (None: the default agent) starts with, and one sentence why."""
        from tui.settings import build

        return build.chosen_model(self, agent or self.default_agent)

    def agent(self, name: str | None = None) -> Agent:
        """The agent of that name (None: the default one) with its model and tools. Raises ConfigError."""
        from tui.settings import build

        return build.agent(self, name or self.default_agent)

    def mcp_servers(self) -> tuple[McpServer, ...]:
        """The servers of the protocol, those that are switched off included."""
        from tui.settings import build

        return build.mcp_servers(self)

    def agent_servers(self, name: str | None = None) -> tuple[str, ...]:
        """The names of the servers whose tools the agent (None: the default one) is given."""
        chosen = self.agents.get(name or self.default_agent, AgentSettings())
        if chosen.mcp is not None:
            return chosen.mcp
        return tuple(self.mcp) if chosen.tools is None else ()

    def run_config(self, *, attended: bool = False, **changes: Any) -> RunConfig:
        """The limits, rules, mode and folder of a run; changes are fields of RunConfig and win.

        attended: a person watches and can stop it, so limits that nobody set are wider (ATTENDED_LIMITS).
        """
        from tui.settings import build

        return build.run_config(self, attended=attended, **changes)
