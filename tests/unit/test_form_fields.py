"""Fields of a form: from arguments and schemas to what a person edits, and back."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.e2e.hostile import HOSTILE
from tui.form_fields import (
    Field,
    FieldError,
    as_json,
    fields_of,
    fields_of_schema,
    filled,
    has_unseen,
    read_field,
    read_fields,
    read_json,
)

VALUES = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text())
NESTED = st.recursive(VALUES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3))


@given(st.dictionaries(st.text(min_size=1), NESTED, min_size=1, max_size=6))
def test_unchanged_fields_come_to_the_same_arguments(arguments: dict[str, Any]) -> None:
    fields = fields_of(arguments)
    assert fields is not None
    assert as_json(read_fields(fields, [field.value for field in fields])) == as_json(arguments)


@given(NESTED)
def test_json_means_the_same_and_every_character_of_it_is_seen(value: object) -> None:
    text = as_json(value)
    assert json.loads(text) == json.loads(json.dumps(value))
    assert not has_unseen(text)


def test_hostile_text_is_escaped_and_not_changed() -> None:
    text = as_json({HOSTILE: [HOSTILE]})
    assert json.loads(text) == {HOSTILE: [HOSTILE]}
    assert not has_unseen(text)
    assert all(escape in text for escape in ("\\u202e", "\\u001b", "\\u009b", "\\u200b", "\\udb40\\udc41", "\\u007f"))


def test_letters_of_other_scripts_stay_letters() -> None:
    assert as_json({"name": "Ærøskøbing 東京 😀"}) == '{\n  "name": "Ærøskøbing 東京 😀"\n}'


def test_the_kinds_go_by_the_values() -> None:
    fields = fields_of({"a": "x", "b": True, "c": 1, "d": 1.5, "e": [1], "f": None, "g": "x\u200b"})
    assert fields is not None
    assert [field.kind for field in fields] == ["text", "boolean", "integer", "number", "json", "json", "json"]
    assert fields_of({}) is None
    assert fields_of({str(number): 1 for number in range(13)}) is None


@pytest.mark.parametrize(
    ("field", "text", "words"),
    [
        (Field(name="n", kind="integer"), "1.5", "whole number"),
        (Field(name="n", kind="integer"), "", "whole number"),
        (Field(name="n", kind="number"), "nan", "a number"),
        (Field(name="n", kind="number", most=3), "4", "at most 3"),
        (Field(name="n", kind="number", least=3), "2", "at least 3"),
        (Field(name="n", kind="boolean", choices=("yes", "no")), "", "yes or no"),
        (Field(name="n", kind="choice", choices=("a",)), "b", "one of the choices"),
        (Field(name="n", kind="json"), "{", "not JSON"),
        (Field(name="n", kind="json"), "NaN", "no JSON number"),
    ],
)
def test_what_is_wrong_with_a_field_is_said(field: Field, text: str, words: str) -> None:
    with pytest.raises(FieldError, match=words):
        read_field(field, text)
    with pytest.raises(FieldError, match="n "):
        read_fields([field], [text])


@pytest.mark.parametrize("text", ["[1]", '"x"', "{", "", "[" * 100_000])
def test_only_an_object_is_arguments(text: str) -> None:
    with pytest.raises(FieldError):
        read_json(text)


def test_a_schema_makes_fields_and_what_is_optional_may_be_left_out() -> None:
    schema = {
        "properties": {
            "name": {"type": "string", "title": "Name", "default": "x"},
            "size": {"type": "integer", "minimum": 1},
            "side": {"oneOf": [{"const": "a", "title": "A"}, {"const": "b"}]},
            "odd": 7,
        },
        "required": ["name"],
    }
    fields = fields_of_schema(schema)
    assert [(field.kind, field.optional) for field in fields] == [
        ("text", False),
        ("integer", True),
        ("choice", True),
        ("json", True),
    ]
    assert read_fields(fields, ["y", "", "", ""]) == {"name": "y"}
    again = filled(fields, {"size": 4, "side": "b"})
    assert read_fields(again, [field.value for field in again]) == {"name": "x", "size": 4, "side": "b"}
    assert fields_of_schema({"properties": 3}) == ()
