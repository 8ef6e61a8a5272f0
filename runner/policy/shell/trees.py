"""Questions about parts of the syntax tree."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from runner.policy.shell.grammar import text_of
from runner.policy.shell.words import static_text, word_of

if TYPE_CHECKING:
    from tree_sitter import Node

STRUCTURE: Final = frozenset(
    {"program", "list", "pipeline", "subshell", "if_statement", "elif_clause", "else_clause", "while_statement"}
    | {"do_group", "case_statement", "case_item", "negated_command", "string_content", "heredoc_content", "comment"}
    | {"heredoc_end", "string", "concatenation", "command_name", "regex", "extglob_pattern", "last_case_item"}
    | {"command_substitution", "process_substitution", "array"}
)
LEAVES: Final = frozenset(
    {"word", "number", "raw_string", "ansi_c_string", "variable_name", "special_variable_name", "file_descriptor"}
    | {"simple_expansion", "test_operator", "heredoc_start"}
)
WORDS: Final = frozenset(
    {"word", "number", "raw_string", "ansi_c_string", "string", "concatenation", "simple_expansion", "expansion"}
    | {"command_substitution", "process_substitution", "arithmetic_expansion", "translated_string", "brace_expression"}
    | {"variable_name", "array", "command_name"}
)


_PIECES: Final = frozenset({"string_content", "heredoc_content", '"'})
_ATOMS: Final = frozenset({"string", "raw_string", "ansi_c_string", "heredoc_body", "comment", "regex"})
_WORD_LISTS: Final = frozenset(
    {"command", "declaration_command", "unset_command", "redirected_statement", "file_redirect", "heredoc_redirect"}
    | {"for_statement", "case_item", "case_statement", "array", "variable_assignments", "herestring_redirect"}
)
_TESTS: Final = re.compile(r"-[edfrwxsLhznbcpStugkOGN]|-(?:ef|nt|ot)")
_ONE_LINE: Final = frozenset({"command", "declaration_command", "unset_command", "file_redirect"})
_LINE_END: Final = re.compile(rb"(?:\\\n|[^\n\\])*\n")
_AFTER_NAME: Final = frozenset({b"\n", b" ", b"\t", b";", b"&", b"|", b"<", b">", b")"})
_NAME: Final = re.compile(r"\w+|'\w+'|\"\w+\"|\\\w+", re.ASCII)
_KEYWORD_NODES: Final = frozenset(
    {"negated_command", "if_statement", "elif_clause", "else_clause", "while_statement", "do_group", "case_statement"}
    | {"for_statement", "compound_statement", "function_definition", "test_command", "c_style_for_statement"}
)
_KEYWORD: Final = re.compile(r"[a-z]+|!|\{|\}|\[\[?|\]\]?")
_KEYWORD_END: Final = re.compile(r"[;&|()\n]|subshell|comment")
_WORD_STARTS: Final = WORDS | {"variable_assignment"}
_WORD_ENDS: Final = _WORD_STARTS | {"file_redirect", "herestring_redirect", "subscript"}
_BLANK_INSIDE: Final = re.compile(rb"\n|(?<!\\)[ \t]")
_BLANKS: Final = re.compile(rb"(?:[ \t\n]|\\\n)*")


def all_of(node: Node) -> Iterator[Node]:
    """The node and all below it, without recursion: a line may be nested as deeply as its writer likes."""
    waiting = [node]
    while waiting:
        found = waiting.pop()
        yield found
        waiting.extend(reversed(found.children))


def is_deep(root: Node, most: int) -> bool:
    """Whether parts are nested more than so many times."""
    waiting = [(root, 0)]
    while waiting:
        node, depth = waiting.pop()
        if depth > most:
            return True
        waiting.extend((child, depth + 1) for child in node.children)
    return False


def differs(root: Node, source: bytes) -> bool:
    """Whether the shell is known to read a text differently from the grammar. The tree must not be deep (`is_deep`)."""
    return _has_joined_words(root) or _has_odd_gap(root, source) or _ends_oddly(root, source)


def _has_odd_gap(root: Node, source: bytes) -> bool:
    """Whether the grammar passed over anything but blanks, or put a blank into a word: to the shell an escaped blank
    begins a word, and a newline before a backslash ends a command.
    """
    end = 0
    for start, stop, atom in _tokens(root):
        if not _BLANKS.fullmatch(source, end, max(start, end)):
            return True
        if not atom and stop - start > 1 and _BLANK_INSIDE.search(source, start, stop):
            return True
        end = max(end, stop)
    return not _BLANKS.fullmatch(source, end)


def _tokens(node: Node) -> Iterator[tuple[int, int, bool]]:
    """Each token with whether blanks in it are its own."""
    atom = node.type in _ATOMS
    if node.child_count == 0:
        yield node.start_byte, node.end_byte, atom
        return
    at = node.start_byte
    for child in node.children:
        if atom:
            # The grammar leaves blanks between the pieces of a quoted text out.
            yield at, child.start_byte, True
        if not atom or child.type not in _PIECES:
            yield from _tokens(child)
        at = child.end_byte if not atom or child.type not in _PIECES else child.start_byte
    if atom:
        yield at, node.end_byte, True


def _has_joined_words(root: Node) -> bool:
    """Whether the grammar sees two words, or a keyword and a word, where no blank parts them."""
    for node in all_of(root):
        lists, keywords = node.type in _WORD_LISTS, node.type in _KEYWORD_NODES
        for one, other in pairwise(node.children) if lists or keywords else ():
            if one.end_byte != other.start_byte:
                continue
            if lists and one.type in _WORD_ENDS and other.type in _WORD_STARTS:
                return True
            if keywords and (_joins(one, other) or _joins(other, one)):
                return True
    return False


def at_line_ends(root: Node, source: bytes) -> bytes:
    """The text with a semicolon where the grammar lets a command go on over the end of a line, unlike the shell."""
    found = bytearray(source)
    for node in all_of(root):
        for one, other in pairwise(node.children) if node.type in _ONE_LINE else ():
            ending = _LINE_END.match(source, one.end_byte, other.start_byte)
            # Behind a comment the semicolon would be a part of it.
            if ending is not None and one.type != "comment":
                found[ending.end() - 1 : ending.end()] = b";"
    return bytes(found)


def _ends_oddly(root: Node, source: bytes) -> bool:
    """Whether a comment, or the name that ends a here-document, goes on where it should end, a here-document begins in
    the middle of a line, a command goes on behind a comment, or a word is taken for the number of a file.
    """
    for node in all_of(root):
        after = source[node.end_byte : node.end_byte + 1]
        if node.type == "comment" and (after not in (b"", b"\n") or b"\n" in source[node.start_byte : node.end_byte]):
            return True
        if node.type == "heredoc_start" and (after not in _AFTER_NAME or not _NAME.fullmatch(text_of(node))):
            return True
        if node.type in _ONE_LINE and any(child.type == "comment" for child in node.children[:-1]):
            return True
        if node.type == "file_descriptor" and not text_of(node).isdecimal():
            return True
        if node.type == "heredoc_body" and source[node.start_byte - 1 : node.start_byte] != b"\n":
            return True
    return False


def _joins(keyword: Node, other: Node) -> bool:
    """A keyword that touches anything but an operator is a part of a word for the shell."""
    return (
        not keyword.is_named and _KEYWORD.fullmatch(keyword.type) is not None and _KEYWORD_END.match(other.type) is None
    )


def is_odd_test(node: Node) -> bool:
    """Whether a test does more than look at files and compare texts: arithmetic in it can run commands."""
    for part in all_of(node):
        if part.type == "test_operator" and not _TESTS.fullmatch(text_of(part)):
            return True
        if part.type == "subscript":
            return True
        if part.type == "binary_expression" and text_of(node).startswith("[["):
            operators = {text_of(child) for child in part.children if not child.is_named}
            if operators - {"==", "=", "!=", "&&", "||", "=~", "<", ">"}:
                return True
    return False


def stray_words(redirect: Node) -> list[Node]:
    """Words of the command that the grammar puts into a redirection: all but its first target."""
    if redirect.type == "file_redirect":
        return redirect.children_by_field_name("destination")[1:]
    if redirect.type == "heredoc_redirect":
        return redirect.children_by_field_name("argument")
    return []


def is_quoted(start: str) -> bool:
    return any(char in start for char in "'\"\\")


def stdin_of(redirects: Sequence[Node]) -> tuple[bool, str | None] | None:
    """The text that a command reads, where a redirection gives it one: whether it does, and the text if it is known."""
    found: tuple[bool, str | None] | None = None
    for redirect in redirects:
        if redirect.type == "heredoc_redirect":
            start = next((text_of(child) for child in redirect.children if child.type == "heredoc_start"), "")
            body = next((text_of(child) for child in redirect.children if child.type == "heredoc_body"), "")
            found = True, static_text(body, quoted=is_quoted(start))
        elif redirect.type == "herestring_redirect":
            value = [child for child in redirect.children if child.type in WORDS]
            found = True, word_of(value[0]).text if len(value) == 1 else None
        elif redirect.type == "file_redirect" and text_of(redirect).lstrip("0").startswith("<"):
            found = True, None
    return found


def hidden_expansion(body: Node) -> bool:
    """Whether the shell sees an expansion in a here-document where the grammar sees none."""
    text = text_of(body).encode("utf-8")
    seen = [
        (child.start_byte - body.start_byte, child.end_byte - body.start_byte)
        for child in body.named_children
        if child.type != "heredoc_content"
    ]
    for found in re.finditer(rb"(?<!\\)(?:\\\\)*(`|\$[({\[])", text):
        at = found.start(1)
        if not any(start <= at < end for start, end in seen):
            return True
    return b"\\\n" in text
