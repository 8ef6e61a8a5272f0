"""@tool: the schema that a model sees, the arguments that a function gets, and the result that comes back."""

from __future__ import annotations

import contextvars
import functools
import json
import subprocess
import sys
import threading
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field, SecretStr

from runner.errors import ConfigError, ToolInputError
from runner.messages import JsonObject
from runner.tools import ToolContext, tool
from tests.processes.support import call, context, run


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Item(BaseModel):
    name: str
    count: int = 1


@dataclass
class Point:
    x: int
    y: int


async def test_a_function_of_many_types(tmp_path: Path) -> None:
    seen: list[object] = []

    @tool
    def order(
        items: list[Item],
        where: Point,
        colour: Colour = Colour.RED,
        speed: Literal["slow", "fast"] = "slow",
        note: str | None = None,
        *,
        limit: Annotated[int, Field(ge=1)] = 10,
    ) -> str:
        """Order things.

        Second paragraph.

        Args:
            items: What to order,
                on two lines.
            where (Point): Where to bring it.
            limit: At most that many.

        Returns:
            A receipt.
        """
        seen.extend([items, where, colour, speed, note, limit])
        return "done"

    assert order.name == "order"
    assert order.description == "Order things.\n\nSecond paragraph.\n\nReturns:\n    A receipt."
    properties = order.parameters["properties"]
    assert list(properties) == ["items", "where", "colour", "speed", "note", "limit"]
    assert properties["items"]["description"] == "What to order, on two lines."
    assert properties["where"]["description"] == "Where to bring it."
    assert properties["speed"] == {"default": "slow", "enum": ["slow", "fast"], "type": "string"}
    assert properties["limit"] == {"default": 10, "description": "At most that many.", "minimum": 1, "type": "integer"}
    assert order.parameters["required"] == ["items", "where"]
    assert order.parameters["additionalProperties"] is False
    assert "title" not in json.dumps(order.parameters)
    json.dumps(order.parameters)

    arguments = {"items": [{"name": "a", "count": "2"}], "where": {"x": 1, "y": 2}, "colour": "blue"}
    checked = order.validate(arguments)
    assert checked == {
        "items": [{"name": "a", "count": 2}],
        "where": {"x": 1, "y": 2},
        "colour": "blue",
        "speed": "slow",
        "note": None,
        "limit": 10,
    }
    outcome = await call(order, context(tmp_path), arguments)
    assert outcome.output == "done"
    assert seen == [[Item(name="a", count=2)], Point(1, 2), Colour.BLUE, "slow", None, 10]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({}, "items: is missing"),
        ({"items": [{"name": 5}]}, "items[0].name: should be a valid string, got 5"),
        ({"items": [], "colour": "green"}, "colour: should be 'red' or 'blue', got \"green\""),
        ({"items": [], "number": 1}, "number: there is no such parameter. The parameters are: items, colour."),
        ({"items": "x" * 200}, 'items: should be a valid list, got "' + "x" * 58 + "…"),
    ],
)
def test_what_does_not_fit_is_told_with_its_path(arguments: JsonObject, said: str) -> None:
    @tool
    def order(items: list[Item], colour: Colour = Colour.RED) -> None:
        """Order."""

    with pytest.raises(ToolInputError) as raised:
        order.validate(arguments)
    assert str(raised.value) == f"The arguments do not fit. {said}"


def test_a_hundred_problems_do_not_fill_the_context() -> None:
    @tool
    def add(numbers: list[int]) -> int:
        return sum(numbers)

    with pytest.raises(ToolInputError, match="and 92 more problems") as raised:
        add.validate({"numbers": ["x"] * 100})
    assert len(str(raised.value)) < 2000


@pytest.mark.parametrize(
    ("docstring", "description", "parameters"),
    [
        ("Plain.\n\nMore.", "Plain.\n\nMore.", {}),
        (
            "S.\n\n:param a: First\n    goes on.\n:type a: int\n:param int b: Second\n:returns: x",
            "S.",
            {"a": "First goes on.", "b": "Second"},
        ),
        (
            "S.\n\nParameters\n----------\na : int\n    First.\nb\n    Second.\n\nReturns\n-------\nint",
            "S.\n\nReturns\n-------\nint",
            {"a": "First.", "b": "Second."},
        ),
        (
            "S.\n\nArgs:\n    a: First: with a colon.\n\n      And a paragraph.\n    b: Second.\n\nKept.",
            "S.\n\nKept.",
            {"a": "First: with a colon. And a paragraph.", "b": "Second."},
        ),
        (None, "", {}),
    ],
    ids=["plain", "sphinx", "numpy", "google", "none"],
)
def test_docstrings(docstring: str | None, description: str, parameters: dict[str, str]) -> None:
    def function(a: int, b: int) -> int:
        return a + b

    function.__doc__ = docstring
    made = tool(function)
    assert made.description == description
    properties = made.parameters["properties"]
    assert {name: part["description"] for name, part in properties.items() if "description" in part} == parameters


def test_a_docstring_about_a_parameter_that_is_not_there() -> None:
    def function(a: int) -> int:
        """S.

        Args:
            b: Renamed.
        """
        return a

    with pytest.raises(ConfigError, match=r"tool 'function'.*'b', which is not a parameter"):
        tool(function)


def test_what_cannot_be_a_tool_says_why() -> None:
    def stars(*names: str) -> None: ...
    def keywords(**names: str) -> None: ...
    def socket(file: threading.Lock) -> None: ...

    class Thing:
        def method(self, a: int) -> None: ...

    with pytest.raises(ConfigError, match=r"\*names has no names"):
        tool(stars)
    with pytest.raises(ConfigError, match=r"\*\*names has no names"):
        tool(keywords)
    with pytest.raises(ConfigError, match="cannot be written as JSON"):
        tool(socket)
    with pytest.raises(ConfigError, match="the bound method"):
        tool(Thing.method)
    with pytest.raises(ConfigError, match="providers refuse this name"):
        tool(name="no spaces")(keywords)
    with pytest.raises(ConfigError, match="contradicts"):
        tool(read_only=True, kind="shell")(keywords)
    with pytest.raises(ConfigError, match="timeout is 0"):
        tool(timeout=0)(keywords)


async def test_names_that_pydantic_keeps_for_itself_and_odd_defaults(tmp_path: Path) -> None:
    marker = object()

    @tool
    def odd(
        json: str,
        schema: int = 1,
        _hidden: str = "h",
        number: int = NOTHING,
        left: Any = marker,
    ) -> list[Any]:
        return [json, schema, _hidden, number, left is marker]

    assert list(odd.parameters["properties"]) == ["json", "schema", "_hidden", "number", "left"]
    outcome = await run(odd, context(tmp_path), json="j")
    assert json.loads(outcome.output) == ["j", 1, "h", None, True]


async def test_positional_only_secrets_and_paths(tmp_path: Path) -> None:
    @tool
    def send(a: int, b: int = 2, /, *, key: SecretStr, where: Path = Path("x")) -> str:
        return f"{a} {b} {key.get_secret_value()} {where!r}"

    assert send.validate({"a": 1, "key": "s"}) == {"a": 1, "b": 2, "key": "s", "where": "x"}
    outcome = await run(send, context(tmp_path), a=1, key="s")
    assert outcome.output == f"1 2 s {Path('x')!r}"


async def test_the_context_is_injected_and_not_shown(tmp_path: Path) -> None:
    @tool
    def where(ctx: ToolContext, name: str = "n") -> str:
        return f"{ctx.workspace} {ctx.call_id} {name}"

    assert list(where.parameters["properties"]) == ["name"]
    assert (await run(where, context(tmp_path))).output == f"{tmp_path} call_1 n"
    with pytest.raises(ToolInputError, match="no such parameter"):
        where.validate({"ctx": {}})


async def test_methods_partials_and_callable_objects(tmp_path: Path) -> None:
    class Counter:
        total = 0

        def add(self, by: int) -> int:
            """Add."""
            self.total += by
            return self.total

        async def __call__(self, by: int) -> int:
            """Call."""
            return by

    counter = Counter()
    added, called = tool(counter.add), tool(name="counter")(counter)
    partial = tool(name="part")(functools.partial(counter.add, by=7))
    assert (added.name, added.description, called.description) == ("add", "Add.", "Call.")
    assert (await run(added, context(tmp_path), by=5)).output == "5"
    assert (await run(called, context(tmp_path), by=6)).output == "6"
    assert (await run(partial, context(tmp_path))).output == "12"


NOTHING: Any = None
VARIABLE: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="unset")


async def test_sync_functions_run_in_a_thread_with_the_context_copied(tmp_path: Path) -> None:
    @tool
    def where() -> list[object]:
        VARIABLE.set("changed in the thread")
        return [threading.current_thread() is threading.main_thread(), before()]

    def before() -> str:
        return VARIABLE.get()

    VARIABLE.set("outer")
    outcome = await run(where, context(tmp_path))
    assert json.loads(outcome.output) == [False, "changed in the thread"]
    assert VARIABLE.get() == "outer"


def test_the_options_reach_the_tool() -> None:
    @tool(
        name="renamed",
        description="Given.",
        kind="net",
        timeout=3,
        serial=True,
        idempotent=True,
        requires_approval=lambda arguments: arguments["a"] > 1,
        preview=lambda ctx, arguments: f"a is {arguments['a']}",
    )
    def function(a: int) -> int:
        return a

    assert (function.name, function.description, function.kind, function.timeout) == ("renamed", "Given.", "net", 3)
    assert (function.serial, function.idempotent, function.read_only) == (True, True, False)
    assert callable(function.requires_approval)
    assert function.requires_approval({"a": 2})
    assert function.preview is not None
    assert function.preview(context(Path()), {"a": 2}) == {"type": "text", "text": "a is 2"}

    def look() -> None: ...

    assert tool(read_only=True)(look).kind == "read"


def test_importing_tools_and_the_built_in_ones_loads_nothing_heavy() -> None:
    program = (
        "import sys, runner.tools, runner.tools.builtin, runner.tools.execute, runner.policy\n"
        "print([name for name in ('pydantic', 'psutil', 'pathspec', 'litellm', 'httpx') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "[]\n"
