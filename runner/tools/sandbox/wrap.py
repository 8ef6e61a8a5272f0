"""From a command to the command in its cage."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from runner.errors import ToolError
from runner.messages import JsonObject
from runner.tools.base import ToolContext
from runner.tools.sandbox import bubblewrap, seatbelt
from runner.tools.sandbox.aside import set_aside
from runner.tools.sandbox.places import Places, places_of
from runner.tools.sandbox.probe import Means, means
from runner.tools.sandbox.scratch import EMPTY, SCRATCH

_GONE: Final = ("TMPDIR", "TMP", "TEMP", "XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS")
"""What they name is not there inside."""

REQUIRED: Final = (
    "This command was not run: commands must run in a sandbox here, and there is none ({why}). Only the user can "
    "change that: install bubblewrap, or set the sandbox to auto or off; quarterdeck doctor says more."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Boxed:
    """A command to start. on: in a sandbox; why: why not, "" where it was not wanted. network: it may use it.

    monitored: the started process only stands for the command, whose signal it tells as an exit code. aside: what the
    command made and may not have, with its new name.
    """

    argv: list[str]
    env: dict[str, str]
    on: bool = False
    why: str = ""
    network: bool = True
    monitored: bool = False
    places: Places | None = field(default=None, repr=False)
    aside: list[tuple[Path, Path]] = field(default_factory=list[tuple[Path, Path]])

    @property
    def display(self) -> JsonObject:
        return {"on": self.on, "network": self.network, "why": self.why}

    def finish(self) -> None:
        """When all of the command is over, however it ended. Blocks."""
        if self.places is not None:
            self.aside.extend(set_aside(self.places))


def box_up(argv: Sequence[str], env: Mapping[str, str], ctx: ToolContext, *, network: bool = False) -> Boxed:
    """The command as it runs under ctx.sandbox. network: allowed for this command. Blocks; raises ToolError where the
    sandbox is required and there is none, or where it cannot be prepared.
    """
    sandbox = ctx.sandbox
    if sandbox.mode == "off":
        return Boxed(argv=[*argv], env={**env})
    found = means()
    if not found.program:
        if sandbox.mode == "require":
            raise ToolError(REQUIRED.format(why=found.why))
        return Boxed(argv=[*argv], env={**env}, why=found.why)
    try:
        scratch = SCRATCH.folder(ctx.session_id or ctx.run_id)
    except OSError as error:
        raise ToolError(f"The sandbox could not be prepared: {error}") from error
    places = places_of(sandbox, ctx.workspace, env)
    network = network or sandbox.network
    return Boxed(
        argv=[*_before(found, places, scratch, network), *argv],
        env=_inner(env, places, scratch),
        on=True,
        network=network,
        monitored=sys.platform == "linux",
        places=places,
    )


def sandbox_facts(ctx: ToolContext, *, network: bool = False) -> JsonObject | None:
    """For a preview: whether the command will run in a sandbox, and what it may do there. None: it is off. Blocks."""
    sandbox = ctx.sandbox
    if sandbox.mode == "off":
        return None
    found = means()
    on = bool(found.program)
    return {
        "on": on,
        "network": network or sandbox.network or not on,
        "why": found.why,
        "required": sandbox.mode == "require",
        "write": [str(path) for path in sandbox.write] if on else [],
    }


def asks_for_network(ctx: ToolContext, network: bool) -> bool:
    """Whether a call wants more than the sandbox gives. Blocks."""
    return network and ctx.sandbox.mode != "off" and not ctx.sandbox.network and bool(means().program)


def _before(found: Means, places: Places, scratch: Path, network: bool) -> list[str]:
    if sys.platform == "darwin":
        return seatbelt.arguments(places, scratch=scratch, network=network)
    empty = scratch.parent / EMPTY
    return bubblewrap.arguments(found.program, found.variant, places, scratch=scratch, empty=empty, network=network)


def _inner(env: Mapping[str, str], places: Places, scratch: Path) -> dict[str, str]:
    """The environment inside. Caches in the home folder cannot be written, so programs are told of another place."""
    inner = {name: value for name, value in env.items() if name not in _GONE}
    if sys.platform == "darwin":
        inner["TMPDIR"] = str(scratch)
    home = env.get("HOME", "")
    cache = Path(os.path.realpath(env.get("XDG_CACHE_HOME") or f"{home}/.cache"))
    if not any(cache == path or cache.is_relative_to(path) for path in places.writable):
        inner["XDG_CACHE_HOME"] = str((scratch if sys.platform == "darwin" else bubblewrap.TMP) / ".cache")
    return inner
