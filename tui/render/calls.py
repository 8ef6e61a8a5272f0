"""Tool calls: one line in short form, and what is below it when unfolded."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Final, NamedTuple, cast

from runner.state import CallItem
from tui import words
from tui.render.clean import Clean, clean
from tui.render.decisions import decision_words, short_words
from tui.render.lines import MUTED, Ink, Line, Span, fit, fit_middle, spans_of, width_of, wrapped
from tui.render.results import INDENT, Display, entries_of, facts_of, list_words, special, special_lines, standing_lines

OUTPUT_LINES: Final = 200
"""Lines of output shown below an unfolded call; the rest is counted."""

_OUTPUT: Final = Ink("foreground")
_ERROR: Final = Ink("text.error")
_NAME: Final = Ink("muted", italic=True)

_REPEATED: Final = {
    "edit_files": frozenset({"edits"}),
    "todo": frozenset({"items"}),
    "ask_user": frozenset({"question", "choices", "several"}),
}

_COLOURS: Final = {
    "list_files": "tool.read",
    "read_file": "tool.read",
    "search": "tool.read",
    "write_file": "tool.write",
    "edit_file": "tool.write",
    "edit_files": "tool.write",
    "shell": "tool.shell",
    "web_fetch": "tool.network",
}


class CallState(NamedTuple):
    glyph: str
    word: str
    colour: str


_PHASES: Final = {
    "writing": CallState("…", "writing", "state.queued"),
    "proposed": CallState("·", "next", "state.queued"),
    "waiting": CallState("?", "waits for you", "state.waiting"),
    "running": CallState("●", "running", "state.running"),
}
_ENDS: Final = {
    "ok": CallState("✓", "done", "state.ok"),
    "error": CallState("✗", "failed", "state.failed"),
    "denied": CallState("⊘", "denied", "state.cancelled"),
    "timeout": CallState("✗", "timed out", "state.failed"),
    "cancelled": CallState("■", "cancelled", "state.cancelled"),
    "interrupted": CallState("■", "interrupted", "state.cancelled"),
    "skipped": CallState("○", "skipped", "state.cancelled"),
    "invalid": CallState("✗", "invalid", "state.failed"),
}


def call_state(call: CallItem) -> CallState:
    """Glyph, word and colour of where a call stands."""
    if call.phase != "finished":
        return _PHASES[call.phase]
    found = _ENDS.get(call.status or "", CallState("?", call.status or "ended", "muted"))
    exit_code = (call.display or {}).get("exit_code")
    if call.status == "ok" and isinstance(exit_code, int) and exit_code != 0:
        return CallState("!", f"exit {exit_code}", "warning")
    return found


def tool_colour(tool: str) -> str:
    if tool.startswith("transfer_to_"):
        return "tool.agent"
    return _COLOURS.get(tool, "tool.other")


def short_arguments(call: CallItem) -> Clean:
    """The telling part of the arguments on one line."""
    value = _written(call, 400) if call.phase == "writing" else call.arguments
    return clean(words.one_line(_telling(call.tool, value) if isinstance(value, dict) else value))


def _telling(tool: str, arguments: Mapping[str, object]) -> str:
    match tool, arguments:
        case "search", {"pattern": str(pattern), "path": str(path)} if path not in ("", "."):
            return f"{pattern} in {path}"
        case "search", {"pattern": str(pattern)}:
            return pattern
        case "todo", {"items": list()}:
            return list_words(entries_of({"type": "todo", "items": arguments["items"]}) or [])
        case "read_file", {"path": str(path), "start": int(start)}:
            end = arguments.get("end")
            return f"{path}:{start}-{end}" if end is not None else f"{path}:{start}"
        case _:
            return words.arguments(arguments)


def _written(call: CallItem, characters: int) -> str:
    """The beginning of the arguments that the model still writes, so that a frame costs the same however long."""
    parts: list[str] = []
    for piece in call.written:
        parts.append(piece)
        characters -= len(piece)
        if characters < 0:
            return "".join(parts)[:characters] + "…"
    return "".join(parts)


def header_line(call: CallItem, width: int, *, running: int | None = None) -> Line:
    """The call on one line. running: whole seconds that it runs already."""
    state = call_state(call)
    tool = fit(clean(words.one_line(call.tool) or "tool"), max(8, width // 3))
    room = width - 2 - width_of(tool)
    wanted = short_arguments(call)
    # Arguments and facts share the line; where both are long, the arguments keep two fifths of it.
    needed = min(width_of(wanted) + 1, room * 2 // 5) if wanted else 0
    right = _facts_that_fit([Clean(state.word), *_facts(call, running)], room - needed)
    left = room - width_of(right)
    arguments = fit_middle(wanted, left - 1) if left > 6 else Clean("")
    spans = [
        Span(Clean(f"{state.glyph} "), Ink(state.colour, bold=True)),
        Span(tool, Ink(tool_colour(call.tool), bold=True)),
    ]
    if arguments:
        spans.extend(spans_of(Clean(f" {arguments}"), Ink("foreground")))
    spans.append(Span(Clean(right[:3]), MUTED))
    spans.extend(spans_of(Clean(right[3:]), MUTED if state.glyph == "✓" else Ink(state.colour)))
    return Line(spans=tuple(spans), action=True)


def _facts_that_fit(facts: list[Clean], cells: int) -> Clean:
    """The facts on one line, the last ones left out where there is no room; the first is always there."""
    shown = f" · {facts[0]}"
    for index, fact in enumerate(facts[1:], 1):
        longer = f"{shown} · {fact}"
        if width_of(longer) > cells:
            # A reason is worth being shown in part; a number is not.
            return (
                fit(Clean(longer), cells) if index < len(facts) - 1 and cells - width_of(shown) > 12 else Clean(shown)
            )
        shown = longer
    return Clean(shown)


def _facts(call: CallItem, running: int | None) -> list[Clean]:
    facts: list[str] = []
    if call.phase == "running":
        if call.activity:
            facts.append(words.one_line(call.activity))
        if call.progress is not None:
            facts.append(f"{round(100 * call.progress)} %")
        if running is not None and running > 0:
            facts.append(words.seconds(running))
    elif call.phase == "finished":
        facts.extend(words.one_line(fact) for fact in facts_of(call.display or {}))
        cut = call.status in ("interrupted", "cancelled")
        if call.status not in ("ok", "skipped") and not cut and (why := _why(call)):
            facts.append(words.cut(why, 60))
        if call.side_effects == "unknown":
            facts.append("may have had effects")
        elif cut:
            facts.append("changed nothing" if call.side_effects == "none" else "had its effects")
        if call.status not in ("denied", "skipped", "invalid"):
            facts.append(words.duration(call.seconds))
        if decided := short_words(call):
            facts.append(decided)
    return [clean(fact) for fact in facts]


def _why(call: CallItem) -> str:
    if call.status == "denied" and call.approval is not None:
        return words.one_line(call.approval.reason)
    for line in call.output.split("\n", 20):
        if line.strip():
            return words.one_line(line)
    return ""


def searched_header(call: CallItem) -> Clean:
    """What a search finds in the header; the arguments are found where they stand in full."""
    facts = [Clean(call_state(call).word), *_facts(call, None)]
    return Clean(f"{clean(words.one_line(call.tool))} · {' · '.join(facts)}")


def detail_lines(call: CallItem, width: int, *, most: int | None = OUTPUT_LINES, opens: str = "") -> list[Line]:
    """What stands below the header: arguments and approval; the output has its own place.

    most: lines of one argument, None for all of them. opens: the key that opens all.
    """
    lines = _arguments(call, width, most, opens)
    for sentence in decision_words(call):
        lines.extend(_text(sentence, MUTED, width))
    return lines


def _cage_words(sandbox: object) -> list[str]:
    """Whether a command ran in a sandbox, where that was wanted."""
    if not isinstance(sandbox, Mapping):
        return []
    found = cast("Mapping[str, object]", sandbox)
    if not found.get("on"):
        return ["no sandbox"]
    return ["in a sandbox with network" if found.get("network") else "in a sandbox"]


def ending_lines(call: CallItem, width: int) -> list[Line]:
    """What stands below the output: exit code, truncation, effects."""
    facts: list[str] = []
    display = call.display or {}
    signal = display.get("signal")
    exit_code = display.get("exit_code")
    if signal:
        facts.append(f"ended by signal {signal}")
    elif isinstance(exit_code, int):
        facts.append(f"exit code {exit_code}")
    facts += _cage_words(display.get("sandbox"))
    if isinstance(aside := display.get("set_aside"), list):
        facts.append(f"put aside, because git would obey it: {', '.join(map(str, cast('list[object]', aside)))}")
    if call.truncated:
        facts.append("the model read a shortened output" + (", the whole is stored" if call.artifact else ""))
    if call.side_effects == "unknown":
        facts.append("it may have had effects: check before relying on it")
    if call.pid is not None and call.phase == "running":
        name = f"{words.cut(words.one_line(call.process), 60)}, " if call.process else ""
        facts.append(f"process {name}pid {call.pid}")
    return _text(" · ".join(facts), MUTED, width) if facts else []


def always_lines(call: CallItem, width: int) -> list[Line]:
    """What is shown below the header even while the call is folded."""
    return standing_lines(call.display, width) if call.status == "ok" else []


def display_of(call: CallItem) -> Display | None:
    """How a result is to be shown, or what is asked for (a diff)."""
    if call.display is None and call.phase != "finished" and call.approval is not None:
        return call.approval.preview
    return call.display


def is_special(call: CallItem) -> bool:
    """Whether the result has a view of its own in place of its text."""
    return special(display_of(call))


def result_lines(call: CallItem, width: int) -> list[Line] | None:
    """The special view of a result or of what is asked for (a diff); None where its text is the view."""
    return special_lines(display_of(call), width)


def output_text(call: CallItem) -> str:
    """What a person reads of a finished call; not clean."""
    display = call.display or {}
    if display.get("type") == "text" and isinstance(display.get("text"), str):
        return str(display["text"])
    return call.output


def output_lines(text: Clean, width: int, *, failed: bool = False, earlier: int = 0) -> list[Line]:
    """The last lines of an output; earlier: lines that are not in the text any more."""
    rows = text.removesuffix("\n").split("\n") if text else []
    hidden = earlier + max(0, len(rows) - OUTPUT_LINES)
    lines = _text(f"… {words.count(hidden, 'earlier line')}", MUTED, width) if hidden else []
    ink = _ERROR if failed else _OUTPUT
    for row in rows[-OUTPUT_LINES:]:
        lines.extend(wrapped(spans_of(Clean(row), ink), width, first=INDENT))
    return lines


def _arguments(call: CallItem, width: int, most: int | None, opens: str) -> list[Line]:
    if isinstance(call.arguments, str) or call.phase == "writing":
        raw = _written(call, 4000) if call.phase == "writing" else words.cut(str(call.arguments), 4000)
        return _text(raw, _OUTPUT, width) if raw else []
    lines: list[Line] = []
    hide = _shown_as_diff(call)
    for name, value in call.arguments.items():
        if name in hide:
            continue
        lines.extend(_argument(name, value, width, most, opens))
    return lines


def _shown_as_diff(call: CallItem) -> frozenset[str]:
    """Arguments that the view below repeats."""
    if not is_special(call):
        return frozenset()
    return _REPEATED.get(call.tool, frozenset({"content", "old", "new"}))


def _argument(name: str, value: object, width: int, most: int | None, opens: str) -> list[Line]:
    text = value if isinstance(value, str) else _json(value)
    rows = clean(text).removesuffix("\n").split("\n")
    label = Span(clean(f"{name} "), _NAME)
    if len(rows) == 1:
        return wrapped([label, *spans_of(Clean(rows[0]), _OUTPUT)], width, first=INDENT)
    lines = wrapped([label], width, first=INDENT)
    deeper = (*INDENT, Span(Clean("  "), MUTED))
    for row in rows[:most]:
        lines.extend(wrapped(spans_of(Clean(row), _OUTPUT), width, first=deeper))
    if most is not None and len(rows) > most:
        how = f": {opens} opens all" if opens else ""
        left_out = _text(f"… {words.count(len(rows) - most, 'line')} more{how}", MUTED, width)
        lines.extend(replace(line, action=True, more=True) for line in left_out)
    return lines


def _json(value: object) -> str:
    if isinstance(value, Mapping) and len(cast("Mapping[str, object]", value)) > 3:
        return json.dumps(value, ensure_ascii=False, default=str, indent=2)
    return json.dumps(value, ensure_ascii=False, default=str)


def _text(text: str, ink: Ink, width: int) -> list[Line]:
    return wrapped(spans_of(clean(text), ink), width, first=INDENT)
