"""What each setting is for, in words, and when a change of it counts. A test holds this against the schema."""

from __future__ import annotations

from typing import Final, Literal

from tui.changing.every import NAMED, KeyPath, Setting

When = Literal["at once", "from the next run on", "from the next start on"]

GROUPS: Final = {
    "model": "General",
    "theme": "General",
    "agent": "General",
    "approve": "General",
    "limits": "Limits of a run",
    "compaction": "Compaction",
    "keymap": "Keys",
    "keys": "Keys",
    "agents": "Agents",
    "models": "Models of your own",
    "rules": "Rules",
    "mcp": "Servers",
    "sandbox": "Sandbox of commands",
    "environment": "Environment of tools",
    "web": "Web",
    "terminal": "Terminal",
}

HELP: Final = {
    "model": "The model that answers. Not set: the best one that a key in your environment allows",
    "theme": "The colours of the screen; ctrl+t tries one after the other",
    "keymap": "The set of keys to begin with: default, vim or emacs; the keys below change it",
    "agent": "Who works for you: deck, or an agent that you describe under [agents]",
    "approve": "When a tool asks you: default asks for all that changes something, plan lets only reading happen",
    "limits.switch_after": "How often a request is tried again before the next fallback model is taken",
    "limits.max_turns": "Responses of the model in a run; their tools still run",
    "limits.max_time": "Seconds a run may work; waiting for you and pauses do not count",
    "limits.max_wall_time": "Seconds a run may take by the clock on the wall",
    "limits.timeout_per_turn": "Seconds that one response may take",
    "limits.first_token_timeout": "Seconds until the first word of a response",
    "limits.stream_idle_timeout": "Seconds of silence within a response until it counts as broken",
    "limits.max_model_requests": "Requests in a run, those that failed included",
    "limits.max_tool_calls": "Tool calls in a run",
    "limits.max_input_tokens": "Tokens sent in a run",
    "limits.max_output_tokens": "Tokens produced in a run",
    "limits.max_total_tokens": "Tokens of both kinds in a run",
    "limits.max_cost_usd": "What a run may cost; a model of unknown price then asks first",
    "limits.max_retries": "How often a failed request is tried again",
    "limits.backoff_initial": "The first wait before a failed request is tried again",
    "limits.backoff_factor": "How much longer each further wait is",
    "limits.backoff_max": "The longest wait before another try",
    "limits.retry_after_max": "The longest wait that a provider may ask for",
    "limits.stop_on_tool_error": "End the run at the first tool that fails",
    "limits.max_consecutive_errors": "Turns in a row in which every tool call failed",
    "limits.tool_timeout": "Seconds that one tool call may take",
    "limits.tool_concurrency": "Tool calls that run at the same time",
    "limits.max_tool_output": "How much of a tool's output the model gets; all of it is kept",
    "limits.abort_grace": "Seconds that a process has to end by itself when you abort",
    "limits.approval_timeout": "Seconds that an approval waits for you before it is denied",
    "limits.on_limit": "What happens at a limit on the screen: ask you, or end the run",
    "compaction": "Whether older history is summarised when the context window fills",
    "compaction.at": "How full the context window is when the older history is summarised",
    "compaction.keep_turns": "How many of the last turns stay as they are",
    "keys.*": "The keys of an action; several are separated by commas",
    "agents.*.instructions": "What the agent is told about its work",
    "agents.*.model": "Its model, in place of the one set for all",
    "agents.*.fallback_models": "Models that are taken in this order when its model fails",
    "agents.*.tools": "The built-in tools it has; not set: all of them",
    "agents.*.mcp": "The servers whose tools it has; not set: all, or none where its tools are named",
    "agents.*.temperature": "How freely it chooses words",
    "agents.*.top_p": "How unlikely a word it still considers",
    "agents.*.max_tokens": "The longest response, in tokens",
    "agents.*.parallel_tool_calls": "Whether it may call several tools at once",
    "agents.*.reasoning_effort": "How much it thinks, where the model has such a setting: low, medium, high",
    "models.*.model": "The name that its provider or server knows it by",
    "models.*.api_base": "The address of the server",
    "models.*.api_key_env": "Which variable of the environment holds its key",
    "models.*.client": "Which client asks it; not set: chosen by its provider",
    "models.*.context_window": "How many tokens it can read",
    "models.*.input_cost_per_million": "What a million tokens sent cost",
    "models.*.output_cost_per_million": "What a million tokens produced cost",
    "models.*.cached_input_cost_per_million": "What a million tokens read from its cache cost",
    "rules": "Which calls are allowed, denied or asked about; enter tries and saves a new one",
    "mcp.*.command": "The program that is the server; not set: it has an address",
    "mcp.*.args": "What is written behind the program",
    "mcp.*.env": "Variables the server gets, ${NAME} stands for one of yours; only their names are shown here",
    "mcp.*.cwd": "The folder it is started in",
    "mcp.*.url": "The address of a server that runs already",
    "mcp.*.headers": "Headers of each request, ${NAME} stands for a variable of yours; only their names are shown here",
    "mcp.*.trusted": "Whether what it says of its own tools (such as: only reads) is believed",
    "mcp.*.enabled": "Whether it is started",
    "mcp.*.sampling": "Whether it may ask the model for something, at your cost",
    "mcp.*.tools": "Which of its tools are offered; not set: all of them",
    "mcp.*.connect_timeout": "Seconds that connecting may take",
    "mcp.*.call_timeout": "Seconds that one of its calls may take",
    "sandbox.mode": "Whether commands run in a sandbox: require refuses them without one",
    "sandbox.network": "Whether commands in the sandbox reach the network without asking",
    "sandbox.write": "Folders besides the workspace that commands may write",
    "sandbox.show": "Of the places with secrets, those that commands may read",
    "sandbox.hide": "More places that commands may not read",
    "environment.pass": "Variables that tools get although their names look like secrets",
    "environment.hide": "Variables that tools never get",
    "web.private_hosts": "Hosts of your own network that web_fetch may ask",
    "terminal.title": "Whether the window's title says what happens",
    "terminal.notices": "Whether the desktop shows a notice while the window has no focus",
    "terminal.progress": "Whether the terminal's own progress sign is used, where it has one",
    "terminal.bell": "When the bell rings for something that waits for you, or a run that ended",
}

_AT_ONCE: Final = frozenset({"theme"})
_NEXT_RUN: Final = frozenset({"approve", "limits", "compaction", "agents", "rules", "sandbox", "environment"})


def pattern_of(path: KeyPath) -> str:
    """A setting's name in `HELP`: what people name themselves is a star."""
    if path[0] == "keys":
        return "keys.*"
    return ".".join((path[0], "*", *path[2:])) if path[0] in NAMED else ".".join(path)


def help_of(setting: Setting) -> str:
    if setting.group == "keys":
        from tui.actions import BY_ID

        action = BY_ID.get(setting.path[1])
        return f"{action.help} ({action.group})" if action is not None else HELP["keys.*"]
    return HELP.get(pattern_of(setting.path), "")


def group_of(setting: Setting) -> str:
    title = GROUPS.get(setting.group, setting.group)
    return f"{title}: {setting.path[1]}" if setting.group in NAMED else title


def when_of(path: KeyPath) -> When:
    if path[0] in _AT_ONCE:
        return "at once"
    return "from the next run on" if path[0] in _NEXT_RUN else "from the next start on"
