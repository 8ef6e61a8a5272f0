"""The arguments of `quarterdeck keys`."""

from __future__ import annotations

from typing import Final, get_args

from tui.argument_parser import Parser, common_options
from tui.settings.values import PresetName

KEYS_TEXT: Final = """\
Every action of the screen with its keys, its command, and who says so: nobody (the default), the preset, or a line of
yours. To change them, in your configuration:

  keymap = "vim"            # or default, emacs
  [keys]
  model = "f7, alt+m"       # these keys and no others; "" takes all away
  theme = ""

An unknown name, a key that no terminal can send, one that means two things at a time, or one that is reserved for
stopping, aborting and quitting is refused at the start, with the line it stands in."""


def keys_parser() -> Parser:
    parser = Parser("quarterdeck keys", KEYS_TEXT)
    common_options(parser)
    parser.add_argument("query", nargs="?", metavar="QUERY", help="only lines in which these words occur")
    parser.add_argument("--preset", choices=get_args(PresetName), help="as this preset has them, without your changes")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    return parser
