"""What came of a call, read from the text that the tool gave the model."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from runner.messages import JsonObject, ToolStatus

_EXIT = re.compile(r"\bexit(?:ed)?(?:\s+(?:with\s+)?(?:code|status))?\s*[:=]?\s*(-?\d+)", re.IGNORECASE)
_ENDED = re.compile(r"\bended by (\w+)")
_REASON = re.compile(r"\bReason:\s*(?P<reason>.+)", re.DOTALL)
_EDITED = re.compile(
    r"^.*\b(?:edited|changed)\b.*\barguments\b.*?(?P<arguments>\{.*\}).*$", re.IGNORECASE | re.MULTILINE
)
_NUMBERED = re.compile(r"^ *\d+(?:\t|→)")
_CUT = re.compile(
    r"^\[.*(?:left out|not listed|not shown|go on with|there are more|was ended after|truncated).*\]$",
    re.MULTILINE | re.IGNORECASE,
)
_REMARK = re.compile(
    r"\[(?:exit code|ended by|the command did|still running when|a process of|lines \d|some bytes|\.\.\. "
    r"|\d+ matching|the first \d+|the search was).*\]"
)
_TOTAL = re.compile(r"^\[lines (\d+)-(\d+) of ([\d,]+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Outcome:
    """tool, arguments: as they were asked for. output: what the model reads."""

    tool: str
    arguments: JsonObject
    status: ToolStatus
    output: str

    @property
    def ok(self) -> bool:
        return self.status == "ok"

    @property
    def ran(self) -> bool:
        """Whether the tool did its work to the end, well or badly."""
        return self.status in ("ok", "error")

    @property
    def edited(self) -> JsonObject | None:
        """The arguments that a person put in place of the asked ones, where the result says so."""
        found = _EDITED.search(self.output)
        if found is None:
            return None
        try:
            value: object = json.loads(found["arguments"])
        except ValueError:
            return None
        return value if isinstance(value, dict) else None  # pyright: ignore[reportUnknownVariableType]

    @property
    def body(self) -> str:
        """The output without a remark about edited arguments."""
        return _EDITED.sub("", self.output, count=1).strip("\n") if self.edited is not None else self.output

    @property
    def reason(self) -> str:
        """Why the call was denied, in the words of who denied it."""
        found = _REASON.search(self.output)
        return found["reason"].strip() if found is not None else ""

    @property
    def lines(self) -> list[str]:
        """The lines without blank ones and without the tool's bracketed remarks."""
        return [line for line in self.body.splitlines() if line.strip() and not _is_remark(line)]

    @property
    def remarks(self) -> list[str]:
        """The tool's bracketed remarks at the end."""
        lines = self.body.rstrip().splitlines()
        first = len(lines)
        while first and _is_remark(lines[first - 1]):
            first -= 1
        return lines[first:]

    @property
    def printed(self) -> str:
        """What a command printed, without the remarks behind it."""
        lines = self.body.rstrip().splitlines()
        return "\n".join(lines[: len(lines) - len(self.remarks)])

    @property
    def exit_code(self) -> int | None:
        """The exit code that the end of the output speaks of."""
        for line in reversed(self.remarks or self.body.rstrip().splitlines()[-1:]):
            found = _EXIT.search(line)
            if found is not None:
                return int(found[1])
        return None

    @property
    def ended_by(self) -> str | None:
        """The signal that ended the command."""
        found = next((found for line in self.remarks if (found := _ENDED.search(line))), None)
        return found[1] if found is not None else None

    @property
    def cut(self) -> bool:
        """Whether the tool says that something is missing."""
        return _CUT.search(self.output) is not None

    @property
    def total_lines(self) -> int | None:
        """The lines of the whole file, where the tool showed a part of it."""
        found = _TOTAL.search(self.output)
        return int(found[3].replace(",", "")) if found is not None else None

    @property
    def content(self) -> str:
        """A file's text out of a read: without line numbers and remarks; empty where the tool only said something."""
        lines = [line for line in self.body.splitlines() if not _is_remark(line)]
        numbered = [_NUMBERED.sub("", line, count=1) for line in lines if _NUMBERED.match(line)]
        if numbered:
            return "\n".join(numbered)
        return "\n".join(lines) if len(lines) > 1 else ""


def _is_remark(line: str) -> bool:
    return _REMARK.fullmatch(line.strip()) is not None
