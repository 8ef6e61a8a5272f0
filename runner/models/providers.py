"""Providers by name: their variables, what their names say about a model, and which dialect a model expects."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

Dialect = Literal["openai", "anthropic", "gemini", "mistral"]
"""Whose rules a history has to keep: ids, order and pairing of messages (see project.check_request)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """A provider that is reached with one key.

    keys, base_urls: environment variables, the first that is set counts. url: where its API is, for those whose API is
    OpenAI's chat completions; "" for the others. defaults: models to take when nothing is configured, best first; the
    first one that the bundled table knows and that supports tools is used.
    """

    name: str
    title: str
    keys: tuple[str, ...]
    base_urls: tuple[str, ...] = ()
    url: str = ""
    defaults: tuple[str, ...] = ()

    def key(self, environ: Mapping[str, str]) -> tuple[str, str] | None:
        """(variable, value) of the first key that is set and not blank."""
        for variable in self.keys:
            value = environ.get(variable, "").strip()
            if value:
                return variable, value
        return None

    def base_url(self, environ: Mapping[str, str]) -> str | None:
        for variable in self.base_urls:
            value = environ.get(variable, "").strip()
            if value:
                return value.rstrip("/")
        return None


PROVIDERS: tuple[Provider, ...] = (
    Provider(
        name="anthropic",
        title="Anthropic",
        keys=("ANTHROPIC_API_KEY",),
        base_urls=("ANTHROPIC_BASE_URL", "ANTHROPIC_API_BASE"),
        defaults=(
            "anthropic/claude-sonnet-5-5",
            "anthropic/claude-sonnet-5",
            "anthropic/claude-sonnet-4-6",
            "anthropic/claude-sonnet-4-5",
        ),
    ),
    Provider(
        name="openai",
        title="OpenAI",
        keys=("OPENAI_API_KEY",),
        base_urls=("OPENAI_BASE_URL", "OPENAI_API_BASE"),
        url="https://api.openai.com/v1",
        defaults=("openai/gpt-5.1", "openai/gpt-5", "openai/gpt-4.1", "openai/gpt-4o"),
    ),
    Provider(
        name="gemini",
        title="Google Gemini",
        keys=("GEMINI_API_KEY", "GOOGLE_API_KEY"),
        base_urls=("GEMINI_API_BASE",),
        defaults=("gemini/gemini-3.8-flash", "gemini/gemini-3.5-flash", "gemini/gemini-2.5-flash"),
    ),
    Provider(
        name="openrouter",
        title="OpenRouter",
        keys=("OPENROUTER_API_KEY",),
        base_urls=("OPENROUTER_API_BASE",),
        url="https://openrouter.ai/api/v1",
        defaults=("openrouter/anthropic/claude-sonnet-4.5", "openrouter/openai/gpt-5"),
    ),
    Provider(
        name="groq",
        title="Groq",
        keys=("GROQ_API_KEY",),
        base_urls=("GROQ_API_BASE",),
        url="https://api.groq.com/openai/v1",
        defaults=("groq/openai/gpt-oss-120b", "groq/llama-3.3-70b-versatile"),
    ),
    Provider(
        name="deepseek",
        title="DeepSeek",
        keys=("DEEPSEEK_API_KEY",),
        base_urls=("DEEPSEEK_API_BASE",),
        url="https://api.deepseek.com",
        defaults=("deepseek/deepseek-v4-flash", "deepseek/deepseek-chat"),
    ),
    Provider(
        name="mistral",
        title="Mistral",
        keys=("MISTRAL_API_KEY",),
        base_urls=("MISTRAL_API_BASE",),
        defaults=("mistral/mistral-medium-latest", "mistral/mistral-large-latest"),
    ),
    Provider(
        name="xai",
        title="xAI",
        keys=("XAI_API_KEY",),
        base_urls=("XAI_API_BASE",),
        url="https://api.x.ai/v1",
        defaults=("xai/grok-4.7", "xai/grok-4.5", "xai/grok-4.3"),
    ),
    Provider(
        name="moonshot",
        title="Moonshot",
        keys=("MOONSHOT_API_KEY",),
        base_urls=("MOONSHOT_API_BASE",),
        url="https://api.moonshot.ai/v1",
        defaults=("moonshot/kimi-k2.7-code", "moonshot/kimi-k2.5"),
    ),
    Provider(
        name="zai",
        title="Z.ai",
        keys=("ZAI_API_KEY",),
        base_urls=("ZAI_API_BASE",),
        url="https://api.z.ai/api/paas/v4",
        defaults=("zai/glm-5.3", "zai/glm-5", "zai/glm-4.7"),
    ),
    Provider(
        name="cerebras",
        title="Cerebras",
        keys=("CEREBRAS_API_KEY",),
        base_urls=("CEREBRAS_API_BASE",),
        url="https://api.cerebras.ai/v1",
        defaults=("cerebras/gpt-oss-120b",),
    ),
    Provider(
        name="together_ai",
        title="Together",
        keys=("TOGETHERAI_API_KEY", "TOGETHER_API_KEY", "TOGETHER_AI_API_KEY"),
        base_urls=("TOGETHER_AI_API_BASE",),
        url="https://api.together.ai/v1",
        defaults=("together_ai/openai/gpt-oss-120b",),
    ),
    Provider(
        name="fireworks_ai",
        title="Fireworks",
        keys=("FIREWORKS_API_KEY", "FIREWORKS_AI_API_KEY"),
        base_urls=("FIREWORKS_API_BASE",),
        url="https://api.fireworks.ai/inference/v1",
        defaults=("fireworks_ai/gpt-oss-120b",),
    ),
)
"""In the order in which a key is looked for when no model is configured."""

_BY_NAME = {provider.name: provider for provider in PROVIDERS}

SELF_HOSTED: Mapping[str, tuple[tuple[str, ...], str]] = {
    "ollama": (("OLLAMA_API_BASE", "OLLAMA_HOST"), "http://127.0.0.1:11434/v1"),
    "lm_studio": (("LM_STUDIO_API_BASE",), "http://127.0.0.1:1234/v1"),
    "llamafile": (("LLAMAFILE_API_BASE",), "http://127.0.0.1:8080/v1"),
    "hosted_vllm": (("HOSTED_VLLM_API_BASE",), "http://127.0.0.1:8000/v1"),
}
"""Servers people run themselves: (variables of the address, the usual address). All of them speak OpenAI's dialect."""

_ALIASES = {"ollama_chat": "ollama", "vllm": "hosted_vllm", "google": "gemini", "together": "together_ai"}


def provider(name: str) -> Provider | None:
    return _BY_NAME.get(name)


def family(name: str) -> str:
    """One name for the provider's several spellings in model names and in the bundled table."""
    if name.startswith("vertex_ai"):
        return "vertex_ai"
    if name.startswith("bedrock"):
        return "bedrock"
    return _ALIASES.get(name, name)


def prefix_of(model: str) -> str:
    """The provider named by a model's prefix, "" where it has none."""
    head, slash, _ = model.partition("/")
    return family(head) if slash else ""


def self_hosted_base(name: str, environ: Mapping[str, str]) -> str:
    """The address of a self-hosted provider, ending in /v1."""
    variables, usual = SELF_HOSTED[name]
    for variable in variables:
        value = environ.get(variable, "").strip().rstrip("/")
        if not value:
            continue
        if "://" not in value:
            # OLLAMA_HOST is written host:port, and 0.0.0.0 there means where it listens, not where to call.
            value = "http://" + value.replace("0.0.0.0", "127.0.0.1")
        return value if value.endswith("/v1") else value + "/v1"
    return usual


def is_loopback(url: str | None) -> bool:
    """Whether an address names this machine."""
    host = urlsplit(url or "").hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def is_openai_itself(base: str | None) -> bool:
    """Whether an address of the provider `openai` (None: the usual one) is OpenAI's, and no server like it."""
    host = urlsplit(base or "").hostname or ""
    return base is None or host == "api.openai.com" or host.endswith(".api.openai.com")


_MISTRAL_WORDS = ("mistral", "mixtral", "devstral", "codestral", "magistral", "pixtral")


def dialect_of(provider_name: str, model: str) -> Dialect:
    """Whose rules the model's endpoint enforces; a name tells it where the provider resells many models."""
    lowered = model.lower()
    if any(word in lowered for word in _MISTRAL_WORDS) or "ministral" in lowered:
        return "mistral"
    if provider_name == "anthropic" or "claude" in lowered:
        return "anthropic"
    if provider_name == "gemini" or (provider_name in {"vertex_ai", "openrouter"} and "gemini" in lowered):
        return "gemini"
    return "openai"
