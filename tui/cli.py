"""Arguments, and which command they mean. Help and errors need only argparse; each command loads its own needs."""

from __future__ import annotations

import argparse
import difflib
import importlib
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from typing import Any, Final, NoReturn, Protocol, cast

from runner.errors import NotFoundError, QuarterdeckError, SessionBusyError, StoreError

MODES: Final = ("default", "accept_edits", "plan", "bypass", "deny_unlisted")

COMMANDS: Final = {
    "run": "run one prompt without the screen",
    "sessions": "list, show, export, rename or delete sessions",
    "usage": "what requests came to, by model, agent, day or session",
    "models": "list models with their prices and windows",
    "config": "show the settings, with where each value comes from",
    "policy": "what may run: check a call, test the rules, list them, try new ones on past approvals",
    "trust": "see and accept what this folder's configuration would change",
    "doctor": "check the installation and the terminal, and say what to do",
}

EXIT_USAGE: Final = 2
EXIT_INTERRUPTED: Final = 130
EXIT_PIPE: Final = 141

_EPILOG: Final = """\
commands:
{commands}

`quarterdeck COMMAND --help` tells more. To begin with a prompt that is the name of a command: quarterdeck -- run
"""


class Command(Protocol):
    def run(self, args: argparse.Namespace) -> int: ...


class UsageError(QuarterdeckError):
    """The arguments do not make sense together."""


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, and abbreviates nothing, so that a later option changes no script's meaning."""

    def __init__(self, prog: str, description: str = "", **options: Any) -> None:
        super().__init__(
            prog=prog,
            description=description,
            allow_abbrev=False,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            **options,
        )

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{self.prog}: {message}; see {self.prog} --help")


def main_with(argv: Sequence[str]) -> int:
    """Run the program with these arguments; returns the exit code."""
    debug = "--debug" in _before_double_dash(argv)
    try:
        try:
            return _dispatch(argv)
        finally:
            # What is still buffered must meet a closed pipe here, where it can be handled.
            sys.stdout.flush()
    except BrokenPipeError:
        # The reader of our output is gone; the interpreter must not try to flush to it once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_PIPE
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except QuarterdeckError as error:
        if debug:
            traceback.print_exc()
        return say_error(error)
    except Exception as error:
        if debug:
            raise
        kind = type(error).__name__
        tell(f"internal error, {kind}: {error} (a bug; the same command with --debug shows where)")
        return 1


def say_error(error: QuarterdeckError) -> int:
    """One line on stderr; returns the exit code that the error means."""
    fix = getattr(error, "fix", "")
    tell(f"{error}. {fix}" if fix else str(error))
    failed = isinstance(error, StoreError) and not isinstance(error, NotFoundError | SessionBusyError)
    return 1 if failed else EXIT_USAGE


def tell(text: str) -> None:
    """One line on stderr, without anything that a terminal would obey."""
    from tui.settings.layers import printable

    line = " ".join(text.split("\n"))
    if not line.startswith("quarterdeck"):
        line = f"quarterdeck: {line}"
    print(printable(line), file=sys.stderr, flush=True)


def _dispatch(argv: Sequence[str]) -> int:
    command, rest = split_command(argv)
    parser = PARSERS[command]()
    args = parser.parse_args(rest)
    if command == "tui":
        args.prompt = _one_prompt(args.prompt, is_marked="--" in argv)
    module = cast("Command", importlib.import_module(f"tui.commands.{command}"))
    return module.run(args)


def split_command(argv: Sequence[str]) -> tuple[str, list[str]]:
    """The command ("tui" where none is named) and its arguments. Options may come before the command's name."""
    options = _main_parser()
    takes_value = {name for action in options._actions for name in action.option_strings if action.nargs != 0}
    skip = False
    for index, word in enumerate(argv):
        if skip:
            skip = False
        elif word == "--":
            break
        elif word.startswith("-") and word != "-":
            skip = word in takes_value
        elif word in COMMANDS:
            return word, [*argv[:index], *argv[index + 1 :]]
        else:
            break
    return "tui", list(argv)


def _before_double_dash(argv: Sequence[str]) -> Sequence[str]:
    return argv[: argv.index("--")] if "--" in argv else argv


def _one_prompt(words: list[str], *, is_marked: bool) -> str | None:
    """The prompt; a single word that looks like a command would otherwise cost a request."""
    if not words:
        return None
    near = difflib.get_close_matches(words[0], COMMANDS, n=1, cutoff=0.75)
    if near and not is_marked:
        raise UsageError(
            f"there is no command {words[0]!r}; did you mean {near[0]!r}? (as a prompt: quarterdeck -- {words[0]})"
        )
    if len(words) > 1:
        raise UsageError("a prompt of several words needs quotes around it; see quarterdeck --help")
    return words[0]


def _common(parser: Parser) -> None:
    parser.add_argument("--debug", action="store_true", help="show a traceback where something goes wrong")
    parser.add_argument("--cwd", metavar="DIR", help="work in this folder instead of the current one")


def _choices(parser: Parser) -> None:
    parser.add_argument("--model", metavar="ID", help="the model, such as demo/pilot (see: quarterdeck models)")
    parser.add_argument("--agent", metavar="NAME", help="the agent: deck, or one from the configuration")
    parser.add_argument("--approve", choices=MODES, metavar="MODE", help=f"when tools ask: {', '.join(MODES)}")


def _main_parser() -> Parser:
    width = max(map(len, COMMANDS))
    listed = "\n".join(f"  {name:<{width}}  {text}" for name, text in COMMANDS.items())
    parser = Parser(
        "quarterdeck", "Run, watch and steer AI agents in this folder. Without a command it opens the screen."
    )
    parser.epilog = _EPILOG.format(commands=listed)
    parser.add_argument("prompt", nargs="*", metavar="PROMPT", help="a first message to send")
    _common(parser)
    _choices(parser)
    parser.add_argument("--theme", metavar="NAME", help="the colour theme")
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
    _common(parser)
    _choices(parser)
    parser.add_argument("--session", metavar="ID", help="continue this session (an id or its beginning)")
    parser.add_argument("--max-turns", metavar="N", help="at most N responses of the model, or off")
    parser.add_argument("--max-cost", metavar="USD", help="spend at most this much, in US dollars, or off")
    parser.add_argument("--max-time", metavar="S", help="work for at most this many seconds, or off")
    parser.add_argument(
        "--on-limit",
        choices=("ask", "end"),
        metavar="WHAT",
        help="at a limit: end (the default), or ask and wait for a command; ask needs --control",
    )
    parser.add_argument("--no-compaction", action="store_true", help="never summarise the older history by itself")
    parser.add_argument("--json", action="store_true", help="print every event as one line of JSON")
    parser.add_argument("--control", action="store_true", help="take commands as lines of JSON on stdin")
    return parser


RUN_TEXT: Final = """\
Run one prompt. The answer goes to stdout, one line for each tool call to stderr.
A tool call that would ask somebody is denied, unless --control brings an answer or --approve allows it.

Ctrl-C stops after the current step, a second one aborts; SIGTERM aborts. The session is saved each time.
Exit: 0 completed, 1 failed, 2 usage or configuration, 3 ended by a limit, 130 stopped or aborted."""


def _sessions_parser() -> Parser:
    parser = Parser("quarterdeck sessions", "List, show, export, rename or delete sessions.")
    _common(parser)
    parts = parser.add_subparsers(dest="action", metavar="ACTION", parser_class=Parser)
    listing = parts.add_parser("list", help="the newest sessions (this is the default)")
    listing.add_argument("query", nargs="?", metavar="QUERY", help="only sessions in which this text occurs")
    listing.add_argument("--limit", type=_positive, default=20, metavar="N", help="at most N (default 20)")
    listing.add_argument("--here", action="store_true", help="only sessions of this folder")
    listing.add_argument("--json", action="store_true", help="one JSON object a line")
    show = parts.add_parser("show", help="the conversation as text")
    export = parts.add_parser("export", help="write a session as JSON lines or Markdown")
    export.add_argument("--format", choices=("jsonl", "markdown"), default="jsonl", help="default: jsonl")
    export.add_argument("-o", "--output", metavar="FILE", help="write to this new file instead of stdout")
    export.add_argument("--no-redact", action="store_true", help="keep what looks like a secret")
    rename = parts.add_parser("rename", help="give a session a name")
    delete = parts.add_parser("delete", help="delete a session and all it stored; what it cost stays in usage")
    delete.add_argument("--yes", action="store_true", help="do not ask")
    for part in (show, export, rename, delete):
        part.add_argument("id", metavar="ID", help="the session's id, or its beginning")
    rename.add_argument("name", metavar="NAME")
    for part in (listing, show, export, rename, delete):
        part.add_argument("--debug", action="store_true", help=argparse.SUPPRESS)
    return parser


def _usage_parser() -> Parser:
    parser = Parser("quarterdeck usage", USAGE_TEXT)
    _common(parser)
    kinds = ("model", "provider", "agent", "day", "session", "run")
    parser.add_argument("--by", choices=kinds, default="model", metavar="WHAT", help=f"{', '.join(kinds)}")
    parser.add_argument("--since", metavar="WHEN", help="2026-01-31, today, or 7d for the last 7 days with today")
    parser.add_argument("--session", metavar="ID", help="only this session (an id or its beginning)")
    parser.add_argument("--limit", type=_positive, default=30, metavar="N", help="at most N lines (default 30)")
    parser.add_argument("--json", action="store_true", help="as one JSON object, with every line")
    return parser


USAGE_TEXT: Final = """\
What requests to models came to: tokens, and US dollars at the price of that moment. Without options all requests that
were ever made, by model. Each one counts: failed, retried and thrown away ones too, and those of deleted sessions.

Tokens: cached and cache write are parts of the input, reasoning is a part of the output. A day is one of the local
calendar. ~ marks an estimate; a cost that nobody knows is said to be unknown and never counted as nothing."""


def _models_parser() -> Parser:
    parser = Parser("quarterdeck models", "List models: price in US dollars for a million tokens, window in tokens.")
    _common(parser)
    parser.add_argument("query", nargs="?", metavar="QUERY", help="only models whose name has these words or letters")
    parser.add_argument("--probe", action="store_true", help="also ask the usual local model servers")
    parser.add_argument("--all", action="store_true", help="also those without a key, when there is no QUERY")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    return parser


def _config_parser() -> Parser:
    parser = Parser("quarterdeck config", "Show the settings of this folder, or where they are kept.")
    _common(parser)
    parser.add_argument("action", nargs="?", choices=("show", "path"), default="show", help="default: show")
    parser.add_argument("--json", action="store_true", help="as one JSON object")
    return parser


POLICY_TEXT: Final = """\
What may run here, and which rule says so: rules of your configuration, of the project's and of QUARTERDECK_RULES, and
what you allowed or denied for the project or for every project.

Exit of check: 0 allowed, 1 denied, 3 asks a person, 2 usage or configuration. Exit of test: 0, or 1 where one fails."""


def _policy_parser() -> Parser:
    parser = Parser("quarterdeck policy", POLICY_TEXT)
    _common(parser)
    parts = parser.add_subparsers(dest="action", metavar="ACTION", parser_class=Parser, required=True)
    check = parts.add_parser("check", help="the decision about one call, with its rule and its reason")
    check.add_argument("tool", nargs="?", metavar="TOOL", help="the tool, such as write_file (default: shell)")
    check.add_argument("arguments", nargs="?", metavar="JSON", help="its arguments as a JSON object")
    check.add_argument("--command", metavar="LINE", help="a shell line, instead of TOOL and JSON")
    check.add_argument("--approve", choices=MODES, metavar="MODE", help=f"in this mode: {', '.join(MODES)}")
    test = parts.add_parser("test", help="run the examples that stand beside the rules, in default mode")
    listing = parts.add_parser("list", help="every rule and every lasting grant, in the order of their levels")
    trial = parts.add_parser("try", help="what the rules of a file would have done to the approvals of the past")
    trial.add_argument("file", metavar="RULE.toml", help="a file with [[rules]]")
    for part in (check, test, listing, trial):
        part.add_argument("--json", action="store_true", help="as one JSON object")
        part.add_argument("--debug", action="store_true", help=argparse.SUPPRESS)
    return parser


def _trust_parser() -> Parser:
    parser = Parser(
        "quarterdeck trust", "Show what this folder's .quarterdeck/config.toml would change, and accept it."
    )
    _common(parser)
    choice = parser.add_mutually_exclusive_group()
    choice.add_argument("--yes", action="store_true", help="do not ask")
    choice.add_argument("--revoke", action="store_true", help="do not trust the folder any more")
    return parser


def _doctor_parser() -> Parser:
    parser = Parser("quarterdeck doctor", "Check the installation, the terminal, the configuration and the models.")
    _common(parser)
    parser.add_argument("--json", action="store_true", help="as one JSON object")
    return parser


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("expected 1 or more")
    return value


PARSERS: Final[dict[str, Callable[[], Parser]]] = {
    "tui": _main_parser,
    "run": _run_parser,
    "sessions": _sessions_parser,
    "usage": _usage_parser,
    "models": _models_parser,
    "config": _config_parser,
    "policy": _policy_parser,
    "trust": _trust_parser,
    "doctor": _doctor_parser,
}
