"""Sends a scenario's commands at the events that call for them, as any front end would: from the events alone."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from tests.loop.scenario import LONG_WAIT, Line, Scenario, refusal

Json: TypeAlias = dict[str, Any]

_NAMED = re.compile(r"\[((?:first|second)-\d+)\]")


class Conductor:
    """Feed it every event, as JSON, in order. send: puts one command on its way to the run, from any thread."""

    def __init__(self, scenario: Scenario, send: Callable[[Line], None]) -> None:
        self._send = send
        self._points = scenario.at_points()
        self._approvals = deque(scenario.approvals)
        self._questions = deque(scenario.questions)
        self._pauses = deque(scenario.pauses)
        self._asked = deque(scenario.asked)
        self._waits = deque(scenario.waits)
        self._said = ""
        # A run that wraps up or stops denies by itself what it would have asked, and does not wait for more.
        self._ending = False
        self._messages: list[str] = []
        self._sent_messages = 0
        self._outgoing: deque[Line] = deque()

    def feed(self, event: Json) -> None:
        match event:
            case {"kind": "text_delta", "text": str(text)}:
                self._said += text
                for name in _NAMED.findall(self._said):
                    self._at_point(name)
            case {"kind": "message_queued", "message_id": str(message)}:
                self._messages.append(message)
            case {"kind": "tool_activity", "message": str(said), "call_id": call}:
                self._at_point(said.removeprefix("at "), call)
            case {"kind": "approval_requested", "asks": "question", "request_id": request} if not self._ending:
                answer: Line = {"command": "decide", "request_id": "@", "decision": "deny"}
                self._perform(_next(self._questions, answer), request)
            case {"kind": "approval_requested", "request_id": request} if not self._ending:
                deny: Line = {"command": "decide", "request_id": "@", "decision": "deny"}
                self._perform(_next(self._approvals, deny), request)
            case {"kind": "limit_reached", "asks": True, "limit": limit}:
                # Where one limit is raised at a pause and the next one is reached, the run does not pause anew.
                self._perform(_next(self._asked, {"command": "set_limit", "limit": "@", "value": None}), limit)
            case {"kind": "paused", "by": by} if by != "limit":
                self._perform(_next(self._pauses, {"command": "resume"}))
            case {"kind": "retry_scheduled", "delay": delay} if delay == LONG_WAIT:
                self._perform(_next(self._waits, {"command": "retry_now"}))
            case {"kind": "error", "error": {"message": str(message)}} if "no other model" in message:
                self._perform([{"command": "retry_now"}])
            case _:
                pass
        if not event["kind"].endswith("_delta"):
            self._said = ""
        self._pump()

    def _at_point(self, name: str, meant: str = "") -> None:
        """Each point is come to once."""
        lines = self._points.pop(name, None)
        if lines is not None:
            self._perform([*lines, refusal(name)], meant)

    def _perform(self, lines: Sequence[Line], meant: str = "") -> None:
        self._outgoing.extend({key: meant if value == "@" else value for key, value in line.items()} for line in lines)

    def _pump(self) -> None:
        """Send what can be sent; a message must have been queued before its id is known."""
        while self._outgoing:
            line = dict(self._outgoing[0])
            number = line.get("message_id", "")
            if number.startswith("#"):
                index = int(number[1:])
                if len(self._messages) <= index < self._sent_messages:
                    return
                line["message_id"] = self._messages[index] if index < len(self._messages) else "nowhere"
            self._outgoing.popleft()
            self._sent_messages += line["command"] == "send"
            self._ending |= line["command"] in ("wrap_up", "stop", "abort")
            self._send(line)


def _next(lines: deque[tuple[Line, ...]], otherwise: Line) -> Sequence[Line]:
    return lines.popleft() if lines else [otherwise]
