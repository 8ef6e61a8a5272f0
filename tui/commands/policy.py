"""`quarterdeck policy`: what may run, and which rule says so."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, cast

from runner.errors import ToolInputError
from runner.policy import ApprovalMode, CallFacts, Grant, GrantFile, Rule, Suggestion, Verdict, decide, suggest
from runner.policy.facts import facts_without_run
from runner.policy.history import Trial
from runner.policy.words import bound_words, pattern_words
from runner.store import Store
from runner.store.paths import data_dir
from runner.tools.base import Tool
from runner.tools.builtin import builtin_tools
from tui.cli import UsageError
from tui.commands.common import load, report_withheld
from tui.commands.policy_ledger import grants, ledger, revoke
from tui.render.clean import clean
from tui.settings import ExampleSettings, RuleSettings, Settings
from tui.settings.build import policy_rules
from tui.settings.check import entries
from tui.settings.load import rules_layer
from tui.trials import Trials, call_words, past_of, unknown
from tui.words import one_line

EXIT: Final = {"allow": 0, "deny": 1, "ask": 3}
SAID: Final = {"allow": "allowed", "deny": "denied", "ask": "asks a person"}


def run(args: argparse.Namespace) -> int:
    settings = load(args)
    match args.action:
        case "check":
            return _check(args, settings)
        case "test":
            return _test(args, settings)
        case "try":
            return _try(args, settings)
        case "ledger":
            return ledger(args)
        case "grants":
            return grants(args, settings)
        case "revoke":
            return revoke(args, settings)
        case _:
            return _list(args, settings)


def _rules(settings: Settings) -> tuple[Rule, ...]:
    return policy_rules(settings.rules, settings.cwd)


def _grants(settings: Settings) -> list[Grant]:
    return GrantFile(data_dir(settings.environ) / "grants.json").load(settings.cwd)


def _tools(settings: Settings) -> dict[str, Tool]:
    return {tool.name: tool for tool in builtin_tools(private_hosts=settings.web.private_hosts)}


def _facts(tool: str, arguments: Mapping[str, Any], settings: Settings) -> CallFacts:
    """Raises UsageError for a tool that does not exist and for arguments that it does not take."""
    tools = _tools(settings)
    found = tools.get(tool)
    if found is None:
        raise UsageError(f"quarterdeck policy: there is no tool {tool!r}; there are {', '.join(tools)}")
    try:
        return facts_without_run(found, found.validate(dict(arguments)), settings.cwd)
    except ToolInputError as error:
        raise UsageError(f"quarterdeck policy: arguments of {tool}: {error}") from error


def _check(args: argparse.Namespace, settings: Settings) -> int:
    tool, arguments = _asked(args)
    facts = _facts(tool, arguments, settings)
    mode: ApprovalMode = settings.approve
    verdict = decide(facts, mode=mode, rules=_rules(settings), grants=_grants(settings), now=datetime.now(UTC))
    choices = suggest(facts) if verdict.effect == "ask" else ()
    if args.json:
        print(json.dumps(_as_json(facts, mode, verdict, choices), indent=1, default=str))
    else:
        report_withheld(settings)
        _show(facts, verdict, choices)
    return EXIT[verdict.effect]


def _asked(args: argparse.Namespace) -> tuple[str, dict[str, Any]]:
    if args.command is not None:
        if args.arguments is not None or args.tool not in (None, "shell"):
            raise UsageError("quarterdeck policy check: --command stands for a call of shell; give one or the other")
        return "shell", {"command": args.command}
    if args.tool is None or args.arguments is None:
        raise UsageError('quarterdeck policy check: expected TOOL JSON (read_file \'{"path": "a"}\'), or --command')
    try:
        arguments: object = json.loads(args.arguments)
    except ValueError as error:
        raise UsageError(f"quarterdeck policy check: the arguments are not JSON: {error}") from error
    if not isinstance(arguments, dict):
        raise UsageError("quarterdeck policy check: the arguments are not a JSON object")
    return args.tool, cast("dict[str, Any]", arguments)


def _as_json(
    facts: CallFacts, mode: ApprovalMode, verdict: Verdict, choices: Iterable[Suggestion]
) -> dict[str, object]:
    return {
        "tool": facts.tool,
        "arguments": facts.arguments,
        "mode": mode,
        "decision": verdict.effect,
        "by": verdict.by,
        "rule": verdict.rule,
        "where": verdict.where,
        "why": verdict.why,
        "concern": facts.concern,
        "parts": [asdict(part) for part in verdict.parts],
        "suggestions": [choice.words for choice in choices],
    }


def _shown(text: str) -> str:
    return clean(one_line(text))


def _show(facts: CallFacts, verdict: Verdict, choices: Iterable[Suggestion]) -> None:
    print(f"{SAID[verdict.effect]}: {_shown(verdict.why)}")
    print(f"  by {verdict.by}: {_shown(verdict.rule)}")
    if verdict.where:
        print(f"  from {_shown(verdict.where)}")
    if verdict.parts:
        print("  the line, taken apart:")
    for part in verdict.parts:
        reason = "; ".join(text for text in (part.rule, part.why) if text)
        print(f"    {part.effect:<5}  {_shown(part.text)}" + (f"  ({_shown(reason)})" if reason else ""))
    for path in facts.paths:
        print(f"  {_shown(path.given)} is {_shown(path.real)}{'' if path.inside else ', outside the workspace'}")
    listed = [choice.words for choice in choices]
    if listed:
        print("  what would allow it, from narrow to wide:")
    for words in listed:
        print(f"    {_shown(words)}")


def _test(args: argparse.Namespace, settings: Settings) -> int:
    rules = _rules(settings)
    results = [
        (rule, example, _try_example(rule, example, rules, settings))
        for rule in settings.rules
        for example in rule.examples
    ]
    failed = [one for one in results if one[2].effect != one[1].expect]
    if args.json:
        listed = [
            {
                "rule": rule.source,
                "arguments": dict(example.arguments),
                "expected": example.expect,
                "decision": verdict.effect,
                "by": verdict.rule,
                "where": verdict.where,
                "why": verdict.why,
            }
            for rule, example, verdict in results
        ]
        print(json.dumps({"examples": listed, "failed": len(failed)}, indent=1, default=str))
        return 1 if failed else 0
    for rule, example, verdict in failed:
        call = example.arguments.get("command") or json.dumps(dict(example.arguments), default=str)
        print(f"{_shown(rule.source)}: {_shown(str(call))}")
        print(f"  expected {example.expect}, is {verdict.effect}: {_shown(verdict.why)} ({_shown(verdict.rule)})")
    report_withheld(settings)
    count = len(results)
    print(f"{count} example{'' if count == 1 else 's'}, {len(failed)} failed")
    return 1 if failed else 0


def _try_example(rule: RuleSettings, example: ExampleSettings, rules: tuple[Rule, ...], settings: Settings) -> Verdict:
    """The example before all rules, in default mode and as of now."""
    tool = example.tool or rule.tool
    if tool not in _tools(settings) and example.tool is None and "command" in example.arguments:
        tool = "shell"
    facts = _facts(tool, example.arguments, settings)
    return decide(facts, mode="default", rules=rules, grants=(), now=datetime.now(UTC))


def _list(args: argparse.Namespace, settings: Settings) -> int:
    now = datetime.now(UTC)
    rules = list(_rule_rows(settings, now))
    grants = list(_grant_rows(settings, now))
    if args.json:
        withheld = [asdict(item) for item in settings.withheld if item.key == "rules"]
        print(json.dumps({"rules": rules, "grants": grants, "withheld": withheld}, indent=1, default=str))
        return 0
    for row in [*rules, *grants]:
        parts = [row["tool"], row["which"], row["ends"], row["note"]]
        shown = "  ".join(_shown(str(part)) for part in parts if part)
        print(f"{row['effect']:<5}  {shown}  [{row['level']}: {_shown(str(row['where']))}]")
    if not rules and not grants:
        print("no rules and no lasting grants; what asks is decided by the mode")
    for item in settings.withheld:
        if item.key == "rules":
            print(f"ignored until trusted: {_shown(item.text)}  [project: {_shown(item.where)}]")
    return 0


def _rule_rows(settings: Settings, now: datetime) -> Iterator[dict[str, object]]:
    for rule, written in zip(_rules(settings), settings.rules, strict=True):
        ends = ""
        if rule.expires is not None:
            ends = f"{'ended' if rule.expires <= now else 'until'} {rule.expires.isoformat(timespec='minutes')}"
        yield {
            "effect": rule.effect,
            "tool": rule.tool,
            "which": pattern_words(rule.pattern),
            "ends": ends,
            "note": rule.note,
            "level": written.level,
            "where": rule.source,
            "examples": len(written.examples),
        }


def _grant_rows(settings: Settings, now: datetime) -> Iterator[dict[str, object]]:
    file = data_dir(settings.environ) / "grants.json"
    for grant in _grants(settings):
        until = grant.bound.until
        which = pattern_words(grant.pattern) if grant.pattern is not None else ""
        if grant.arguments is not None:
            which = f"with {json.dumps(grant.arguments, default=str)}"
        yield {
            "effect": grant.effect,
            "tool": grant.tool,
            "which": which,
            "ends": "ended" if until is not None and until <= now else bound_words(grant).removeprefix(", "),
            "note": "",
            "level": "your answer, this project" if grant.scope == "project" else "your answer, every project",
            "where": str(file),
        }


def _try(args: argparse.Namespace, settings: Settings) -> int:
    layer = rules_layer(Path(args.file).absolute(), "quarterdeck policy try")
    tried: tuple[RuleSettings, ...] = entries(layer).get(("rules",), ())
    if not tried:
        raise UsageError(f"quarterdeck policy try: {args.file} has no [[rules]]")
    with closing(Store.open()) as store:
        past = past_of(store)
    trial = Trials(past, settings.cwd, _tools(settings)).run(tried)
    if args.json:
        print(json.dumps(_trial_json(trial), indent=1, default=str))
        return 0
    print(trial.summary)
    for title, found in (
        ("allowed, but you denied", trial.allowed_but_denied),
        ("denied, but you allowed", trial.denied_but_allowed),
        ("allowed", trial.with_effect("allow")),
        ("denied", trial.with_effect("deny")),
    ):
        for one in found:
            what = call_words(one.request.arguments)
            print(f"  {title}: {one.request.time:%Y-%m-%d}  {_shown(one.request.tool)}  {_shown(what)}")
    if unknown(trial):
        print(f"  {unknown(trial)} of tools that are not known here")
    return 0


def _trial_json(trial: Trial) -> dict[str, object]:
    return {
        "summary": trial.summary,
        "total": len(trial.tried),
        "allowed": len(trial.with_effect("allow")),
        "allowed_but_denied": len(trial.allowed_but_denied),
        "denied": len(trial.with_effect("deny")),
        "denied_but_allowed": len(trial.denied_but_allowed),
        "requests": [
            {
                "session_id": one.request.session_id,
                "request_id": one.request.request_id,
                "time": one.request.time.isoformat(),
                "tool": one.request.tool,
                "arguments": one.request.arguments,
                "you": one.request.decision or None,
                "now": one.effect,
                "why": None if one.verdict is None else one.verdict.why,
            }
            for one in trial.tried
        ],
    }
