"""The grammar of bash (tree-sitter), loaded when the first line is read."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tree_sitter import Language, Node


def parse(text: str) -> Node:
    """The root of the syntax tree. The text must be encodable as UTF-8."""
    from tree_sitter import Parser

    # A parser of one's own for each line: parsers are not to be shared between threads.
    return Parser(_language()).parse(text.encode("utf-8")).root_node


@cache
def _language() -> Language:
    import tree_sitter_bash
    from tree_sitter import Language

    return Language(tree_sitter_bash.language())


def text_of(node: Node) -> str:
    found = node.text
    return "" if found is None else found.decode("utf-8", "replace")
