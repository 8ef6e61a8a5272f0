"""Prices, windows and abilities from the table that litellm ships, read as a file and without importing litellm."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, cast

from runner.models.base import ModelInfo
from runner.models.fitting import levels_of
from runner.models.providers import family, prefix_of
from runner.usage import Price, Usage

Entry = Mapping[str, Any]

TABLE_NAMES = ("model_prices_and_context_window_backup.json", "model_prices_and_context_window.json")
_MODES = frozenset({"chat", "responses"})
_MILLION = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Pricing:
    """What a model costs, with the two rules that a flat Price cannot say.

    tiers: (tokens, price), dearest last; a request whose input is larger than `tokens` pays that price for all of it.
    reasoning: US dollars for one million reasoning tokens, where they have a price of their own.
    """

    base: Price
    tiers: tuple[tuple[int, Price], ...] = ()
    reasoning: Decimal | None = None

    def price_for(self, usage: Usage) -> Price:
        """The price that a request with this usage is reckoned with."""
        price = self.base
        for above, dearer in self.tiers:
            if usage.input > above:
                price = dearer
        return price

    def cost(self, usage: Usage) -> Decimal:
        """The exact cost of one request in US dollars."""
        price = self.price_for(usage)
        total = price.cost(usage)
        if self.reasoning is not None:
            total += (self.reasoning - price.output) * usage.reasoning / _MILLION
        return total


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the table says of one model."""

    info: ModelInfo
    pricing: Pricing | None


def table_path() -> Path | None:
    """The table inside the installed litellm, found without importing it."""
    spec = importlib.util.find_spec("litellm")
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).parent
    return next((folder / name for name in TABLE_NAMES if (folder / name).is_file()), None)


@cache
def table() -> dict[str, Entry]:
    """The chat models of the table, parsed once (some 70 ms, 3 MB); empty where litellm has no table."""
    path = table_path()
    if path is None:
        return {}
    # Decimal keeps a price such as 2.8e-07 as it is written, so costs add up to the digit.
    raw: object = json.loads(path.read_bytes(), parse_float=Decimal)
    if not isinstance(raw, dict):
        return {}
    entries = cast("dict[str, Any]", raw)
    return {name: cast(Entry, entry) for name, entry in entries.items() if _is_chat(name, entry)}


def _is_chat(name: str, entry: object) -> bool:
    """Whether this row is a model that can be talked to, and not a template, a rebate or a sandbox."""
    if not isinstance(entry, dict) or cast(Entry, entry).get("mode") not in _MODES:
        return False
    return "*" not in name and "-commitment/" not in name and not name.endswith("/container")


def table_provider(entry: Entry) -> str:
    return family(str(entry.get("litellm_provider") or ""))


@cache
def provider_names() -> frozenset[str]:
    """Every provider prefix that the installed litellm routes, for telling a typing error from a rare provider."""
    found = {table_provider(entry) for entry in table().values()}
    path = table_path()
    listed = path.parent / "provider_endpoints_support_backup.json" if path else None
    if listed is not None and listed.is_file():
        providers: object = json.loads(listed.read_bytes()).get("providers")
        if isinstance(providers, dict):
            found.update(family(str(name)) for name in cast("dict[str, Any]", providers))
    return frozenset(found - {""})


def find(model: str) -> tuple[str, Entry] | None:
    """The table's (name, entry) for a model name as people write it, with or without the provider's prefix."""
    entries = table()
    wanted = prefix_of(model)
    if not wanted:
        # A bare Gemini name means Vertex in the table, but a key of the Gemini API is what most people have.
        for name in (model if not model.startswith("gemini") else f"gemini/{model}", model):
            if name in entries:
                return name, entries[name]
        return None
    rest = model.partition("/")[2]
    for name in (model, f"{wanted}/{rest}", rest):
        entry = entries.get(name)
        if entry is not None and table_provider(entry) == wanted:
            return name, entry
    return None


@cache
def lookup(model: str) -> Known | None:
    """What is known of a model; None where the table does not have it."""
    found = find(model)
    if found is None:
        return None
    name, entry = found
    provider = table_provider(entry)
    shown = name if "/" in name else f"{provider}/{name}"
    pricing = _pricing(entry)
    window = _tokens(entry, "max_input_tokens") or _tokens(entry, "max_tokens")
    output = _tokens(entry, "max_output_tokens")
    if output is None and _tokens(entry, "max_input_tokens") is not None:
        output = _tokens(entry, "max_tokens")
    info = ModelInfo(
        name=shown,
        provider=provider,
        context_window=window,
        max_output=output,
        price=pricing.base if pricing else None,
        tools=_flag(entry, "supports_function_calling"),
        vision=_flag(entry, "supports_vision"),
        reasoning=_flag(entry, "supports_reasoning"),
        efforts=levels_of(provider, name.rpartition("/")[2], entry),
        note=_note(entry),
    )
    return Known(info=info, pricing=pricing)


def only_responses(model: str) -> bool:
    """Whether the table says that a model is not served by chat completions."""
    found = find(model)
    if found is None:
        return False
    endpoints: object = found[1].get("supported_endpoints")
    if isinstance(endpoints, list) and endpoints and "/v1/chat/completions" not in cast("list[Any]", endpoints):
        return True
    return found[1].get("mode") == "responses"


def all_models() -> Iterator[ModelInfo]:
    """Every chat model of the table once, by its full name, sorted."""
    seen: set[str] = set()
    for name in sorted(table()):
        known = lookup(name)
        if known is not None and known.info.name not in seen:
            seen.add(known.info.name)
            yield known.info


def _flag(entry: Entry, name: str) -> bool | None:
    """None where the table says nothing: it mostly lists what a model can do, so silence is no refusal."""
    value = entry.get(name)
    return value if isinstance(value, bool) else None


def _tokens(entry: Entry, name: str) -> int | None:
    value = entry.get(name)
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return None
    return int(value) if value > 0 else None


def _note(entry: Entry) -> str:
    date = entry.get("deprecation_date")
    return f"retires {date}" if isinstance(date, str) and date else ""


def _per_million(entry: Entry, name: str) -> Decimal | None:
    value = entry.get(name)
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return None
    return (Decimal(value) * _MILLION).normalize() + 0


def _positive(entry: Entry, name: str) -> Decimal | None:
    """A cache price of zero is a gap in the table, not a gift: such tokens then count as plain input."""
    value = _per_million(entry, name)
    return value if value else None


def _price(entry: Entry, suffix: str = "") -> Price | None:
    read = _per_million(entry, f"input_cost_per_token{suffix}")
    written = _per_million(entry, f"output_cost_per_token{suffix}")
    if read is None or written is None:
        return None
    return Price(
        input=read,
        output=written,
        cached_input=_positive(entry, f"cache_read_input_token_cost{suffix}"),
        cache_write=_positive(entry, f"cache_creation_input_token_cost{suffix}"),
    )


def _pricing(entry: Entry) -> Pricing | None:
    """None where a price is missing, or where both are zero: the table writes 0 for much that is not free."""
    base = _price(entry)
    if base is None or (not base.input and not base.output) or entry.get("tiered_pricing"):
        return None
    tiers: list[tuple[int, Price]] = []
    for name in entry:
        above = _threshold(name)
        price = _price(entry, f"_above_{above // 1000}k_tokens") if above else None
        if above and price is not None:
            tiers.append((above, price))
    reasoning = _positive(entry, "output_cost_per_reasoning_token")
    return Pricing(
        base=base,
        tiers=tuple(sorted(tiers, key=lambda tier: tier[0])),
        reasoning=None if reasoning == base.output else reasoning,
    )


def _threshold(name: str) -> int:
    """200000 for input_cost_per_token_above_200k_tokens; 0 for any other name."""
    head, tail = "input_cost_per_token_above_", "k_tokens"
    if not (name.startswith(head) and name.endswith(tail)):
        return 0
    digits = name[len(head) : -len(tail)]
    return int(digits) * 1000 if digits.isdigit() else 0
