"""Code in colours. Lexers are loaded in a thread; until one is there, its code is shown plain."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from tui.render.clean import Clean, clean
from tui.render.lines import NOTHING, Ink, Line, Prefix, Span, fit, spans_of, wrapped

if TYPE_CHECKING:
    from pygments.lexer import Lexer

GROUND: Final = "text.code_bg"
CODE: Final = Ink("text.code", GROUND)
_LABEL: Final = Ink("muted", GROUND, italic=True)
_PAD: Final = Span(Clean(" "), CODE)

# Names as models write them; one that is not here is shown plain, so that a text cannot pick a pathological lexer.
# fmt: off
LANGUAGES: Final = frozenset(
    {
        "bash", "bat", "batch", "c", "c#", "c++", "clojure", "cmake", "console", "cpp", "cs", "csharp", "css",
        "csv", "dart", "diff", "docker", "dockerfile", "elixir", "elm", "erlang", "fish", "fsharp", "go", "golang",
        "graphql", "groovy", "haskell", "hcl", "html", "http", "ini", "java", "javascript", "js", "json", "json5",
        "jsonc", "jsx", "julia", "kotlin", "kt", "latex", "lua", "make", "makefile", "markdown", "md", "nginx",
        "nim", "nix", "objective-c", "objc", "ocaml", "patch", "perl", "php", "powershell", "proto", "protobuf",
        "ps1", "py", "py3", "pycon", "python", "python3", "r", "rb", "rs", "ruby", "rust", "sass", "scala", "scss",
        "sh", "shell", "sql", "svelte", "swift", "terraform", "tex", "toml", "ts", "tsx", "typescript", "vb", "vim",
        "vue", "xml", "yaml", "yml", "zig", "zsh"
    }
)
# fmt: on
_ALIASES: Final = {"jsonc": "json", "svelte": "html", "patch": "diff", "batch": "bat", "shell": "bash"}

# The longest prefix of a pygments token type that is here decides.
_TOKENS: Final = {
    "Keyword": "syntax.keyword",
    "Keyword.Type": "syntax.type",
    "Keyword.Constant": "syntax.number",
    "Name": "syntax.name",
    "Name.Function": "syntax.function",
    "Name.Decorator": "syntax.function",
    "Name.Builtin": "syntax.function",
    "Name.Attribute": "syntax.function",
    "Name.Class": "syntax.type",
    "Name.Exception": "syntax.type",
    "Name.Namespace": "syntax.type",
    "Name.Tag": "syntax.keyword",
    "Literal": "syntax.string",
    "Literal.Number": "syntax.number",
    "Operator": "syntax.operator",
    "Operator.Word": "syntax.keyword",
    "Punctuation": "syntax.operator",
    "Comment": "syntax.comment",
    "Generic.Inserted": "diff.added",
    "Generic.Deleted": "diff.removed",
    "Generic.Heading": "syntax.keyword",
    "Generic.Subheading": "diff.hunk",
    "Generic.Output": "syntax.name",
    "Generic.Prompt": "syntax.comment",
}


class Lexers:
    """The lexers that were asked for so far. `generation` grows when one more is there."""

    def __init__(self) -> None:
        self.generation = 0
        self._known: dict[str, Lexer | None] = {}
        self._loading: set[str] = set()
        self._lock = threading.Lock()
        self._listeners: list[Callable[[], None]] = []

    def get(self, language: str) -> Lexer | None:
        """The lexer if it is loaded; else it is loaded in a thread, and the listeners are told."""
        name = language.lower()
        if name not in LANGUAGES:
            return None
        if name in self._known:
            return self._known[name]
        with self._lock:
            if name in self._loading:
                return None
            self._loading.add(name)
        threading.Thread(target=self._load, args=(name,), name=f"lexer-{name}", daemon=True).start()
        return None

    def load(self, *languages: str) -> None:
        """Load lexers now, in this thread; 20 to 40 ms each."""
        for language in languages:
            self._load(language.lower())

    def listen(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call the listener from a thread when a lexer was loaded; gives the function that ends it."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def _load(self, name: str) -> None:
        from pygments import lexers
        from pygments.util import ClassNotFound

        # The package has no types for the options.
        find: Callable[..., Lexer] = vars(lexers)["get_lexer_by_name"]
        try:
            lexer = find(_ALIASES.get(name, name), stripnl=False, ensurenl=False)
            # The first use compiles the lexer's expressions, which is most of what loading costs.
            list(lexer.get_tokens_unprocessed("x = 1\n"))
        except ClassNotFound:
            lexer = None
        with self._lock:
            self._known[name] = lexer
            self._loading.discard(name)
            self.generation += 1
        for listener in tuple(self._listeners):
            listener()


LEXERS: Final = Lexers()
"""One set for the program: a lexer has no state of its own."""


def language_of(info: str) -> str:
    """The language in a code fence's info: "python", "{.python}", "python:src/a.py", "js {1,3}"."""
    word = info.strip().strip("{}").lstrip(".").split(" ")[0]
    for stop in ":,{":
        word = word.split(stop)[0]
    return word


def highlighted(text: Clean, language: str) -> list[list[Span]]:
    """The lines of the code as spans."""
    lexer = LEXERS.get(language) if language else None
    if lexer is None:
        return [spans_of(Clean(line), CODE) for line in text.split("\n")]
    lines: list[list[Span]] = [[]]
    for kind, piece in _tokens(lexer, text):
        ink = _ink(kind)
        for index, part in enumerate(piece.split("\n")):
            if index:
                lines.append([])
            if part:
                lines[-1].extend(spans_of(Clean(part), ink))
    return lines


def _tokens(lexer: Lexer, text: Clean) -> list[tuple[Any, str]]:
    found = [(kind, str(piece)) for _, kind, piece in lexer.get_tokens_unprocessed(text)]
    # A lexer may drop or add characters at odd input; what is shown must be the text and nothing else.
    if "".join([piece for _, piece in found]) != text:
        return [("", text)]
    return found


_INKS: dict[Any, Ink] = {}


def _ink(kind: Any) -> Ink:
    found = _INKS.get(kind)
    if found is None:
        name = str(kind).removeprefix("Token").lstrip(".")
        while name and name not in _TOKENS:
            name = name.rpartition(".")[0]
        colour = _TOKENS.get(name, "text.code")
        found = _INKS[kind] = Ink(colour, GROUND, italic=name == "Comment")
    return found


def code_lines(text: Clean, info: Clean, width: int, *, label: bool = True, prefix: Prefix = ()) -> list[Line]:
    """A block of code on its own ground, with its language above it; neither ground nor label is copied."""
    lines: list[Line] = []
    room = width - sum([len(span.text) for span in prefix])
    shown = fit(clean(info), max(0, room - 2)) if label else Clean("")
    if shown:
        spans = (*prefix, _PAD, Span(shown, _LABEL))
        length = sum([len(span.text) for span in spans])
        lines.append(Line(spans=spans, lead=length, ground=GROUND))
    for spans in highlighted(text, language_of(info)):
        lines.extend(wrapped(spans, width - 1, first=(*prefix, _PAD), ground=GROUND))
    if shown and len(lines) > 1:
        # The label leaves no empty line in a copy.
        lines[1] = replace(lines[1], joiner=NOTHING)
    return lines
