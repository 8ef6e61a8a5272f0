"""Which of a server's tools can be offered, and as what. Heavy to import, like runner.mcp.session."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import mcp_types as types

from runner.mcp.book import Known
from runner.mcp.config import McpServer
from runner.mcp.names import tool_names
from runner.mcp.schema import SchemaProblem, checker, offered
from runner.mcp.session import Catalogue
from runner.mcp.state import PromptArgument, PromptInfo, ResourceInfo
from runner.mcp.text import one_line, plain
from runner.mcp.tools import Offered
from runner.messages import JsonObject

DESCRIPTION = 2_000
"""Characters of a tool's description; each request pays for it."""

_NAME = 128
_TITLE = 120
_SHORT = 500
_URI = 2_000
_MOST_ARGUMENTS = 50


def offers(config: McpServer, source: str, tools: Sequence[types.Tool]) -> tuple[list[Offered], list[str]]:
    """The tools that can be offered, by name, and why others are left out. Slow for many: it belongs in a thread.

    source: how the server is started or reached; a tool of the same name from somewhere else is another tool.
    """
    found: dict[str, Offered] = {}
    left_out: list[str] = []
    wanted = None if config.tools is None else set(config.tools)
    first: dict[str, types.Tool] = {}
    for tool in tools:
        shown = one_line(tool.name, 60) or "a tool without a name"
        if wanted is not None and tool.name not in wanted:
            continue
        if not tool.name.strip() or len(tool.name) > _NAME:
            left_out.append(f"{shown}: its name is empty or too long")
        elif one_line(tool.name, _NAME) != tool.name:
            left_out.append(f"{shown}: its name has characters that cannot be seen")
        elif tool.name in first:
            left_out.append(f"{shown}: the server has two tools of this name; the first is offered")
        else:
            first[tool.name] = tool
    names = tool_names(config.name, first)
    for original, tool in first.items():
        if original not in names:
            left_out.append(f"{one_line(original, 60)}: its name is made to look like another's")
            continue
        try:
            found[original] = _offer(config, source, tool, names[original])
        except SchemaProblem as problem:
            left_out.append(f"{one_line(original, 60)}: {problem}")
    missing = sorted((wanted or set()) - set(first))
    left_out += [f"{one_line(name, 60)}: the server has no such tool" for name in missing]
    return sorted(found.values(), key=lambda one: one.name), left_out


def _offer(config: McpServer, source: str, tool: types.Tool, name: str) -> Offered:
    annotations = _annotations(tool.annotations)
    said = plain(tool.description or "", DESCRIPTION)
    title = one_line(tool.title or (tool.annotations.title if tool.annotations else None) or "", _TITLE)
    description = f"[A tool of the MCP server {one_line(config.name, 60)!r}] {said or title}".strip()
    parameters = offered(tool.input_schema)
    return Offered(
        name=name,
        original=tool.name,
        title=title,
        description=description,
        parameters=parameters,
        check=checker(tool.input_schema),
        annotations=annotations,
        known=Known(source=source, title=title, description=said, schema=tool.input_schema, annotations=annotations),
    )


def _annotations(found: types.ToolAnnotations | None) -> JsonObject:
    if found is None:
        return {}
    hints: dict[str, Any] = found.model_dump(by_alias=True, exclude_none=True, mode="json")
    return {name: value for name, value in hints.items() if name.endswith("Hint") and isinstance(value, bool)}


def prompts(server: str, catalogue: Catalogue) -> tuple[PromptInfo, ...]:
    return tuple(
        PromptInfo(
            server=server,
            name=prompt.name,
            title=one_line(prompt.title or "", _TITLE),
            description=one_line(prompt.description or "", _SHORT),
            arguments=tuple(
                PromptArgument(
                    name=argument.name,
                    description=one_line(argument.description or "", _SHORT),
                    required=bool(argument.required),
                )
                for argument in (prompt.arguments or [])[:_MOST_ARGUMENTS]
                if _is_plain(argument.name)
            ),
        )
        for prompt in catalogue.prompts
        if _is_plain(prompt.name)
    )


def _is_plain(name: str) -> bool:
    """A name that a person can see as it is; what is typed in has to be found again."""
    return 0 < len(name) <= _NAME and one_line(name, _NAME) == name


def resources(server: str, catalogue: Catalogue) -> tuple[ResourceInfo, ...]:
    found = [
        ResourceInfo(
            server=server,
            uri=str(resource.uri),
            name=one_line(resource.name, _TITLE),
            title=one_line(resource.title or "", _TITLE),
            description=one_line(resource.description or "", _SHORT),
            mime=one_line(resource.mime_type or "", _TITLE),
            size=resource.size,
        )
        for resource in catalogue.resources
        if _is_address(str(resource.uri))
    ]
    found += [
        ResourceInfo(
            server=server,
            uri=template.uri_template,
            name=one_line(template.name, _TITLE),
            title=one_line(template.title or "", _TITLE),
            description=one_line(template.description or "", _SHORT),
            mime=one_line(template.mime_type or "", _TITLE),
            template=True,
        )
        for template in catalogue.templates
        if _is_address(template.uri_template)
    ]
    return tuple(found)


def _is_address(uri: str) -> bool:
    return 0 < len(uri) <= _URI and uri.isprintable() and not any(one.isspace() for one in uri)
