"""What is played on the stage: a person who asks about the tides, and the events of the runs that answer."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from runner.events import (
    ApprovalRequested,
    Event,
    ModelRequested,
    ModelResponded,
    Pattern,
    Suggested,
    ToolFinished,
    ToolPattern,
    ToolProposed,
    ToolStarted,
    TurnFinished,
    TurnStarted,
    UsageUpdated,
)
from runner.messages import JsonObject, ToolCall
from runner.usage import Price, Usage
from tests.snapshots.stage import FOLDER
from tests.tui.cockpit import MODEL
from tests.tui.transcript_runs import Feed

PRICE = Price(input=Decimal(3), output=Decimal(15), cached_input=Decimal("0.3"))
ANSWER = """\
Two files say `mean_level`:

1. **harbours/oslo.toml**, 0.4
2. **harbours/brest.toml**, 4.1

| harbour | level |
|---|---|
| Oslo | 0.4 |
| Brest | 4.1 |

> The numbers are metres above the chart's zero.

```python
def height(hours: float) -> float:
    return 2.1 * hours
```

See [the almanac](https://tides.example/almanac).
"""
OSLO = """\
--- a/harbours/oslo.toml
+++ b/harbours/oslo.toml
@@ -1,2 +1,2 @@
 name = "Oslo"
-mean_level = 0.4
+level = 0.4
"""
BREST = OSLO.replace("oslo", "brest").replace("Oslo", "Brest").replace("0.4", "4.1")
BLANK = " \n"
TIDES = f"""\
--- a/tides.py
+++ b/tides.py
@@ -1,5 +1,5 @@
 def height(hours: float) -> float:
-    return 2.1 * hours
+    return 1.7 * hours
{BLANK}{BLANK} MEAN_LEVEL = 1.5
"""
OPTIONS = ("allow", "deny", "edit", "end_run")


def request(feed: Feed, estimate: int = 4200) -> None:
    """A turn begins, and its request is open."""
    feed.turn += 1
    feed(TurnStarted(model=MODEL))
    feed(
        ModelRequested(
            model=MODEL,
            provider="test",
            price=PRICE,
            messages=2,
            tools=12,
            input_tokens_estimate=estimate,
            context_window=100_000,
        )
    )


def respond(feed: Feed, text: str, *calls: ToolCall, cached: int = 3000, output: int = 180) -> None:
    """The open request is answered, with what it came to."""
    usage = Usage(input=4200, cached_input=cached, output=output)
    feed(
        ModelResponded(
            model=MODEL,
            provider="test",
            price=PRICE,
            text=text,
            tool_calls=calls,
            finish_reason="tool_calls" if calls else "stop",
            usage=usage,
            cost_usd=Decimal("0.0072"),
            seconds=1.5,
            first_token_seconds=0.5,
        )
    )
    feed(UsageUpdated(usage=usage, cost_usd=Decimal("0.0072"), context_used=4380, context_window=100_000))


def call(number: int, tool: str, arguments: JsonObject) -> ToolCall:
    return ToolCall(call_id=f"call-{number}", tool=tool, arguments=arguments, provider_id=f"p{number}")


def proposed(made: ToolCall) -> tuple[Event, ...]:
    return (ToolProposed(call_id=made.call_id, tool=made.tool, arguments=made.arguments or {}),)


def ended(made: ToolCall, output: str, **more: object) -> tuple[Event, ...]:
    fields: dict[str, object] = {"call_id": made.call_id, "tool": made.tool, "output": output, "seconds": 0.25} | more
    return (ToolStarted(call_id=made.call_id, tool=made.tool), ToolFinished(**fields))  # pyright: ignore[reportArgumentType]


def talk() -> Feed:
    """A run that read, searched, and answered at length."""
    feed = Feed("run-1", "where does it say mean_level?")
    request(feed)
    search = call(1, "search", {"pattern": "mean_level"})
    respond(feed, "I look for it.", search)
    found = "harbours/brest.toml:2: mean_level = 4.1\nharbours/oslo.toml:2: mean_level = 0.4\n"
    feed(*proposed(search), *ended(search, found), TurnFinished(tool_calls=1))
    request(feed)
    respond(feed, ANSWER)
    feed(TurnFinished())
    return feed


def suggested(words: str, tool: str, pattern: Pattern) -> Suggested:
    return Suggested(words=words, patterns=(ToolPattern(tool=tool, pattern=pattern),))


SUGGESTIONS: Mapping[str, tuple[Suggested, ...]] = {
    "edit_file": (
        suggested("edit_file, below tides.py", "edit_file", Pattern(below="tides.py")),
        suggested("edit_file, below .", "edit_file", Pattern(below=".")),
        suggested("every call of edit_file", "edit_file", Pattern()),
    ),
    "shell": (
        suggested(
            "shell, commands that begin with: grep -rn mean_level",
            "shell",
            Pattern(prefix=("grep", "-rn", "mean_level")),
        ),
        suggested("shell, commands that begin with: grep", "shell", Pattern(prefix=("grep",))),
        suggested("every call of shell", "shell", Pattern()),
    ),
    "web_fetch": (
        suggested("web_fetch, on tides.example", "web_fetch", Pattern(host="tides.example")),
        suggested("every call of web_fetch", "web_fetch", Pattern()),
    ),
}
EDIT = call(11, "edit_file", {"path": "tides.py", "old": "2.1 * hours", "new": "1.7 * hours", "all": False})
GREP = call(12, "shell", {"command": "grep -rn mean_level harbours | sort", "timeout": None})
FETCH = call(13, "web_fetch", {"url": "https://tides.example/api/harbours?name=Oslo", "start": 0, "raw": False})
BOTH = call(
    14,
    "edit_files",
    {
        "edits": [
            {"path": f"harbours/{name}.toml", "old": "mean_level", "new": "level", "all": False}
            for name in ("oslo", "brest")
        ]
    },
)
ASK = call(15, "ask_user", {"question": "Which harbour first?", "choices": ["Oslo", "Brest", "both of them"]})
PREVIEWS: Mapping[str, JsonObject] = {
    "edit_file": {"type": "diff", "path": "tides.py", "diff": TIDES, "added": 1, "removed": 1, "new_file": False},
    "shell": {
        "type": "command",
        "command": "grep -rn mean_level harbours | sort",
        "cwd": str(FOLDER),
        "timeout": 120.0,
        "sandbox": {"on": True, "network": False, "why": "", "required": False, "write": []},
    },
    "web_fetch": {"type": "url", "url": "https://tides.example/api/harbours?name=Oslo", "host": "tides.example"},
    "edit_files": {
        "type": "diffs",
        "files": [
            {"path": "harbours/oslo.toml", "diff": OSLO, "added": 1, "removed": 1, "new_file": False},
            {"path": "harbours/brest.toml", "diff": BREST, "added": 1, "removed": 1, "new_file": False},
        ],
    },
}
RISKS: Mapping[str, tuple[str, ...]] = {
    "edit_file": ("changes files",),
    "edit_files": ("changes files",),
    "web_fetch": ("uses the network: tides.example",),
}
QUESTION: JsonObject = {
    "type": "question",
    "text": "Which harbour first?",
    "who": "",
    "choices": ["Oslo", "Brest", "both of them"],
    "free": True,
    "several": False,
    "schema": None,
}


def asks(made: ToolCall) -> tuple[Event, ...]:
    """The call is proposed, and a person is asked about it."""
    asked = ApprovalRequested(
        request_id=f"request-{made.call_id}",
        call_id=made.call_id,
        tool=made.tool,
        arguments=made.arguments or {},
        preview=PREVIEWS[made.tool],
        why=f"{made.tool} is not read-only, and default mode asks about it.",
        options=OPTIONS,
        risks=RISKS.get(made.tool, ()),
        suggestions=SUGGESTIONS.get(made.tool, ()),
    )
    return (*proposed(made), asked)


def question() -> tuple[Event, ...]:
    """A running call asks something."""
    asked = ApprovalRequested(
        request_id="request-question",
        call_id=ASK.call_id,
        tool=ASK.tool,
        preview=QUESTION,
        why="Which harbour first?",
        options=("answer", "deny", "end_run"),
        asks="question",
    )
    return (*proposed(ASK), ToolStarted(call_id=ASK.call_id, tool=ASK.tool), asked)


def asking(*events: Event, text: str = "use 1.7 in tides.py") -> Feed:
    """A run whose model asked for something that waits for a person."""
    feed = Feed("run-1", text)
    request(feed)
    made = tuple(
        each
        for each in (EDIT, GREP, FETCH, BOTH, ASK)
        if any(getattr(event, "call_id", "") == each.call_id for event in events)
    )
    respond(feed, "I need your word for this.", *made)
    feed(*events)
    return feed
