"""What the arguments of all commands have in common."""

from __future__ import annotations

import argparse
from typing import Any, Final, NoReturn

from runner.errors import QuarterdeckError

SANDBOX_MODES: Final = ("require", "auto", "off")
MODES: Final = ("default", "accept_edits", "plan", "bypass", "deny_unlisted")


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


def common_options(parser: Parser) -> None:
    parser.add_argument("--debug", action="store_true", help="show a traceback where something goes wrong")
    parser.add_argument("--cwd", metavar="DIR", help="work in this folder instead of the current one")


def choice_options(parser: Parser) -> None:
    parser.add_argument("--model", metavar="ID", help="the model, such as demo/pilot (see: quarterdeck models)")
    parser.add_argument("--agent", metavar="NAME", help="the agent: deck, or one from the configuration")
    parser.add_argument(
        "--sandbox", choices=SANDBOX_MODES, metavar="MODE", help=f"of commands: {', '.join(SANDBOX_MODES)}"
    )
    parser.add_argument("--approve", choices=MODES, metavar="MODE", help=f"when tools ask: {', '.join(MODES)}")


def positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("expected 1 or more")
    return value
