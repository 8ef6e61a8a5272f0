"""The receipt of an abort in words: what was closed, what may have been touched, what it cost, what to do next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Final, cast

from tui import words

Entry = Mapping[str, object]

HOW: Final = {
    "exited": "had ended by itself",
    "terminated": "ended with SIGTERM",
    "killed": "killed with SIGKILL",
    "gone": "was gone already",
    "survived": "is STILL ALIVE, end it yourself",
}
EFFECTS: Final = {
    "none": "was cut and changed nothing",
    "done": "was cut after it had its effects",
    "unknown": "was cut and may have had effects",
}
PROCESSES_SHOWN: Final = 6
FILES_SHOWN: Final = 8
"""Names in a line; the rest is counted here and listed when the receipt is unfolded."""


def receipt_words(receipt: Entry | None) -> list[str]:
    """One line for each thing that was closed; a receipt of another version gives the lines that can be read."""
    if not receipt:
        return []
    processes = _processes(receipt)
    lines = [*(_request(entry) for entry in _entries(receipt, "requests"))]
    lines += [_process(entry) for entry in processes[:PROCESSES_SHOWN]]
    more = max(0, len(processes) - PROCESSES_SHOWN) + sum(_number(entry, "more") for entry in processes)
    if more:
        lines.append(f"{words.count(more, 'more process', 'more processes')} ended")
    lines += [_tool(entry, FILES_SHOWN) for entry in _entries(receipt, "tools")]
    lines += [_goes_on(entry) for entry in _entries(receipt, "still_running")]
    return lines or ["Nothing was open"]


def receipt_rest(receipt: Entry | None) -> list[str]:
    """What the lines above only count: the other processes, and every file."""
    if not receipt:
        return []
    lines = [_process(entry) for entry in _processes(receipt)[PROCESSES_SHOWN:]]
    for entry in _entries(receipt, "tools"):
        files = _files(entry)
        if len(files) > FILES_SHOWN:
            lines.append(f"Files that {_name(entry, 'tool', 'a tool')} may have touched:")
            lines += [f"  {file}" for file in files]
    return lines


def receipt_advice(receipt: Entry | None) -> str:
    """What a person does next."""
    if not receipt:
        return ""
    alive = [str(entry.get("pid", "?")) for entry in _processes(receipt) if entry.get("how") == "survived"]
    tools = [entry for entry in _entries(receipt, "tools") if entry.get("side_effects", "unknown") != "none"]
    first: list[str] = []
    if alive:
        first.append(f"End what is still alive (kill -9 {' '.join(alive)})")
    if any(_files(entry) for entry in tools):
        first.append("check these files" if first else "Check these files")
    elif tools:
        names = ", ".join(dict.fromkeys(_name(entry, "tool", "a tool") for entry in tools))
        first.append(f"{'check' if first else 'Check'} what {words.cut(names, 60)} did")
    then = 'write "continue" to go on'
    return f"{', '.join(first)}; then {then}" if first else f"{then[:1].upper()}{then[1:]}"


def _entries(receipt: Entry, name: str) -> list[Entry]:
    return [cast("Entry", entry) for entry in _list(receipt.get(name)) if isinstance(entry, Mapping)]


def _list(value: object) -> Sequence[object]:
    return cast("Sequence[object]", value) if isinstance(value, list | tuple) else ()


def _processes(receipt: Entry) -> list[Entry]:
    """Those that are still alive come first."""
    return sorted(_entries(receipt, "processes"), key=lambda entry: entry.get("how") != "survived")


def _number(entry: Entry, name: str) -> int:
    value = entry.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0


def _name(entry: Entry, key: str, otherwise: str) -> str:
    return words.one_line(str(entry.get(key) or otherwise))


def _files(entry: Entry) -> list[str]:
    return [words.one_line(str(file)) for file in _list(entry.get("files"))]


def _request(entry: Entry) -> str:
    usage = entry.get("usage")
    spent: Entry = cast("Entry", usage) if isinstance(usage, Mapping) else {}
    estimated = entry.get("usage_source") == "estimated"
    counted = [
        f"{words.about(amount) if estimated else words.tokens(amount)} {name}"
        for name, key in (("tokens in", "input"), ("out", "output"))
        if isinstance(amount := spent.get(key), int)
    ]
    paid = _paid(entry.get("cost_usd"), estimated)
    facts = [f"Request to {_name(entry, 'model', 'the model')} closed", ", ".join(counted), paid]
    facts = [fact for fact in facts if fact]
    return " · ".join(facts) + (", estimated" if estimated else "")


def _paid(value: object, estimated: bool) -> str:
    try:
        cost = None if value is None else Decimal(str(value))
    except InvalidOperation:
        cost = None
    if cost is None or not cost.is_finite():
        return "cost unknown"
    return words.about_money(cost) if estimated and cost else words.money(cost)


def _process(entry: Entry) -> str:
    pid, pgid = entry.get("pid", "?"), entry.get("pgid")
    where = f"pid {pid}" if pgid is None or pgid == pid else f"pid {pid} of group {pgid}"
    how = str(entry.get("how", ""))
    return f"Process {words.cut(_name(entry, 'name', 'without a name'), 40)} ({where}) {HOW.get(how, how)}"


def _goes_on(entry: Entry) -> str:
    """A process that an earlier run of the session left in the background: an abort is about its own run."""
    name = words.cut(_name(entry, "name", "without a name"), 40)
    return f"Process {name} (pid {entry.get('pid', '?')}) of an earlier run goes on in the background"


def _tool(entry: Entry, shown: int) -> str:
    effects = str(entry.get("side_effects", "unknown"))
    line = f"{_name(entry, 'tool', 'a tool')} {EFFECTS.get(effects, EFFECTS['unknown'])}"
    if effects == "none":
        return line
    files = _files(entry)
    complete = entry.get("files_complete") is True
    if not files:
        if effects == "unknown" and complete and "files" in entry:
            return f"{line}; no file in the folder changed"
        return f"{line}: check before relying on it" if effects == "unknown" else line
    names = ", ".join(files[:shown])
    if len(files) > shown:
        names += f" and {len(files) - shown} more"
    return f"{line}; files: {names}{'' if complete else ', perhaps others'}"
