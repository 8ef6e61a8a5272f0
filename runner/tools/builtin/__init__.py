"""The tools that every agent can be given."""

from collections.abc import Sequence

from runner.tools.base import Tool
from runner.tools.builtin.ask_user import ASK_USER
from runner.tools.builtin.background import READ_PROCESS, START_PROCESS, STOP_PROCESS
from runner.tools.builtin.edit import EDIT_FILE, WRITE_FILE
from runner.tools.builtin.edit_files import EDIT_FILES
from runner.tools.builtin.list_files import LIST_FILES
from runner.tools.builtin.read_file import READ_FILE
from runner.tools.builtin.search import SEARCH
from runner.tools.builtin.shell import SHELL
from runner.tools.builtin.todo import TODO
from runner.tools.builtin.web_fetch import web_fetch

READ_ONLY_TOOLS: tuple[Tool, ...] = (LIST_FILES, READ_FILE, SEARCH)


def builtin_tools(*, private_hosts: Sequence[str] = ()) -> tuple[Tool, ...]:
    """private_hosts: what web_fetch may open although it is private. Raises ConfigError for what is none."""
    changing = (WRITE_FILE, EDIT_FILE, EDIT_FILES, SHELL, START_PROCESS, READ_PROCESS, STOP_PROCESS)
    return (*READ_ONLY_TOOLS, *changing, web_fetch(private_hosts=private_hosts), TODO, ASK_USER)


__all__ = [
    "ASK_USER",
    "EDIT_FILE",
    "EDIT_FILES",
    "LIST_FILES",
    "READ_FILE",
    "READ_ONLY_TOOLS",
    "READ_PROCESS",
    "SEARCH",
    "SHELL",
    "START_PROCESS",
    "STOP_PROCESS",
    "TODO",
    "WRITE_FILE",
    "builtin_tools",
    "web_fetch",
]
