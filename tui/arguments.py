"""The arguments of each command. Help and errors need only argparse."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from typing import Final, NoReturn

from tui.argument_parser import Parser, choice_options, common_options, positive
from tui.arguments_keys import keys_parser
from tui.arguments_mcp import mcp_parser
from tui.arguments_policy import policy_parser
from tui.arguments_review import compare_parser, fork_parser, replay_parser
from tui.arguments_serve import serve_parser
from tui.arguments_sessions import keeping_parsers
from tui.arguments_themes import themes_parser
from tui.arguments_undo import undo_parser

COMMANDS: Final = {
    "run": "run one prompt without the screen",
    "sessions": "list, show, export, rename, delete or import sessions",
    "replay": "play a stored session again, at its speed or faster",
    "fork": "begin a new session at a turn of another one",
    "compare": "set two sessions side by side: where they part, and what each cost",
    "usage": "what requests came to, by model, agent, project, day or session; tools and approvals",
    "models": "list models with their prices and windows",
    "keys": "the keys, commands and who says so, of your keymap or of a preset",
    "config": "show the settings, with where each value comes from, and change one",
    "themes": "colour themes: list them, check one, begin one of your own",
    "mcp": "servers of the Model Context Protocol: which there are, and what one offers",
    "policy": "what may run: check calls, test and try rules, search decisions, take grants back",
    "undo": "put files back to what they were before the agent changed them",
    "trust": "see and accept what this folder's configuration would change",
    "serve": "open the screen in a browser on this machine",
    "doctor": "check the installation and the terminal, and say what to do",
}

_EPILOG: Final = """\
commands:
{commands}

`quarterdeck COMMAND --help` tells more. To begin with a prompt that is the name of a command: quarterdeck -- run
"""


def main_parser() -> Parser:
    width = max(map(len, COMMANDS))
    listed = "\n".join(f"  {name:<{width}}  {text}" for name, text in COMMANDS.items())
    parser = Parser(
        "quarterdeck", "Run, watch and steer AI agents in this folder. Without a command it opens the screen."
    )
    parser.epilog = _EPILOG.format(commands=listed)
    parser.add_argument("prompt", nargs="*", metavar="PROMPT", help="a first message to send")
    common_options(parser)
    choice_options(parser)
    parser.add_argument("--theme", metavar="NAME", help="the colour theme")
    parser.add_argument("--plain", action="store_true", help="line mode: plain text instead of the screen")
    again = parser.add_mutually_exclusive_group()
    again.add_argument("--session", metavar="ID", help="open this session (an id or its beginning)")
    again.add_argument("--continue", dest="resume", action="store_true", help="open the last session of this folder")
    parser.add_argument("--version", action=_Version)
    return parser


class _Version(argparse.Action):
    def __init__(self, option_strings: Sequence[str], dest: str) -> None:
        super().__init__(option_strings, dest, nargs=0, help="print the version and end")

    def __call__(self, parser: argparse.ArgumentParser, *_args: object, **_kwargs: object) -> NoReturn:
        from importlib.metadata import version

        print(f"quarterdeck {version('quarterdeck')}")
        raise SystemExit(0)


def _run_parser() -> Parser:
    parser = Parser("quarterdeck run", RUN_TEXT)
    parser.add_argument("prompt", nargs="?", metavar="PROMPT", help="what to do; - reads it from stdin")
    common_options(parser)
    choice_options(parser)
    parser.add_argument("--session", metavar="ID", help="continue this session (an id or its beginning)")
    parser.add_argument("--resume", action="store_true", help="go on where its last run was cut off; needs --session")
    parser.add_argument("--max-turns", metavar="N", help="at most N responses of the model, or off")
    parser.add_argument("--max-cost", metavar="USD", help="spend at most this much, in US dollars, or off")
    parser.add_argument("--max-time", metavar="S", help="work for at most this many seconds, or off")
    parser.add_argument(
        "--on-limit",
        choices=("ask", "end"),
        metavar="WHAT",
        help="at a limit: end (the default), or ask and wait for a command; ask needs --control",
    )
    parser.add_argument("--effort", metavar="LEVEL", help="reasoning effort: none, minimal, low, medium, high, …")
    parser.add_argument("--temperature", metavar="N", help="of the model's sampling, 0 to 2")
    parser.add_argument("--no-compaction", action="store_true", help="never summarise the older history by itself")
    parser.add_argument("--json", action="store_true", help="print every event as one line of JSON")
    parser.add_argument("--control", action="store_true", help="take commands as lines of JSON on stdin")
    return parser


RUN_TEXT: Final = """\
Run one prompt. The answer goes to stdout, one line for each tool call to stderr.
A tool call that would ask somebody is denied, unless --control brings an answer or --approve allows it.

Ctrl-C stops after the current step, a second one aborts; SIGTERM aborts. The session is saved each time.
Exit: 0 completed, 1 failed, 2 usage or configuration, 3 ended by a limit, 130 stopped or aborted."""


FILTERS_TEXT: Final = """\
Words are looked for in everything that was said and done; a list looks in names, folders and notes too. Filters:
model: agent: tool: file: ended: tag: project: id:     a part of it, as in model:opus, ended:failed (a tag: all of it)
is:   pinned, imported, fork, live, tagged, noted, deleted
cost>1 tokens<10k turns>3 calls>=20     a cost that nobody knows never fits
since:7d since:2h until:2026-01-31      when something happened in it last
A comma means or (model:opus,gpt-5), - in front means not (-tag:old), quotes hold blanks together (tag:"two words").
Where a filter with - comes first, write -- before it."""


def _sessions_parser() -> Parser:
    parser = Parser("quarterdeck sessions", "List, show, mark, export, delete or import sessions.")
    common_options(parser)
    parts = parser.add_subparsers(dest="action", metavar="ACTION", parser_class=Parser)
    listing = parts.add_parser("list", help="the newest sessions (this is the default)", description=FILTERS_TEXT)
    listing.add_argument("query", nargs="?", metavar="QUERY", help="words and filters, as in the lines above")
    listing.add_argument("--limit", type=positive, default=20, metavar="N", help="at most N (default 20)")
    listing.add_argument("--deleted", action="store_true", help="those in the trash")
    listing.add_argument("--here", action="store_true", help="only sessions of this folder")
    listing.add_argument("--json", action="store_true", help="one JSON object a line")
    show = parts.add_parser("show", help="the conversation as text")
    export = parts.add_parser("export", help="write a session as JSON lines, Markdown or a page of HTML")
    export.add_argument("--format", choices=("jsonl", "markdown", "html"), default="jsonl", help="default: jsonl")
    export.add_argument("-o", "--output", metavar="FILE", help="write to this new file instead of stdout")
    export.add_argument("--no-redact", action="store_true", help="keep what looks like a secret")
    export.add_argument("--preview", action="store_true", help="only say what would be masked, and where")
    rename = parts.add_parser("rename", help="give a session a name")
    delete = parts.add_parser("delete", help="delete a session and all it stored; what it cost stays in usage")
    delete.add_argument("--yes", action="store_true", help="do not ask")
    for part in (show, export, rename, delete):
        part.add_argument("id", metavar="ID", help="the session's id, or its beginning")
    rename.add_argument("name", metavar="NAME")
    bring = parts.add_parser("import", help="take in sessions of Claude Code and Codex, and exported JSON lines")
    bring.add_argument("path", nargs="*", metavar="PATH", help="log files or exports, or folders of them")
    bring.add_argument(
        "--from", dest="source", choices=("claude-code", "codex"), help="whose; without PATH all in the usual place"
    )
    bring.add_argument("--dry-run", action="store_true", help="only say what would be taken")
    bring.add_argument("--json", action="store_true", help="one JSON object a session")
    tagged = parts.add_parser("cases", help="turns with a tag as test cases for an agent, one line of JSON each")
    tagged.add_argument("tag", metavar="TAG", help="the tag of the turns")
    tagged.add_argument("-o", "--output", metavar="FILE", help="write to this new file instead of stdout")
    tagged.add_argument("--no-redact", action="store_true", help="keep what looks like a secret")
    search = parts.add_parser(
        "search", help="find words in everything that was said and done", description=FILTERS_TEXT
    )
    search.add_argument("query", metavar="WORDS", help='words that all occur in one place, "in quotes"; filters')
    search.add_argument("--session", metavar="ID", help="only in this session (an id or its beginning)")
    search.add_argument("--context", type=positive, metavar="N", help="N lines before and after each place")
    search.add_argument("--limit", type=positive, default=20, metavar="N", help="at most N places (default 20)")
    search.add_argument("--json", action="store_true", help="one JSON object a place")
    for part in (listing, show, export, rename, delete, bring, search, tagged, *keeping_parsers(parts.add_parser)):
        part.add_argument("--debug", action="store_true", help=argparse.SUPPRESS)
    return parser


def _usage_parser() -> Parser:
    parser = Parser("quarterdeck usage", USAGE_TEXT)
    common_options(parser)
    kinds = ("model", "provider", "agent", "project", "day", "session", "run", "tool", "approval")
    parser.add_argument("--by", choices=kinds, default="model", metavar="WHAT", help=f"{', '.join(kinds)}")
    parser.add_argument("--since", metavar="WHEN", help="2026-01-31, today, or 7d for the last 7 days with today")
    parser.add_argument("--session", metavar="ID", help="only this session (an id or its beginning)")
    parser.add_argument("--limit", type=positive, default=30, metavar="N", help="at most N lines (default 30)")
    parser.add_argument("--json", action="store_true", help="as one JSON object, with every line")
    return parser


USAGE_TEXT: Final = """\
What requests to models came to: tokens, and US dollars at the price of that moment. Without options all requests that
were ever made, by model. Each one counts: failed, retried and thrown away ones too, and those of deleted sessions.

Tokens: cached and cache write are parts of the input, reasoning is a part of the output. A day is one of the local
calendar. ~ marks an estimate; a cost that nobody knows is said to be unknown and never counted as nothing.
In JSON, cache_share is the part of the input that was read from a cache, 0 to 1.

--by tool: calls, how many failed, and how long they took: half of them and 95 of 100 no longer than so much.
--by approval: decisions about calls by tool, outcome and who decided, and how long they took."""


def _models_parser() -> Parser:
    parser = Parser("quarterdeck models", "List models: price in US dollars for a million tokens, window in tokens.")
    common_options(parser)
    parser.add_argument("query", nargs="?", metavar="QUERY", help="only models whose name has these words or letters")
    parser.add_argument("--probe", action="store_true", help="also ask the usual local model servers")
    parser.add_argument("--all", action="store_true", help="also those without a key, when there is no QUERY")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    return parser


def _config_parser() -> Parser:
    parser = Parser("quarterdeck config", CONFIG_TEXT)
    common_options(parser)
    actions = ("show", "path", "set", "unset")
    parser.add_argument("action", nargs="?", choices=actions, default="show", help=f"{', '.join(actions)}")
    parser.add_argument("words", nargs="*", metavar="KEY [VALUE]", help="for set and unset")
    parser.add_argument("--project", action="store_true", help="set, unset: in this project's file instead of yours")
    parser.add_argument("--json", action="store_true", help="as one JSON object")
    return parser


CONFIG_TEXT: Final = """\
Show the settings of this folder and where each comes from; the path of your file; or change one key of it:

  quarterdeck config set limits.max_turns 40
  quarterdeck config set sandbox.mode require --project
  quarterdeck config unset theme

The rest of the file stays as it is, comments and order included. A value is checked before anything is written."""


def _trust_parser() -> Parser:
    parser = Parser(
        "quarterdeck trust", "Show what this folder's .quarterdeck/config.toml would change, and accept it."
    )
    common_options(parser)
    choice = parser.add_mutually_exclusive_group()
    choice.add_argument("--yes", action="store_true", help="do not ask")
    choice.add_argument("--revoke", action="store_true", help="do not trust the folder any more")
    return parser


def _doctor_parser() -> Parser:
    parser = Parser("quarterdeck doctor", "Check the installation, the terminal, the configuration and the models.")
    common_options(parser)
    parser.add_argument("--json", action="store_true", help="as one JSON object")
    return parser


PARSERS: Final[dict[str, Callable[[], Parser]]] = {
    "tui": main_parser,
    "run": _run_parser,
    "sessions": _sessions_parser,
    "replay": replay_parser,
    "fork": fork_parser,
    "compare": compare_parser,
    "usage": _usage_parser,
    "models": _models_parser,
    "keys": keys_parser,
    "config": _config_parser,
    "themes": themes_parser,
    "mcp": mcp_parser,
    "policy": policy_parser,
    "undo": undo_parser,
    "trust": _trust_parser,
    "serve": serve_parser,
    "doctor": _doctor_parser,
}
