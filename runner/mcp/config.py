"""What a server is configured with."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from runner.errors import ConfigError, QuarterdeckError

Transport = Literal["stdio", "http"]

_REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+\Z")


class McpError(QuarterdeckError):
    """A server cannot be reached, or does not do what it was asked for; in words for a person or a model."""


@dataclass(frozen=True, slots=True, kw_only=True)
class McpServer:
    """One server: a command that is started (stdio), or a url that is connected to (streamable HTTP).

    env: variables that the command gets besides the usual ones of a tool's child; headers: sent with each request. In
    the values of both `${NAME}` stands for a variable of this program. cwd: where the command runs; None: in the
    workspace.
    trusted: its annotations are believed, such as that a tool only reads, and its tools need no first approval.
    sampling: it may ask the run's model. tools: names of those to offer, as the server calls them; None: all.
    connect_timeout: seconds until it has to be ready. call_timeout: seconds for one call; None: the run's.
    """

    name: str
    command: str = ""
    args: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict[str, str])
    cwd: Path | None = None
    url: str = ""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    trusted: bool = False
    enabled: bool = True
    sampling: bool = False
    tools: tuple[str, ...] | None = None
    connect_timeout: float = 30.0
    call_timeout: float | None = None

    def __post_init__(self) -> None:
        where = f"mcp server {self.name!r}"
        if not self.name.strip():
            raise ConfigError("a server needs a name", where="mcp")
        if bool(self.command) == bool(self.url):
            raise ConfigError(
                "has both a command and a url" if self.url else "has neither a command nor a url",
                where=where,
                expected="one of them",
            )
        if self.url and not self.url.startswith(("http://", "https://")):
            raise ConfigError(f"{self.url!r} is not an address", where=where, expected="http://… or https://…")
        if self.url and (self.args or self.env or self.cwd):
            raise ConfigError("args, env and cwd belong to a command", where=where, expected="headers")
        if self.command and self.headers:
            raise ConfigError("headers belong to a url", where=where, expected="env")
        for name in self.env:
            if not _VARIABLE.match(name):
                raise ConfigError(f"{name!r} is not the name of a variable", where=f"{where} env")
        for name, value in self.headers.items():
            if not _HEADER.match(name) or not value.isprintable():
                raise ConfigError(f"{name!r} cannot be a header", where=f"{where} headers")
        if self.connect_timeout <= 0 or (self.call_timeout is not None and self.call_timeout <= 0):
            raise ConfigError("a timeout is more than 0 seconds", where=where)

    @property
    def transport(self) -> Transport:
        return "http" if self.url else "stdio"


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Seconds, besides those of a server's own settings.

    prepare: what a run waits for servers that are starting. revive: what a call waits for a server that is
    restarting. backoff: before each restart in a row; after the last one the server has failed. stable: a server that
    was ready for so long starts again with the first of them. goodbye: for a server to end once its input is closed;
    grace: between SIGTERM and SIGKILL. request: for a list, a prompt or a resource.
    """

    prepare: float = 5.0
    revive: float = 10.0
    backoff: tuple[float, ...] = (0.5, 1.0, 2.0, 5.0, 15.0)
    stable: float = 60.0
    goodbye: float = 0.5
    grace: float = 1.0
    request: float = 30.0


def expanded(values: Mapping[str, str], environ: Mapping[str, str], what: str) -> dict[str, str]:
    """The values with each `${NAME}` replaced. Raises McpError where a variable is not set."""

    def replace(found: re.Match[str]) -> str:
        name = found[1]
        if name not in environ:
            raise McpError(f"{what} refers to the environment variable {name}, which is not set")
        return environ[name]

    return {name: _REFERENCE.sub(replace, value) for name, value in values.items()}
