"""The list of models: grouped by provider, searched, favourites and the last used ones first. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from types import MappingProxyType
from typing import Final

from runner.models.base import ModelInfo
from runner.models.catalogue import Pricing
from runner.models.providers import SELF_HOSTED, family, prefix_of, provider
from runner.usage import Price, Usage
from tui.fuzzy import best
from tui.words import count

MOST_FOUND: Final = 200
RECENT_SHOWN: Final = 5

KEY_WORDS: Final = {"set": "key set", "missing": "no key", "not needed": "no key needed", "": "key not known"}
_TITLES: Final = {
    "ai21": "AI21",
    "azure": "Azure OpenAI",
    "azure_ai": "Azure AI",
    "bedrock": "Amazon Bedrock",
    "demo": "Demo, built in",
    "hosted_vllm": "vLLM",
    "lm_studio": "LM Studio",
    "ollama": "Ollama",
    "vertex_ai": "Google Vertex AI",
}


@dataclass(frozen=True)
class ModelRow:
    """key: "set", "missing", "not needed" or "" where it is not known. configured: named in the settings.

    pricing: where the price of an input depends on its size.
    """

    info: ModelInfo
    key: str
    configured: bool = False
    pricing: Pricing | None = None

    def price_of(self, tokens: int) -> Price | None:
        """The price of a request with so many tokens of input; None = not known."""
        return self.info.price if self.pricing is None else self.pricing.price_for(Usage(input=tokens))

    @property
    def free(self) -> bool:
        price = self.info.price
        return price is not None and not price.input and not price.output

    @cached_property
    def provider(self) -> str:
        return family(self.info.provider) if self.info.provider else prefix_of(self.info.name)

    @cached_property
    def short(self) -> str:
        """The name below its provider's heading."""
        head, slash, rest = self.info.name.partition("/")
        return rest if slash and family(head) == self.provider else self.info.name

    @cached_property
    def words(self) -> str:
        """What a search finds it by besides its name, in small letters."""
        info = self.info
        tags = {
            "tools": info.tools,
            "vision images pictures": info.vision,
            "reasoning thinking": info.reasoning,
            "free": self.free,
            "unknown price": info.price is None,
            "local": self.provider in SELF_HOSTED or info.note.startswith("on this machine"),
            "key": self.key == "set",
            "configured": self.configured,
            "demo": info.is_demo,
        }
        return " ".join([title_of(self.provider), *(words for words, there in tags.items() if there)]).lower()


@dataclass(frozen=True, slots=True)
class Heading:
    """Over a group. note: how many there are, and whether a key is there."""

    title: str
    note: str = ""
    warns: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """A model where it stands in the list. name: as it is shown there. used: when it was used last."""

    row: ModelRow
    name: str
    favourite: bool = False
    used: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """What the person's own use says of models. recents: the newest first."""

    favourites: Sequence[str] = ()
    recents: Mapping[str, datetime] = field(default_factory=lambda: MappingProxyType({}))


def title_of(name: str) -> str:
    known = provider(name)
    return known.title if known is not None else _TITLES.get(name, name or "other")


def listed(rows: Iterable[ModelRow], marks: Marks, query: str = "", current: str = "") -> list[Heading | Line]:
    """Favourites, the one in use and the last used, the configured ones, then provider by provider, those that can be
    used first.

    With a query only what it finds, the best of each group first.
    """
    words = query.lower().split()
    found = _found(list(rows), words, marks) if words else list(rows)
    groups: dict[tuple[int, int, str], list[Line]] = {}
    ranks: dict[str, int] = {}
    recent = [current, *(name for name in marks.recents if name != current)]
    recent = recent if words else recent[: 1 + RECENT_SHOWN]
    for rank, row in enumerate(found):
        name = row.info.name
        line = Line(row, name, name in marks.favourites, marks.recents.get(name))
        if line.favourite:
            place = (0, 0, "")
        elif name in recent:
            place = (1, 0, "")
        elif row.configured:
            place = (2, 0, "")
        else:
            line = Line(row, row.short, used=line.used)
            first = ranks.setdefault(row.provider, rank) if words else 0
            place = (3 + _usable(row), first, row.provider)
        groups.setdefault(place, []).append(line)
    if not words:
        _in_own_order(groups, marks, recent)
    ordered = sorted(groups.items(), key=lambda item: (*item[0][:2], title_of(item[0][2]).lower()))
    return [entry for (tier, _, name), lines in ordered for entry in (_heading(tier, name, lines, current), *lines)]


def _in_own_order(groups: Mapping[tuple[int, int, str], list[Line]], marks: Marks, recent: Sequence[str]) -> None:
    liked = list(marks.favourites)
    groups.get((0, 0, ""), []).sort(key=lambda line: liked.index(line.name))
    groups.get((1, 0, ""), []).sort(key=lambda line: recent.index(line.name))


def _usable(row: ModelRow) -> int:
    return {"set": 0, "not needed": 1, "missing": 2}.get(row.key, 3)


def _heading(tier: int, name: str, lines: Sequence[Line], current: str) -> Heading:
    if tier == 1:
        here = lines[0].name == current
        more = len(lines) - here
        return Heading("In use" if here else "Last used", "and last used" if here and more else "")
    if tier < 3:
        return Heading("Configured" if tier else "★ Favourites", str(len(lines)))
    key = lines[0].row.key
    return Heading(title_of(name), f"{count(len(lines), 'model')} · {KEY_WORDS.get(key, key)}", key == "missing")


def _found(rows: list[ModelRow], words: list[str], marks: Marks) -> list[ModelRow]:
    """Rows that have every word in their name or among what is said of them; failing that, its letters in the name."""

    def close(row: ModelRow) -> tuple[int, int, int] | None:
        name, tags = row.info.name.lower(), f"{row.words} {_marked(row, marks)}"
        in_name = [name.find(word) for word in words]
        if any(place < 0 and word not in tags for word, place in zip(words, in_name, strict=True)):
            return None
        return sum(place < 0 for place in in_name), max(in_name[0], 0), len(name)

    scored = [(score, place, row) for place, row in enumerate(rows) if (score := close(row)) is not None]
    if scored:
        return [row for _, _, row in sorted(scored, key=lambda item: item[:2])][:MOST_FOUND]
    return best(" ".join(words), rows, lambda row: row.info.name, MOST_FOUND)


def _marked(row: ModelRow, marks: Marks) -> str:
    liked = "favourite favorite" if row.info.name in marks.favourites else ""
    return f"{liked} recent" if row.info.name in marks.recents else liked


def reread_cost(row: ModelRow, history: int, cached: int = 0) -> Decimal | None:
    """US dollars for reading the history once, so many tokens of it from the cache; None = not known."""
    price = row.price_of(history)
    if price is None:
        return None
    from_cache = price.input if price.cached_input is None else price.cached_input
    return (price.input * Decimal(history - cached) + from_cache * Decimal(cached)) / 1_000_000
