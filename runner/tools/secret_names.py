"""Which environment variables hold secrets, told by their names, and by values that are connection strings.

A name is split into words (`GITHUB_TOKEN`, `npm_config__authToken`, `azure.storage-key`), and the words are compared,
because a part of a word proves nothing: KEYBOARD and MONKEY have a KEY in them, AUTHOR has an AUTH. The words are those
that scanners of repositories and build files look for (BuildKit's SecretsUsedInArgOrEnv, gitleaks' generic rule,
detect-secrets' keyword detector). In doubt a name is taken for a secret: whoever needs it can list it.
"""

from __future__ import annotations

import re
from typing import Final

_WORDS: Final = frozenset(
    {
        *("KEY", "KEYS", "APIKEY", "APIKEYS", "TOKEN", "TOKENS", "SECRET", "SECRETS", "CREDENTIAL", "CREDENTIALS"),
        *("CRED", "CREDS", "PASSWORD", "PASSWORDS", "PASSWD", "PASSPHRASE", "PASSCODE", "PASS", "PWD", "PW", "PSWD"),
        *("AUTH", "OAUTH", "BEARER", "JWT", "COOKIE", "COOKIES", "PRIVATE", "PAT", "OTP", "TOTP", "MNEMONIC"),
        *("WEBHOOK", "SESSION", "SESSIONID", "SSHPASS", "PGPASS"),
    }
)
_ENDINGS: Final = (
    *("TOKEN", "TOKENS", "SECRET", "SECRETS", "PASSWORD", "PASSWORDS", "PASSWD", "PASSPHRASE", "CREDENTIAL"),
    *("CREDENTIALS", "COOKIE", "APIKEY", "APIKEYS", "ACCESSKEY", "SECRETKEY", "PRIVATEKEY", "SIGNINGKEY", "AUTHKEY"),
    *("ENCRYPTIONKEY", "MASTERKEY", "ACCOUNTKEY", "LICENSEKEY", "HOSTKEY"),
)
"""Of words that were written together, such as PGPASSWORD; a bare KEY would mean HOTKEY."""

_NUMBERS: Final = frozenset({"MAX", "MIN", "LIMIT", "COUNT", "NUM", "BUDGET", "PER"})
_PLACES: Final = frozenset({"FILE", "FILES", "PATH", "DIR", "FOLDER", "HOME", "SOCK", "SOCKET", "ROOT", "LOCATION"})
_FOLDERS: Final = frozenset({"PWD", "OLDPWD"})
_SESSIONS: Final = re.compile(
    r"(XDG|DESKTOP|DBUS|GNOME|KDE|GDM|TERM|WINDOWS?|TMUX|ZELLIJ|STARSHIP|ITERM|LC_TERMINAL|SECURITY)_?.*SESSION|"
    r"SESSION_?(MANAGER|NAME|TYPE|TIMEOUT)"
)
"""What a desktop and a terminal call their sessions: names and numbers of no use to anybody else."""

_CAMEL: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_BETWEEN: Final = re.compile(r"[^A-Z]+")
_CONNECTION: Final = re.compile(
    r"\b[a-z][a-z0-9+.\-]{0,30}://[^/?#\s@]{0,256}:[^/?#\s]{1,1024}@"  # A password: scheme://name:password@host
    r"|(?:^|;)\s*(?:password|pwd|accountkey|sharedaccesskey|sharedaccesssignature)\s*=\s*[^;\s]",
    re.IGNORECASE,
)
_SHOWN: Final = 16 * 1024


def is_secret(name: str, value: str = "") -> bool:
    """Whether a variable is a secret by its name, or a connection string with a password inside by its value."""
    return _by_name(name, value) or _CONNECTION.search(value[:_SHOWN]) is not None


def _by_name(name: str, value: str) -> bool:
    whole = name.upper()
    if whole in _FOLDERS:
        return False
    words = [word for word in _BETWEEN.split(_CAMEL.sub("_", name).upper()) if word]
    telling = [word for word in words if word in _WORDS or word.endswith(_ENDINGS)]
    if not telling or "PUBLIC" in words:
        return False
    if words[-1] in _PLACES and _is_place(value):
        # It says where the secret is, as SSH_AUTH_SOCK does: whether that can be read is another question.
        return False
    if set(telling) <= {"SESSION", "SESSIONID"} and _SESSIONS.search(whole) is not None:
        return False
    return not (set(telling) <= {"TOKENS"} and _NUMBERS & set(words))


def _is_place(value: str) -> bool:
    """A path, or nothing."""
    return not value or value.startswith(("/", "~", "./", "../")) or re.match(r"[A-Za-z]:[\\/]", value) is not None
