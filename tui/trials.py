"""What rules would have done to the approvals of the past. All of it blocks; use a thread."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from runner.policy import CallFacts, decide
from runner.policy.facts import facts_without_run
from runner.policy.history import PastRequest, Trial, Tried, try_rules
from runner.store import Store
from runner.tools.base import Tool
from runner.tools.builtin import builtin_tools
from tui.engine import EngineSettings
from tui.rule_line import Draft, Effect, as_rules
from tui.settings import RuleSettings
from tui.settings.build import policy_rules
from tui.words import count

MOST_REQUESTS = 5000
"""Requests looked at, the newest ones."""

LONGEST_EXAMPLE = 300
"""Characters of a call that is written beside a rule."""

_SERVER = "mcp__"


def past_of(store: Store) -> tuple[PastRequest, ...]:
    """What people were asked about, the newest first."""
    return tuple(store.past_requests(MOST_REQUESTS))


def tools_of(settings: EngineSettings) -> dict[str, Tool]:
    """The built-in tools, as the agent that starts has them."""
    return {tool.name: tool for tool in (*builtin_tools(), *settings.agent().tools)}


@dataclass(slots=True)
class Trials:
    """Tries rules again and again on the same past; what a call is about is found out once."""

    past: Sequence[PastRequest]
    cwd: Path
    tools: Mapping[str, Tool]
    _facts: dict[tuple[str, str], CallFacts | None] = field(default_factory=dict[tuple[str, str], CallFacts | None])
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def run(self, rules: Sequence[RuleSettings], now: datetime | None = None) -> Trial:
        """Each request in the folder of its session, by these rules alone. Links are followed as they are today."""
        moment = now or datetime.now(UTC)
        placed = {folder: policy_rules(rules, folder) for folder in {self._folder(request) for request in self.past}}
        with self._lock:
            parts = [
                try_rules([request], placed[self._folder(request)], self._facts_of, moment) for request in self.past
            ]
        return Trial(tried=tuple(one for part in parts for one in part.tried))

    def decides(self, draft: Draft, tool: str, arguments: Mapping[str, object]) -> bool:
        """Whether the rules of a draft do to this call, in this folder, what they say."""
        facts = facts_of(self.tools, tool, arguments, self.cwd)
        rules = policy_rules(as_rules(draft), self.cwd)
        if facts is None:
            return False
        verdict = decide(facts, mode="default", rules=rules, grants=(), now=datetime.now(UTC))
        return verdict.effect == draft.effect and verdict.by == "rule"

    def _folder(self, request: PastRequest) -> Path:
        return Path(request.workspace) if request.workspace else self.cwd

    def _facts_of(self, request: PastRequest) -> CallFacts | None:
        key = (request.session_id, request.request_id)
        if key not in self._facts:
            self._facts[key] = facts_of(self.tools, request.tool, request.arguments, self._folder(request))
        return self._facts[key]


def facts_of(
    tools: Mapping[str, Tool], name: str, arguments: Mapping[str, object], workspace: Path
) -> CallFacts | None:
    """The facts of a call; None where nothing is known of its tool.

    Of a server's tool that does not run now only the name and the arguments are known, so only these can be matched.
    """
    tool = tools.get(name)
    if tool is not None:
        return facts_without_run(tool, dict(arguments), workspace, past=True)
    if name.startswith(_SERVER):
        return CallFacts(tool=name, kind="other", read_only=False, arguments=dict(arguments))
    return None


def example_for(draft: Draft, trials: Trials, trial: Trial) -> Draft:
    """The draft with a call beside it that it does decide: the one it came from, or the newest of the past.

    A long call makes no example: nobody would read it in a configuration, and it may hold anything.
    """
    own = [(draft.tool, draft.arguments)] if draft.arguments is not None else []
    # One that contradicts the person would be a bad example.
    agreed = [one for one in ordered(trial) if one.effect == draft.effect and not is_contrary(one)]
    past = [(one.request.tool, one.request.arguments) for one in agreed]
    for tool, arguments in [*own, *past[:20]]:
        if len(call_words(arguments)) <= LONGEST_EXAMPLE and trials.decides(draft, tool, arguments):
            return replace(draft, tool=tool, arguments=arguments)
    return replace(draft, tool="", arguments=None)


def is_contrary(one: Tried) -> bool:
    """Whether the rule would have done the opposite of what the person did."""
    answer = one.request.decision
    return (one.effect == "allow" and answer in ("deny", "end_run")) or (
        one.effect == "deny" and answer in ("allow", "edit")
    )


def ordered(trial: Trial) -> list[Tried]:
    """What contradicts the person first, then what is covered, then the rest; the newest first in each."""

    def place(one: Tried) -> int:
        if is_contrary(one):
            return 0
        return {"allow": 1, "deny": 2}.get(one.effect or "", 3)

    newest = sorted(trial.tried, key=lambda one: one.request.time, reverse=True)
    return sorted(newest, key=place)


def summary(effect: Effect, trial: Trial) -> str:
    """What came of it, in a sentence, the contradictions with the person in it."""
    total = count(len(trial.tried), "past request")
    match effect:
        case "allow":
            return trial.summary
        case "deny":
            against = len(trial.denied_but_allowed)
            more = f", among them {against} that you allowed" if against else ""
            return f"would have denied {len(trial.with_effect('deny'))} of the {total}{more}"
        case "ask":
            return f"asks, as was asked before: {total}"


def unknown(trial: Trial) -> int:
    """Requests of tools that nobody knows here."""
    return sum(one.verdict is None for one in trial.tried)


def call_words(arguments: Mapping[str, object]) -> str:
    """A call's arguments on one line: its command, or all of them."""
    command = arguments.get("command")
    if isinstance(command, str) and command:
        return command
    return json.dumps(dict(arguments), ensure_ascii=False, default=str)
