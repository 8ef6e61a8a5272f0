"""Which command the arguments mean, and what its errors come to. Each command loads its own needs."""

from __future__ import annotations

import argparse
import difflib
import gc
import importlib
import os
import sys
import traceback
from collections.abc import Sequence
from typing import Final, Protocol, cast

from runner.errors import NotFoundError, QuarterdeckError, SessionBusyError, StoreError
from tui.argument_parser import UsageError
from tui.arguments import COMMANDS, PARSERS, main_parser
from tui.session_link import session_of, take_links

EXIT_USAGE: Final = 2
EXIT_INTERRUPTED: Final = 130
EXIT_PIPE: Final = 141


class Command(Protocol):
    def run(self, args: argparse.Namespace) -> int: ...


def main_with(argv: Sequence[str]) -> int:
    """Run the program with these arguments; returns the exit code."""
    debug = "--debug" in _before_double_dash(argv)
    try:
        try:
            return _dispatch(argv)
        finally:
            gc.enable()
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
        # Collecting what the first imports leave takes longer than painting the first frame.
        gc.disable()
        args.prompt = _one_prompt(args.prompt, is_marked="--" in argv)
        session_of(args.session or "")
    else:
        take_links(args)
    module = cast("Command", importlib.import_module(f"tui.commands.{command}"))
    return module.run(args)


def split_command(argv: Sequence[str]) -> tuple[str, list[str]]:
    """The command ("tui" where none is named) and its arguments. Options may come before the command's name."""
    options = main_parser()
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
