"""From the syntax tree of a line to its simple commands. What is not understood is said, never passed over."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import TYPE_CHECKING, Final

from runner.policy.shell import programs
from runner.policy.shell.grammar import parse, text_of
from runner.policy.shell.model import FileUse, Line, Problem, Simple, Word
from runner.policy.shell.peel import assignment_problem, base_name, peel
from runner.policy.shell.risks import command_values, risks_of
from runner.policy.shell.trees import (
    LEAVES,
    STRUCTURE,
    WORDS,
    at_line_ends,
    differs,
    hidden_expansion,
    is_deep,
    is_odd_test,
    is_quoted,
    stdin_of,
    stray_words,
)
from runner.policy.shell.words import word_of

if TYPE_CHECKING:
    from tree_sitter import Node

MAX_LINE: Final = 20_000
"""Characters; nobody reads more than that on a card."""
MAX_COMMANDS: Final = 500
MAX_NESTING: Final = 150
MAX_DEPTH: Final = 6
"""Shell texts inside shell texts."""

_NUMERIC: Final = re.compile(r"\$?\(\(?[\s\d+*/%()<>=!&|^~-]*\)?\)|\$\[[\s\d+*/%-]*\]")
_EXPANSION: Final = re.compile(r"\$\{#?\w+\}|\$\{\w+(?::?[-+]|##?|%%?)", re.ASCII)
_ODD: Final = re.compile(r"[^\S \n\t]|[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2064\ufeff]")
_CONTINUED: Final = re.compile(r"(?<![ \t\\])\\\n|\\\\\n")
_EXPANDS: Final = re.compile(r"(?<!\\)[`$]")
_NOTED: Final = {
    "function_definition": "a function is defined, which can change what a name means",
    **dict.fromkeys(("translated_string", "brace_expression", "subscript"), "only the shell knows what this comes to"),
}
_STANDARD: Final = re.compile(r"/dev/(null|stdin|stdout|stderr|zero|fd/[0-9]+)")
_LOOP_NAME: Final = re.compile(r"(?!.*_proxy$)[a-z][a-z0-9_]*", re.ASCII)


def read_line(command: str) -> Line:
    """Take a line apart. Total: what cannot be read at all is a line with a problem."""
    if len(command) > MAX_LINE:
        return Line(problems=(Problem("the line is too long to be read", command[:40]),))
    reader = _Reader()
    reader.text(command, None)
    return reader.line()


class _Reader:
    def __init__(self) -> None:
        self.commands: list[Simple] = []
        self.files: list[FileUse] = []
        self.problems: list[Problem] = []
        self._depth = 0
        self._nesting = 0
        self._outer: int | None = None
        self._stdin: tuple[bool, str | None] = (False, None)
        self._special: dict[str, Callable[[Node], None]] = {
            **dict.fromkeys(("command", "declaration_command", "unset_command"), self._command),
            **dict.fromkeys(("variable_assignments", "herestring_redirect", "heredoc_body"), self._children),
            "file_redirect": self._file,
            **dict.fromkeys(_NOTED, self._noted),
            "redirected_statement": self._redirected,
            "variable_assignment": self._assignment,
            "for_statement": self._loop,
            "compound_statement": self._compound,
            "c_style_for_statement": self._counting_loop,
            "arithmetic_expansion": self._arithmetic_expansion,
            "expansion": self._expansion,
            "test_command": self._test,
            "heredoc_redirect": self._heredoc,
        }

    def line(self) -> Line:
        names = [base_name(command.name or "") for command in self.commands]
        moves = sum(name in programs.CHANGES_FOLDER for name in names)
        for file in self.files:
            relative = file.path is not None and not file.path.startswith(("/", "~"))
            if relative and moves > (1 if file.enters else 0):
                self.problems.append(Problem("the folder changes, so where this leads is not known", file.raw, False))
        if moves and "git" in names:
            why = "git obeys the configuration of the folder that the line changes to"
            self.problems.append(Problem(why, "git", hides=False))
        return Line(tuple(self.commands), tuple(self.files), tuple(dict.fromkeys(self.problems)))

    def hide(self, why: str, raw: str) -> None:
        self.problems.append(Problem(why, raw))

    def text(self, text: str, outer: int | None) -> None:
        """Read a shell text; outer: the command that runs it."""
        odd = _ODD.search(text)
        if odd is not None:
            self.hide("an invisible or control character is in it", odd[0])
        if _CONTINUED.search(text):
            self.hide("a backslash at the end of a line joins parts of a word", text[:60])
        try:
            root = parse(text)
        except UnicodeEncodeError:
            self.hide("it is not text", text[:40])
            return
        if self._depth >= MAX_DEPTH or is_deep(root, MAX_NESTING):
            self.hide("it is nested too deeply", text[:40])
            return
        source = text.encode()
        apart = at_line_ends(root, source)
        if apart != source:
            self._again(apart.decode(), outer)
            if b"<<" not in source:
                return
        if root.has_error:
            self.hide("the grammar does not understand all of it", text[:60])
        elif apart != source or differs(root, source):
            self.hide("a place where the grammar and the shell read differently", text[:60])
            self._read_apart(text, outer)
        before = self._outer, self._stdin
        self._outer, self._stdin = outer, (False, None)
        self._depth += 1
        self.visit(root)
        self._depth -= 1
        self._outer, self._stdin = before

    def _read_apart(self, text: str, outer: int | None) -> None:
        """Once more as the shell reads such backslashes: what is found so can be denied, never allowed."""
        apart = re.sub(r"\n(?=\\[^\n])", "\n ", re.sub(r"\\\n(?=[ \t]*\n)", "", text))
        if apart != text:
            self._again(apart, outer)

    def _again(self, text: str, outer: int | None) -> None:
        self._depth += 1
        self.text(text, outer)
        self._depth -= 1

    def visit(self, node: Node) -> None:
        self._nesting += 1
        if self._nesting > MAX_NESTING or len(self.commands) > MAX_COMMANDS:
            self.hide("there is too much in it", text_of(node)[:40])
        else:
            self._visit(node)
        self._nesting -= 1

    def _visit(self, node: Node) -> None:
        if node.is_error or node.is_missing:
            self.hide("the grammar does not understand this", text_of(node)[:60])
            self._children(node)
            return
        kind = node.type
        if kind in STRUCTURE:
            self._check_text(node)
            self._children(node)
        elif kind in LEAVES:
            if kind in ("word", "number") and _EXPANDS.search(text_of(node)):
                self.hide("an expansion that the grammar does not see", text_of(node)[:60])
        elif not self._visit_special(node, kind):
            self.hide(f"{kind.replace('_', ' ')} is not taken apart", text_of(node)[:60])
            self._children(node)

    def _visit_special(self, node: Node, kind: str) -> bool:
        visit = self._special.get(kind)
        if visit is not None:
            visit(node)
        return visit is not None or not node.is_named

    def _noted(self, node: Node) -> None:
        self.problems.append(Problem(_NOTED[node.type], text_of(node)[:60], hides=False))
        self._children(node)

    def _compound(self, node: Node) -> None:
        if text_of(node).startswith("(("):
            self._arithmetic(node)
        elif not text_of(node)[1:2].isspace():
            self.hide("a brace that is a part of a word for the shell", text_of(node)[:60])
        self._children(node)

    def _counting_loop(self, node: Node) -> None:
        self.hide("arithmetic can run commands", text_of(node)[:60])
        self._children(node)

    def _arithmetic_expansion(self, node: Node) -> None:
        self._arithmetic(node)
        self._substitutions(node)

    def _expansion(self, node: Node) -> None:
        if not _EXPANSION.match(text_of(node)):
            self.hide("this expansion can run commands or set variables", text_of(node)[:60])
        self._children(node)

    def _children(self, node: Node) -> None:
        for child in node.children:
            self.visit(child)

    def _check_text(self, node: Node) -> None:
        text = text_of(node)
        if node.type == "command_substitution" and text.startswith("`"):
            if re.search(r"[\\`]|<<", text[1:-1]):
                self.hide("what stands in these backquotes has a meaning of its own", text[:60])
        elif node.type in ("regex", "extglob_pattern") and _EXPANDS.search(text):
            self.hide("an expansion that the grammar does not see", text[:60])
        elif node.type in ("string", "string_content") and "\\\n" in text:
            self.hide("a backslash at the end of a line joins parts of a word", text[:60])

    def _arithmetic(self, node: Node) -> None:
        if not _NUMERIC.fullmatch(text_of(node)):
            self.hide("arithmetic with names in it can run commands", text_of(node)[:60])

    def _substitutions(self, node: Node) -> None:
        for child in node.named_children:
            if child.type in ("command_substitution", "process_substitution", "expansion", "ERROR"):
                self.visit(child)
            else:
                self._substitutions(child)

    def _test(self, node: Node) -> None:
        if is_odd_test(node):
            self.hide("this test can run commands", text_of(node)[:60])
        self._substitutions(node)

    def _assignment(self, node: Node) -> None:
        self.problems.append(assignment_problem(text_of(node)))
        self._substitutions(node)

    def _loop(self, node: Node) -> None:
        name = text_of(node.child_by_field_name("variable") or node)
        if not _LOOP_NAME.fullmatch(name):
            self.problems.append(assignment_problem(f"{name}="))
        self._children(node)

    def _redirected(self, node: Node) -> None:
        body = node.child_by_field_name("body")
        redirects = node.children_by_field_name("redirect")
        extra = [word for redirect in redirects for word in stray_words(redirect)]
        before = self._stdin
        self._stdin = stdin_of(redirects) or before
        if body is not None and body.type in ("command", "declaration_command", "unset_command"):
            self._command(body, extra)
        else:
            if extra:
                self._simple([word_of(word) for word in extra], text_of(node))
                self.hide("words stand behind a redirection", text_of(node)[:60])
            if body is not None:
                self.visit(body)
        self._stdin = before
        for child in node.children:
            if child != body:
                self._redirect(child)

    def _redirect(self, node: Node) -> None:
        match node.type:
            case "file_redirect":
                self._file(node)
            case "heredoc_redirect":
                self._heredoc(node)
            case "herestring_redirect":
                self._children(node)
            case _:
                self.visit(node)

    def _file(self, node: Node) -> None:
        operator = next((child.type for child in node.children if child.type.strip("<>&|-") == ""), "")
        targets = node.children_by_field_name("destination")
        for child in node.children:
            if child.is_error:
                self.visit(child)
        for target in targets:
            self._substitutions_in(target)
        if not targets:
            if not operator.endswith("&-"):
                self.hide("a redirection without a file", text_of(node))
            return
        raw = text_of(node)
        word = word_of(targets[0])
        if targets[0].type == "process_substitution":
            return
        if operator in (">&", "<&") and re.fullmatch(r"\d+-?|-", word.text or ""):
            return
        if word.text is not None and _STANDARD.fullmatch(word.text):
            return
        if word.text is not None and word.text.startswith(("/dev/tcp", "/dev/udp")):
            self.hide("it opens a network connection", raw)
        path = word.text
        if path is not None and path.startswith("~") and not word.home:
            path = f"./{path}"
        self.files.append(FileUse(path, raw, writes=operator not in ("<", "<&")))

    def _substitutions_in(self, word: Node) -> None:
        if word.type in WORDS:
            self.visit(word)
        else:
            self.hide("the grammar does not understand this", text_of(word)[:60])
            self._children(word)

    def _heredoc(self, node: Node) -> None:
        start = next((text_of(child) for child in node.children if child.type == "heredoc_start"), "")
        for child in node.children:
            if child.type == "heredoc_body":
                if not is_quoted(start):
                    if hidden_expansion(child):
                        self.hide("an expansion is hidden in this here-document", text_of(child)[:60])
                    self._substitutions(child)
            elif child.type in WORDS:
                self.visit(child)
            elif child.type in ("heredoc_start", "heredoc_end", "file_descriptor"):
                continue
            else:
                self._redirect(child)

    def _command(self, node: Node, extra: Sequence[Node] = ()) -> None:
        words: list[Word] = []
        redirects: list[Node] = []
        for child in node.children:
            kind = child.type
            if kind == "variable_assignment":
                if node.type == "command":
                    self._assignment(child)
                else:
                    words.append(Word(text_of(child), text_of(child)))
                    self._assignment(child)
            elif kind in ("file_redirect", "heredoc_redirect", "herestring_redirect"):
                redirects.append(child)
                extra = [*extra, *stray_words(child)]
            elif kind in WORDS:
                words.append(word_of(child))
                self.visit(child)
            elif not child.is_named and node.type != "command":
                words.append(Word(text_of(child), text_of(child)))
            else:
                self.visit(child)
                self.hide("the grammar does not understand this", text_of(child)[:60])
        for child in extra:
            words.append(word_of(child))
        if words:
            before = self._stdin
            self._stdin = stdin_of(redirects) or before
            self._simple(words, text_of(node))
            self._stdin = before
        for child in redirects:
            self._redirect(child)

    def _simple(self, words: Sequence[Word], raw: str) -> None:
        self.add(tuple(words), raw, self._outer, None)

    def add(self, words: tuple[Word, ...], raw: str, outer: int | None, offset: int | None) -> None:
        """One command, and all that it runs in turn."""
        place = len(self.commands)
        if place > MAX_COMMANDS or not words:
            return
        risks = list(risks_of(words))
        if words[0].text is None:
            self.hide("which command this is, is not known", raw[:60])
            self.commands.append(Simple(words, raw, tuple(risks), outer, offset))
            return
        if words[0].text == "":
            self.hide("an empty name of a command", raw[:60])
        has_stdin, stdin = self._stdin
        peeled = peel(words, stdin, has_stdin=has_stdin)
        risks += peeled.risks
        name = words[0].text
        harmless = name in programs.HARMLESS and all(word.text is not None for word in words) and not risks
        self.commands.append(Simple(words, raw, tuple(sorted(risks, key=attrgetter("index"))), outer, offset, harmless))
        self.problems.extend(peeled.problems)
        if base_name(name) in programs.CHANGES_FOLDER:
            self._folder(words, raw)
        for start, inner in peeled.inner:
            self._depth += 1
            if self._depth > 4 * MAX_DEPTH:
                self.hide("commands are nested too deeply", raw[:60])
            else:
                self.add(inner, " ".join(word.raw for word in inner), place, start)
            self._depth -= 1
        for text in [*peeled.texts, *command_values(words)]:
            if text is None:
                self.hide("it runs commands that cannot be seen", raw[:60])
            else:
                self.text(text, place)

    def _folder(self, words: tuple[Word, ...], raw: str) -> None:
        target = [word for word in words[1:] if word.text not in ("-P", "-L", "-e", "-@", "--")]
        if len(target) == 1 and target[0].text and target[0].text != "-":
            self.files.append(FileUse(target[0].text, raw, writes=False, enters=True))
        else:
            self.problems.append(Problem("where this changes to is not known", raw, hides=False))


def read_words(words: Sequence[str]) -> Line:
    """A command of which the words are known already."""
    reader = _Reader()
    reader.add(tuple(Word(word, word) for word in words), " ".join(words), None, None)
    return reader.line()
