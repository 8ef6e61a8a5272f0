"""The session logs of Claude Code: one line of JSON a message, block by block."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Final, cast

from runner.events.base import EPOCH
from runner.importing.changes import change_of
from runner.importing.lines import Reading, moment, number, table, tables, text
from runner.importing.steps import Ended, Log, Prompt, Remark, Response, Result, Step
from runner.messages import JsonObject, ToolCall
from runner.usage import Usage

_SILENT: Final = frozenset(
    {
        "queue-operation",
        "attachment",
        "last-prompt",
        "mode",
        "permission-mode",
        "file-history-snapshot",
        "progress",
        "agent-name",
        "pr-link",
    }
)
"""Kinds of lines that carry nothing that was said or done."""

_INTERRUPTED: Final = "[Request interrupted by user"
_SYNTHETIC: Final = "<synthetic>"


def read_claude_code(lines: Iterable[str]) -> Log:
    """Whatever can be read of the log; its session_id is "" where no line has one."""
    reader = _Reader(lines)
    for line in reader.reading.objects():
        reader.take(line)
    return reader.log()


class _Reader:
    def __init__(self, lines: Iterable[str]) -> None:
        self.reading = Reading(lines)
        self._steps: list[Step] = []
        self._responses: dict[str, int] = {}
        self._time: datetime = EPOCH
        self._session_id = self._workspace = self._version = self._title = ""

    def take(self, line: JsonObject) -> None:
        kind = text(line.get("type"))
        self._time = moment(line.get("timestamp")) or self._time
        self._session_id = self._session_id or text(line.get("sessionId"))
        self._workspace = self._workspace or text(line.get("cwd"))
        self._version = text(line.get("version")) or self._version
        if line.get("isSidechain") is True:
            self.reading.strange("a sub-agent's message")
        elif kind == "user":
            self._user(line)
        elif kind == "assistant":
            self._assistant(line)
        elif kind == "system":
            self._system(line)
        elif kind in ("summary", "custom-title", "ai-title"):
            self._title = text(line.get("summary") or line.get("customTitle") or line.get("aiTitle")) or self._title
        elif kind not in _SILENT:
            self.reading.strange(kind)

    def log(self) -> Log:
        return Log(
            source="claude-code",
            session_id=self._session_id,
            workspace=self._workspace,
            version=self._version,
            title=self._title,
            steps=tuple(self._steps),
            lines=self.reading.count,
            unknown=self.reading.unknown,
            damaged=tuple(self.reading.damaged),
        )

    def _user(self, line: JsonObject) -> None:
        content: object = table(line.get("message")).get("content")
        if line.get("isCompactSummary") is True:
            self._remark("The older part of the conversation was summarised.")
            return
        if line.get("isMeta") is True:
            return
        if isinstance(content, str):
            self._said(content)
            return
        if not isinstance(content, list):
            self.reading.damage("a user's message without content")
            return
        said: list[str] = []
        for block in tables(line["message"]["content"]):
            match block.get("type"):
                case "text":
                    said.append(text(block.get("text")))
                case "tool_result":
                    self._result(block, line)
                case "image" | "document":
                    said.append(f"[{block['type']}]")
                case other:
                    self.reading.strange(f"user: {other}")
        if said:
            self._said("\n".join(said))

    def _said(self, words: str) -> None:
        if words.startswith(_INTERRUPTED):
            self._steps.append(Ended(time=self._time, how="aborted"))
        elif words.strip():
            self._responses.clear()
            self._steps.append(Prompt(time=self._time, text=words))

    def _result(self, block: JsonObject, line: JsonObject) -> None:
        content: object = block.get("content")
        parts = [content] if isinstance(content, str) else [_part(each) for each in tables(content)]
        told = table(line.get("toolUseResult"))
        duration: object = told.get("durationMs")
        self._steps.append(
            Result(
                time=self._time,
                call_id=text(block.get("tool_use_id")),
                output="\n".join(parts),
                failed=block.get("is_error") is True,
                seconds=duration / 1000 if isinstance(duration, int | float) else None,
                display=change_of(told),
            )
        )

    def _assistant(self, line: JsonObject) -> None:
        message = table(line.get("message"))
        content: object = message.get("content")
        blocks = tables(content) if not isinstance(content, str) else [{"type": "text", "text": content}]
        model, message_id = text(message.get("model")), text(message.get("id"))
        if line.get("isApiErrorMessage") is True or model == _SYNTHETIC:
            self._remark(" ".join(text(block.get("text")) for block in blocks), "error")
            return
        said, thought, calls = "", "", list[ToolCall]()
        for block in blocks:
            match block.get("type"):
                case "text":
                    said += text(block.get("text"))
                case "thinking":
                    thought += text(block.get("thinking"))
                case "redacted_thinking":
                    continue
                case "tool_use" | "server_tool_use" | "mcp_tool_use":
                    calls.append(_call(block))
                case other:
                    self.reading.strange(f"assistant: {other}")
        # Each block of a response is a line of its own with the response's id, and results may stand between them.
        place = self._responses.get(message_id)
        before = None if place is None else self._steps[place]
        before = before if isinstance(before, Response) else None
        all_calls = (*(before.calls if before else ()), *calls)
        whole = Response(
            time=self._time,
            model=model,
            text=(before.text if before else "") + said,
            reasoning=(before.reasoning if before else "") + thought,
            calls=all_calls,
            usage=_usage(table(message.get("usage"))),
            finish_reason=_finish(text(message.get("stop_reason")), bool(all_calls)),
        )
        if place is not None:
            self._steps[place] = whole
            return
        if message_id:
            self._responses[message_id] = len(self._steps)
        self._steps.append(whole)

    def _system(self, line: JsonObject) -> None:
        subtype, content = text(line.get("subtype")), text(line.get("content"))
        match subtype:
            case "compact_boundary":
                self._remark("The older part of the conversation was summarised.")
            case "api_error":
                self._remark(content or "A request failed.", "error")
            case "turn_duration" | "stop_hook_summary" | "local_command" | "away_summary":
                return
            case _ if content:
                self._remark(content, "warning" if line.get("level") in ("warning", "error") else "info")
            case _:
                self.reading.strange(f"system: {subtype}")

    def _remark(self, words: str, level: str = "info") -> None:
        if words.strip():
            kind = "error" if level == "error" else "warning" if level == "warning" else "info"
            self._steps.append(Remark(time=self._time, text=words, level=kind))


def _part(block: JsonObject) -> str:
    kind = text(block.get("type"))
    return text(block.get("text")) if kind == "text" else f"[{kind or 'something unnamed'}]"


def _call(block: JsonObject) -> ToolCall:
    given: object = block.get("input")
    arguments = table(cast("object", given)) if isinstance(given, dict) else None
    return ToolCall(
        call_id=text(block.get("id")),
        tool=text(block.get("name")),
        arguments=arguments,
        arguments_json=json.dumps(given, ensure_ascii=False),
    )


def _usage(usage: JsonObject) -> Usage | None:
    """Anthropic counts what was read from and written to the cache beside the input; ours is the whole prompt."""
    if not usage:
        return None
    read, write = number(usage.get("cache_read_input_tokens")), number(usage.get("cache_creation_input_tokens"))
    return Usage(
        input=number(usage.get("input_tokens")) + read + write,
        cached_input=read,
        cache_write=write,
        output=number(usage.get("output_tokens")),
    )


def _finish(reason: str, has_calls: bool) -> str:
    if reason == "max_tokens":
        return "length"
    if reason == "refusal":
        return "content_filter"
    return "tool_calls" if has_calls else "stop"
