"""The tables about what tools may reach: servers, the sandbox, the environment, the web."""

from __future__ import annotations

import re
from typing import Annotated, Literal, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from tui.settings.schema_kinds import Seconds, SecondsOff, Text, YesNo, like

SERVER_NAME = re.compile(r"[a-z0-9_-]{1,32}")
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
VARIABLES = re.compile(r"[A-Za-z0-9_*?]+")
HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")

ServerName: TypeAlias = Annotated[str, AfterValidator(like(SERVER_NAME))]
Variable: TypeAlias = Annotated[str, Field(strict=True), AfterValidator(like(VARIABLE))]
Word: TypeAlias = Annotated[str, Field(strict=True)]
Variables: TypeAlias = Annotated[str, Field(strict=True), AfterValidator(like(VARIABLES))]

MODES_OF_SANDBOX = '"require" (no command without one), "auto" (where the system has one) or "off"'


class Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class McpTable(Table):
    """A server of the Model Context Protocol; a command or a url, and what belongs to it."""

    command: (
        Annotated[
            str,
            Field(strict=True, min_length=1, description='a program, such as "uvx"; what follows it goes into args'),
        ]
        | None
    ) = None
    args: Annotated[list[Word], Field(description="a list of texts")] = []
    env: Annotated[
        dict[Variable, Word],
        Field(description='a table of variables, such as { TOKEN = "${MY_TOKEN}" }'),
    ] = {}
    cwd: Annotated[str, Field(strict=True, min_length=1, description="a folder")] | None = None
    url: (
        Annotated[
            str,
            Field(
                strict=True,
                pattern=r"^https?://[^\s/@]+(/\S*)?$",
                description='a URL such as "http://127.0.0.1:3000/mcp"',
            ),
        ]
        | None
    ) = None
    headers: Annotated[
        dict[Annotated[str, AfterValidator(like(HEADER))], Word],
        Field(description='a table of headers, such as { Authorization = "Bearer ${MY_TOKEN}" }'),
    ] = {}
    trusted: YesNo = False
    enabled: YesNo = True
    sampling: YesNo = False
    tools: Annotated[list[Text], Field(description="a list of names of the server's tools")] | None = None
    connect_timeout: Seconds = 30
    call_timeout: SecondsOff = None

    @model_validator(mode="after")
    def _one_way(self) -> McpTable:
        if (self.command is None) == (self.url is None):
            raise ValueError("has neither a command nor a url" if self.url is None else "has both a command and a url")
        if self.url is not None and (self.args or self.env or self.cwd):
            raise ValueError("has a url, and args, env and cwd belong to a command")
        if self.command is not None and self.headers:
            raise ValueError("has a command, and headers belong to a url")
        return self


class SandboxTable(Table):
    """What the commands of the shell tool may touch."""

    mode: Annotated[Literal["require", "auto", "off"], Field(description=MODES_OF_SANDBOX)] = "auto"
    network: YesNo = False
    write: Annotated[list[Text], Field(description='a list of folders, such as ["~/.cache"]')] = []
    show: Annotated[list[Text], Field(description='a list of files and folders, such as ["~/.ssh/config"]')] = []
    hide: Annotated[list[Text], Field(description='a list of files and folders, such as ["~/mail"]')] = []


def _host(value: str) -> str:
    from runner.errors import ConfigError
    from runner.tools.web.address import PrivateHosts

    try:
        PrivateHosts([value])
    except ConfigError as error:
        raise PydanticCustomError("not_a_host", "is no host") from error
    return value


class EnvironmentTable(Table):
    """Which of the program's variables the processes of tools get."""

    passed: Annotated[
        list[Variables], Field(alias="pass", description='a list of names of variables, such as ["GH_TOKEN", "MY_*"]')
    ] = []
    hide: Annotated[
        list[Variables], Field(description='a list of names of variables, such as ["LAB_CODE", "MY_*"]')
    ] = []


class WebTable(Table):
    """What web_fetch may reach."""

    private_hosts: Annotated[
        list[Annotated[str, Field(strict=True), AfterValidator(_host)]],
        Field(description='a list of hosts, such as ["localhost:8000", "*.lab.example", "10.0.0.0/8"]'),
    ] = []
