"""What a provider would refuse in the body of a request, as its server receives it.

`check_body` knows the rules of four dialects: OpenAI chat, Anthropic messages, Gemini generateContent, Mistral chat.
With an `Issued`, a server of a test also checks what a single body cannot show: that signatures are its own and
unchanged, and that nothing of another model's reasoning is sent to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runner.models.providers import Dialect
from runner.testing.wire.anthropic import check_anthropic
from runner.testing.wire.chat import check_chat
from runner.testing.wire.gemini import check_gemini
from runner.testing.wire.issued import Issued

__all__ = ["Issued", "check_body"]


def check_body(
    body: Mapping[str, Any], dialect: Dialect, *, model: str = "", issued: Issued | None = None, provider: str = ""
) -> list[str]:
    """What is wrong with a request, one sentence each; an empty list for a valid one.

    model: where the dialect keeps it out of the body (Gemini). issued: what the providers of this test have said so
    far; provider: which of them gets this request, by the name that was given to `issued`.
    """
    match dialect:
        case "openai" | "mistral":
            found = check_chat(body, dialect)
        case "anthropic":
            found = check_anthropic(body)
        case "gemini":
            found = check_gemini(body, model)
    return found if issued is None else [*found, *issued.check(body, provider or dialect)]
