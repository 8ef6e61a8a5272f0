"""todo: the model's list of what is to be done, shown to the person as a checklist.

It is called todo, not plan: "plan" is a mode of approvals here, in which nothing is changed, and writing a list must
not be taken for that. The whole list is given each time, so there is nothing to get out of step.
"""

from __future__ import annotations

from collections.abc import Sequence

from runner.errors import ToolInputError
from runner.messages import JsonObject
from runner.tools.base import Tool, ToolContext, ToolOutput
from runner.tools.builtin.make import threaded
from runner.tools.builtin.params import ListParam, Param, checker, schema_of

STATUSES = ("pending", "active", "done")
MOST = 100
LONGEST = 500
"""Characters of one entry."""

_PARAMS = (
    ListParam(
        name="items",
        description="The whole list, in order. It replaces the list before; an empty one ends it.",
        fields=(
            Param(name="text", type="string", description="What is to be done, in a few words.", required=True),
            Param(
                name="status",
                type="string",
                description="How far it is; at most one is active.",
                default="pending",
                choices=STATUSES,
            ),
        ),
        required=True,
        most=MOST,
    ),
)
_check = checker(_PARAMS)


def _validate(arguments: JsonObject) -> JsonObject:
    found = _check(arguments)
    items: list[JsonObject] = []
    for index, item in enumerate(found["items"]):
        text = " ".join(str(item["text"]).split())
        if not text or len(text) > LONGEST:
            what = "is empty" if not text else f"is longer than {LONGEST} characters"
            raise ToolInputError(f"The arguments do not fit. items[{index}].text: {what}")
        items.append({"text": text, "status": item["status"]})
    return {"items": items}


def _keep(ctx: ToolContext, arguments: JsonObject) -> ToolOutput:
    items: list[JsonObject] = arguments["items"]
    return ToolOutput(text=_in_words(items), display={"type": "todo", "items": items})


def _in_words(items: Sequence[JsonObject]) -> str:
    """Short: the model wrote the list itself, and it stands in its call."""
    if not items:
        return "The list is empty now."
    count = {status: sum(item["status"] == status for item in items) for status in STATUSES}
    words = f"The list has {len(items)} {'entry' if len(items) == 1 else 'entries'}: {count['done']} done"
    words += f", {count['active']} active, {count['pending']} pending."
    if count["active"] > 1:
        words += " Only what is being worked on now should be active."
    return words


TODO = Tool(
    name="todo",
    description=(
        "Write down what is to be done, as a checklist that the user sees, and keep it up to date: give the whole list "
        "again whenever something begins, ends or comes to it. For work of several steps; not for a single one."
    ),
    parameters=schema_of(_PARAMS),
    run=threaded(_keep),
    validate=_validate,
    kind="other",
    read_only=True,
    idempotent=True,
)
