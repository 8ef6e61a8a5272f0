"""What to know before a switch: what a model costs, holds and can do, what reading the history again comes to, and what
of the settings it will not be sent. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, TypeAlias

from runner.models.base import ModelInfo, ModelSettings
from runner.models.fitting import DEFAULT, LEVELS, predicted
from runner.state.settings import Asked
from tui.model_list import Line, reread_cost
from tui.setting_words import left_out_words
from tui.view import View, history_tokens
from tui.words import about, about_money, ago, price, window

SUMMARISED_AT: Final = 0.8
"""The used part of a window from which a history is summarised before it is sent."""

_CLIENTS: Final = {"direct": "asked directly", "litellm": "asked through litellm", "demo": ""}

Facts: TypeAlias = list[tuple[str, str]]
"""Words with their theme variable, the most important first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Switch:
    """Where a switch starts from. current: the model in use. live: a run goes on.

    history: tokens that another model reads again, an estimate; 0 = there is none. cached: how much of its last request
    the model in use had in its cache, 0..1, None = nobody knows. before: models that answered in this session.
    asked: effort and temperature as they are.
    """

    current: str = ""
    live: bool = False
    history: int = 0
    cached: float | None = None
    before: frozenset[str] = frozenset()
    asked: Asked = field(default_factory=Asked)


def switch_of(view: View) -> Switch:
    turns = (entry for run in reversed(view.runs) for entry in reversed(run.ledger) if entry.purpose == "turn")
    last = next(turns, None)
    known = last is not None and last.source == "reported" and last.usage.input > 0 and last.model == view.model
    return Switch(
        current=view.model,
        live=view.live is not None,
        history=history_tokens(view),
        cached=last.usage.cached_input / last.usage.input if known and last is not None else None,
        before=frozenset(entry.model for run in view.runs for entry in run.ledger),
        asked=view.asked,
    )


def facts(line: Line, switch: Switch, effort: str | None, temperature: float | None, now: datetime) -> Facts:
    """What to know before choosing: what it costs now first, then what the model cannot do."""
    row, info = line.row, line.row.info
    settings = ModelSettings(reasoning_effort=effort, temperature=temperature)
    found: Facts = []
    if info.name == switch.current:
        found.append((_in_use(line, switch), "state-ok"))
    elif switch.history:
        found += _switching(line, switch)
    if missing := predicted(info, settings):
        found.append((left_out_words(missing), "state-waiting"))
    if info.tools is False:
        found.append(("no tools: it can only answer", "state-waiting"))
    elif info.tools is None:
        found.append(("whether it takes tools is not known", "muted"))
    if row.key == "missing":
        found.append(("no key is set for it", "state-waiting"))
    if not switch.history or info.name == switch.current:
        size = f"window {info.context_window:,} tokens" if info.context_window else "its window is not known"
        found.append((size, "muted"))
    found.append((_price_words(info), "muted"))
    rest = ["a demo, not a real model" if info.is_demo else "", _CLIENTS.get(info.client, info.client), info.note]
    if line.used is not None:
        rest.insert(0, f"used {ago(line.used, now)}")
    return [*found, *((text, "muted") for text in rest if text)]


def _in_use(line: Line, switch: Switch) -> str:
    if not switch.history:
        return "in use"
    if switch.cached is None:
        return f"in use · the next request reads {about(switch.history)} tokens, how many from its cache is not known"
    cost = reread_cost(line.row, switch.history, round(switch.history * switch.cached))
    price = "" if cost is None or not cost else f": {about_money(cost)}"
    return f"in use · the next request reads {about(switch.history)} tokens, {switch.cached:.0%} from its cache{price}"


def _switching(line: Line, switch: Switch) -> Facts:
    """What becomes of the session's history with another model: what reading it costs, and whether it fits."""
    row, size, history = line.row, line.row.info.context_window, switch.history
    read = about(history)
    if size and history > size:
        return [(f"does not fit ({read} of {window(size)}): will be summarised first", "state-waiting")]
    cost = reread_cost(row, history)
    price = "at an unknown price" if cost is None else "free" if not cost else about_money(cost)
    cached = "it may have a part in its cache" if row.info.name in switch.before else "none of it cached"
    words = f"re-reads {read} tokens: free"
    if cost is None or cost:
        words = f"the switch re-reads {read} tokens, {cached}: {price}"
    found: Facts = [(words, "foreground")]
    if not size:
        return [*found, ("its window is not known", "muted")]
    if history >= size * SUMMARISED_AT:
        return [*found, (f"nearly full ({read} of {window(size)}): will be summarised first", "state-waiting")]
    return [*found, (f"fits: {read} of {window(size)}", "state-ok")]


def _price_words(info: ModelInfo) -> str:
    if info.price is None:
        return "price unknown"
    if info.price.input == 0 and info.price.output == 0:
        return "free"
    cached = info.price.cached_input
    also = f", {price(cached)} cached" if cached is not None else ""
    return f"{price(info.price.input)} in{also}, {price(info.price.output)} out for a million tokens"


def next_level(effort: str | None, efforts: tuple[str, ...] | None, step: int) -> str | None:
    """The level after or before this one, among those that the model takes; None = the default, one of them."""
    levels: list[str | None] = [None, *(LEVELS if efforts is None else efforts)]
    if effort not in levels:
        # Kept from another model: the next one in its direction that this model takes.
        rank = LEVELS.index(effort) if effort in LEVELS else 0
        ahead = [level for level in levels if level is not None and (LEVELS.index(level) - rank) * step > 0]
        return None if not ahead else ahead[0] if step > 0 else ahead[-1]
    return levels[(levels.index(effort) + step) % len(levels)]


def level_words(efforts: tuple[str, ...] | None) -> str:
    """Which levels a model takes, in words."""
    if efforts is None:
        return "its levels are not known"
    return " ".join(efforts) if efforts else "this model takes none"


def changed(new: str | None, old: str | None) -> str | None:
    """An effort for a command: None where it stays, "default" where it goes."""
    return None if new == old else DEFAULT if new is None else new
