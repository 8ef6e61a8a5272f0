"""Which environment variables reach the processes of tools: secrets do not, everything else does."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.config import RunConfig
from runner.events import ToolFinished
from runner.testing import ScriptedModel, calls, reply
from runner.tools.builtin import SHELL
from runner.tools.environment import QUIET, child_environment, is_withheld, withheld
from runner.tools.secret_names import is_secret
from tests.loop.harness import agent_for, make_runner

_SECRETS = """
OPENAI_API_KEY ANTHROPIC_API_KEY lab_api_key API_KEY APIKEY OPENAIAPIKEY GITHUB_TOKEN GH_TOKEN GITLAB_PRIVATE_TOKEN
NPM_TOKEN npm_config__authToken npm_config_//registry.npmjs.org/:_authToken HF_TOKEN SLACK_BOT_TOKEN
SLACK_WEBHOOK_URL AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN AZURE_CLIENT_SECRET AZURE_AD_TOKEN
azureStorageKey GOOGLE_APPLICATION_CREDENTIALS GCP_CREDS STRIPE_SECRET_KEY TWILIO_AUTH_TOKEN DJANGO_SECRET_KEY
SECRET SECRETKEY DB_PASSWORD DB_PASS PGPASSWORD MYSQL_PWD REDIS_PASSWD SSHPASS KEYCHAIN_PASSPHRASE SUDO_PASSWORD
LDAP_PW ANTHROPIC_AUTH_TOKEN BASIC_AUTH DOCKER_AUTH_CONFIG OAUTH_CLIENT NPM_AUTH JWT SESSION_COOKIE COOKIE
AOC_SESSION SESSION_SECRET SESSIONID GITHUB_PAT AZURE_DEVOPS_EXT_PAT WALLET_MNEMONIC SIGNING_KEY ENCRYPTION_KEYS
TF_VAR_db_password VAULT_TOKEN VSCODE_GIT_IPC_AUTH_TOKEN ACTIONS_ID_TOKEN_REQUEST_TOKEN CI_JOB_JWT app.storage.key
MY-SECRET-2 GPG_PRIVATE_KEY KEY TOKEN PASSWORD Password
"""
SECRETS = _SECRETS.split()

_ORDINARY = """
PATH HOME USER LANG LC_ALL TERM SHELL PWD OLDPWD EDITOR TZ DISPLAY HOSTNAME LOGNAME SHLVL CI MAIL COLUMNS KEYBOARD
MONKEY HOTKEY KEYMAP LESSKEY KEYTIMEOUT XKB_DEFAULT_LAYOUT DONKEY_KONG TURKEY GIT_AUTHOR_NAME AUTHOR XAUTHORITY
AUTHORITY TOKENIZERS_PARALLELISM TOKENIZER MAX_TOKENS MAX_OUTPUT_TOKENS COMPASS BYPASS PASSENGER_APP SSH_ASKPASS
GIT_ASKPASS GOPRIVATE SECRETARY PATH_INFO PATTERN DISPATCH XDG_SESSION_ID XDG_SESSION_TYPE DESKTOP_SESSION
GNOME_DESKTOP_SESSION_ID SESSION_MANAGER DBUS_SESSION_BUS_ADDRESS TERM_SESSION_ID SECURITYSESSIONID ITERM_SESSION_ID
WINDOWSESSIONID COOKIECUTTER_CONFIG NEXT_PUBLIC_API_KEY SSH_PUBLIC_KEY PYTHONPATH JAVA_HOME VIRTUAL_ENV NODE_ENV
GOPATH CARGO_HOME XDG_RUNTIME_DIR LS_COLORS INIT_CWD
"""
ORDINARY = _ORDINARY.split()


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_by_its_name(name: str) -> None:
    assert is_secret(name, "value")
    assert is_secret(name.lower(), "value") or "_" not in name
    assert name not in child_environment({name: "value"})
    assert withheld({name: "value"}) == (name,)


@pytest.mark.parametrize("name", ORDINARY)
def test_no_secret_by_its_name(name: str) -> None:
    assert not is_secret(name, "value")
    assert withheld({name: "value"}) == ()


@pytest.mark.parametrize(
    ("name", "value", "secret"),
    [
        ("DATABASE_URL", "postgres://user:hunter2@db.internal:5432/app", True),
        ("DATABASE_URL", "postgres://db.internal/app", False),
        ("DATABASE_URL", "postgres://user@db.internal/app", False),
        ("REDIS_URL", "redis://:hunter2@cache:6379/0", True),
        ("HTTPS_PROXY", "http://me:hunter2@proxy:3128", True),
        ("HTTPS_PROXY", "http://proxy:3128", False),
        ("PIP_INDEX_URL", "https://__token__:abc@pypi.example/simple", True),
        ("MONGO", "mongodb+srv://a:b%40c@host/db?x=1", True),
        ("STORAGE", "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=abc==;", True),
        ("ADO", "Server=db;Database=x;User Id=sa;Password=hunter2;", True),
        ("REMOTE", "ssh://git@example.com:22/x", False),
        ("PAGE", "https://example.com/a:b@c", False),
        ("TIME", "12:30:45", False),
        ("SSH_AUTH_SOCK", "/tmp/ssh-x/agent.1", False),
        ("SSH_AUTH_SOCK", "hunter2", True),
        ("SECRET_FILE", "/run/secrets/db", False),
        ("SECRET_FILE", "hunter2", True),
        ("PGPASSFILE", "~/.pgpass", False),
        ("TOKEN_PATH", "", False),
    ],
)
def test_a_value_can_make_it_a_secret_or_only_a_place(name: str, value: str, secret: bool) -> None:
    assert is_secret(name, value) == secret


def test_what_is_listed_is_passed_and_what_is_hidden_never_is() -> None:
    base = {"GITHUB_TOKEN": "1", "NPM_TOKEN": "2", "PLAIN": "3", "QUARTERDECK_DATA": "4", "OPENAI_API_KEY": "5"}
    assert withheld(base) == ("GITHUB_TOKEN", "NPM_TOKEN", "OPENAI_API_KEY", "QUARTERDECK_DATA")
    assert withheld(base, passed=["github_token"]) == ("NPM_TOKEN", "OPENAI_API_KEY", "QUARTERDECK_DATA")
    assert withheld(base, passed=["*_TOKEN"], hidden=["npm_*", "PLAIN"]) == (
        *("NPM_TOKEN", "OPENAI_API_KEY", "PLAIN", "QUARTERDECK_DATA"),
    )
    # Our own settings only by their whole name.
    assert "QUARTERDECK_DATA" in withheld(base, passed=["*"])
    assert "QUARTERDECK_DATA" not in withheld(base, passed=["QUARTERDECK_DATA"])


WORDS = st.sampled_from(["KEY", "TOKEN", "SECRET", "PASSWORD", "PASSWD", "CREDENTIALS", "AUTH", "COOKIE", "PRIVATE"])
OTHERS = st.lists(st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=1, max_size=8), max_size=3)


@given(before=OTHERS, word=WORDS, after=OTHERS, joint=st.sampled_from("_-. "))
def test_a_telling_word_anywhere_makes_a_secret(before: list[str], word: str, after: list[str], joint: str) -> None:
    name = joint.join([*before, word, *after])
    if "PUBLIC" not in [*before, *after]:
        assert is_secret(name, "value")
        assert is_secret(name.lower(), "value")


@given(st.dictionaries(st.text(min_size=1, max_size=20), st.text(max_size=40)))
def test_nothing_is_lost_but_what_is_withheld(base: dict[str, str]) -> None:
    child = child_environment(base)
    missing = {name for name in base if name not in child and name.upper() not in ("FORCE_COLOR", "CLICOLOR_FORCE")}
    assert missing == set(withheld(base)) - set(QUIET)
    assert all(child[name] == value for name, value in base.items() if name in child and name not in QUIET)


def test_a_long_value_is_looked_at_quickly() -> None:
    for value in ("a" * 10**6, "a://" * 10**5, "a://b:" * 10**5, "password" * 10**5, ";" * 10**6):
        assert not is_withheld("X", value)


async def test_a_run_passes_what_its_configuration_lists(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GITHUB_TOKEN", "NPM_TOKEN", "MY_PLAIN", "MY_HIDDEN"):
        monkeypatch.setenv(name, f"value-of-{name}")
    model = ScriptedModel([reply(calls(("shell", {"command": "env"}))), "done"])
    config = RunConfig(
        workspace=tmp_path, approval_mode="bypass", pass_env=["GITHUB_*"], hidden_env=["MY_H*"], approver=False
    )
    events = [event async for event in make_runner(model).stream(agent_for(model, [SHELL]), "go", config)]
    [finished] = [event for event in events if isinstance(event, ToolFinished)]
    shown = {line.partition("=")[0] for line in finished.output.split("\n")}
    assert {"GITHUB_TOKEN", "MY_PLAIN"} <= shown
    assert not {"NPM_TOKEN", "MY_HIDDEN"} & shown
    assert "value-of-NPM_TOKEN" not in str(events)
    assert os.environ["NPM_TOKEN"] == "value-of-NPM_TOKEN"
