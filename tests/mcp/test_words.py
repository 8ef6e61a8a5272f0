"""Names, texts and schemas of servers, before any server runs."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.errors import ToolInputError
from runner.mcp.names import LONGEST, server_part, tool_names
from runner.mcp.schema import LARGEST, SchemaProblem, checker, offered
from runner.mcp.text import one_line, plain
from runner.tools.builtin import builtin_tools
from tests.mcp.hostile import BAD_NAMES, ESCAPE, INVISIBLE

ALLOWED = set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")
WORDS = st.text(min_size=1, max_size=90) | st.text(alphabet="ab_- ", min_size=1, max_size=30)


@given(st.lists(WORDS, min_size=1, max_size=4, unique=True), st.lists(WORDS, min_size=1, max_size=6, unique=True))
def test_names_are_safe_short_and_tell_all_tools_of_all_servers_apart(servers: list[str], tools: list[str]) -> None:
    found = [name for server in servers for name in tool_names(server, tools).values()]
    assert len({server_part(server) for server in servers}) == len(servers)
    assert len(set(found)) == len(found)
    assert all(len(name) <= LONGEST and set(name) <= ALLOWED and name.startswith("mcp__") for name in found)
    assert not {tool.name for tool in builtin_tools()} & set(found)


@given(WORDS, st.lists(WORDS, min_size=1, max_size=6, unique=True))
def test_a_name_does_not_depend_on_the_other_tools(server: str, tools: list[str]) -> None:
    for original, name in tool_names(server, tools).items():
        assert tool_names(server, [original]) == {original: name}


def test_ordinary_names_stay_as_they_are() -> None:
    assert tool_names("files", ["read_file", "get-sum"]) == {
        "read_file": "mcp__files__read_file",
        "get-sum": "mcp__files__get-sum",
    }


def test_servers_cannot_run_into_each_others_names() -> None:
    pairs = [("a", "b__c"), ("a__b", "c"), ("a_", "_b"), ("a", "__b"), ("a ", "b__c"), ("a", "_b")]
    assert len({name for server, tool in pairs for name in tool_names(server, [tool]).values()}) == len(pairs)


def test_a_name_that_was_made_up_to_collide_takes_nobodys_place() -> None:
    honest = tool_names("s", ["a b"])["a b"]
    forged = honest.removeprefix("mcp__s__")
    assert tool_names("s", ["a b", forged, "other"]) == {"other": "mcp__s__other"}


def test_text_loses_what_a_terminal_obeys_and_what_nobody_sees() -> None:
    assert plain(ESCAPE, 200) == "clickred"
    assert plain(INVISIBLE, 200) == "safe"
    assert plain("a\x00b\rc\u200dd\ufeffe\u3164f\tg\nh", 200) == "abcdef\tg\nh"
    assert plain("naïve 名前 ✓", 200) == "naïve 名前 ✓"
    assert one_line(" two\n lines ", 200) == "two lines"


@given(st.text(max_size=3000), st.integers(60, 500))
def test_text_is_bounded_and_says_where_it_was_cut(text: str, limit: int) -> None:
    found = plain(text, limit)
    assert len(found) <= limit
    assert all(one.isprintable() or one in "\n\t\u00a0" or one.isspace() for one in found)
    if len(text) > 4 * limit:
        assert "cut here" in found


BAD_SCHEMAS: list[Any] = [
    None,
    7,
    {"type": "string"},
    {"type": "object", "properties": [1]},
    {"type": "object", "properties": {"a\u202e": {}}},
    {"type": "object", "properties": {"": {}}},
    {"type": "object", "properties": {"x" * 65: {}}},
    {"type": "object", "description": "x" * LARGEST},
]


@pytest.mark.parametrize("schema", BAD_SCHEMAS, ids=lambda schema: str(schema)[:30])
def test_a_schema_that_a_provider_would_refuse_is_not_offered(schema: Any) -> None:
    with pytest.raises(SchemaProblem):
        offered(schema)


def test_the_model_gets_a_schema_without_hidden_text_and_with_the_names_as_they_are() -> None:
    schema = {
        "type": "object",
        "title": ESCAPE,
        "properties": {"title": {"type": "string", "description": INVISIBLE, "enum": ["a\u200bb"]}},
        "oneOf": [{"required": ["title"]}],
        "required": ["title"],
    }
    assert offered(schema) == {
        "type": "object",
        "title": "clickred",
        "properties": {"title": {"type": "string", "description": "safe", "enum": ["a\u200bb"]}},
        "required": ["title"],
    }
    assert offered({"type": "object"}) == {"type": "object", "properties": {}}


def test_arguments_are_refused_in_words_for_a_model() -> None:
    schema = {
        "type": "object",
        "properties": {"a": {"type": "integer"}, "b": {"enum": ["x"]}, "o": {"type": "object", "required": ["z"]}},
        "required": ["c"],
        "additionalProperties": False,
    }
    with pytest.raises(ToolInputError) as refused:
        checker(schema)({"a": "1", "b": 3, "q": 1, "o": {}})
    words = str(refused.value)
    assert 'a: should be of type integer, got "1"' in words
    assert 'b: should be one of ["x"], got 3' in words
    assert "z in o: is missing" in words
    assert "c: is missing" in words
    assert "The parameters are: a, b, o" in words


def test_a_schema_is_held_to_one_of_its_alternatives() -> None:
    check = checker({"type": "object", "oneOf": [{"required": ["a"]}, {"required": ["b"]}]})
    assert check({"a": 1}) == {"a": 1}
    with pytest.raises(ToolInputError):
        check({})


def test_no_schema_costs_much_time_or_opens_an_address() -> None:
    doubled: dict[str, Any] = {f"a{n}": {"allOf": [{"$ref": f"#/$defs/a{n + 1}"}] * 2} for n in range(40)}
    schemas: list[dict[str, Any]] = [
        {"type": "object", "$defs": {**doubled, "a40": {}}, "$ref": "#/$defs/a0"},
        {"type": "object", "allOf": [{"$ref": "#"}]},
        {"type": "object", "properties": {"a": {"type": "string", "pattern": "^(a+)+$"}}},
        {"type": "object", "patternProperties": {"^(a+)+$": {}}, "additionalProperties": False},
        {"type": "object", "properties": {"a": {"$ref": "http://127.0.0.1:9/schema"}}},
    ]
    given = {"a": "a" * 5000 + "!"}
    for schema in schemas:
        began = time.monotonic()
        assert checker(schema)(given) == given
        assert time.monotonic() - began < 2


def test_every_bad_name_is_a_safe_one_or_none() -> None:
    for name in tool_names("s", [name for name in BAD_NAMES if name.strip()]).values():
        assert set(name) <= ALLOWED
        assert name.startswith("mcp__s__")
