"""What the providers of a test have said that only they may be sent again: reasoning, and what they signed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from runner.testing.wire.gemini import PLACEHOLDER, calls_of
from runner.testing.wire.reading import Fields, canonical, items, strings

_PRIVATE: Final = frozenset({"thinking_blocks", "thinking", "reasoning_content", "reasoning_details", "reasoning"})
_SHORTEST: Final = 6
"""Characters from which on a thought is told from chance."""


@dataclass(slots=True)
class Issued:
    """A memory shared by the servers of one test. Each provider is known by a name of the test's own."""

    _thoughts: dict[str, set[str]] = field(default_factory=dict[str, set[str]])
    _blocks: dict[str, set[tuple[str, str]]] = field(default_factory=dict[str, set[tuple[str, str]]])
    _calls: dict[str, dict[str, set[str]]] = field(default_factory=dict[str, dict[str, set[str]]])

    def reasoning(self, provider: str, text: str, signature: str = "") -> None:
        """Remember a thought, and the signature of its block where it has one."""
        if len(text.strip()) >= _SHORTEST:
            self._thoughts.setdefault(provider, set()).add(text)
        if signature:
            self._blocks.setdefault(provider, set()).add((text, signature))

    def call(self, provider: str, name: str, arguments: Any, signature: str) -> None:
        """Remember a call of Gemini's and its thought signature."""
        known = self._calls.setdefault(provider, {})
        known.setdefault(canonical(name, arguments), set()).add(signature)

    def check(self, body: Fields, provider: str) -> list[str]:
        return [
            *self._check_reasoning(body, provider),
            *self._check_blocks(body, provider),
            *self._check_calls(body, provider),
        ]

    def _check_reasoning(self, body: Fields, provider: str) -> Iterator[str]:
        said = {"messages": body.get("messages"), "contents": body.get("contents"), "system": body.get("system")}
        for path, text in strings(said):
            for owner, thoughts in self._thoughts.items():
                for thought in thoughts:
                    if thought not in text:
                        continue
                    if not _PRIVATE & set(path):
                        yield f"the reasoning of {owner} is sent as {path[-1]}: {thought[:40]!r}"
                    elif owner != provider:
                        yield f"the reasoning of {owner} is sent to {provider}: {thought[:40]!r}"

    def _check_blocks(self, body: Fields, provider: str) -> Iterator[str]:
        own = self._blocks.get(provider, set())
        for number, message in enumerate(items(body.get("messages"))):
            for block in items(message.get("content")):
                pair = (str(block.get("thinking")), str(block.get("signature")))
                if block.get("type") == "thinking" and pair not in own:
                    yield f"message {number}: {provider} never signed this thought: {pair[0][:40]!r}"

    def _check_calls(self, body: Fields, provider: str) -> Iterator[str]:
        own = self._calls.get(provider, {})
        bare: dict[str, str] = {}
        signed: set[str] = set()
        for number, content in enumerate(items(body.get("contents"))):
            for call, signature in calls_of(content):
                key = canonical(call.get("name"), call.get("args", {}))
                known = own.get(key, set())
                if signature in known and signature:
                    signed.add(key)
                elif signature and signature != PLACEHOLDER:
                    yield f"message {number}: {provider} never signed this call of {call.get('name')}"
                elif any(known) and "" not in known:
                    bare[key] = f"message {number}: the call of {call.get('name')} has lost its signature"
        # Another model may have made an equal call, which has none.
        yield from (what for key, what in bare.items() if key not in signed)
