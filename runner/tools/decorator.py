"""`@tool`: a typed function with a docstring becomes a tool."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator
from contextlib import aclosing
from pathlib import Path
from typing import Any, cast, overload

from runner.errors import ConfigError
from runner.messages import JsonObject
from runner.tools.base import Activity, Tool, ToolContext, ToolKind, ToolStep
from runner.tools.docstring import describe
from runner.tools.results import chosen, output_of
from runner.tools.schema import Arguments, arguments_of
from runner.tools.threads import Returned, in_thread, iterate

_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")

Preview = Callable[[ToolContext, JsonObject], JsonObject | str]
"""What will happen, from the validated arguments: a preview object (runner.tools.preview), or a plain text."""


@overload
def tool(function: Callable[..., Any], /) -> Tool: ...
@overload
def tool(
    *,
    name: str | None = None,
    description: str | None = None,
    read_only: bool = False,
    kind: ToolKind | None = None,
    timeout: float | None = None,
    serial: bool = False,
    idempotent: bool = False,
    requires_approval: bool | Callable[[JsonObject], bool] | None = None,
    concern: Callable[[ToolContext, JsonObject], str | None] | None = None,
    preview: Preview | None = None,
    touches: Callable[[ToolContext, JsonObject], list[Path] | None] | None = None,
) -> Callable[[Callable[..., Any]], Tool]: ...
def tool(
    function: Callable[..., Any] | None = None,
    /,
    *,
    name: str | None = None,
    description: str | None = None,
    read_only: bool = False,
    kind: ToolKind | None = None,
    timeout: float | None = None,
    serial: bool = False,
    idempotent: bool = False,
    requires_approval: bool | Callable[[JsonObject], bool] | None = None,
    concern: Callable[[ToolContext, JsonObject], str | None] | None = None,
    preview: Preview | None = None,
    touches: Callable[[ToolContext, JsonObject], list[Path] | None] | None = None,
) -> Tool | Callable[[Callable[..., Any]], Tool]:
    """Make a Tool of a function, method or generator function, sync or async; raises ConfigError where it cannot be.

    The name, the description and the parameters' descriptions come from the function and its docstring. A parameter
    annotated ToolContext is filled in by the runner and not shown to the model. A sync function runs in a thread.
    read_only: it changes nothing, so it runs without approval. The other options are Tool's.
    """
    namespace = sys._getframe(1).f_locals  # pyright: ignore[reportPrivateUsage]

    def make(target: Callable[..., Any]) -> Tool:
        called = name or _name_of(target)
        where = f"tool {called!r}"
        _check_options(called, where, read_only=read_only, kind=kind, timeout=timeout)
        documented = describe(_docstring_of(target))
        arguments = arguments_of(target, where, documented.parameters, namespace)
        return Tool(
            name=called,
            description=description if description is not None else documented.description,
            parameters=arguments.schema,
            run=_runner(target, arguments, called),
            validate=arguments.check,
            kind=kind or ("read" if read_only else "other"),
            read_only=read_only,
            idempotent=idempotent,
            serial=serial,
            timeout=timeout,
            requires_approval=requires_approval,
            concern=concern,
            preview=None if preview is None else _as_object(preview),
            touches=touches,
        )

    return make if function is None else make(function)


def _name_of(target: Callable[..., Any]) -> str:
    inner = getattr(target, "func", target)
    return getattr(inner, "__name__", None) or type(target).__name__


def _docstring_of(target: Callable[..., Any]) -> str | None:
    inner = getattr(target, "func", target)
    return inspect.getdoc(inner if inspect.isroutine(inner) else type(inner).__call__)


def _check_options(called: str, where: str, *, read_only: bool, kind: ToolKind | None, timeout: float | None) -> None:
    if not _NAME.fullmatch(called):
        raise ConfigError("providers refuse this name", where=where, expected="1 to 64 letters, digits, _ or -")
    if read_only and kind in ("edit", "shell"):
        raise ConfigError(f'read_only contradicts kind="{kind}"', where=where)
    if timeout is not None and timeout <= 0:
        raise ConfigError(f"timeout is {timeout}", where=where, expected="more than 0 seconds, or None")


def _as_object(preview: Preview) -> Callable[[ToolContext, JsonObject], JsonObject]:
    def made(ctx: ToolContext, arguments: JsonObject) -> JsonObject:
        found = preview(ctx, arguments)
        return {"type": "text", "text": found} if isinstance(found, str) else found

    return made


def _runner(
    target: Callable[..., Any], arguments: Arguments, name: str
) -> Callable[[ToolContext, JsonObject], AsyncIterator[ToolStep]]:
    # A callable object is what its __call__ is.
    code = target if inspect.isroutine(inspect.unwrap(target)) or hasattr(target, "func") else type(target).__call__

    async def run_generator(ctx: ToolContext, values: JsonObject) -> AsyncGenerator[ToolStep, None]:
        positional, named = arguments.bind(values, ctx)
        if inspect.isasyncgenfunction(code):
            items = cast("AsyncGenerator[Any, None]", target(*positional, **named))
        else:
            items = iterate(lambda: cast("Generator[Any, Any, Any]", target(*positional, **named)), name=f"tool-{name}")
        returned: object = None
        yielded: list[object] = []
        async with aclosing(items) as stream:
            async for item in stream:
                if isinstance(item, Activity):
                    yield item
                elif isinstance(item, Returned):
                    returned = item.value
                else:
                    yielded.append(item)
        yield output_of(chosen(returned, yielded))

    async def run_function(ctx: ToolContext, values: JsonObject) -> AsyncGenerator[ToolStep, None]:
        positional, named = arguments.bind(values, ctx)
        if inspect.iscoroutinefunction(code):
            result = await target(*positional, **named)
        else:
            result = await in_thread(lambda: target(*positional, **named), name=f"tool-{name}")
            if inspect.isawaitable(result):
                result = await result
        yield output_of(result)

    generator = inspect.isgeneratorfunction(code) or inspect.isasyncgenfunction(code)
    return run_generator if generator else run_function
