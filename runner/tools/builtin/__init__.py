"""The tools that every agent can be given."""

from runner.tools.base import Tool
from runner.tools.builtin.edit import EDIT_FILE, WRITE_FILE
from runner.tools.builtin.list_files import LIST_FILES
from runner.tools.builtin.read_file import READ_FILE
from runner.tools.builtin.search import SEARCH
from runner.tools.builtin.shell import SHELL

READ_ONLY_TOOLS: tuple[Tool, ...] = (LIST_FILES, READ_FILE, SEARCH)


def builtin_tools() -> tuple[Tool, ...]:
    return (*READ_ONLY_TOOLS, WRITE_FILE, EDIT_FILE, SHELL)


__all__ = ["EDIT_FILE", "LIST_FILES", "READ_FILE", "READ_ONLY_TOOLS", "SEARCH", "SHELL", "WRITE_FILE", "builtin_tools"]
