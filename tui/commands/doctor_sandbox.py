"""What the doctor says of the sandbox for commands, and of secrets in the environment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from runner.tools.base import Sandbox
from tui.commands.findings import Finding

_NAMED = 8


def sandbox(wanted: Sandbox) -> Iterator[Finding]:
    from runner.tools.sandbox import status

    found = status(wanted)
    if found.on:
        network = "with network" if wanted.network else "no network unless a call is allowed it"
        yield Finding(area="Sandbox", name="Commands", value=f"in a sandbox ({found.how}), {network}")
    elif wanted.mode == "off":
        yield Finding(
            area="Sandbox",
            name="Commands",
            value="no sandbox: it is switched off",
            level="note",
            fix='sandbox = "auto"',
        )
    else:
        required = wanted.mode == "require"
        yield Finding(
            area="Sandbox",
            name="Commands",
            value=f"{'refused' if required else 'without one'}: {found.why}",
            level="broken" if required else "warning",
            fix="install bubblewrap (apt, dnf or pacman install bubblewrap)"
            + ("; in a container it may need leave to make namespaces" if "not work" in found.why else ""),
        )


def secrets(environ: Mapping[str, str], *, hidden: Sequence[str], passed: Sequence[str]) -> Iterator[Finding]:
    """Names only, never a value."""
    from runner.tools.environment import withheld

    names = [name for name in withheld(environ, hidden=hidden, passed=passed) if not name.startswith("QUARTERDECK_")]
    shown = ", ".join(names[:_NAMED]) + (f" and {len(names) - _NAMED} more" if len(names) > _NAMED else "")
    yield Finding(area="Sandbox", name="Secrets kept from commands", value=shown or "none found in the environment")
