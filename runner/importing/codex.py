"""The session logs ("rollouts") of Codex: what was sent to the model, and events about what happened beside it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any, Final, cast

from runner.events.base import EPOCH
from runner.importing.lines import Reading, moment, number, table, tables, text
from runner.importing.steps import Ended, Log, Prompt, Remark, Response, Result, Step
from runner.messages import JsonObject, ToolCall
from runner.usage import Usage

_SILENT: Final = frozenset({"world_state", "ghost_snapshot", "compaction_trigger"})
_SILENT_EVENTS: Final = frozenset(
    {
        "task_started",
        "thread_settings_applied",
        "user_message",
        "agent_message",
        "agent_reasoning",
        "agent_reasoning_raw_content",
        "agent_reasoning_section_break",
        "exec_command_begin",
        "exec_command_output_delta",
        "patch_apply_begin",
        "patch_apply_end",
        "mcp_tool_call_begin",
        "mcp_tool_call_end",
        "web_search_begin",
        "web_search_end",
        "turn_diff",
        "plan_update",
        "session_configured",
        "thread_name_updated",
    }
)
"""Events that repeat what a response item says, or that are about the program itself."""

_BESIDE: Final = re.compile(
    r"\s*<(environment_context|user_instructions|permissions|turn_aborted|skills|apps_instructions|collaboration_mode|"
    r"model_switch|personality_spec|user_shell_command|subagent_notification)\b"
)
"""What the program adds to the conversation in the person's name."""

_INSTRUCTIONS: Final = "# AGENTS.md instructions"
_EXIT: Final = re.compile(r"^(?:Process exited with code|Exit code:) (-?\d+)$", re.MULTILINE)


def read_codex(lines: Iterable[str]) -> Log:
    """Whatever can be read of the log; its session_id is "" where no line has one."""
    reader = _Reader(lines)
    for line in reader.reading.objects():
        reader.take(line)
    return reader.log()


class _Reader:
    def __init__(self, lines: Iterable[str]) -> None:
        self.reading = Reading(lines)
        self._steps: list[Step] = []
        self._response: Response | None = None
        self._results: dict[str, int] = {}
        self._ran: dict[str, tuple[bool, float | None]] = {}
        self._time: datetime = EPOCH
        self._session_id = self._workspace = self._version = self._model = ""

    def take(self, line: JsonObject) -> None:
        self._time = moment(line.get("timestamp")) or self._time
        payload = table(line.get("payload"))
        match line.get("type"):
            case "session_meta":
                # A forked session repeats the head of the one it came from; its own stands first.
                self._session_id = self._session_id or text(payload.get("id"))
                self._workspace = self._workspace or text(payload.get("cwd"))
                self._version = self._version or text(payload.get("cli_version"))
            case "turn_context":
                self._model = text(payload.get("model")) or self._model
            case "response_item":
                self._item(payload)
            case "event_msg":
                self._event(payload)
            case "token_usage_record":
                self._close(_usage(table(payload.get("usage"))))
            case "compacted":
                self._close()
                self._remark("The older part of the conversation was summarised.")
            case kind:
                self._strange("", kind)

    def log(self) -> Log:
        self._close()
        return Log(
            source="codex",
            session_id=self._session_id,
            workspace=self._workspace,
            version=self._version,
            title="",
            steps=tuple(self._steps),
            lines=self.reading.count,
            unknown=self.reading.unknown,
            damaged=tuple(self.reading.damaged),
        )

    def _item(self, item: JsonObject) -> None:
        match item.get("type"):
            case "message":
                self._message(item)
            case "reasoning":
                parts = [*tables(item.get("summary")), *tables(item.get("content"))]
                self._grow(reasoning="\n\n".join(text(part.get("text")) for part in parts))
            case "function_call":
                self._grow(call=_call(item, text(item.get("arguments"))))
            case "custom_tool_call":
                given = {"input": text(item.get("input"))}
                self._grow(call=_call(item, json.dumps(given, ensure_ascii=False)))
            case "local_shell_call":
                action = json.dumps(table(item.get("action")), ensure_ascii=False)
                self._grow(call=_call({**item, "name": "local_shell"}, action))
            case "web_search_call":
                self._search(item)
            case "function_call_output" | "custom_tool_call_output" | "local_shell_call_output":
                self._result(item)
            case kind:
                self._strange("response_item: ", kind)

    def _message(self, item: JsonObject) -> None:
        parts = tables(item.get("content"))
        words = "\n".join(text(part.get("text")) or f"[{part.get('type')}]" for part in parts)
        role = text(item.get("role"))
        if role == "assistant":
            self._grow(said=words)
        elif role == "user" and not _BESIDE.match(words) and not words.startswith(_INSTRUCTIONS):
            self._close()
            if words.strip():
                self._steps.append(Prompt(time=self._time, text=words))
        elif role not in ("user", "developer", "system"):
            self.reading.strange(f"message: {role or 'without a role'}")

    def _grow(self, *, said: str = "", reasoning: str = "", call: ToolCall | None = None) -> None:
        """The items of one response come one by one; what ends it is anything that is none of them."""
        now = self._response or Response(time=self._time, model=self._model)
        calls = now.calls if call is None else (*now.calls, call)
        self._response = replace(
            now,
            text=f"{now.text}\n\n{said}" if now.text and said else now.text + said,
            reasoning=f"{now.reasoning}\n\n{reasoning}" if now.reasoning and reasoning else now.reasoning + reasoning,
            calls=calls,
            finish_reason="tool_calls" if calls else "stop",
        )

    def _close(self, usage: Usage | None = None) -> None:
        if self._response is not None:
            self._steps.append(replace(self._response, usage=usage))
            self._response = None

    def _search(self, item: JsonObject) -> None:
        """The provider searched by itself: call and result are one item."""
        call_id = text(item.get("id")) or f"search-{self.reading.count}"
        query = text(table(item.get("action")).get("query"))
        self._grow(call=_call({"name": "web_search", "call_id": call_id}, json.dumps({"query": query})))
        self._close()
        self._steps.append(Result(time=self._time, call_id=call_id, output=text(item.get("status")) or "done"))

    def _result(self, item: JsonObject) -> None:
        self._close()
        call_id = text(item.get("call_id"))
        output, failed = _output(item.get("output"))
        ran = self._ran.pop(call_id, None)
        self._results[call_id] = len(self._steps)
        self._steps.append(
            Result(
                time=self._time,
                call_id=call_id,
                output=output,
                failed=failed if ran is None else ran[0],
                seconds=None if ran is None else ran[1],
            )
        )

    def _event(self, event: JsonObject) -> None:
        match event.get("type"):
            case "token_count":
                self._count(table(table(event.get("info")).get("last_token_usage")))
            case "task_complete" | "turn_complete":
                self._close()
                self._steps.append(Ended(time=self._time, how="completed"))
            case "turn_aborted":
                self._close()
                self._steps.append(Ended(time=self._time, how="aborted"))
            case "error" | "stream_error":
                self._close()
                self._remark(text(event.get("message")) or "A request failed.", "error")
            case "warning" | "background_event":
                self._remark(text(event.get("message")), "warning")
            case "context_compacted":
                self._remark("The older part of the conversation was summarised.")
            case "item_completed":
                self._completed(table(event.get("item")))
            case "exec_command_end":
                self._executed(text(event.get("call_id")), event)
            case kind:
                self._strange("event_msg: ", kind)

    def _strange(self, where: str, kind: object) -> None:
        name = text(kind)
        if name not in (_SILENT_EVENTS if where.startswith("event") else _SILENT):
            self.reading.strange(f"{where}{name or 'without a type'}" if where else name)

    def _completed(self, item: JsonObject) -> None:
        if item.get("type") == "CommandExecution":
            self._executed(text(item.get("id")), item)

    def _executed(self, call_id: str, event: JsonObject) -> None:
        """How a command ended; told before or after the output that the model reads."""
        duration = table(event.get("duration"))
        seconds = number(duration.get("secs")) + number(duration.get("nanos")) / 1e9 if duration else None
        failed = event.get("exit_code") not in (0, None) or text(event.get("status")) in ("failed", "declined")
        place = self._results.get(call_id)
        result = None if place is None else self._steps[place]
        if place is not None and isinstance(result, Result):
            self._steps[place] = replace(result, failed=failed, seconds=seconds)
        else:
            self._ran[call_id] = (failed, seconds)

    def _count(self, usage: JsonObject) -> None:
        """Older versions tell a response's tokens after its calls have run."""
        if self._response is not None:
            self._close(_usage(usage))
            return
        for place in range(len(self._steps) - 1, -1, -1):
            step = self._steps[place]
            if isinstance(step, Prompt):
                return
            if isinstance(step, Response):
                if step.usage is None:
                    self._steps[place] = replace(step, usage=_usage(usage))
                return

    def _remark(self, words: str, level: str = "info") -> None:
        if words.strip():
            kind = "error" if level == "error" else "warning" if level == "warning" else "info"
            self._steps.append(Remark(time=self._time, text=words, level=kind))


def _call(item: JsonObject, arguments_json: str) -> ToolCall:
    return ToolCall(
        call_id=text(item.get("call_id")),
        tool=text(item.get("name")),
        arguments=_object(arguments_json),
        arguments_json=arguments_json,
    )


def _object(json_text: str) -> JsonObject | None:
    try:
        value: Any = json.loads(json_text)
    except (ValueError, RecursionError):
        return None
    return cast("JsonObject", value) if isinstance(value, dict) else None


def _output(value: object) -> tuple[str, bool]:
    """What the model read of a call, and whether it says that the call failed. Four shapes are known."""
    if isinstance(value, dict):
        whole = table(cast("object", value))
        content: object = whole.get("content")
        words = content if isinstance(content, str) else _parts(content or whole.get("content_items"))
        return words, whole.get("success") is False
    if isinstance(value, list):
        return _parts(cast("object", value)), False
    words = text(value)
    older = _object(words)
    if older is not None and isinstance(older.get("output"), str):
        return text(older["output"]), table(older.get("metadata")).get("exit_code") not in (0, None)
    code = _EXIT.search(words)
    return words, code is not None and code[1] != "0"


def _parts(value: object) -> str:
    return "\n".join(text(part.get("text")) or f"[{part.get('type')}]" for part in tables(value))


def _usage(usage: JsonObject) -> Usage | None:
    if not usage:
        return None
    return Usage(
        input=number(usage.get("input_tokens")),
        cached_input=number(usage.get("cached_input_tokens")),
        cache_write=number(usage.get("cache_write_input_tokens")),
        output=number(usage.get("output_tokens")),
        reasoning=number(usage.get("reasoning_output_tokens")),
    )
