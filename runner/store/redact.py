"""Masking secrets in what leaves the store."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, cast

SHORTEST_VALUE = 8
"""An environment value shorter than this is not looked for: it would be found in ordinary words."""

_SECRET_NAME = re.compile(
    r"KEY|TOKEN|SECRET|PASSW|PASSPHRASE|CREDENTIAL|AUTH(?!OR)|COOKIE|DSN|DATABASE_URL", re.IGNORECASE
)
_HARMLESS_NAME = re.compile(
    r"(?:_|^)(?:FILE|PATH|SOCK|DIR|HOME|NAME|PID|HELPER|ASKPASS|TYPE|BASE|HOST)$", re.IGNORECASE
)
_HARMLESS_VALUE = re.compile(r"(?:true|false|yes|no|none|null|disabled|enabled|[\d.]+)", re.IGNORECASE)

_EDGE = r"(?<![A-Za-z0-9_-])"

_SHAPES: tuple[tuple[str, str], ...] = (
    (
        "private key",
        r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----"
        r"(?:.{0,20000}?-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----"
        # Cut off: all the lines that hold nothing but the key's own letters.
        r"|(?:(?:\s|\\n)+(?:[A-Za-z0-9+/=]{8,}|[A-Za-z-]+: [^\n\\]*)(?=[ \t\r]*(?:\n|\\n|\Z)))*)",
    ),
    ("JWT", _EDGE + r"eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{4,}\.[A-Za-z0-9_-]*"),
    ("API key", _EDGE + r"sk-[A-Za-z0-9_-]{16,}"),
    ("API key", _EDGE + r"(?:sk|rk|pk)_(?:live|test)_[A-Za-z0-9]{16,}"),
    ("API key", _EDGE + r"(?:gsk_|xai-|pplx-|r8_|tgp_v1_|nvapi-|csk-)[A-Za-z0-9_-]{20,}"),
    ("GitHub token", _EDGE + r"(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,})"),
    ("GitLab token", _EDGE + r"gl[a-z]{2,4}-[A-Za-z0-9_-]{20,}"),
    ("AWS key id", _EDGE + r"(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}(?![A-Za-z0-9])"),
    ("Slack token", _EDGE + r"xox[a-z](?:\.xox[a-z])?-[A-Za-z0-9-]{10,}"),
    ("Slack token", _EDGE + r"xapp-[A-Za-z0-9-]{10,}"),
    ("Slack webhook", r"https://hooks\.slack\.com/(?:services|workflows|triggers)/[A-Za-z0-9/_-]{20,}"),
    ("Google key", _EDGE + r"AIza[A-Za-z0-9_-]{35}"),
    ("Google token", _EDGE + r"ya29\.[A-Za-z0-9_-]{20,}"),
    ("Hugging Face token", _EDGE + r"hf_[A-Za-z0-9]{20,}"),
    ("npm token", _EDGE + r"npm_[A-Za-z0-9]{30,}"),
    ("PyPI token", _EDGE + r"pypi-[A-Za-z0-9_-]{40,}"),
)

_BEARER = re.compile(r"\b(Bearer\s+)(?=\S*\d)[A-Za-z0-9._~+/=-]{16,}", re.IGNORECASE)
_BASIC = re.compile(r"(\bAuthorization\W{1,6}Basic\s+)[A-Za-z0-9+/=]{8,}", re.IGNORECASE)
_URL_PASSWORD = re.compile(r"(?<=://)([^\s/:@'\"]*):([^\s/@'\"]{3,})@")


class Redactor:
    """Replaces secrets by `[masked: what it was]`. environ: whose values are looked for."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        values = {value: name for name, value in environ.items() if _is_secret(name, value)}
        # The longest first, so that a value that contains another one is masked whole.
        self._names = dict(sorted(values.items(), key=lambda item: -len(item[0])))
        parts = [f"(?P<env>{'|'.join(map(re.escape, self._names))})"] if self._names else []
        self._labels: dict[str, str] = {}
        for index, (label, shape) in enumerate(_SHAPES):
            self._labels[f"s{index}"] = label
            parts.append(f"(?P<s{index}>{shape})")
        self._pattern = re.compile("|".join(parts), re.DOTALL)

    def text(self, text: str) -> str:
        text = self._pattern.sub(self._mask, text)
        text = _BEARER.sub(r"\1[masked: authorization]", text)
        text = _BASIC.sub(r"\1[masked: authorization]", text)
        return _URL_PASSWORD.sub(r"\1:[masked: password]@", text)

    def value(self, value: object) -> Any:
        """A JSON value with every text in it masked, names of fields included."""
        match value:
            case str():
                return self.text(value)
            case list():
                return [self.value(item) for item in cast("list[object]", value)]
            case dict():
                fields = cast("dict[str, object]", value)
                return {self.text(name): self.value(item) for name, item in fields.items()}
            case _:
                return value

    def json(self, line: bytes) -> bytes:
        """A JSON text with its texts masked: what an escape hides from a search in the text is found in the value."""
        masked = json.dumps(self.value(json.loads(line)), ensure_ascii=False, separators=(",", ":"))
        return masked.encode("utf-8", "replace")

    def _mask(self, found: re.Match[str]) -> str:
        group = found.lastgroup or ""
        label = self._names.get(found[0], "") if group == "env" else self._labels.get(group, "")
        return f"[masked: {label}]"


def _is_secret(name: str, value: str) -> bool:
    if len(value.strip()) < SHORTEST_VALUE or not _SECRET_NAME.search(name) or _HARMLESS_NAME.search(name):
        return False
    if _HARMLESS_VALUE.fullmatch(value.strip()):
        return False
    # A path to a file with a secret is not one; real keys that start with a slash have no second one soon after.
    return not re.match(r"(?:~|\.{0,2})/[\w.-]+/", value)
