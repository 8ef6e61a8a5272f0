"""What a server sends back, as text: what is no text is named, never dumped. Heavy to import."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, cast

import mcp_types as types

from runner.mcp.text import one_line, size_words
from runner.messages import SideEffects
from runner.tools.base import ToolOutput
from runner.tools.truncate import truncate

LONGEST = 256 * 1024
"""Bytes of a prompt or a resource; a tool's result is cut by the run."""

_NOTHING = "(the tool returned nothing)"
_SHOWN = 300


def output_of(result: types.CallToolResult, *, read_only: bool) -> ToolOutput:
    text = "\n".join(_block(block) for block in result.content)
    structured = _structured(result)
    if structured:
        text = f"{text}\nStructured content:\n{structured}" if text else structured
    effects: SideEffects = "none" if read_only else "unknown" if result.is_error else "done"
    return ToolOutput(text=text or _NOTHING, status="error" if result.is_error else "ok", side_effects=effects)


def _structured(result: types.CallToolResult) -> str:
    """Structured content, where no text says the same; a server ought to send both."""
    found: Any = result.structured_content
    if found is None:
        return ""
    for block in result.content:
        if isinstance(block, types.TextContent) and _same(block.text, found):
            return ""
    return json.dumps(found, ensure_ascii=False)


def _same(text: str, structured: Any) -> bool:
    try:
        found: Any = json.loads(text)
    except (ValueError, RecursionError):
        return False
    # A server wraps what is no object.
    return bool(found == structured) or structured == {"result": found}


def _block(block: types.ContentBlock) -> str:
    match block:
        case types.TextContent():
            return block.text
        case types.ImageContent():
            return f"[image: {_named(block.mime_type, block.data)}]"
        case types.AudioContent():
            return f"[audio: {_named(block.mime_type, block.data)}]"
        case types.ResourceLink():
            return _link(block)
        case types.EmbeddedResource():
            return _resource(block.resource)


def _link(link: types.ResourceLink) -> str:
    about = [one_line(link.mime_type or "", 80), size_words(link.size) if link.size is not None else ""]
    described = f": {one_line(link.description, _SHOWN)}" if link.description else ""
    inside = ", ".join(part for part in about if part)
    return f"[resource {one_line(str(link.uri), _SHOWN)}{f' ({inside})' if inside else ''}{described}]"


def _resource(resource: types.TextResourceContents | types.BlobResourceContents) -> str:
    uri = one_line(str(resource.uri), _SHOWN)
    if isinstance(resource, types.TextResourceContents):
        return f"[resource {uri}]\n{resource.text}"
    return f"[resource {uri}: {_named(resource.mime_type, resource.blob)}]"


def _named(mime: str | None, data: str) -> str:
    size = len(data) * 3 // 4 - data[-2:].count("=")
    return f"{one_line(mime or 'binary data', 80)}, {size_words(max(size, 0))}"


def resource_text(result: types.ReadResourceResult) -> str:
    """The contents one after the other; the address is only said where there are several."""
    contents = result.contents
    if len(contents) == 1 and isinstance(contents[0], types.TextResourceContents):
        return truncate(contents[0].text, LONGEST).text
    return truncate("\n".join(_resource(content) for content in contents), LONGEST).text


def prompt_text(result: types.GetPromptResult) -> str:
    """The messages as one text. Who speaks is only said where it is not the user alone."""
    alone = all(message.role == "user" for message in result.messages)
    parts = [
        _block(message.content) if alone else f"{message.role}: {_block(message.content)}"
        for message in result.messages
    ]
    return truncate("\n\n".join(parts), LONGEST).text


def texts_of(content: object) -> Sequence[str] | None:
    """The texts of a message's content; None where there is anything else in it."""
    blocks = cast("list[object]", content) if isinstance(content, list) else [content]
    found = [block.text for block in blocks if isinstance(block, types.TextContent)]
    return found if len(found) == len(blocks) else None
