"""A store with months of work in it: models, agents, folders, tools and decisions, the same each time."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from decimal import Decimal

from runner.events import ApprovalRequested, ApprovalResolved, DecidedBy, Decision, ToolFinished, ToolProposed
from runner.messages import ToolStatus
from runner.store import Store
from runner.usage import Usage, UsageSource
from tests.store.making import Maker, write

PRICES: dict[str, Decimal | None] = {
    "anthropic/claude-sonnet-4-5": Decimal("3e-6"),
    "openai/gpt-5-mini": Decimal("0.4e-6"),
    "demo/pilot": Decimal(0),
    "lab/qwen-coder": None,
}
TOOLS = ("read_file", "search", "edit_file", "shell", "fetch")
SECONDS = {"read_file": 0.02, "search": 0.3, "edit_file": 0.1, "shell": 9.0, "fetch": 2.5}
FOLDERS = ("/home/ada/tidewater", "/home/ada/harbour-master", "/srv/charts/soundings-of-the-north-sea")
DECIDED: tuple[tuple[Decision, DecidedBy], ...] = (
    ("allow", "user"),
    ("allow", "grant"),
    ("allow", "rule"),
    ("deny", "user"),
    ("edit", "user"),
    ("deny", "timeout"),
)


def spend(store: Store, now: datetime, *, days: int = 80, seed: int = 7) -> list[Maker]:
    """Sessions of so many days up to now."""
    rng = random.Random(seed)
    made: list[Maker] = []
    for ago in range(days):
        for _ in range(rng.choice((0, 1, 1, 2)) if ago else 1):
            maker = Maker(run_id=f"spent-{len(made)}", session_id=f"spending-{len(made)}")
            maker.agent = rng.choice(("deck", "deck", "reviewer"))
            # An hour ago and earlier: never in the future of the clock, and in the day that it seems to be in.
            maker.start = now - timedelta(days=ago, hours=1)
            _session(maker, rng)
            made.append(maker)
    for maker in made:
        write(store, maker.events)
    return made


def _session(maker: Maker, rng: random.Random) -> None:
    model = rng.choices(list(PRICES), (8, 4, 1, 1))[0]
    price = PRICES[model]
    maker.begin("sound the harbour", model, workspace=rng.choice(FOLDERS))
    for number in range(rng.randint(1, 4)):
        maker.begin_turn()
        maker.request(model)
        given = rng.randrange(2_000, 90_000)
        used = Usage(input=given, cached_input=given * rng.randrange(0, 9) // 10, output=rng.randrange(100, 6_000))
        cost = None if price is None else price * (used.input - used.cached_input + 5 * used.output)
        source: UsageSource = "estimated" if rng.random() < 0.12 else "reported"
        maker.answer(cost=cost, usage=used, model=model, source=source)
        _call(maker, rng, f"{maker.run_id}-{number}")
    maker.end()


def _call(maker: Maker, rng: random.Random, call_id: str) -> None:
    tool = rng.choice(TOOLS)
    asked = {"command": "make sound"} if tool == "shell" else {"path": "soundings.txt"}
    maker.add(ToolProposed(call_id=call_id, tool=tool, arguments=asked))
    decision: Decision = "allow"
    by: DecidedBy = "rule"
    if tool in ("edit_file", "shell", "fetch"):
        decision, by = rng.choices(DECIDED, (6, 4, 3, 1, 1, 1))[0]
        request = f"ask-{call_id}" if by in ("user", "timeout") else ""
        if request:
            maker.add(ApprovalRequested(call_id=call_id, tool=tool, request_id=request, arguments=asked))
        took = round(rng.expovariate(1 / 12), 1) if by == "user" else 300.0 if by == "timeout" else 0.0
        maker.add(
            ApprovalResolved(
                call_id=call_id, tool=tool, request_id=request, decision=decision, by=by, arguments=asked, seconds=took
            )
        )
    status: ToolStatus = "denied" if decision == "deny" else rng.choices(("ok", "error", "timeout"), (12, 2, 1))[0]
    seconds = 0.0 if status == "denied" else round(rng.expovariate(1 / SECONDS[tool]), 3)
    maker.add(ToolFinished(call_id=call_id, tool=tool, output="done", status=status, seconds=seconds))
