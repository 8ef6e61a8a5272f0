"""Stories about what may run: grants, the ledger of decisions, a rule that is tried and saved."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runner.control.commands import Decide
from runner.events import Decision, Pattern, ToolPattern
from tests.pictures.reading import STORIES as READING

if TYPE_CHECKING:
    from tests.pictures.__main__ import Scene

RULES = """\
[[rules]]
effect = "deny"
tool = "shell"
prefix = "git push"
note = "by hand only"

[[rules]]
effect = "allow"
tool = "write_file"
below = "harbours"
expires = 2031-05-01
"""


def configure(scene: Scene) -> None:
    folder = Path(scene.app.settings.environ["QUARTERDECK_CONFIG"])
    folder.mkdir(exist_ok=True)
    (folder / "config.toml").write_text(RULES, encoding="utf-8")


async def answered(scene: Scene, text: str, decision: Decision = "allow", **more: Any) -> None:
    assert scene.app.conductor is not None
    await scene.send(text)
    await scene.until(lambda: bool(scene.view.waiting))
    approval = scene.view.waiting[0].approval
    assert approval is not None
    scene.app.conductor.deck.decide(Decide(request_id=approval.request_id, decision=decision, **more))
    await scene.ended()


async def past(scene: Scene) -> None:
    """A few requests with their answers."""
    configure(scene)
    grep = (ToolPattern(tool="shell", pattern=Pattern(prefix=("grep",))),)
    await answered(scene, "run git status", scope="project", match="exact")
    await answered(scene, "run git log --oneline -3")
    await answered(scene, "run git commit -am draft", "deny", reason="not before the tests pass")
    await answered(scene, "run rm -rf harbours", "deny")
    await answered(scene, "run grep -rn mean_level .", scope="session", match="pattern", patterns=grep, calls=5)
    await scene.send("run grep -c name harbours/oslo.toml")
    await scene.ended()
    await answered(scene, "run printf 1.5 > level", "edit", arguments={"command": "printf 1.6 > level"})


async def grants(scene: Scene) -> None:
    await past(scene)
    await scene.pilot.press("alt+g")
    await scene.pilot.pause(1.0)


async def decisions(scene: Scene) -> None:
    await past(scene)
    await scene.pilot.press("alt+d")
    await scene.pilot.pause(1.0)


async def decision(scene: Scene) -> None:
    await decisions(scene)
    await scene.pilot.press("enter")
    await scene.pilot.pause(0.5)


async def trial(scene: Scene) -> None:
    await past(scene)
    await scene.send("/try allow shell prefix gi")
    await scene.pilot.pause(1.5)
    await scene.pilot.press("t")
    await scene.pilot.pause(1.5)


async def save_rule(scene: Scene) -> None:
    await trial(scene)
    await scene.pilot.press("ctrl+s")
    await scene.pilot.pause(1.0)
    await scene.pilot.press(*"drafts are cheap")
    await scene.pilot.pause(0.5)


STORIES: dict[str, Callable[[Scene], Awaitable[None]]] = {
    **READING,
    "grants": grants,
    "decisions": decisions,
    "decision": decision,
    "trial": trial,
    "save_rule": save_rule,
}
