"""The provider boundary: one protocol with one streaming method."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal, Protocol, TypeAlias, runtime_checkable

from runner.events import LeftOut
from runner.messages import JsonObject, Message
from runner.usage import Price, Usage

FinishReason = Literal["stop", "tool_calls", "length", "content_filter"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSettings:
    """Settings of a request; None leaves the provider's default. max_tokens: of output."""

    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    tool_choice: str | None = None
    parallel_tool_calls: bool | None = None
    reasoning_effort: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolSpec:
    """A tool as the model sees it; parameters is a JSON schema of an object."""

    name: str
    description: str
    parameters: JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRequest:
    """One request. messages is the typed history of every provider; the model projects it to its own dialect.

    request_timeout, first_token_timeout and idle_timeout are in seconds; the model raises ModelTimeoutError or
    StreamIdleError when they pass, by a watchdog of its own on each read.
    repair: the provider refused this history once: send it without anything private or optional.
    """

    model: str
    instructions: str = ""
    messages: Sequence[Message] = ()
    tools: Sequence[ToolSpec] = ()
    settings: ModelSettings = field(default_factory=ModelSettings)
    first_token_timeout: float | None = 30.0
    idle_timeout: float | None = 30.0
    repair: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelInfo:
    """What is known of a model; None = unknown. Windows are in tokens. client: which of ours asks it.

    efforts: the levels of reasoning effort that it takes, () = none.
    """

    name: str
    provider: str = ""
    context_window: int | None = None
    max_output: int | None = None
    price: Price | None = None
    tools: bool | None = None
    vision: bool | None = None
    reasoning: bool | None = None
    efforts: tuple[str, ...] | None = None
    note: str = ""
    is_demo: bool = False
    client: str = ""


@dataclass(frozen=True, slots=True)
class TextChunk:
    text: str


@dataclass(frozen=True, slots=True)
class ReasoningChunk:
    text: str


@dataclass(frozen=True, slots=True)
class RefusalChunk:
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCallChunk:
    """A piece of a tool call. The adapter gives each call of a response its own key, whatever the provider's index
    and id say;
    id and name may come late or only once; arguments are concatenated."""

    key: str
    id: str = ""
    name: str = ""
    arguments: str = ""


@dataclass(frozen=True, slots=True)
class ProviderDataChunk:
    """What only the same provider may be sent again; later chunks update earlier ones by key."""

    data: JsonObject


@dataclass(frozen=True, slots=True)
class UsageChunk:
    """Usage as the provider reported it; its last one counts. A stream without one is estimated by the loop."""

    usage: Usage


@dataclass(frozen=True, slots=True)
class FinishChunk:
    reason: FinishReason


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimitChunk:
    utilization: float | None = None
    reset_at: float | None = None
    allowed: bool = True


@dataclass(frozen=True, slots=True)
class LeftOutChunk:
    """Settings that this request was sent without; the first chunk of its stream, where there are any."""

    settings: tuple[LeftOut, ...]


Chunk: TypeAlias = (
    TextChunk
    | ReasoningChunk
    | RefusalChunk
    | ToolCallChunk
    | ProviderDataChunk
    | UsageChunk
    | FinishChunk
    | RateLimitChunk
    | LeftOutChunk
)


@runtime_checkable
class Model(Protocol):
    """A model that can be asked. Implementations hold no state of a request."""

    @property
    def info(self) -> ModelInfo: ...

    def stream(self, request: ModelRequest) -> AsyncGenerator[Chunk, None]:
        """The chunks of one response, ending after a FinishChunk (a UsageChunk may follow it).

        Raises a runner.errors.ModelError of the right type. A stream that ends without a FinishChunk is broken.
        `aclose()` closes the provider's connection before it returns; so does cancelling a read.
        """
        ...

    def cost(self, usage: Usage) -> Decimal | None:
        """US dollars of one request with this usage; None where the price is not known."""
        ...

    def price(self, usage: Usage) -> Price | None:
        """The price that a request with this usage is reckoned with; None where it is not known."""
        ...


class ModelResolver(Protocol):
    def resolve(self, name: str) -> Model:
        """The model of this name. Raises ConfigError with what to do where the name cannot be used."""
        ...
