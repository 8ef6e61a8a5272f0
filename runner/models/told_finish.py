"""What Gemini itself says of the end of an answer: litellm writes a finish reason on every chunk of one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, cast

_GEMINI: Final = frozenset({"gemini", "vertex_ai"})


class ToldFinish:
    """Listens in on the raw chunks of a stream. reason: the last finish reason in them, None before there is one.

    heard: the chunks are Gemini's (Vertex serves other models too).
    """

    def __init__(self) -> None:
        self.heard = False
        self.reason: str | None = None

    def hear(self, chunk: object) -> None:
        if not isinstance(chunk, Mapping):
            return
        fields = cast("Mapping[str, Any]", chunk)
        self.heard = self.heard or "candidates" in fields or "promptFeedback" in fields
        for candidate in cast("list[Mapping[str, Any]]", fields.get("candidates") or []):
            self.reason = candidate.get("finishReason") or self.reason
        feedback = cast("Mapping[str, Any]", fields.get("promptFeedback") or {})
        if feedback.get("blockReason"):
            # A question that is refused as a whole has no candidates.
            self.reason = "content_filter"


def told_finish(source: Any, provider: str) -> ToldFinish:
    """Listen to a stream of litellm's before it is read; nothing is heard where its own reasons can be trusted."""
    told = ToldFinish()
    parser: Callable[..., Any] | None = getattr(source, "chunk_parser", None)
    if provider not in _GEMINI or parser is None:
        return told

    def parse(chunk: Any) -> Any:
        told.hear(chunk)
        return parser(chunk=chunk)

    source.chunk_parser = parse
    return told
