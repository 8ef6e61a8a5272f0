"""What the approval card tells the screen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from textual.message import Message

if TYPE_CHECKING:
    from runner.control.commands import Decide
    from runner.events import ToolPattern
    from runner.state import ApprovalView, CallItem


class Decided(Message, namespace="approval_card"):
    """The person's answer."""

    def __init__(self, answer: Decide) -> None:
        super().__init__()
        self.answer = answer


class ViewAll(Message, namespace="approval_card"):
    """The whole call is wanted on a screen of its own."""

    def __init__(self, call: CallItem) -> None:
        super().__init__()
        self.call = call


class TryOnHistory(Message, namespace="approval_card"):
    """What would these patterns have done so far? tool, arguments: of the call that is asked about."""

    effect: Literal["allow", "deny"] = "allow"

    def __init__(self, patterns: tuple[ToolPattern, ...], approval: ApprovalView) -> None:
        super().__init__()
        self.patterns = patterns
        self.tool = approval.tool
        self.arguments = approval.arguments


class EditOutside(Message, namespace="approval_card"):
    """A text is wanted in the person's own editor; suffix: of its file."""

    def __init__(self, request_id: str, text: str, suffix: str) -> None:
        super().__init__()
        self.request_id = request_id
        self.text = text
        self.suffix = suffix
