"""The shape of a configuration file, checked by pydantic. Each field's description says what is expected of it."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Annotated, Any, Literal, TypeAlias, cast

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)

from runner.tool_names import BUILT_IN_TOOLS
from tui.settings.schema_kinds import (
    ON,
    OR_OFF,
    Count,
    CountOff,
    Factor,
    Grace,
    Money,
    MoneyOff,
    OnLimit,
    Positive,
    Seconds,
    SecondsOff,
    Text,
    YesNo,
    floats,
    mode_table,
    number,
    one_of,
    table_or_off,
)
from tui.settings.schema_tools import (
    MODES_OF_SANDBOX,
    EnvironmentTable,
    McpTable,
    SandboxTable,
    ServerName,
    WebTable,
)
from tui.settings.values import PresetName

Mode: TypeAlias = Literal["default", "accept_edits", "plan", "bypass", "deny_unlisted"]
ToolName: TypeAlias = Annotated[str, Field(strict=True), AfterValidator(one_of(BUILT_IN_TOOLS))]


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Limits(Section):
    """Every limit of RunConfig that a person may set; the names and units are the same."""

    switch_after: Count = 1
    max_turns: CountOff = None
    max_time: SecondsOff = None
    max_wall_time: SecondsOff = None
    timeout_per_turn: SecondsOff = None
    first_token_timeout: SecondsOff = None
    stream_idle_timeout: SecondsOff = None
    max_model_requests: CountOff = None
    max_tool_calls: CountOff = None
    max_input_tokens: CountOff = None
    max_output_tokens: CountOff = None
    max_total_tokens: CountOff = None
    max_cost_usd: MoneyOff = None
    max_retries: Count = 0
    backoff_initial: Seconds = 1
    backoff_factor: Factor = 1
    backoff_max: Seconds = 1
    retry_after_max: Seconds = 1
    stop_on_tool_error: YesNo = False
    max_consecutive_errors: Positive = 1
    tool_timeout: SecondsOff = None
    tool_concurrency: Positive = 1
    max_tool_output: Annotated[int, Field(strict=True, ge=1, description="bytes, 1 or more")] = 1
    abort_grace: Grace = 0
    approval_timeout: SecondsOff = None
    on_limit: OnLimit = "end"


class CompactionTable(Section):
    """When a run summarises the older part of its history."""

    at: Annotated[
        Annotated[float, Field(strict=True, gt=0, le=1, allow_inf_nan=False)],
        BeforeValidator(number),
        Field(description="the used part of the context window: a number above 0, at most 1"),
    ] = 1
    keep_turns: Annotated[int, Field(strict=True, ge=1, description="turns, 1 or more")] = 1


class AgentTable(Section):
    instructions: Text | None = None
    model: Text | None = None
    fallback_models: Annotated[list[Text], Field(description="a list of model names")] | None = None
    tools: (
        Annotated[list[ToolName], Field(description=f"a list of built-in tools: {', '.join(BUILT_IN_TOOLS)}")] | None
    ) = None
    mcp: Annotated[list[Text], Field(description="a list of names of servers, each a table [mcp.NAME]")] | None = None
    temperature: (
        Annotated[float, BeforeValidator(number), Field(strict=True, ge=0, le=2, description="a number from 0 to 2")]
        | None
    ) = None
    top_p: (
        Annotated[float, BeforeValidator(number), Field(strict=True, ge=0, le=1, description="a number from 0 to 1")]
        | None
    ) = None
    max_tokens: Positive | None = None
    parallel_tool_calls: YesNo | None = None
    reasoning_effort: Text | None = None


class ModelTable(Section):
    model: Text
    api_base: (
        Annotated[
            str,
            Field(
                strict=True,
                pattern=r"^https?://[^\s/@]+(/\S*)?$",
                description='a URL such as "http://127.0.0.1:8080/v1"',
            ),
        ]
        | None
    ) = None
    api_key_env: (
        Annotated[
            str,
            Field(
                strict=True,
                pattern=r"^[A-Za-z_][A-Za-z0-9_]*$",
                description="the name of an environment variable, never the key itself",
            ),
        ]
        | None
    ) = None
    client: Annotated[Literal["direct", "litellm"], Field(description='"direct" or "litellm"')] | None = None
    context_window: Annotated[int, Field(strict=True, ge=1, description="tokens, 1 or more")] | None = None
    input_cost_per_million: Money | None = None
    output_cost_per_million: Money | None = None
    cached_input_cost_per_million: Money | None = None


Effect: TypeAlias = Annotated[Literal["allow", "deny", "ask"], Field(description='"allow", "deny" or "ask"')]
Arguments: TypeAlias = Annotated[dict[str, Any], BeforeValidator(floats), Field(description="a table of arguments")]
_MATCHERS = ("arguments", "prefix", "below", "host")


class ExampleTable(Section):
    """A call and what is to become of it. tool: where the rule's tool is a glob."""

    command: Text | None = None
    arguments: Arguments | None = None
    tool: Text | None = None
    expect: Effect | None = None

    @model_validator(mode="after")
    def _one_call(self) -> ExampleTable:
        if (self.command is None) == (self.arguments is None):
            raise ValueError("a command or arguments, and not both")
        return self


class RuleTable(Section):
    effect: Effect
    tool: Annotated[str, Field(strict=True, min_length=1, description='the name of a tool or a glob such as "write_*"')]
    arguments: Arguments | None = None
    prefix: (
        Annotated[
            tuple[str, ...],
            Field(
                description='the first words of a command, such as "git status" or ["git", "status"], without shell '
                "operators; to allow an interpreter or a wrapper, with what it runs"
            ),
        ]
        | None
    ) = None
    below: Annotated[str, Field(strict=True, min_length=1, description='a folder, such as "src"')] | None = None
    host: (
        Annotated[str, Field(strict=True, description='a host, such as "example.com" or "*.example.com:8080"')] | None
    ) = None
    note: Annotated[str, Field(strict=True, description="a text")] = ""
    expires: Annotated[datetime, Field(description="a date, such as 2030-01-31, or one with a time")] | None = None
    examples: Annotated[
        list[ExampleTable],
        Field(description='a list such as [{ command = "git status -s", expect = "allow" }]'),
    ] = []

    @field_validator("arguments", "prefix", "below", "host", mode="before")
    @classmethod
    def _single(cls, value: object, info: ValidationInfo) -> object:
        """One rule says which calls in one way."""
        earlier = _MATCHERS[: _MATCHERS.index(info.field_name or "")]
        other = next((name for name in earlier if info.data.get(name) is not None), None)
        if value is not None and other is not None:
            raise ValueError(f"stands beside {other}; a rule has one of {', '.join(_MATCHERS)}")
        return value

    @field_validator("prefix", mode="before")
    @classmethod
    def _words(cls, value: object, info: ValidationInfo) -> object:
        from runner.policy.prefix import words_of

        effect = str(info.data.get("effect"))
        if value is None or isinstance(value, str):
            return None if value is None else words_of(value, effect)
        words = cast("list[object]", value) if isinstance(value, list) else [value]
        if not all(isinstance(word, str) for word in words):
            raise ValueError("is not a text or a list of texts")
        return words_of([str(word) for word in words], effect)

    @field_validator("host")
    @classmethod
    def _is_host(cls, value: str | None) -> str | None:
        from runner.policy.hosts import host_problem

        problem = None if value is None else host_problem(value)
        if problem is not None:
            raise ValueError(problem)
        return value

    @field_validator("expires", mode="before")
    @classmethod
    def _moment(cls, value: object) -> object:
        """A date means the end of that day; a time without a zone is local."""
        if isinstance(value, datetime):
            return value.astimezone()
        if isinstance(value, date):
            return datetime.combine(value, time.max).astimezone()
        raise ValueError("is not a date")


class TerminalTable(Section):
    """What the program does to the terminal besides drawing the screen."""

    title: YesNo = True
    notices: YesNo = True
    progress: YesNo = True
    bell: Annotated[
        Literal["off", "unfocused", "always"],
        Field(description='"off", "unfocused" (only while the window has no focus) or "always"'),
    ] = "off"


KeyList: TypeAlias = Annotated[list[Text], Field(min_length=1)]


class ConfigTable(Section):
    """The whole file; environment variables and options are checked as one, too."""

    model: Text = ""
    theme: Text = ""
    agent: Text = ""
    approve: Annotated[Mode, Field(description='"default", "accept_edits", "plan", "bypass" or "deny_unlisted"')] = (
        "default"
    )
    keymap: Annotated[PresetName, Field(description='"default", "vim" or "emacs"')] = "default"
    limits: Annotated[Limits, Field(description="a table [limits]")] = Limits()
    compaction: Annotated[
        CompactionTable | None,
        BeforeValidator(table_or_off),
        Field(description=f'a table [compaction] with at and keep_turns, "{ON}", {OR_OFF}'),
    ] = CompactionTable()
    keys: Annotated[dict[str, Text | KeyList], Field(description='keys such as "ctrl+s", or a list of them')] = {}
    agents: Annotated[dict[str, AgentTable], Field(description="tables [agents.NAME]")] = {}
    models: Annotated[dict[str, ModelTable], Field(description='tables [models."NAME"]')] = {}
    rules: Annotated[list[RuleTable], Field(description="tables [[rules]]")] = []
    mcp: Annotated[
        dict[ServerName, McpTable],
        Field(description="tables [mcp.NAME] with a command or a url, NAME of at most 32 of a-z, 0-9, - and _"),
    ] = {}
    sandbox: Annotated[
        SandboxTable,
        BeforeValidator(mode_table),
        Field(description=f"a table [sandbox] with mode, network, write, show and hide, or one of {MODES_OF_SANDBOX}"),
    ] = SandboxTable()
    environment: Annotated[EnvironmentTable, Field(description="a table [environment] with pass and hide")] = (
        EnvironmentTable()
    )
    web: Annotated[WebTable, Field(description="a table [web] with private_hosts")] = WebTable()
    terminal: Annotated[
        TerminalTable, Field(description="a table [terminal] with title, notices, progress and bell")
    ] = TerminalTable()
