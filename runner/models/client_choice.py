"""Which client asks a model: ours, or litellm."""

from __future__ import annotations

import re
from typing import Final, Literal

from runner.models import catalogue
from runner.models.providers import SELF_HOSTED, is_openai_itself, prefix_of, provider

Client = Literal["direct", "litellm"]

_SERIES: Final = re.compile(r"gpt-(\d+)(?:\.(\d+))?(?=[.-]|$)")
_FIRST_WITHOUT_TOOLS: Final = (5, 4)


def client_for(model: str, *, asked: Client | None = None, base: str | None = None) -> Client:
    """The client a configuration asks for, else the direct one for all that speaks OpenAI's chat completions, except
    OpenAI's own models that only its responses API serves fully; litellm for the rest.

    model: `provider/model`. base: the address, where it is not the provider's usual one.
    """
    if asked is not None:
        return asked
    name = prefix_of(model)
    if name in SELF_HOSTED:
        return "direct"
    return "direct" if speaks_openai(name) and not wants_responses(model, base) else "litellm"


def speaks_openai(name: str) -> bool:
    """Whether this provider's API is OpenAI's chat completions."""
    known = provider(name)
    return name in SELF_HOSTED or (known is not None and known.url != "")


def wants_responses(model: str, base: str | None) -> bool:
    """Whether chat completions do not serve this model, or not with tools.

    From gpt-5.4 on OpenAI refuses tools there while the model reasons, which it does unless told otherwise. Servers
    that only carry such a name have no responses API.
    """
    name, _, rest = model.partition("/")
    if base is not None and not (name == "openai" and is_openai_itself(base)):
        return False
    series = _SERIES.match(rest) if name == "openai" else None
    if series is not None and (int(series[1]), int(series[2] or 0)) >= _FIRST_WITHOUT_TOOLS:
        return True
    return catalogue.only_responses(model)
