"""What a docstring says of a function and of each of its parameters (Google, Sphinx, NumPy and plain styles)."""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass, field

_SECTION = re.compile(r"^(Args|Arguments|Parameters|Params)\s*:?\s*$")
_OTHER_SECTION = re.compile(
    r"^(Returns?|Yields?|Raises|Examples?|Notes?|Warnings?|See Also|References|Attributes|Todo)\s*:?\s*$"
)
_FIELD = re.compile(r"^:(?P<role>\w+)(?:\s+(?P<what>[^:]*))?:\s*(?P<text>.*)$")
_GOOGLE = re.compile(r"^\*{0,2}(?P<name>\w+)\s*(?:\([^)]*\))?\s*:\s*(?P<text>.*)$")
_NUMPY = re.compile(r"^\*{0,2}(?P<name>\w+)\s*(?::\s*.*)?$")
_RULE = re.compile(r"^-{3,}\s*$")


@dataclass(slots=True)
class Described:
    """description: the text without the parts about parameters. parameters: name to text, on one line each."""

    description: str = ""
    parameters: dict[str, str] = field(default_factory=dict[str, str])


def describe(docstring: str | None) -> Described:
    """Parse a docstring. What is not understood stays in the description, so nothing written is lost."""
    found = Described()
    if not docstring:
        return found
    lines = inspect.cleandoc(docstring).split("\n")
    kept: list[str] = []
    index = 0
    while index < len(lines):
        line = lines[index]
        if _SECTION.match(line):
            index = _section(lines, index + 1, found.parameters)
        elif (match := _FIELD.match(line)) is not None:
            index = _sphinx(lines, index, match, found.parameters)
        else:
            kept.append(line)
            index += 1
    found.description = re.sub(r"\n{3,}", "\n\n", "\n".join(kept)).strip()
    return found


def _sphinx(lines: list[str], index: int, match: re.Match[str], parameters: dict[str, str]) -> int:
    """A field with its indented continuation; types, returns and raises are dropped. Returns the next line's index."""
    end = index + 1
    while end < len(lines) and lines[end].startswith((" ", "\t")):
        end += 1
    if match["role"] in {"param", "parameter", "arg", "argument"} and match["what"]:
        name = match["what"].split()[-1].lstrip("*")
        parameters[name] = _joined([match["text"], *lines[index + 1 : end]])
    return end


def _section(lines: list[str], index: int, parameters: dict[str, str]) -> int:
    """The entries of a parameter section. Returns the index of the first line after it."""
    numpy = index < len(lines) and _RULE.match(lines[index]) is not None
    if numpy:
        index += 1
    entry = _NUMPY if numpy else _GOOGLE
    indent: int | None = 0 if numpy else None
    name = ""
    texts: dict[str, list[str]] = {}
    while index < len(lines):
        line = lines[index]
        depth = len(line) - len(line.lstrip())
        if line.strip():
            after = index + 1 < len(lines) and _RULE.match(lines[index + 1]) is not None
            if depth == 0 and (not numpy or after or _OTHER_SECTION.match(line)):
                break
            indent = depth if indent is None else indent
            match = entry.match(line.strip()) if depth <= indent else None
            if match is not None:
                name = match["name"]
                texts[name] = [match["text"]] if "text" in match.groupdict() else []
            elif name:
                texts[name].append(line)
        index += 1
    parameters.update({key: _joined(value) for key, value in texts.items()})
    return index


def _joined(lines: list[str]) -> str:
    return " ".join(part for part in (line.strip() for line in lines) if part)
