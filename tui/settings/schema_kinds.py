"""Kinds of values in a configuration file. Each one's description says what is expected of it."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Annotated, Literal, TypeAlias, cast

from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

ON, OFF = "on", "off"


def number(value: object) -> object:
    """A float where the file's exact decimal is; what is no number stays, to be refused."""
    return float(value) if isinstance(value, Decimal) else value


def money(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    return Decimal(str(value))


def switch(value: object) -> object:
    return None if value == OFF else value


def floats(value: object) -> object:
    """Arguments of a call as JSON has them, so that a number in a rule equals the one in the call."""
    if isinstance(value, dict):
        return {name: floats(item) for name, item in cast("dict[str, object]", value).items()}
    if isinstance(value, list):
        return [floats(item) for item in cast("list[object]", value)]
    return number(value)


def number_or_off(value: object) -> object:
    return switch(number(value))


def money_or_off(value: object) -> object:
    return switch(money(value))


def table_or_off(value: object) -> object:
    return {} if value == ON else switch(value)


def one_of(names: tuple[str, ...]) -> Callable[[str], str]:
    def check(value: str) -> str:
        if value not in names:
            raise PydanticCustomError("not_one_of", "is not one of them")
        return value

    return check


def like(pattern: re.Pattern[str]) -> Callable[[str], str]:
    def check(value: str) -> str:
        if not pattern.fullmatch(value):
            raise PydanticCustomError("not_like", "does not look like one")
        return value

    return check


def mode_table(value: object) -> object:
    return {"mode": value} if isinstance(value, str) else value


WHOLE = "a whole number, 0 or more"
OR_OFF = f'or "{OFF}"'
TEXT = "a text that is not empty"
MONEY = "US dollars, 0 or more"

Text: TypeAlias = Annotated[str, Field(strict=True, min_length=1, description=TEXT)]
Count: TypeAlias = Annotated[int, Field(strict=True, ge=0, description=WHOLE)]
CountOff: TypeAlias = Annotated[
    Annotated[int, Field(strict=True, ge=0)] | None,
    BeforeValidator(switch),
    Field(description=f"{WHOLE}, {OR_OFF}"),
]
Positive: TypeAlias = Annotated[int, Field(strict=True, ge=1, description="a whole number, 1 or more")]
Finite: TypeAlias = Annotated[float, Field(strict=True, gt=0, allow_inf_nan=False)]
Seconds: TypeAlias = Annotated[Finite, BeforeValidator(number), Field(description="seconds, more than 0")]
SecondsOff: TypeAlias = Annotated[
    Finite | None, BeforeValidator(number_or_off), Field(description=f"seconds, more than 0, {OR_OFF}")
]
Grace: TypeAlias = Annotated[
    Annotated[float, Field(strict=True, ge=0, allow_inf_nan=False)],
    BeforeValidator(number),
    Field(description="seconds, 0 or more"),
]
Factor: TypeAlias = Annotated[Finite, BeforeValidator(number), Field(description="a number, more than 0")]
Dollars: TypeAlias = Annotated[Decimal, Field(strict=True, ge=0, allow_inf_nan=False)]
Money: TypeAlias = Annotated[Dollars, BeforeValidator(money), Field(description=MONEY)]
MoneyOff: TypeAlias = Annotated[Dollars | None, BeforeValidator(money_or_off), Field(description=f"{MONEY}, {OR_OFF}")]
OnLimit: TypeAlias = Annotated[
    Literal["ask", "end"], Field(description='"ask" (pause there until somebody decides) or "end"')
]
YesNo: TypeAlias = Annotated[bool, Field(strict=True, description="true or false")]
