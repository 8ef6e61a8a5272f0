"""The receipt of an abort in words: what was closed, what it cost, and what may have had effects."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Final, cast

from tui import words

HOW: Final = {
    "exited": "had ended by itself",
    "terminated": "ended with SIGTERM",
    "killed": "killed with SIGKILL",
    "survived": "is STILL ALIVE, end it yourself",
}
EFFECTS: Final = {
    "none": "was cut and changed nothing",
    "done": "was cut after it had its effects",
    "unknown": "was cut and may have had effects: check before relying on it",
}


def receipt_words(receipt: Mapping[str, object] | None) -> list[str]:
    """One line for each thing that was closed; a receipt of another version gives the lines that can be read."""
    if not receipt:
        return []
    lines = [
        *(_request(entry) for entry in _entries(receipt, "requests")),
        *(_process(entry) for entry in _entries(receipt, "processes")),
        *(_tool(entry) for entry in _entries(receipt, "tools")),
    ]
    return lines or ["Nothing was open"]


def _entries(receipt: Mapping[str, object], name: str) -> list[Mapping[str, object]]:
    value = receipt.get(name)
    entries = cast("list[object]", value) if isinstance(value, list) else []
    return [cast("Mapping[str, object]", entry) for entry in entries if isinstance(entry, Mapping)]


def _request(entry: Mapping[str, object]) -> str:
    usage = entry.get("usage")
    spent: Mapping[str, object] = cast("Mapping[str, object]", usage) if isinstance(usage, Mapping) else {}
    mark = "≈ " if entry.get("usage_source") == "estimated" else ""
    counted = [
        f"{mark}{words.tokens(amount)} tokens {name}"
        for name, key in (("in", "input"), ("out", "output"))
        if isinstance(amount := spent.get(key), int)
    ]
    facts = [f"Request to {entry.get('model', 'the model')} closed", *counted, f"{mark}{_money(entry.get('cost_usd'))}"]
    return " · ".join(facts) + (" · estimated" if mark else "")


def _money(value: object) -> str:
    try:
        return words.money(Decimal(str(value))) if value is not None else "cost unknown"
    except InvalidOperation:
        return "cost unknown"


def _process(entry: Mapping[str, object]) -> str:
    name = words.one_line(str(entry.get("name") or "process"))
    how = str(entry.get("how", ""))
    return f"Process {words.cut(name, 40)} (pid {entry.get('pid', '?')}) {HOW.get(how, how)}"


def _tool(entry: Mapping[str, object]) -> str:
    effects = str(entry.get("side_effects", "unknown"))
    return f"{words.one_line(str(entry.get('tool', 'a tool')))} {EFFECTS.get(effects, EFFECTS['unknown'])}"
